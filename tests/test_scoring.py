"""Private scoring from rows to scores: right, bound together, and quiet about what it was given."""

import csv
import json
import pickle
import stat
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from privkit import scoring
from privkit.errors import (
    CiphertextError,
    ColumnError,
    InputError,
    KeyFileError,
    OutputError,
    PrivkitError,
    ScoringError,
    VerificationError,
)
from privkit.he.scorekeyfile import ScoreKeyFile
from privkit.model.scoring import ScoringModel, WeighedFeature


def small_model(**changes):
    features = (
        WeighedFeature(name="age", low=0, high=110, coefficient=0.02),
        WeighedFeature(name="stay", low=0, high=60, coefficient=-0.05),
    )
    return ScoringModel(**{"name": "small", "output": "log-odds", "features": features, "intercept": 0.5, **changes})


ROWS = pd.DataFrame({"age": [30, 70, 110, 0], "stay": [1.5, 20.0, 0.0, 60.0], "name": ["Ada", "Bob", "Cy", "Di"]})
SCORES = 0.5 + 0.02 * ROWS["age"].to_numpy() - 0.05 * ROWS["stay"].to_numpy()


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def asked(model, rows=ROWS, name="a"):
    """A key and a batch for a model."""
    scoring.keygen(scoring.describe(model), f"{name}.key")
    return scoring.encrypt(rows, f"{name}.key", f"{name}.batch")


@pytest.fixture(scope="module")
def cancer():
    data = load_breast_cancer(as_frame=True)
    return data.data, data.target


def ranges(table):
    return {name: (float(table[name].min()), float(table[name].max())) for name in table}


# --- Right ------------------------------------------------------------------------------------------------------------


