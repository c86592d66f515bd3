"""Releases where the data is: Spark, PostgreSQL and tables that a user has open; what they refuse, and when."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import textwrap
import time
import warnings
from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import privkit
from privkit.cards import card_of_release
from privkit.dp.sources import schema_of
from privkit.errors import AggregateError, DatasetError, MissingExtraError, QueryError
from tests.postgres import OWNER, PASSWORD

ROWS = pa.table(
    {
        "id": pa.array([f"p{i % 40}" for i in range(200)]),
        "age": pa.array([20 + i % 50 for i in range(200)], pa.int64()),
        "region": pa.array([("north", "south", "Süd", "east")[i % 4] for i in range(200)]),
    }
)
COLUMNS = {
    "age": {"type": "integer", "bounds": (0, 110)},
    "region": {"type": "category", "categories": ("north", "south", "Süd", "east", "west")},
}
UNIT = {"column": "id", "max_groups": 2, "max_rows_per_group": 2, "max_units": 1000}
SQL = "SELECT region, COUNT(*) AS n, AVG(age) AS age, MEDIAN(age) AS m FROM visits GROUP BY region"


def dataset_of(data, folder, **more):
    """A dataset of its own budget; ε is so large that the noise is far below one."""
    made = privkit.Dataset(
        data,
        name="visits",
        unit=more.pop("unit", UNIT),
        columns=more.pop("columns", COLUMNS),
        budget={"epsilon": 900_000, "measure": "pure"},
        ledger=folder / f"{len(list(folder.glob('*.sqlite3')))}.ledger.sqlite3",
        **more,
    )
    privkit.create_budget(made, accept_high_loss="a test of made-up rows")
    return made


def released(dataset, sql=SQL):
    with privkit.Session(dataset, analyst="test") as session:
        return session.sql(sql, epsilon=100_000)


def values_of(answer):
    return [[round(v.value, 3) if v.value is not None else None for (v,) in r.values] for r in answer.release.results]


def table_of(backend, name):
    """Ibis 12 warns of DuckDB 2's names."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return backend.table(name)


def charges(dataset):
    return [entry.kind for entry in privkit.budget_history(dataset) if entry.kind in ("charged", "released", "failed")]


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    folder = tmp_path_factory.mktemp("expected")
    return values_of(released(dataset_of(ROWS.to_pandas(), folder)))


@pytest.fixture
def parts(tmp_path):
    """A folder of three Parquet files, as Spark leaves it."""
    folder = tmp_path / "visits"
    folder.mkdir()
    for i in range(3):
        pq.write_table(ROWS.slice(i * 70, 70), folder / f"part-{i}.parquet")
    (folder / "_SUCCESS").touch()
    return folder


@pytest.fixture(scope="module")
def server(postgres):
    """The URL of a database that has the rows in a table, and again in a schema."""
    url = postgres.url(postgres.database())
    backend = ibis.connect(url)
    with backend.con.cursor() as cursor:
        for table in ("visits", "clinic.visits"):
            cursor.execute("CREATE SCHEMA IF NOT EXISTS clinic")
            cursor.execute(f"CREATE TABLE {table} (id text, age bigint, region text)")
            with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                for row in ROWS.to_pylist():
                    copy.write_row([row["id"], row["age"], row["region"]])
    backend.disconnect()
    return url


# ---- the same answer from everywhere


