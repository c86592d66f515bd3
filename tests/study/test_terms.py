"""What a manifest or a study file may say, by whoever: terms that hold together, or a typed error. Never another."""

import json
import random

import pytest
from pydantic import ValidationError
from study_data import identities, public, study

import privkit
from privkit.errors import PrivkitError, StudyError, UsageError
from privkit.model.study import Manifest, StudyKeyHolder, StudySpec
from privkit.study import Aggregator, Contribution, Invitation, Share, steps
from privkit.study.terms import draw_up, terms_of

EVERY = (
    "SELECT ward, COUNT(*) AS n, COUNT(DISTINCT unit) AS u, SUM(los) AS s, AVG(age) AS m FROM data GROUP BY ward",
    "SELECT smoker, MEDIAN(age) AS med FROM data GROUP BY smoker",
    "SELECT HISTOGRAM(los, 6) AS h FROM data",
    "SELECT REGR(los, age, bmi) AS fit FROM data",
)
SAID = [
    *(0, 1, 2, 3, -1, 7, 100, 255, 256, 2**31, 2**40, 2**62, 2**63, 10**15, -(10**15), 0.1, 0.5, 1e-300, 1e300, 1e17),
    *("1e-60", "1e-40", "0.000001", "1e6", "999999", "1e-15", "1e15", "-1e15", "1e-17", "", "x", True, None, [], {}),
    *([0, 1], [-(10**15), 10**15], ["1e-17", "2e-17"], [0, "1e15"], "distributed", "key-holder", "2020-01-01"),
    *("SELECT COUNT(*) AS n FROM data", "SELECT COUNT(*) AS n FROM flu", "bfv-4096-50-1"),
]
MODES = {"distributed": {}, "key-holder": {"noise": "key-holder", "privacy": {"epsilon": "2", "delta": "1e-6"}}}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return identities(tmp_path_factory.mktemp("identities"))


@pytest.fixture(scope="module")
def holder(files):
    return StudyKeyHolder(name="analyst", public=public(files["analyst"]))


def places(value, path=()):
    yield path
    if isinstance(value, (dict, list)):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, (*path, name))


def replaced(value, path, by):
    if not path:
        return by
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], by)
    return copy


def plain(record):
    return json.loads(record.model_dump_json(by_alias=True, exclude_none=True))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("what", ["study file", "manifest"])
def test_other_values_anywhere_hold_together_or_are_refused(files, holder, mode, what):
    spec = study(files, statistics=EVERY, **MODES[mode])
    record, work, described = {
        "study file": (StudySpec, lambda said: draw_up(said, holder), plain(spec)),
        "manifest": (Manifest, terms_of, plain(draw_up(spec, holder).manifest)),
    }[what]
    numbers = random.Random(f"{mode} {what}")
    ways = [path for path in places(described) if path and path[0] not in ("parties", "key_holder", "session")]
    held = refused = 0
    while held + refused < 60:
        said = described
        for _ in range(numbers.choice([1, 1, 2])):
            said = replaced(said, numbers.choice([path for path in ways if there(said, path)]), numbers.choice(SAID))
        try:
            read = record.model_validate(said)
        except ValidationError:
            continue
        try:
            work(read)
            held += 1
        except PrivkitError as err:
            refused += 1
            if err.exit_code != 1:
                raise
    assert held
    assert refused


def there(value, path):
    try:
        for name in path:
            value = value[name]
    except (KeyError, IndexError, TypeError):
        return False
    return True


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("scale", [5e-324, 1e-300, 0.4999, 2.0**63 * 1.01, 1e200, 1.7e308])
def test_noise_that_nobody_can_draw_or_that_costs_too_much_is_refused(files, holder, mode, scale):
    """Each once ended in an error that was none of privkit's, with the key holder's word alone."""
    manifest = draw_up(study(files, statistics=EVERY[:1], **MODES[mode]), holder).manifest
    (one,) = manifest.statistics
    changed = one.model_copy(update={"scales": {**one.scales, "rows": scale}})
    with pytest.raises(StudyError, match="the manifest declares noise"):
        terms_of(manifest.model_copy(update={"statistics": (changed,)}))


@pytest.mark.parametrize("epsilon", ["1e-40", "1e-16", "1000000"])
def test_an_epsilon_that_cannot_be_converted_is_the_studys_error(files, holder, epsilon):
    privacy = {"epsilon": epsilon, "delta": "1e-6", "min_honest": 2}
    try:
        draw_up(study(files, statistics=EVERY[:1], privacy=privacy), holder)
    except PrivkitError as err:
        assert err.exit_code == 1  # noqa: PT017