def test_scores_come_back_in_order_and_the_key_is_gone(place):
    done = asked(small_model())
    assert done.rows == 4
    assert done.bytes == Path("a.batch").stat().st_size
    answered = scoring.evaluate("a.batch", small_model(), "a.answer")
    assert answered.rows == 4
    found = scoring.decrypt("a.answer", "a.key", "scores.csv")
    assert np.allclose(found, SCORES, atol=1e-6)
    assert not Path("a.key").exists()
    assert stat.S_IMODE(Path("scores.csv").stat().st_mode) == 0o600
    with Path("scores.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert [line["row"] for line in lines] == ["1", "2", "3", "4"]
    assert np.allclose([float(line["log_odds"]) for line in lines], SCORES, atol=1e-6)


def test_linear_scores_of_the_breast_cancer_data_are_within_1e_4(place, cancer):
    table, target = cancer
    estimator = make_pipeline(StandardScaler(), LinearRegression()).fit(table, target)
    model = scoring.from_estimator(estimator, ranges(table), name="tumour")
    assert model.output == "score"
    spec = scoring.describe(model)
    asked(model, table)
    scoring.evaluate("a.batch", model, "a.answer")
    off = np.abs(scoring.decrypt("a.answer", "a.key") - estimator.predict(table)).max()
    assert off <= spec.precision < 1e-4


@pytest.mark.parametrize("strength", [0.1, 0.01])
def test_probabilities_of_the_breast_cancer_data_are_within_1e_3(place, cancer, strength):
    table, target = cancer
    estimator = make_pipeline(StandardScaler(), LogisticRegression(C=strength)).fit(table, target)
    model = scoring.from_estimator(estimator, ranges(table), name="tumour")
    spec = scoring.describe(model)
    asked(model, table)
    scoring.evaluate("a.batch", model, "a.answer")
    off = np.abs(scoring.decrypt("a.answer", "a.key") - estimator.predict_proba(table)[:, 1]).max()
    assert spec.polynomial_error / 10 < off <= spec.precision < 1e-3


def test_more_rows_than_slots(place):
    numbers = np.random.default_rng(1)
    rows = pd.DataFrame({"age": numbers.uniform(0, 110, 4100), "stay": numbers.uniform(0, 60, 4100)})
    asked(small_model(), rows)
    scoring.evaluate("a.batch", small_model(), "a.answer")
    found = scoring.decrypt("a.answer", "a.key")
    assert np.abs(found - (0.5 + 0.02 * rows["age"] - 0.05 * rows["stay"])).max() < 1e-5


@pytest.mark.parametrize("name", ["rows.csv", "rows.parquet", "rows.jsonl"])
def test_rows_from_files(place, name):
    if name.endswith("csv"):
        ROWS.to_csv(name, index=False)
    elif name.endswith("parquet"):
        ROWS.to_parquet(name)
    else:
        ROWS.to_json(name, orient="records", lines=True)
    asked(small_model(), name)
    scoring.evaluate("a.batch", small_model(), "a.answer")
    assert np.allclose(scoring.decrypt("a.answer", "a.key"), SCORES, atol=1e-6)


# --- Models and specifications ----------------------------------------------------------------------------------------


def test_a_specification_holds_no_coefficient(cancer):
    table, target = cancer
    estimator = make_pipeline(StandardScaler(), LogisticRegression(C=0.01)).fit(table, target)
    model = scoring.from_estimator(estimator, ranges(table), name="tumour")
    spec = scoring.describe(model)
    text = spec.model_dump_json()
    for feature in model.features:
        assert repr(feature.coefficient)[:8] not in text
    assert repr(model.intercept)[:6] not in text
    assert (spec.low, spec.high) == (-21, 10)
    assert spec.low <= model.middle - model.reach
    assert model.middle + model.reach <= spec.high
    assert scoring.describe(model) == spec


def test_scores_that_hardly_differ_have_a_range_all_the_same():
    flat = small_model(features=[WeighedFeature(name="x", low=0, high=1, coefficient=1e-12)], intercept=1e6)
    spec = scoring.describe(flat)
    assert spec.low <= 1e6 <= spec.high
    assert spec.low < spec.high


def test_a_model_whose_probabilities_no_polynomial_gives_is_refused_with_the_numbers():
    features = [WeighedFeature(name="x", low=-500, high=500, coefficient=1.0)]
    wide = small_model(output="probability", features=features)
    with pytest.raises(ScoringError, match=r"from -500 to 510.*degree up to 255.*0\.001") as caught:
        scoring.describe(wide)
    assert "log-odds" in caught.value.hint
    assert scoring.describe(wide.model_copy(update={"output": "log-odds"})).degree == 1
    strict = small_model(output="probability", tolerance=1e-6)
    assert scoring.describe(strict).precision <= 1e-6


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"features": []}, "features"),
        ({"intercept": "x"}, "intercept"),
        ({"output": "class"}, "output"),
        ({"colour": 1}, "no such key"),
        ({"intercept": float("inf")}, "intercept"),
        ({"features": [{"name": "a", "low": 1, "high": 1, "coefficient": 1}]}, "low is not below high"),
        ({"features": [{"name": "a", "low": 0, "high": 1, "coefficient": 0}]}, "every coefficient is 0"),
        ({"features": [{"name": "a", "low": 0, "high": 1, "coefficient": 1}] * 2}, "stands twice"),
        ({"features": [{"name": "a", "low": 0, "high": 1e308, "coefficient": 1e308}]}, "too large"),
    ],
)
def test_a_model_file_that_does_not_hold_together(place, change, told):
    data = json.loads(small_model().model_dump_json()) | change
    Path("m.json").write_text(json.dumps(data))
    with pytest.raises(ScoringError, match=told) as caught:
        scoring.describe("m.json")
    assert "m.json" in caught.value.message


def test_a_file_that_is_no_model(place):
    for text in ("", "{", "[1]", '{"name": 1, "name": 2}', "\ud800".encode("utf-8", "surrogatepass"), "[" * 100_000):
        Path("m.json").write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(ScoringError):
            scoring.describe("m.json")
    with pytest.raises(InputError, match="cannot be read"):
        scoring.describe("missing.json")


