"""A study from end to end: what comes out is what a plain computation gives, and what each side sees."""

import json
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats
from study_data import COLUMNS, NAMES, STATISTICS, Session, dataset, identities, study, table

import privkit
from privkit.dp import pooled
from privkit.dp.bounding import aggregate
from privkit.dp.plan import plan
from privkit.dp.pooled import party_vector
from privkit.dp.sources import open_table
from privkit.errors import StudyError
from privkit.he import sums
from privkit.he.contexts import SecretContext
from privkit.study.terms import draw_up, party_spec, terms_of

EVERY_STATISTIC = (
    "SELECT ward, COUNT(*) AS n, COUNT(DISTINCT unit) AS u, SUM(los) AS s, AVG(age) AS m FROM data GROUP BY ward",
    "SELECT VARIANCE(age) AS v, STDDEV(los) AS d FROM data WHERE age >= 18",
    "SELECT smoker, MEDIAN(age) AS med, QUANTILE_CONT(age, 0.9) AS q FROM data GROUP BY smoker",
    "SELECT HISTOGRAM(los, 6) AS h FROM data",
    "SELECT COVAR(age, los) AS c, CORR(age, bmi) AS r FROM data",
    "SELECT REGR(los, age, bmi) AS fit FROM data",
)


@pytest.fixture
def without_noise(monkeypatch):
    monkeypatch.setattr("privkit.study.party.with_share", lambda pool, flat, scales: flat)


def drawn(result):
    return [one.values for answer in result.statistics for one in answer.drawn]


# ---- exactness


def test_the_sum_is_exact_to_the_last_integer_beside_the_noise(tmp_path, monkeypatch):
    session = Session(tmp_path, statistics=EVERY_STATISTIC)
    plain, noise = [], []

    def kept(pool, flat, scales):
        found = pooled.with_share(pool, flat, scales)
        plain.append(flat)
        noise.append(found - flat)
        return found

    monkeypatch.setattr("privkit.study.party.with_share", kept)
    result = session.run()
    total = sum(vector.astype(object) for vector in (*plain, *noise))
    flat = [value for values in drawn(result) for row in values for value in row]
    assert flat == list(total)
    assert len(plain) == 3
    assert all(np.abs(one).max() > 0 for one in noise)


def test_without_noise_it_is_what_a_release_over_all_rows_together_would_measure(tmp_path, without_noise):
    """Every statistic of the grammar; a person has one row, as which of more are kept depends on the person's name."""
    frames = {name: table(seed).assign(pid=range(200)) for seed, name in enumerate(NAMES)}
    session = Session(tmp_path, frames=frames, statistics=EVERY_STATISTIC)
    result = session.run()
    together = pd.concat([frame.assign(pid=frame.pid + 1000 * i) for i, frame in enumerate(frames.values())])
    own = party_spec(session.holder.terms, dataset(tmp_path, "everyone", together, create=False).spec)
    with open_table(own, tmp_path, together) as opened:
        for answer, made in zip(result.statistics, session.holder.terms.pool.plans, strict=True):
            vectors = aggregate(plan(made.query, own), opened).vectors
            for one in answer.drawn:
                expected = made.block(one.vector).vector.weighted(vectors[one.vector])
                assert np.array_equal(np.array(one.values), expected), one.vector


def test_regression_is_numpys_on_the_pooled_data_when_noise_is_off(tmp_path, without_noise):
    draw = np.random.default_rng(3)
    frames = {}
    for name in NAMES:
        age, bmi = draw.integers(0, 111, 300), draw.integers(20, 121, 300) / 2
        los = np.round(2 * np.clip(0.2 * age + 0.3 * bmi + draw.normal(0, 3, 300), 0, 60)) / 2
        frames[name] = pd.DataFrame(
            {"pid": range(300), "age": age, "bmi": bmi, "LENGTH": los, "ward": "a", "smoker": 1}
        )
    columns = {  # grids with one number of steps, so that no value is moved by regridding
        **COLUMNS,
        "age": {"type": "integer", "bounds": [0, 110]},
        "bmi": {"type": "float", "bounds": [10, 65], "granularity": "0.5"},
        "los": {"type": "float", "bounds": [0, 55], "granularity": "0.5"},
    }
    result = Session(tmp_path, frames=frames, columns=columns).run()
    pooled_data = pd.concat(frames.values())
    matrix = np.column_stack([np.ones(len(pooled_data)), pooled_data.age, pooled_data.bmi])
    expected = np.linalg.lstsq(matrix, np.clip(pooled_data.LENGTH, 0, 55), rcond=None)[0]
    fitted = {value.label: value.value for value in result.statistics[1].results[0].values[0]}
    assert list(fitted) == ["(intercept)", "age", "bmi"]
    assert np.allclose(list(fitted.values()), expected, rtol=1e-9, atol=1e-9)