def test_folders_globs_and_files_through_spark(spark, parts, tmp_path, expected, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for source in ("visits", "visits/*.parquet", "visits/part-[0-2].parquet"):
        assert values_of(released(dataset_of(source, tmp_path, engine="spark"))) == expected
    assert values_of(released(dataset_of("visits", tmp_path))) == expected
    answer = released(dataset_of(f"file://{parts}", tmp_path, engine="spark"))
    assert values_of(answer) == expected
    assert answer.release.software["spark"] == spark.version
    assert not {"duckdb", "postgresql"} & set(answer.release.software)


def test_a_table_that_spark_knows(spark, parts, tmp_path, expected):
    spark.read.parquet(str(parts / "*.parquet")).createOrReplaceTempView("visits")
    try:
        assert values_of(released(dataset_of("pyspark://", tmp_path))) == expected
        assert (
            values_of(released(dataset_of("pyspark://?spark.master=local[2,3]", tmp_path, table="visits"))) == expected
        )
        assert list(schema_of("pyspark://", tmp_path, "visits")) == ["id", "age", "region"]
    finally:
        spark.catalog.dropTempView("visits")


def test_users_own_tables_stay_open_and_as_they_were(spark, parts, tmp_path, expected, server):
    before = {name: spark.conf.get(name, None) for name in ("spark.sql.session.timeZone", "spark.sql.ansi.enabled")}
    spark.conf.set("spark.sql.session.timeZone", "Asia/Tokyo")
    spark.conf.set("spark.sql.ansi.enabled", "false")
    try:
        frame = spark.read.parquet(str(parts / "*.parquet"))
        views = [table.name for table in spark.catalog.listTables()]
        assert values_of(released(dataset_of(frame, tmp_path))) == expected
        assert spark.conf.get("spark.sql.session.timeZone") == "Asia/Tokyo"
        assert spark.conf.get("spark.sql.ansi.enabled") == "false"
        assert [table.name for table in spark.catalog.listTables()] == views
        assert frame.count() == 200
    finally:
        for name, value in before.items():
            spark.conf.set(name, value)
    for backend in (ibis.duckdb.connect(), ibis.connect(server)):
        if backend.name == "duckdb":
            backend.con.register("visits", ROWS)
            backend.con.execute("CREATE TABLE own AS SELECT * FROM visits")
        table = table_of(backend, "own" if backend.name == "duckdb" else "visits")
        answer = released(dataset_of(table.filter(table.age >= 0), tmp_path))
        assert values_of(answer) == expected
        assert table.count().op() is not None
        assert backend.raw_sql("SELECT 1").fetchone() == (1,)
        backend.disconnect()


def test_an_ibis_table_in_memory(tmp_path, expected):
    assert values_of(released(dataset_of(ibis.memtable(ROWS), tmp_path))) == expected


def test_a_table_on_a_postgresql_server(server, tmp_path, expected, postgres):
    answer = released(dataset_of(server, tmp_path))
    assert values_of(answer) == expected
    assert answer.release.software["postgresql"].split(".")[0].isdigit()
    assert "psycopg" in answer.release.software
    assert values_of(released(dataset_of(server, tmp_path, table="clinic.visits"))) == expected
    assert list(schema_of(server, tmp_path, "visits")) == ["id", "age", "region"]
    assert "source: " in privkit.dataset.draft_dataset(server, table="visits")


def test_a_role_that_may_only_read_is_enough(server, tmp_path, expected, postgres):
    database = server.rpartition("/")[2]
    postgres.sql("CREATE ROLE reader LOGIN PASSWORD 'correct horse battery staple'")
    postgres.sql("REVOKE TEMPORARY ON DATABASE " + database + " FROM PUBLIC", database)
    postgres.sql("GRANT SELECT ON visits TO reader", database)
    postgres.sql("ALTER ROLE reader SET default_transaction_read_only = on")
    assert values_of(released(dataset_of(postgres.url(database, "reader"), tmp_path))) == expected


# ---- refused before anything is charged


def refuses(dataset, match, error=DatasetError):
    with privkit.Session(dataset, analyst="test") as session, pytest.raises(error, match=match) as caught:
        session.sql(SQL, epsilon=1)
    assert charges(dataset) == []
    assert caught.value.__cause__ is None
    return str(caught.value) + str(caught.value.hint)


def test_parts_of_different_schemas(spark, parts, tmp_path):
    pq.write_table(ROWS.set_column(1, "age", ROWS["age"].cast(pa.int32())), parts / "part-9.parquet")
    for source in (str(parts), f"file://{parts}"):
        assert "part-9.parquet" in refuses(dataset_of(source, tmp_path, engine="spark"), "another schema")


def test_what_spark_would_read_by_other_rules(spark, parts, tmp_path):
    ROWS.to_pandas().to_csv(tmp_path / "visits.csv", index=False)
    refuses(dataset_of(str(tmp_path / "visits.csv"), tmp_path, engine="spark"), "broken line of a CSV")
    pq.write_table(ROWS, tmp_path / "_visits.parquet")
    refuses(dataset_of(str(tmp_path / "_visits.parquet"), tmp_path, engine="spark"), "passes over _visits")
    (tmp_path / "cut.parquet").write_bytes((parts / "part-0.parquet").read_bytes()[:-9])
    refuses(dataset_of(str(tmp_path / "cut.parquet"), tmp_path, engine="spark"), "no Parquet file")
    refuses(dataset_of(f"file://{tmp_path}/cut.parquet", tmp_path, engine="spark"), "cannot be read as Parquet")
    refuses(dataset_of(f"file://{tmp_path}/nowhere", tmp_path, engine="spark"), "cannot be read as Parquet")
    refuses(dataset_of("pyspark://", tmp_path, table="nowhere"), "no table 'nowhere'")
    refuses(dataset_of("pyspark://?database=x", tmp_path), "no setting of Spark's")
    refuses(dataset_of("pyspark://?spark.master=local[7]", tmp_path), "is active in this process", privkit.EngineError)
    frame = spark.createDataFrame([(1, 2, 3)], "id int, age int, Age int")
    refuses(dataset_of(frame.withColumn("region", frame.id.cast("string")), tmp_path), "age stands more than once")


@pytest.mark.parametrize("engine", ["duckdb", "spark"])
def test_folders_in_a_folder_are_not_guessed_about(parts, tmp_path, engine, request):
    if engine == "spark":
        request.getfixturevalue("spark")
    (parts / "age=3").mkdir()
    pq.write_table(ROWS, parts / "age=3" / "part.parquet")
    refuses(dataset_of(str(parts), tmp_path, engine=engine), "folders in it")
    odd = tmp_path / "a[1]{x}"
    odd.mkdir()
    pq.write_table(ROWS, odd / "p?art*.parquet")
    assert values_of(released(dataset_of(str(odd), tmp_path, engine=engine)))


def test_a_collation_that_takes_different_texts_for_equal(server, tmp_path, postgres):
    backend = ibis.connect(server)
    backend.raw_sql("CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
    backend.raw_sql('CREATE TABLE folded (id text, age bigint, region text COLLATE "folded")')
    refuses(dataset_of(server, tmp_path, table="folded"), "texts of region have a collation")
    refuses(dataset_of(backend.table("folded"), tmp_path), "texts of region have a collation")
    backend.disconnect()
    own = ibis.duckdb.connect()
    own.con.execute("CREATE TABLE t AS SELECT 'a' AS id, 1 AS age, 'north' AS region")
    own.con.execute("SET default_collation = 'nocase'")
    refuses(dataset_of(table_of(own, "t"), tmp_path), "default_collation")


def test_engines_that_nobody_tested(tmp_path):
    assert "postgresql://" in refuses(dataset_of("mysql://me@host/clinic", tmp_path), "no engine that private")
    refuses(dataset_of("bigquery://project/clinic", tmp_path), "never run")
    refuses(dataset_of("trino://me@host/clinic", tmp_path), "never run")
    hint = refuses(dataset_of("trino://me@host/c", tmp_path, accept_untested_engine=True), "driver", MissingExtraError)
    assert "ibis-framework[trino]" in hint
    unbound = ibis.table({"id": "string", "age": "int64", "region": "string"}, name="visits")
    refuses(dataset_of(unbound, tmp_path), "no connection, or to more than one")
    with pytest.raises(DatasetError, match="needs `engine: spark`"):
        dataset_of("visits.parquet", tmp_path, master="yarn")
    with pytest.raises(DatasetError, match="pandas or Spark DataFrame, an Ibis table"):
        dataset_of([1, 2], tmp_path)


def test_a_server_that_does_not_answer(server, tmp_path, monkeypatch):
    refuses(dataset_of("postgresql://me@127.0.0.1:1/clinic", tmp_path), "cannot connect")
    monkeypatch.setenv("PGPASSWORD", "a wrong secret")
    assert "secret" not in refuses(dataset_of(server, tmp_path), "cannot connect")


# ---- failures after the charge: it stays, once


def fails(dataset, capfd, sql=SQL):
    with privkit.Session(dataset, analyst="test") as session, pytest.raises(AggregateError) as caught:
        session.sql(sql, epsilon=1)
    assert charges(dataset) == ["charged", "failed"]
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
    assert "Süd" not in str(caught.value) + str(caught.value.hint)
    assert capfd.readouterr() == ("", "")


def test_a_corrupt_part(spark, parts, tmp_path, capfd):
    whole = (parts / "part-1.parquet").read_bytes()
    (parts / "part-1.parquet").write_bytes(whole[:4] + b"\xff" * 700 + whole[704:])
    fails(dataset_of(str(parts), tmp_path, engine="spark"), capfd)


def test_what_spark_says_of_a_cell_is_heard_by_nobody(spark, tmp_path, capfd):
    """A cast of the user's own that fails: Spark's message quotes the value."""
    rows = spark.createDataFrame([("p1", "Süd 4711", 3)], "id string, region string, age bigint")
    dataset = dataset_of(rows.selectExpr("id", "region", "cast(region as bigint) as age"), tmp_path)
    fails(dataset, capfd)


def killing(folder, times):
    """A step of the user's own that kills its worker so many times."""

    def step(batches):
        if len(list(Path(folder).iterdir())) < times:
            (Path(folder) / str(time.monotonic_ns())).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        yield from batches

    return step


def test_a_worker_killed_in_the_middle(spark, parts, tmp_path, expected, capfd):
    """Spark does a lost part again, up to its number of tries; another try after that is the user's, and a charge."""
    (tmp_path / "kills").mkdir()
    frame = spark.read.parquet(str(parts / "*.parquet")).coalesce(1)
    tries = int(spark.sparkContext.master.rstrip("]").rpartition(",")[2])
    dataset = dataset_of(frame.mapInArrow(killing(str(tmp_path / "kills"), tries), frame.schema), tmp_path)
    fails(dataset, capfd)
    assert values_of(released(dataset)) == expected
    assert charges(dataset) == ["charged", "failed", "charged", "released"]


def test_a_worker_killed_once_is_no_second_charge(spark, parts, tmp_path, expected):
    (tmp_path / "kills").mkdir()
    frame = spark.read.parquet(str(parts / "*.parquet"))
    dataset = dataset_of(frame.mapInArrow(killing(str(tmp_path / "kills"), 1), frame.schema), tmp_path)
    assert values_of(released(dataset)) == expected
    assert charges(dataset) == ["charged", "released"]
    assert list((tmp_path / "kills").iterdir())


def test_a_server_stopped_in_the_middle(server, tmp_path, postgres, monkeypatch):
    dataset = dataset_of(server, tmp_path)
    with privkit.Session(dataset, analyst="test") as session:
        table = session._opened()
        pid = table.backend.raw_sql("SELECT pg_backend_pid()").fetchone()[0]
        postgres.sql(f"SELECT pg_terminate_backend({pid})")
        with pytest.raises((AggregateError, QueryError)):
            session.sql(SQL, epsilon=1)
    assert charges(dataset) == ["charged", "failed"]


KILLED = """
    import os, sys, threading, time
    from pathlib import Path
    sys.path[:0] = {paths!r}
    import test_sources_elsewhere as tests
    import privkit
    from privkit.engines.spark import spark_session

    folder = Path({folder!r})
    with spark_session("local[2,3]") as session:
        frame = session.read.parquet(str(folder / "visits" / "*.parquet"))

        def waiting(batches):
            time.sleep(60)
            yield from batches

        lost = tests.dataset_of(frame.mapInArrow(waiting, frame.schema), folder)

        def kill():
            while not session.sparkContext.statusTracker().getActiveStageIds():
                time.sleep(0.05)
            session.sparkContext._gateway.proc.kill()

        threading.Thread(target=kill, daemon=True).start()
        try:
            tests.released(lost)
        except privkit.PrivkitError as err:
            print(type(err).__name__, tests.charges(lost), flush=True)
    os._exit(0)
"""


def test_a_spark_that_is_gone(parts, tmp_path):
    """Without its JVM a release fails, charged once."""
    if not os.environ.get("JAVA_HOME") and not any(Path(p, "java").exists() for p in os.environ["PATH"].split(":")):
        pytest.skip("needs Java 17 for Spark")
    here = Path(__file__).parent
    script = textwrap.dedent(KILLED).format(paths=[str(here), str(here.parent)], folder=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300, cwd=tmp_path)
    assert done.stdout.splitlines()[:1] == ["AggregateError ['charged', 'failed']"], done.stderr


# ---- secrets


@pytest.mark.parametrize(
    "source",
    [
        "postgresql://me:hunter2@host/clinic",
        "snowflake://me:hunter2@account/clinic",
        "postgresql://host/clinic?password=hunter2",
        "trino://me@host/clinic?auth_token=hunter2",
        "snowflake://me@account/clinic?private_key=hunter2",
        "postgresql://host/clinic?sslpassword=hunter2",
    ],
)
def test_a_secret_in_a_url_is_refused_and_not_repeated(source, tmp_path):
    with pytest.raises(DatasetError) as caught:
        dataset_of(source, tmp_path)
    assert "hunter2" not in str(caught.value) + str(caught.value.hint)
    file = tmp_path / "v.dataset.yaml"
    file.write_text(f"name: v\nsource: '{source}'\n")
    with pytest.raises(DatasetError) as caught:
        privkit.Dataset.load(file)
    assert "hunter2" not in str(caught.value) + str(caught.value.hint)


def test_a_secret_of_the_environment_is_nowhere(server, tmp_path, caplog, capfd):
    assert os.environ["PGPASSWORD"] == PASSWORD
    caplog.set_level(logging.DEBUG)
    dataset = dataset_of(server, tmp_path)
    with privkit.Session(dataset, analyst="test") as session:
        answer = session.sql(SQL, epsilon=1)
        shown = [repr(dataset), repr(session), repr(session._table), repr(answer), answer.card, answer._repr_html_()]
        shown.append(answer.release.model_dump_json())
        card = card_of_release(dataset, answer, tmp_path / "card.json")
        shown.append(card.model_dump_json())
    kept = [path.read_bytes().decode(errors="replace") for path in tmp_path.iterdir()]
    shown += [*capfd.readouterr(), caplog.text, *kept]
    assert not [text for text in shown if PASSWORD in text or "correct horse" in text]
    assert OWNER in server


# ---- the command


@pytest.fixture
def described(server, tmp_path):
    """A description of the table on the server, with a budget."""
    file = tmp_path / "visits.dataset.yaml"
    file.write_text(
        f"""
name: visits
source: {server}
version: "1"
privacy_unit: {{column: id, max_groups: 2, max_rows_per_group: 2, max_units: 1000}}
budget: {{epsilon: 3, measure: pure}}
ledger: visits.ledger.sqlite3
columns:
  age: {{type: integer, bounds: [0, 110]}}
  region: {{type: category, categories: [north, south, Süd, east]}}
"""
    )
    return file


def test_the_command_says_on_standard_error_what_it_waits_for(spark, parts, described, tmp_path, capfd):
    from privkit.cli import main

    def run(*arguments):
        code = main([*map(str, arguments)])
        shown = capfd.readouterr()
        assert code == 0, shown.err
        return shown

    run("budget", "create", described)
    done = run("release", described, SQL, "--epsilon", "1", "--yes", "--json")
    assert json.loads(done.out)["software"]["psycopg"]
    assert "Spark" not in done.err
    text = described.read_text()
    source = next(line for line in text.splitlines() if line.startswith("source"))
    described.write_text(text.replace(source, "source: visits\nengine: spark"))
    done = run("release", described, SQL, "--epsilon", "1", "--yes", "--json", "--fresh")
    assert json.loads(done.out)["software"]["spark"] == spark.version
    assert done.err.startswith("Starting Spark on this machine")
    assert "Spark" not in run("release", described, SQL, "--epsilon", "1", "--yes", "--json").err
    assert "age: {type: integer" in run("dataset", "init", parts, "-o", "-").out