def test_estimators_that_are_no_linear_models(cancer):
    table, target = cancer
    table = table.iloc[:, :3]
    good = LogisticRegression().fit(StandardScaler().fit_transform(table), target)
    wide = ranges(table)
    assert scoring.from_estimator(good, wide, name="m").output == "probability"
    assert scoring.from_estimator(good, wide, name="m", output="log-odds").output == "log-odds"
    assert scoring.from_estimator(good, wide, name="m", output="score").output == "score"
    assert scoring.from_estimator(RidgeClassifier().fit(table, target), wide, name="m").output == "score"
    bare = SimpleNamespace(coef_=[1.0, 2.0, 3.0], intercept_=0.5)
    assert [one.coefficient for one in scoring.from_estimator(bare, wide, name="m").features] == [1, 2, 3]
    many = LogisticRegression().fit(np.random.default_rng(0).normal(size=(60, 3)), np.arange(60) % 3)
    for wrong, columns, output, told in (
        (StandardScaler().fit(table), wide, None, "no coef_"),
        (many, wide, None, "shape"),
        (good, ranges(table.iloc[:, :2]), None, "3 columns"),
        (RidgeClassifier().fit(table, target), wide, "log-odds", "no log-odds"),
        (PoissonRegressor().fit(table / 100, target), ranges(table / 100), None, "predict is not the score"),
        (
            SGDClassifier(loss="modified_huber").fit(table / 100, target),
            ranges(table / 100),
            None,
            "predict_proba is not",
        ),
        (LinearRegression().fit(table, target), dict(reversed(wide.items())), None, "in its order"),
        (LinearRegression().fit(table, target), wide, "probability", "no probability"),
    ):
        with pytest.raises(ScoringError, match=told):
            scoring.from_estimator(wrong, columns, name="m", output=output)


def test_a_pipelines_step_that_is_no_scaler_is_refused(cancer):
    from sklearn.decomposition import PCA

    table, target = cancer
    fitted = make_pipeline(PCA(2), LogisticRegression()).fit(table.to_numpy(), target)
    with pytest.raises(ScoringError, match="PCA is no scaler"):
        scoring.from_estimator(fitted, ranges(table), name="m")


# --- Rows that are not taken ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "error", "told"),
    [
        ({"age": [30, 4711.5], "stay": [1, 2]}, ScoringError, r"age \(1\)"),
        ({"age": [-4711.5, 4711.5], "stay": [1, -4711.5]}, ScoringError, r"age \(2\), stay \(1\)"),
        ({"age": ["30", "x4711.5"], "stay": [1, 2]}, ColumnError, "1 cell of column age is no number"),
        ({"age": ["30", "nan"], "stay": [1, 2]}, ColumnError, "1 cell of column age is no number"),
        ({"age": ["30", "4711.5e999"], "stay": [1, 2]}, ColumnError, "age is no number"),
        ({"age": [None, None], "stay": [1, 2]}, ColumnError, "2 cells of column age are empty"),
        ({"age": [30.5, None], "stay": [1, 2]}, ColumnError, "1 cell of column age is empty"),
        ({"age": [True, False], "stay": [1, 2]}, ColumnError, "does not hold numbers"),
        ({"age": [30, 31]}, ColumnError, "no column stay"),
        ({"age": [], "stay": []}, InputError, "no rows"),
    ],
)
def test_rows_that_are_refused_leave_nothing_and_quote_nothing(place, rows, error, told):
    scoring.keygen(scoring.describe(small_model()), "a.key")
    before = Path("a.key").read_bytes()
    with pytest.raises(error, match=told) as caught:
        scoring.encrypt(pd.DataFrame(rows), "a.key", "a.batch")
    assert "4711" not in f"{caught.value} {caught.value.hint}"
    assert sorted(path.name for path in place.iterdir()) == ["a.key"]
    assert Path("a.key").read_bytes() == before  # it can still be used