def test_values_that_no_plain_modulus_holds_go_as_residues(tmp_path, without_noise):
    unit = {"max_groups": 1, "max_rows_per_group": 1000, "max_units": 10**9}
    columns = {**COLUMNS, "los": {"type": "float", "bounds": [0, 60], "granularity": "0.001"}}
    privacy = {"epsilon": "2", "delta": "1e-11", "min_honest": 2}
    statistics = ("SELECT SUM(los) AS s, COUNT(*) AS n FROM data",)
    session = Session(tmp_path, unit=unit, columns=columns, privacy=privacy, statistics=statistics)
    channels = session.invitation.body.channels
    assert [channel.length for channel in channels] == [2, 1]  # the count needs one modulus, the sum two
    result = session.run()
    total = sum(
        np.round(np.clip(d.frame.LENGTH.dropna(), 0, 60) * 1000).astype(int).sum() for d in session.datasets.values()
    )
    sums_found = {one.vector: one.values[0][0] for one in result.statistics[0].drawn}
    assert sums_found["sum of los"] == total


def test_the_result_looks_like_a_local_releases(tmp_path):
    session = Session(tmp_path)
    result = session.run(confidence=0.9)
    first, second = result.statistics
    assert first.groups == ("ward",)
    assert first.keys == (("a",), ("b",), ("c",))
    assert [e.name for e in first.results] == ["n", "m"]
    assert all(v.low <= v.value <= v.high for e in first.results for (v,) in e.values)
    assert [v.label for v in second.results[0].values[0]] == ["(intercept)", "age", "bmi"]
    assert result.card.startswith("# Joint statistics of the study flu")
    for text in (*NAMES, result.session, result.aggregate, "at least 2 parties of 3"):
        assert text in result.card
    json.loads(result.model_dump_json())


# ---- what each side sees


