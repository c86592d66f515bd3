"""A handler over partitions: loaded once in a process, counted once for each partition, its errors brought home."""

import secrets

import pytest

from privkit.engines.spark import configured
from privkit.engines.spark_map import Tally, mapped, spark_jobs
from privkit.errors import EngineError, InputError, OutputError


def _mapped(spark, factory, tally, partitions=6):
    given = spark.range(0, 600, 1, partitions)
    return mapped(given, f"spark_faults:{factory}", secrets.token_bytes(8), given.schema, tally)


def test_a_handler_is_made_once_in_each_process(spark):
    tally = Tally(spark)
    made = _mapped(spark, "counting", tally, 20)
    with spark_jobs(spark):
        assert sorted(row.id for row in made.collect()) == list(range(600))
    notes = tally.notes()
    assert [note["rows"] for note in notes] == [30] * 20
    loads = {note["process"]: note["loads"] for note in notes}
    assert len(loads) < 20
    assert len({(note["process"], note["loads"]) for note in notes}) == len(loads)


def test_what_is_done_twice_counts_once(spark):
    tally = Tally(spark)
    made = _mapped(spark, "counting", tally)
    with spark_jobs(spark):
        made.collect()
        made.collect()
    assert sum(note["rows"] for note in tally.notes()) == 600


def test_an_error_of_a_worker_is_raised_here_as_it_was(spark):
    with pytest.raises(InputError, match="row 7 is broken") as caught, spark_jobs(spark):
        _mapped(spark, "refusing", Tally(spark)).collect()
    assert (caught.value.path, caught.value.row, caught.value.hint) == ("a.csv", 7, "Mend it.")
    assert caught.value.__suppress_context__


def test_a_handler_that_cannot_be_made_quotes_nothing(spark):
    with pytest.raises(EngineError, match=r"worker failed \(AttributeError\)"), spark_jobs(spark):
        _mapped(spark, "no_such_factory", Tally(spark)).collect()


def test_sparks_own_words_are_not_repeated(spark):
    with pytest.raises(EngineError, match="could not finish") as caught, spark_jobs(spark):
        spark.sql("SELECT CAST('Jane Roe' AS INT)").collect()
    assert "Jane" not in f"{caught.value} {caught.value.hint}"
    assert caught.value.__suppress_context__


def _raise(fine):
    assert fine
    raise OutputError("full")


def test_errors_that_are_privkits_pass_and_the_callers_job_group_is_back(spark):
    context = spark.sparkContext
    context.setJobGroup("mine", "what I do")
    try:
        with pytest.raises(OutputError, match="full"), spark_jobs(spark):
            _raise(context.getLocalProperty("spark.jobGroup.id") != "mine")
        assert context.getLocalProperty("spark.jobGroup.id") == "mine"
        assert context.getLocalProperty("spark.job.description") == "what I do"
    finally:
        for name in ("spark.jobGroup.id", "spark.job.description"):
            context.setLocalProperty(name, None)


def test_settings_hold_inside_only(spark):
    spark.conf.unset("spark.sql.files.maxRecordsPerFile")
    before = spark.conf.get("spark.sql.shuffle.partitions")
    wanted = {"spark.sql.shuffle.partitions": "3", "spark.sql.files.maxRecordsPerFile": "7"}
    with pytest.raises(OutputError, match="full"), configured(spark, wanted):
        _raise({name: spark.conf.get(name) for name in wanted} == wanted)
    assert spark.conf.get("spark.sql.shuffle.partitions") == before
    assert spark.conf.get("spark.sql.files.maxRecordsPerFile") == "0"
