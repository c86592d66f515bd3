"""Every file of a complete study, mutated: a typed error, or nothing was changed.

Each mutated file is read as the folder reads it and checked against all the others, as `privkit study verify` does.
PRIVKIT_FUZZ says how many mutations; `make fuzz` runs a million.
"""

import os
import random

import pytest
from he.mutations import mutated
from study_data import NAMES
from study_world import signed_again

from privkit.cli import main
from privkit.errors import PrivkitError
from privkit.study import Aggregate, Aggregator, Contribution, Invitation, Reveal, Share, result_of, roster
from privkit.study.aggregator import contexts_of
from privkit.study.messages import Message
from privkit.study.terms import terms_of

MUTATIONS = int(os.environ.get("PRIVKIT_FUZZ", "20000"))
SEED = os.environ.get("PRIVKIT_FUZZ_SEED", "1")
KINDS = {
    "invitation": Invitation,
    **{f"share-{name}": Share for name in NAMES},
    **{f"contribution-{name}": Contribution for name in NAMES},
    "aggregate": Aggregate,
    "result": Reveal,
}
pytestmark = pytest.mark.timeout(max(600, MUTATIONS // 50))


class Study:
    """A complete study in memory, against which one file at a time is checked.

    Args:
        folder: Its files.
    """

    def __init__(self, folder):
        self.files = {name: (folder / f"{name}.bin").read_bytes() for name in KINDS}
        read = {name: kind.from_bytes(self.files[name], f"{name}.bin") for name, kind in KINDS.items()}
        self.invitation = read["invitation"]
        self.shares = [read[f"share-{name}"] for name in NAMES]
        self.contributions = [read[f"contribution-{name}"] for name in NAMES]
        self.aggregate, self.reveal = read["aggregate"], read["result"]
        self.terms = terms_of(self.invitation.body)
        self.transcript = roster.agreed(self.invitation, self.shares)

    def check(self, name, content):
        """What `verify_study` does with this file, all others being as they were."""
        message = KINDS[name].from_bytes(content, f"{name}.bin")
        kind, _, party = name.partition("-")
        if kind == "invitation":
            roster.check_invitation(message, self.invitation.body.key_holder.public)
            contexts_of(message, terms_of(message.body))
            roster.agreed(message, self.shares)
        elif kind == "share":
            assert_of(message, party)
            others = [share for share in self.shares if share.body.party != party]
            agreed = roster.agreed(self.invitation, [*others, message])
            roster.check_contribution(self.invitation, self.terms, agreed, self.contributions[0])
        elif kind == "contribution":
            assert_of(message, party)
            roster.check_contribution(self.invitation, self.terms, self.transcript, message)
            if message.sha256 != self.aggregate.body.contributions[party]:
                raise PrivkitError("aggregate.bin is not of the contributions that are here")
        elif kind == "aggregate":
            if message.body != self.aggregate.body:
                raise PrivkitError("aggregate.bin is not of these contributions")
            if len(message.parts) != len(self.terms.parameters):
                raise PrivkitError("aggregate.bin is not of these contributions")
            roster.check_parts(self.terms, message, "all parties")
            if message.parts != self.aggregate.parts:  # what adding up again gave
                raise PrivkitError("aggregate.bin is not the sum of the contributions")
        else:
            result_of(message, self.invitation)
            if message.body.aggregate != self.aggregate.sha256:
                raise PrivkitError("result.bin is not of the aggregate that is here")
        return message


def assert_of(message, party):
    if message.body.party != party:
        raise PrivkitError(f"a message of {message.body.party}")


@pytest.fixture(scope="module")
def study(stages):
    return Study(stages["revealed"] / "flu")


@pytest.fixture(scope="module")
def other(stages):
    """The other session of the same parties."""
    folder = stages["revealed"] / "cold"
    return {name: (folder / f"{name}.bin").read_bytes() for name in KINDS if name != "result"}


def tried(study, name, content):
    """Whether the file was taken; anything but a typed error goes through."""
    try:
        study.check(name, content)
    except PrivkitError as err:
        if err.exit_code not in (1, 5):
            raise
        return False
    return True


def mutations(study, other, numbers, count):
    """Names and bytes: every way of tests/he, and what swaps, cuts and splices make of two files."""
    names = list(KINDS)
    donors = [*study.files.values(), *other.values()]
    for _ in range(count):
        name = numbers.choice(names)
        content = study.files[name]
        way = numbers.random()
        if way < 0.5:
            changed = mutated(content, numbers)
        elif way < 0.65:
            changed = header_changed(content, numbers)
        elif way < 0.85:
            changed = spliced(content, numbers.choice(donors), numbers)
        else:
            changed = numbers.choice(donors)
        yield name, changed


def header_changed(content, numbers):
    """Changes in the JSON line alone, where they say most: digits, quotes, whole fields."""
    end = content.index(b"\n")
    line = bytearray(content[:end])
    for _ in range(numbers.randrange(1, 4)):
        place = numbers.randrange(len(line))
        what = numbers.randrange(4)
        if what == 0:
            line[place] = numbers.choice(b'0123456789abcdef"{}[],:-.eE \\')
        elif what == 1:
            del line[place : place + numbers.randrange(1, 30)]
        elif what == 2:
            line[place:place] = numbers.choice([b"0", b"9" * 30, b"-", b'"', b"[", b"{", b"null", b"1e999", b"\\ud800"])
        else:
            start = numbers.randrange(len(line))
            line[place : place + 40] = line[start : start + 40]
        if not line:
            break
    return bytes(line) + content[end:]


def spliced(content, donor, numbers):
    """One file's line with another's parts; or a stretch of another file in the same place or elsewhere."""
    end, donors_end = content.index(b"\n"), donor.index(b"\n")
    what = numbers.randrange(3)
    if what == 0:
        return content[: end + 1] + donor[donors_end + 1 :]
    start, size = numbers.randrange(len(content)), numbers.randrange(1, 5000)
    take = start if what == 1 else numbers.randrange(len(donor))
    return content[:start] + donor[take : take + size] + content[start + size :]


def test_mutated_files_are_refused(study, other):
    """Bytes that are taken are the bytes that were there."""
    numbers = random.Random(f"study {SEED}")
    taken = 0
    for name, changed in mutations(study, other, numbers, MUTATIONS):
        if tried(study, name, changed):
            assert changed == study.files[name], name
            taken += 1
    assert taken < MUTATIONS / 10  # a file in its own place, and changes that change nothing


def test_without_the_signatures_mutations_would_be_taken(study, other, monkeypatch):
    """The control: what the test above finds when nobody checks who said what."""
    monkeypatch.setattr(Message, "_check_signature", lambda self, called: None)
    numbers = random.Random("control")
    found = set()
    for name, changed in mutations(study, other, numbers, 3000):
        if tried(study, name, changed) and changed != study.files[name]:
            found.add(name)
    assert found


def test_without_the_one_encoding_mutations_would_be_taken(study, monkeypatch):
    """The other control: lines that say the same in other bytes, and are signed as before."""
    content = study.files["share-north"]
    changed = content.replace(b'","', b'", "')
    assert not tried(study, "share-north", changed)

    class Any(bytes):
        def __ne__(self, _):
            return False

    monkeypatch.setattr(Message, "_header", Any())
    assert KINDS["share-north"].from_bytes(changed).body.party == "north"


def test_parts_that_change_places_between_parties_and_sessions_are_refused_also_when_signed(study, other, stages):
    """Whoever signs anew can send other ciphertext; the aggregate that everyone can compute again says so."""
    from privkit import Identity

    foreign = {name: KINDS[name].from_bytes(content) for name, content in other.items()}
    for name in NAMES:
        identity = Identity.load(stages["revealed"] / f"{name}.identity")
        own = next(one for one in study.contributions if one.body.party == name)
        for donor in [*study.contributions, *(foreign[f"contribution-{each}"] for each in NAMES), study.aggregate]:
            if donor.parts == own.parts:
                continue
            for parts in (
                donor.parts,
                donor.parts[::-1],
                (own.parts[0], donor.parts[1]),
                (own.parts[0], donor.parts[0]),
            ):
                assert not tried(study, f"contribution-{name}", signed_again(own, identity, parts).to_bytes())
    for donor in (*study.contributions, foreign["aggregate"]):
        for parts in (donor.parts, (study.aggregate.parts[0], donor.parts[1])):
            assert not tried(study, "aggregate", Aggregate(study.aggregate.body, parts).to_bytes())


def test_signed_ciphertext_that_is_mutated_is_refused_or_harmless(study, stages):
    """A party that signs whatever it likes: the check of its structure stands alone before native code."""
    from privkit import Identity

    identity = Identity.load(stages["revealed"] / "south.identity")
    own, numbers = study.contributions[1], random.Random(f"signed {SEED}")
    adder_takes = 0
    for _ in range(max(100, MUTATIONS // 200)):
        channel = numbers.randrange(2)
        parts = list(own.parts)
        parts[channel] = mutated(parts[channel], numbers)
        message = signed_again(own, identity, parts)
        try:
            roster.check_contribution(study.invitation, study.terms, study.transcript, message)
        except PrivkitError as err:
            if err.exit_code != 5:
                raise
            continue
        adder_takes += 1
        if adder_takes > 5:
            continue
        adder = Aggregator(study.invitation, study.shares)
        for one in (study.contributions[0], message, study.contributions[2]):
            adder.add(one)
        assert len(adder.aggregate().parts) == 2


def test_the_command_says_the_same_and_leaves_nothing_behind(study, other, stages, world, capsys, monkeypatch):
    """A sample of the mutations through `privkit study verify`."""
    w = world("revealed")
    monkeypatch.chdir(w.place)
    files = sorted(path.name for path in w.folder.iterdir())
    numbers = random.Random(f"command {SEED}")
    for name, changed in mutations(study, other, numbers, 150):
        if changed == study.files[name]:
            continue
        w.write(f"{name}.bin", changed)
        code = main(["study", "verify", "flu"])
        out, err = capsys.readouterr()
        assert code in (1, 5), (name, err)
        assert "bug" not in err
        assert out == ""
        assert sorted(path.name for path in w.folder.iterdir()) == files
        w.write(f"{name}.bin", study.files[name])
    assert main(["study", "verify", "flu"]) == 0