def test_a_single_contribution_is_uniform_whatever_the_data(tmp_path):
    """The key holder decrypts one party's message: 40,000 slots, chi-square at a false-alarm rate of 1e-6."""
    frames = {name: table(1, 50) for name in NAMES}
    wide = {**COLUMNS, "los": {"type": "float", "bounds": [0, 60], "granularity": "0.001"}}
    band = "CASE WHEN age < {} THEN 'young' ELSE 'old' END AS band"
    sql = "SELECT {0}, HISTOGRAM(los, 10000) AS h FROM data GROUP BY band"
    statistics = tuple(sql.format(band.format(age)) for age in (40, 50))
    session = Session(tmp_path, frames=frames, columns=wide, statistics=statistics)
    session.join()
    session.contribute()
    modulus = session.holder.terms.parameters[0].plain_modulus
    seen = np.concatenate([_decrypted(session, one) for one in session.contributions[:1]])
    assert len(seen) == 40_000
    counts = np.bincount(seen * 64 // modulus, minlength=64)
    assert stats.chisquare(counts).pvalue > 1e-6
    unmasked = np.bincount(np.arange(len(seen)) % 50 * 64 // modulus, minlength=64)
    assert stats.chisquare(unmasked).pvalue < 1e-6  # the control: what such counts look like without masks


def test_masks_cancel_and_any_sum_that_lacks_a_party_is_noise(tmp_path, without_noise):
    session = Session(tmp_path)
    session.join()
    session.contribute()
    modulus = session.holder.terms.parameters[0].plain_modulus
    values = [_decrypted(session, one) for one in session.contributions]
    total = session.holder.terms.packing.joined([sum(values) % modulus])
    assert np.abs(total).max() < 10**11
    for two in (values[:2], values[1:], values[::2]):
        assert np.abs(session.holder.terms.packing.joined([sum(two) % modulus])).max() > 10**12


def test_equal_data_gives_unequal_contributions_and_a_new_session_other_masks(tmp_path):
    values = []
    for place in ("first", "second"):
        (tmp_path / place).mkdir()
        session = Session(tmp_path / place, frames={name: table(5) for name in NAMES})
        session.join()
        session.contribute()
        values += [_decrypted(session, one) for one in session.contributions]
    assert all((values[i] != values[j]).mean() > 0.99 for i in range(6) for j in range(i))


def _decrypted(session, contribution):
    """What the key holder could decrypt of one contribution's first channel."""
    terms = session.holder.terms
    secret = next((session.files["analyst"].parent).glob("analyst.identity.studies/*/context-1.secret"))
    context = SecretContext.from_bytes(secret.read_bytes(), terms.parameters[0])
    return sums.decrypt(context, contribution.parts[0], terms.packing.lengths[0])


# ---- what one person can move


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(
            st.integers(0, 5),
            st.one_of(st.none(), st.integers(-50, 200)),
            st.one_of(st.none(), st.floats(-1e9, 1e9), st.just(float("nan"))),
            st.sampled_from(["a", "b", "c", "z", None]),
        ),
        min_size=1,
        max_size=25,
    ),
    unit=st.integers(0, 5),
    groups=st.integers(1, 3),
    most=st.integers(1, 3),
)
def test_taking_one_person_away_moves_a_party_no_further_than_the_noise_is_made_for(tmp_path, rows, unit, groups, most):
    statistics = (
        "SELECT ward, COUNT(*) AS n, AVG(los) AS m, HISTOGRAM(age, 4) AS h FROM data GROUP BY ward",
        "SELECT ward, REGR(los, age) AS f, MEDIAN(age) AS q FROM data GROUP BY ward",
    )
    files = identities_once(tmp_path)
    bounds = {"max_groups": groups, "max_rows_per_group": most, "max_units": 1000}
    terms = draw_up(study(files, unit=bounds, statistics=statistics), holder_of(files))
    frame = pd.DataFrame(rows, columns=["pid", "age", "LENGTH", "ward"]).astype(
        {"pid": "int64", "age": "Int64", "LENGTH": "float64", "ward": "str"}
    )
    frame["bmi"], frame["smoker"] = 20.0, True
    vectors = []
    for kept in (frame, frame[frame.pid != unit]):
        own = party_spec(terms, dataset(tmp_path, "north", kept, create=False).spec)
        with open_table(own, tmp_path, kept) as opened:
            vectors.append(party_vector(terms.pool, own, opened).astype(object))
    for segment in terms.pool.segments:
        moved = vectors[0][segment.slots] - vectors[1][segment.slots]
        assert (moved**2).sum() <= terms.pool.distance_squared(segment)


def identities_once(folder):
    there = (folder / "north.identity").exists()
    return {name: folder / f"{name}.identity" for name in (*NAMES, "analyst")} if there else identities(folder)


def holder_of(files):
    from privkit.model.study import StudyKeyHolder

    return StudyKeyHolder(name="analyst", public=privkit.Identity.load(files["analyst"]).public.text)


def test_a_person_in_two_parties_doubles_the_distance_and_the_noise(tmp_path):
    files = identities(tmp_path)
    one = draw_up(study(files), holder_of(files))
    privacy = {"epsilon": "2", "delta": "1e-6", "min_honest": 2, "max_parties_per_person": 2}
    two = draw_up(study(files, privacy=privacy), holder_of(files))
    for a, b in zip(one.pool.segments, two.pool.segments, strict=True):
        assert two.pool.distance_squared(b) == 4 * one.pool.distance_squared(a)
        name = a.block.vector.name
        assert two.scales[b.query][name] == pytest.approx(2 * one.scales[a.query][name], rel=1e-6)


def test_the_noise_of_the_honest_parties_alone_is_paid_for(tmp_path):
    from privkit.dp.shares import shared_loss

    files = identities(tmp_path)
    terms = draw_up(study(files), holder_of(files))
    loss = sum(
        shared_loss(terms.pool.distance_squared(s), terms.scales[s.query][s.block.vector.name], 2, s.size)
        for s in terms.pool.segments
    )
    assert Fraction(terms.manifest.rho) * Fraction(999_999, 1_000_000) < loss <= Fraction(terms.manifest.rho)