# ---- what Python callers pass by mistake


WRONG = [None, 5, "flu/invitation.bin", b"", object()]


def is_typed(error):
    return isinstance(error, (UsageError, TypeError)) and "has no attribute" not in str(error)


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_types_are_typed_errors(world, wrong):
    w = world("aggregated")
    invitation, shares, contributions, aggregate, _ = w.read()
    north, analyst = w.place / "north.identity", w.place / "analyst.identity"
    party, adder = privkit.Party(invitation, north), Aggregator(invitation, shares)
    holder = privkit.KeyHolder(invitation, analyst)
    calls = [
        lambda: privkit.Party(wrong, north),
        lambda: privkit.KeyHolder(wrong, analyst),
        lambda: privkit.KeyHolder.new(wrong, analyst),
        lambda: privkit.Study(wrong),
        lambda: Aggregator(wrong, shares),
        lambda: Aggregator(invitation, [wrong]),
        lambda: Aggregator(invitation, contributions),
        lambda: adder.add(wrong),
        lambda: adder.add(shares[0]),
        lambda: party.contribute(shares, wrong),
        lambda: party.contribute([wrong], privkit.Dataset.load(w.place / "north.dataset.yaml")),
        lambda: holder.reveal(shares, contributions, wrong),
        lambda: holder.reveal(shares, [wrong], aggregate),
        lambda: holder.reveal([wrong], contributions, aggregate),
        lambda: w.contribute("north", key_holder=5),
    ]
    before = w.standing().spent
    for call in calls:
        with pytest.raises(Exception) as caught:
            call()
        assert is_typed(caught.value), repr(caught.value)
    assert w.standing().spent == before
    assert not (w.folder / "result.bin").exists()


@pytest.mark.parametrize("kind", [Invitation, Share, Contribution])
@pytest.mark.parametrize("wrong", [None, "text", 5, ["x"], bytearray(b"{}\n")])
def test_a_message_is_read_from_bytes(kind, wrong):
    with pytest.raises(UsageError, match="the bytes of a message are wanted"):
        kind.from_bytes(wrong)


@pytest.mark.parametrize("wrong", [None, 5, object()])
def test_a_path_is_wanted_where_one_is_meant(world, wrong):
    w = world("joined")
    data = privkit.Dataset.load(w.place / "north.dataset.yaml")
    identity = w.place / "north.identity"
    for call in (
        lambda: privkit.Study.load(wrong),
        lambda: privkit.Party(w.read()[0], wrong),
        lambda: steps.join_study(wrong, identity),
        lambda: steps.join_study(w.folder, wrong),
        lambda: steps.contribute_study(w.folder, wrong, data),
        lambda: steps.contribute_study(w.folder, identity, wrong),
        lambda: steps.reveal_study(w.folder, wrong),
        lambda: steps.verify_study(wrong),
    ):
        with pytest.raises((TypeError, UsageError)):
            call()


def test_a_description_is_taken_as_it_was_loaded(world):
    w = world("new")
    loaded = privkit.Study.load(w.place / "flu.study.yaml")
    assert repr(loaded) == "Study('flu', parties=['north', 'south', 'west'])"
    for study_ in (loaded, loaded.spec):
        made = privkit.KeyHolder.new(study_, w.place / "analyst.identity")
        assert made.invitation.body.names == ("north", "south", "west")


def test_nothing_secret_is_in_a_repr(world):
    w = world("joined")
    invitation = w.read()[0]
    party = privkit.Party(invitation, w.place / "north.identity")
    holder = privkit.KeyHolder(invitation, w.place / "analyst.identity")
    secrets = [path.read_bytes() for path in w.place.glob("*.studies/*/*.secret")]
    shown = f"{party!r} {vars(party)!r} {holder!r} {vars(holder)!r}"
    for secret in secrets:
        assert secret[-32:].hex() not in shown
        assert repr(secret[-32:])[2:-1] not in shown
    texts = [(w.place / f"{name}.identity").read_text() for name in ("north", "analyst")]
    for text in texts:
        (secret,) = (line.removeprefix("secret: ") for line in text.splitlines() if line.startswith("secret: "))
        assert secret not in shown