# --- Bound together ---------------------------------------------------------------------------------------------------


def test_a_key_encrypts_one_batch(place):
    asked(small_model())
    with pytest.raises(ScoringError, match="encrypted a batch already"):
        scoring.encrypt(ROWS, "a.key", "b.batch")
    assert not Path("b.batch").exists()


def test_an_answer_to_another_batch_is_refused(place):
    asked(small_model(), name="a")
    asked(small_model(), name="b")
    scoring.evaluate("b.batch", small_model(), "b.answer")
    with pytest.raises(VerificationError, match="another key"):
        scoring.decrypt("b.answer", "a.key")
    assert Path("a.key").exists()
    # The same key, and a batch that was changed on the way to the model's owner.
    whole = bytearray(Path("a.batch").read_bytes())
    rows = whole.index(b'"rows":4')
    whole[rows + 7 : rows + 8] = b"3"
    Path("c.batch").write_bytes(whole)
    with pytest.raises(CiphertextError, match=r"^c\.batch: .*sizes"):
        scoring.evaluate("c.batch", small_model(), "c.answer")
    scoring.evaluate("a.batch", small_model(), "a.answer")
    answer = Path("a.answer").read_bytes()
    for told, wrong in (("batch", b'"batch":"'), ("specification", b'"spec":"')):
        changed = bytearray(answer)
        start = changed.index(wrong) + len(wrong)
        changed[start : start + 64] = b"0" * 64
        Path("d.answer").write_bytes(changed)
        with pytest.raises(VerificationError, match=f"another {told}"):
            scoring.decrypt("d.answer", "a.key")
    assert np.allclose(scoring.decrypt("a.answer", "a.key"), SCORES, atol=1e-6)


def test_another_models_owner_is_told_so(place):
    asked(small_model())
    others = (
        small_model(name="other"),
        small_model(intercept=5.0),
        small_model(output="probability"),
        small_model(features=small_model().features[:1]),
    )
    for other in others:
        with pytest.raises(VerificationError, match="another specification") as caught:
            scoring.evaluate("a.batch", other, "a.answer")
        assert caught.value.exit_code == 5
    assert not Path("a.answer").exists()


def test_an_answer_under_another_key_is_found_out(place):
    """Headers that claim the right key over ciphertexts of another: CKKS would give noise without a word."""
    asked(small_model(), name="a")
    asked(small_model(), name="b")
    for name in "ab":
        scoring.evaluate(f"{name}.batch", small_model(), f"{name}.answer")
    right, wrong = (Path(f"{name}.answer").read_bytes() for name in "ab")
    Path("c.answer").write_bytes(right[: right.index(b"\n") + 1] + wrong[wrong.index(b"\n") + 1 :])
    with pytest.raises(CiphertextError, match=r"^c\.answer: .*cannot give"):
        scoring.decrypt("c.answer", "a.key", "scores.csv")
    assert not Path("scores.csv").exists()
    assert Path("a.key").exists()


def test_files_that_were_changed_or_cut(place):
    asked(small_model())
    scoring.evaluate("a.batch", small_model(), "a.answer")
    for name, use in (
        ("a.batch", lambda path: scoring.evaluate(path, small_model(), "x")),
        ("a.answer", lambda path: scoring.decrypt(path, "a.key", "x")),
    ):
        good = Path(name).read_bytes()
        line = good.index(b"\n") + 1
        spaced = good[:1] + b" " + good[1:]
        lying = good[:line] + b"\xff" * 8 + good[line + 8 :]
        for bad in (b"", good[: line - 5], good[: line + 4], good[:-1], good + b"x", spaced, lying, good[line:]):
            Path("bad").write_bytes(bad)
            with pytest.raises(CiphertextError, match=r"^bad: "):
                use("bad")
            assert not Path("x").exists()
        swapped = Path("a.answer" if name == "a.batch" else "a.batch").read_bytes()
        Path("bad").write_bytes(swapped)
        with pytest.raises(CiphertextError, match="it is no 'privkit scoring"):
            use("bad")