# ---- the weaker mode


def test_in_the_weaker_mode_the_key_holder_draws_the_noise_once(tmp_path, monkeypatch):
    calls = []

    def kept(pool, total, scales):
        calls.append(total)
        return pooled.with_noise(pool, total, scales)

    monkeypatch.setattr("privkit.study.holder.with_noise", kept)
    privacy = {"epsilon": "2", "delta": "1e-6"}
    session = Session(tmp_path, noise="key-holder", privacy=privacy)
    result = session.run()
    assert len(calls) == 1
    assert [one.body.scales for one in session.contributions] == [({}, {})] * 3
    assert "Weaker mode" in result.card
    assert (
        session.holder.terms.scales[0]["rows"]
        < 1.5 * draw_up(study(session.files), session.invitation.body.key_holder).scales[0]["rows"] * 2
    )
    counts = [value for row in result.statistics[0].drawn[0].values for value in row]
    assert counts != list(calls[0][: len(counts)])


# ---- what does not fit


BIG = {"big": {"type": "integer", "bounds": [0, 10**9]}}
TOO_LARGE = {
    "units": ({"unit": {"max_units": 2**39}}, "2\\^40"),
    "delta": ({"unit": {"max_units": 500_000}}, "delta must be below 1/1,500,000"),
    "private categories": (
        {"statistics": STATISTICS[:1], "columns": {**COLUMNS, "ward": {"type": "category"}}},
        "declared",
    ),
    "64 bits": (
        {
            "unit": {"max_units": 2**38},
            "privacy": {"epsilon": "1", "delta": "1e-13", "min_honest": 2},
            "statistics": ("SELECT SUM(big) AS s FROM data",),
            "columns": BIG,
        },
        "64 bits",
    ),
}


@pytest.mark.parametrize(("changes", "told"), TOO_LARGE.values(), ids=TOO_LARGE)
def test_a_study_that_does_not_fit_is_refused_when_it_starts(tmp_path, changes, told):
    files = identities(tmp_path)
    with pytest.raises(privkit.PrivkitError, match=told) as refused:
        privkit.KeyHolder.new(study(files, **changes), files["analyst"])
    assert refused.value.exit_code == 1
    assert not list(tmp_path.glob("*.studies"))


@pytest.mark.parametrize("parties", [2, 10])
def test_any_number_of_parties(tmp_path, parties, without_noise):
    names = tuple(f"p{i}" for i in range(parties))
    privacy = {"epsilon": "2", "delta": "1e-6", "min_honest": parties - 1}
    session = Session(tmp_path, names=names, privacy=privacy, statistics=("SELECT COUNT(*) AS n FROM data",))
    result = session.run()
    assert result.statistics[0].drawn[0].values[0][0] == sum(d.frame.pid.nunique() for d in session.datasets.values())


def test_what_a_manifest_says_is_derived_again(tmp_path):
    files = identities(tmp_path)
    manifest = draw_up(study(files), holder_of(files)).manifest
    assert terms_of(manifest).manifest == manifest
    less = [s.model_copy(update={"scales": {n: v * 0.9 for n, v in s.scales.items()}}) for s in manifest.statistics]
    with pytest.raises(StudyError, match="would cost rho"):
        terms_of(manifest.model_copy(update={"statistics": tuple(less)}))
    with pytest.raises(StudyError, match="rho is above"):
        terms_of(manifest.model_copy(update={"rho": manifest.rho * 2}))
    with pytest.raises(StudyError, match="channels"):
        terms_of(manifest.model_copy(update={"channels": manifest.channels * 2}))
    first, rest = manifest.statistics[0], manifest.statistics[1:]
    spaced = first.model_copy(update={"sql": f"{first.sql} "})
    with pytest.raises(StudyError, match="canonical"):
        terms_of(manifest.model_copy(update={"statistics": (spaced, *rest)}))
    renamed = first.model_copy(update={"scales": {"rows": 5.0}})
    with pytest.raises(StudyError, match="other vectors"):
        terms_of(manifest.model_copy(update={"statistics": (renamed, *rest)}))
    assert Decimal(0) < manifest.rho < 1