def test_key_files_are_private_and_checked(place):
    scoring.keygen(scoring.describe(small_model()), "a.key")
    assert stat.S_IMODE(Path("a.key").stat().st_mode) == 0o600
    with pytest.raises(KeyFileError, match="never overwritten"):
        scoring.keygen(scoring.describe(small_model()), "a.key")
    good = Path("a.key").read_bytes()
    Path("a.key").chmod(0o644)
    with pytest.raises(KeyFileError, match="opened by others"):
        scoring.encrypt(ROWS, "a.key", "a.batch")
    Path("a.key").chmod(0o600)
    for bad in (b"", good[:-1], good + b"x", good.replace(b'"level":1', b'"level":9'), b"x" * 5000):
        Path("a.key").write_bytes(bad)
        with pytest.raises(KeyFileError, match="is not a scoring key's file"):
            scoring.encrypt(ROWS, "a.key", "a.batch")
    with pytest.raises(KeyFileError, match="no such scoring key"):
        scoring.decrypt("missing.answer", "missing.key")


def test_a_key_is_not_pickled_and_shows_nothing(place):
    scoring.keygen(scoring.describe(small_model()), "a.key")
    held = ScoreKeyFile.load("a.key")
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(held)
    assert len(repr(held)) < 250


def test_nothing_is_written_over_what_it_is_made_from(place):
    Path("m.json").write_text(small_model().model_dump_json())
    ROWS.to_csv("rows.csv", index=False)
    scoring.keygen(scoring.describe("m.json"), "a.key")
    for output in ("rows.csv", "a.key", "./rows.csv"):
        with pytest.raises(OutputError, match="made from"):
            scoring.encrypt("rows.csv", "a.key", output, force=True)
    scoring.encrypt("rows.csv", "a.key", "a.batch")
    for output in ("a.batch", "m.json"):
        with pytest.raises(OutputError, match="made from"):
            scoring.evaluate("a.batch", "m.json", output, force=True)
    scoring.evaluate("a.batch", "m.json", "a.answer")
    with pytest.raises(OutputError, match="exists already"):
        scoring.evaluate("a.batch", "m.json", "a.answer")
    scoring.evaluate("a.batch", "m.json", "a.answer", force=True)
    for output in ("a.answer", "a.key"):
        with pytest.raises(OutputError, match="made from"):
            scoring.decrypt("a.answer", "a.key", output, force=True)
    assert Path("a.key").exists()


# --- What is not protected, as the documentation says -----------------------------------------------------------------


def test_a_linear_model_is_its_clients_after_one_more_row_than_it_has_features(place):
    rows = pd.DataFrame({"age": [0.0, 100, 0], "stay": [0.0, 0, 50]})
    asked(small_model(), rows)
    scoring.evaluate("a.batch", small_model(), "a.answer")
    none, age, stay = scoring.decrypt("a.answer", "a.key")
    assert [none, (age - none) / 100, (stay - none) / 50] == pytest.approx([0.5, 0.02, -0.05], abs=1e-6)


def test_every_error_is_typed_when_bytes_are_hostile(place):
    asked(small_model())
    good = bytearray(Path("a.batch").read_bytes())
    numbers = np.random.default_rng(4)
    for _ in range(60):
        bad = good.copy()
        place_ = int(numbers.integers(len(bad))) if numbers.random() < 0.5 else int(numbers.integers(1500))
        bad[place_] ^= 1 << int(numbers.integers(8))
        Path("bad").write_bytes(bad)
        try:
            scoring.evaluate("bad", small_model(), "x", force=True)
        except PrivkitError:
            continue
        with pytest.raises(VerificationError, match="another batch"):  # coefficients that are residues as well
            scoring.decrypt("x", "a.key")
