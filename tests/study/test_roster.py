"""Messages that do not belong: each is found, with file and party, at the first step that can see it, for free."""

import os
import re
import shutil

import numpy as np
import pytest
from study_data import NAMES, public
from study_world import signed_again, start

from privkit.cli import main
from privkit.errors import CiphertextError, InputError, PrivkitError, StudyError, VerificationError
from privkit.he import sums
from privkit.model.study import StudyResult
from privkit.study import Aggregate, Aggregator, Share, steps
from privkit.study.aggregator import contexts_of
from privkit.study.terms import terms_of

A = "a" * 64
STEPS = {
    "status": lambda w, who: steps.study_status(w.folder),
    "verify": lambda w, who: steps.verify_study(w.folder),
    "join": lambda w, who: steps.join_study(w.folder, w.place / f"{who}.identity"),
    "contribute": lambda w, who: w.contribute(who),
    "aggregate": lambda w, who: steps.aggregate_study(w.folder),
    "reveal": lambda w, who: steps.reveal_study(w.folder, w.place / "analyst.identity"),
}


def books(world):
    return {name: (world.entries(name), world.standing(name).spent) for name in NAMES}


def listing(world):
    """Files, but for what SQLite and locks keep."""
    files = (path for path in world.place.rglob("*") if not path.is_dir() or path.is_symlink())
    return {str(path.relative_to(world.place)) for path in files if not re.search(r"sqlite3|\.lock$", path.name)}


def refused(world, step, error, told, who="north"):
    """The step's error; nothing was charged, decrypted, published or left behind."""
    before, files = books(world), listing(world)
    with pytest.raises(error, match=told) as caught:
        STEPS[step](world, who)
    assert books(world) == before
    assert listing(world) == files
    return caught.value


# ---- what somebody may do to the invitation


def other_contexts(world):
    """The key holder puts the other session's contexts in."""
    there, other = world.read()[0], world.read("cold")[0]
    world.write("invitation.bin", signed_again(there, world.identity("analyst"), other.parts))


def other_manifest(world):
    there = world.read()[0]
    columns = {name: column for name, column in there.body.columns.items() if name != "smoker"}
    world.write("invitation.bin", signed_again(there, world.identity("analyst"), columns=columns))


def other_invitation(world):
    shutil.copy(world.place / "cold" / "invitation.bin", world.folder)


def somebody_elses_invitation(world):
    world.write("invitation.bin", signed_again(world.read()[0], world.identity("mallory")))


def dearer(world):
    there = world.read()[0]
    world.write("invitation.bin", signed_again(there, world.identity("analyst"), rho=there.body.rho * 2))


def fewer_contexts(world):
    there = world.read()[0]
    world.write("invitation.bin", signed_again(there, world.identity("analyst"), there.parts[:1]))


def turned_contexts(world):
    there = world.read()[0]
    world.write("invitation.bin", signed_again(there, world.identity("analyst"), there.parts[::-1]))


def cut_context(world):
    there = world.read()[0]
    world.write("invitation.bin", signed_again(there, world.identity("analyst"), (there.parts[0], there.parts[1][:-1])))


@pytest.mark.parametrize(
    ("change", "error", "told"),
    [
        (somebody_elses_invitation, VerificationError, "invitation.bin is not signed by the key holder, analyst"),
        (dearer, StudyError, "rho is above"),
        (fewer_contexts, VerificationError, "invitation.bin has 1 contexts for 2 channels"),
        (turned_contexts, CiphertextError, "invitation.bin: context 1 of analyst"),
        (cut_context, CiphertextError, "invitation.bin: context 2 of analyst"),
    ],
)
def test_an_invitation_that_does_not_hold_is_seen_when_joining(world, change, error, told):
    w = world("new")
    change(w)
    refused(w, "join", error, told)
    refused(w, "verify", error, told)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (other_contexts, "share-north.bin: north agreed to another invitation"),
        (other_manifest, "share-north.bin: north agreed to another invitation"),
        (other_invitation, "share-north.bin: north sent it in another session"),
    ],
)
def test_an_invitation_that_is_exchanged_after_joining_is_seen_by_all(world, change, told):
    w = world("joined")
    change(w)
    for step in ("contribute", "aggregate", "status", "verify"):
        refused(w, step, VerificationError, told)


@pytest.mark.parametrize("change", [other_contexts, other_manifest])
def test_who_joined_does_not_join_what_was_exchanged(world, change):
    w = world("joined")
    change(w)
    refused(w, "join", VerificationError, "north agreed to another invitation")


# ---- shares


def another_sessions_share(world):
    shutil.copy(world.place / "cold" / "share-south.bin", world.folder)


def doubled_share(world):
    shutil.copy(world.folder / "share-west.bin", world.folder / "share-south.bin")


def strangers_share(world):
    world.write("share-mallory.bin", signed_again(world.read()[1][1], world.identity("mallory"), party="mallory"))


def forged_share(world):
    world.write("share-south.bin", signed_again(world.read()[1][1], world.identity("mallory")))


def point_of_small_order(world):
    world.write("share-south.bin", signed_again(world.read()[1][1], world.identity("south"), share="01" + "00" * 31))


def share_with_a_part(world):
    world.write("share-south.bin", signed_again(world.read()[1][1], world.identity("south"), (b"more",)))


def no_share(world):
    (world.folder / "share-south.bin").unlink()


SHARES = [
    (another_sessions_share, VerificationError, "share-south.bin: south sent it in another session"),
    (doubled_share, VerificationError, "share-south.bin is a share of west"),
    (strangers_share, VerificationError, "share-mallory.bin: mallory is not on the study's roster"),
    (forged_share, VerificationError, "share-south.bin is not signed by south"),
    (point_of_small_order, VerificationError, "share-south.bin: the share of south"),
    (share_with_a_part, VerificationError, "share-south.bin: a share has no parts"),
]


@pytest.mark.parametrize(("change", "error", "told"), SHARES)
def test_a_share_that_does_not_belong_is_seen_before_anything_is_charged(world, change, error, told):
    w = world("joined")
    change(w)
    for step in ("contribute", "aggregate", "status", "verify"):
        refused(w, step, error, told)


def test_a_missing_share_is_waited_for(world):
    w = world("joined")
    no_share(w)
    assert refused(w, "contribute", StudyError, "south has not joined yet").exit_code == 1
    refused(w, "aggregate", StudyError, "south has not joined yet")
    assert [party.joined for party in steps.study_status(w.folder).parties] == [True, False, True]


def test_the_own_share_has_to_be_the_one_whose_secret_is_kept(world):
    w = world("joined")
    w.write("share-north.bin", signed_again(w.read()[1][0], w.identity("north"), share="09" + "00" * 31))
    refused(w, "contribute", VerificationError, "share-north.bin is not the share that north keeps the secret of")


def test_a_share_that_is_exchanged_after_one_contributed_ends_the_session(world):
    w = world("joined")
    w.contribute("north")
    w.write("share-south.bin", signed_again(w.read()[1][1], w.identity("south"), share="09" + "00" * 31))
    refused(w, "contribute", VerificationError, "a share was exchanged after north contributed")
    refused(w, "verify", VerificationError, "contribution-north.bin: north contributed after other shares")


def test_without_the_secret_half_nothing_is_charged(world):
    w = world("joined")
    shutil.rmtree(w.place / "north.identity.studies")
    refused(w, "contribute", StudyError, "north has joined elsewhere")


# ---- who one is and whom one trusts


@pytest.mark.parametrize("step", ["join", "contribute"])
def test_a_stranger_does_not_take_part(world, step):
    w = world("joined")
    shutil.copy(w.place / "north.dataset.yaml", w.place / "mallory.dataset.yaml")
    refused(w, step, VerificationError, "mallory.identity is the identity of nobody on the roster", who="mallory")


def test_a_pinned_key_holder_has_to_be_the_one(world):
    w = world("joined")
    other, right = public(w.place / "mallory.identity"), public(w.place / "analyst.identity")
    before = books(w)
    told = "invitation.bin: its key holder, analyst, is another identity"
    with pytest.raises(VerificationError, match=told):
        steps.join_study(w.folder, w.place / "north.identity", key_holder=other)
    with pytest.raises(VerificationError, match=told):
        w.contribute("north", key_holder=other)
    with pytest.raises(VerificationError, match=told):
        steps.verify_study(w.folder, key_holder=other)
    assert books(w) == before
    steps.verify_study(w.folder, key_holder=f" {right}\n")
    w.contribute("north", key_holder=right)


def test_only_the_key_holder_reveals_and_only_where_the_keys_are(world):
    w = world("aggregated")
    with pytest.raises(VerificationError, match="its key holder, analyst, is another identity"):
        steps.reveal_study(w.folder, w.place / "mallory.identity")
    (w.place / "elsewhere").mkdir()
    shutil.copy(w.place / "analyst.identity", w.place / "elsewhere")
    with pytest.raises(StudyError, match="made elsewhere"):
        steps.reveal_study(w.folder, w.place / "elsewhere" / "analyst.identity")
    assert not (w.folder / "result.bin").exists()


def test_a_contribution_that_is_there_already_and_is_not_ones_own_is_seen_before_the_charge(world):
    w = world("joined")
    w.write("contribution-north.bin", w.read("cold")[2][0])
    assert refused(w, "contribute", StudyError, "a contribution of north is there already").exit_code == 1
    (w.folder / "contribution-north.bin").unlink()
    w.contribute("north")


# ---- contributions


def south(world):
    return world.read()[2][1]


def changed_south(world, parts=None, **body):
    world.write("contribution-south.bin", signed_again(south(world), world.identity("south"), parts, **body))


def another_sessions_contribution(world):
    shutil.copy(world.place / "cold" / "contribution-south.bin", world.folder)


def replay_under_this_sessions_name(world):
    """South itself says that the other session's vectors are this one's: its masks will not cancel, and it may."""
    changed_south(world, world.read("cold")[2][1].parts)


def doubled_contribution(world):
    shutil.copy(world.folder / "contribution-west.bin", world.folder / "contribution-south.bin")


def strangers_contribution(world):
    world.write("contribution-mallory.bin", signed_again(south(world), world.identity("mallory"), party="mallory"))


def forged_contribution(world):
    world.write("contribution-south.bin", signed_again(south(world), world.identity("mallory")))


def wests_ciphertext_by_mallory(world):
    world.write("contribution-south.bin", signed_again(world.read()[2][2], world.identity("mallory"), party="south"))


def other_transcript(world):
    changed_south(world, transcript=A)


def less_noise(world):
    scales = tuple({name: value * (1 - 2**-40) for name, value in one.items()} for one in south(world).body.scales)
    changed_south(world, scales=scales)


def noise_for_other_vectors(world):
    changed_south(world, scales=tuple({**one, "more": 1.0} for one in south(world).body.scales))


def no_noise(world):
    changed_south(world, scales=tuple({} for _ in south(world).body.scales))


def noise_for_more_queries(world):
    changed_south(world, scales=south(world).body.scales * 2)


def one_part(world):
    changed_south(world, south(world).parts[:1])


def turned_parts(world):
    changed_south(world, south(world).parts[::-1])


def damaged(world):
    first, second = south(world).parts
    changed_south(world, (first, second[:12] + bytes([second[12] ^ 1]) + second[13:]))


def cut(world):
    first, second = south(world).parts
    changed_south(world, (first[:-1], second))


def encrypted(world, length_change=0):
    invitation = world.read()[0]
    terms = terms_of(invitation.body)
    return tuple(
        sums.encrypt(context, np.ones(length + length_change, dtype=np.int64))
        for context, length in zip(contexts_of(invitation, terms), terms.packing.lengths, strict=True)
    )


def longer(world):
    changed_south(world, encrypted(world, 1))


CONTRIBUTIONS = [
    (another_sessions_contribution, VerificationError, "contribution-south.bin: south sent it in another session"),
    (doubled_contribution, VerificationError, "contribution-south.bin is a contribution of west"),
    (strangers_contribution, VerificationError, "contribution-mallory.bin: mallory is not on the study's roster"),
    (forged_contribution, VerificationError, "contribution-south.bin is not signed by south"),
    (wests_ciphertext_by_mallory, VerificationError, "contribution-south.bin is not signed by south"),
    (other_transcript, VerificationError, "contribution-south.bin: south contributed after other shares"),
    (less_noise, VerificationError, "contribution-south.bin: south declares less noise"),
    (noise_for_other_vectors, VerificationError, "contribution-south.bin: south declares"),
    (no_noise, VerificationError, "contribution-south.bin: south declares"),
    (noise_for_more_queries, VerificationError, "contribution-south.bin: south declares"),
    (one_part, VerificationError, "contribution-south.bin: south sent 1 encrypted"),
    (turned_parts, CiphertextError, "contribution-south.bin: the encrypted vector of south"),
    (damaged, CiphertextError, "contribution-south.bin: the encrypted vector of south"),
    (cut, CiphertextError, "contribution-south.bin: the encrypted vector of south"),
    (longer, CiphertextError, "contribution-south.bin: the encrypted vector of south"),
]


@pytest.mark.parametrize(("change", "error", "told"), CONTRIBUTIONS)
def test_a_contribution_that_does_not_belong_is_not_added(world, change, error, told):
    w = world("contributed")
    change(w)
    for step in ("aggregate", "status", "verify"):
        assert refused(w, step, error, told).exit_code == 5
    assert not (w.folder / "aggregate.bin").exists()


@pytest.mark.parametrize(("change", "error", "told"), [*SHARES, *CONTRIBUTIONS])
def test_nothing_is_decrypted_of_what_does_not_belong(world, change, error, told):
    w = world("aggregated")
    change(w)
    refused(w, "reveal", error, told)
    state = next(w.place.glob("analyst.identity.studies/*/context-2.secret")).parent.parent
    assert len(list(state.glob("*/context-*.secret"))) == 4  # of both sessions
    assert not list(state.glob("*/reveal"))


def test_a_missing_contribution_is_waited_for(world):
    w = world("contributed")
    (w.folder / "contribution-south.bin").unlink()
    assert refused(w, "aggregate", StudyError, "south has not contributed yet").exit_code == 1
    steps.verify_study(w.folder)
    w = world("aggregated", "w2")
    (w.folder / "contribution-south.bin").unlink()
    refused(w, "reveal", StudyError, "south has not contributed yet")
    refused(w, "verify", VerificationError, "aggregate.bin is not of the contributions")


@pytest.mark.parametrize("change", [replay_under_this_sessions_name, lambda w: changed_south(w, encrypted(w))])
def test_a_sum_in_which_masks_are_left_is_not_shown_as_a_result(world, change):
    """Nobody can see that ciphertext of another session is in it, but its sum is beyond all that parties can send."""
    w = world("contributed")
    change(w)
    steps.aggregate_study(w.folder)
    steps.verify_study(w.folder)
    assert refused(w, "reveal", VerificationError, "aggregate.bin holds no sum").exit_code == 5
    assert not list(w.place.glob("analyst.identity.studies/*/reveal"))


@pytest.mark.parametrize("parts", [encrypted, lambda w: w.read()[2][2].parts, lambda w: w.read("cold")[2][1].parts])
def test_another_well_formed_ciphertext_is_its_partys_word_until_the_aggregate_was_made(world, parts):
    w = world("contributed")
    changed_south(w, parts(w))
    steps.verify_study(w.folder)
    w = world("aggregated", "w2")
    changed_south(w, parts(w))
    for step in ("status", "verify", "reveal"):
        refused(w, step, VerificationError, "aggregate.bin is not of th")


# ---- the aggregate


def aggregate_with(parts=None, **body):
    def change(world):
        there = world.read()[3]
        world.write(
            "aggregate.bin",
            Aggregate(there.body.model_copy(update=body), there.parts if parts is None else parts(world, there)),
        )

    return change


def one_party_alone(world, there):
    return world.read()[2][0].parts


AGGREGATES = {
    "one party alone": (aggregate_with(one_party_alone), False, "is not the sum of the contributions"),
    "one channel of another": (
        aggregate_with(lambda w, there: (there.parts[0], w.read()[2][0].parts[1])),
        False,
        "is not the sum of the contributions",
    ),
    "another session's sum": (aggregate_with(lambda w, _: w.read("cold")[3].parts), False, "is not the sum"),
    "another session": (aggregate_with(session="0" * 32), True, "aggregate.bin is (of another session|not of)"),
    "other shares": (aggregate_with(transcript=A), True, "aggregate.bin is (of another session|not of)"),
    "other contributions": (aggregate_with(contributions=dict.fromkeys(NAMES, A)), True, "aggregate.bin is not of"),
    "fewer contributions": (aggregate_with(contributions={"north": A}), True, "aggregate.bin is not of"),
    "fewer channels": (aggregate_with(lambda w, there: there.parts[:1]), True, "aggregate.bin is not"),
    "turned channels": (aggregate_with(lambda w, there: there.parts[::-1]), True, "aggregate.bin"),
    "longer": (aggregate_with(lambda w, _: encrypted(w, 1)), True, "aggregate.bin"),
}


@pytest.mark.parametrize(("change", "in_status", "told"), AGGREGATES.values(), ids=AGGREGATES)
def test_an_aggregate_that_is_not_the_sum_is_not_decrypted(world, change, in_status, told):
    w = world("aggregated")
    change(w)
    for step in ("status", "verify", "reveal") if in_status else ("verify", "reveal"):
        assert refused(w, step, (VerificationError, CiphertextError), told).exit_code == 5
    refused(w, "aggregate", StudyError, "aggregate.bin is there already and is another one")
    assert len(list(w.place.glob("analyst.identity.studies/*/context-*.secret"))) == 4


def test_an_aggregate_before_all_contributed_is_none(world):
    w = world("joined")
    shutil.copy(w.place / "cold" / "aggregate.bin", w.folder)
    refused(w, "status", VerificationError, "aggregate.bin is of another session")


def test_contributions_before_all_joined_are_none(world):
    w = world("contributed")
    no_share(w)
    refused(w, "status", VerificationError, "contribution-north.bin is there before every party has joined")


# ---- the result


def result_with(identity="analyst", parts=None, **body):
    def change(world):
        there = world.read()[4]
        world.write("result.bin", signed_again(there, world.identity(identity), parts and parts(world, there), **body))

    return change


def other_text(**changes):
    def parts(world, there):
        return (StudyResult.model_validate_json(there.parts[0]).model_copy(update=changes).model_dump_json().encode(),)

    return parts


RESULTS = {
    "a party's": (result_with("north"), "result.bin is not signed by the key holder"),
    "a stranger's": (result_with("mallory"), "result.bin is not signed by the key holder"),
    "another session": (result_with(session="0" * 32), "result.bin is of another session"),
    "two": (result_with(parts=lambda w, there: there.parts * 2), "result.bin is of another session"),
    "none": (result_with(parts=lambda w, there: (b"{}",)), "result.bin holds no result of this study"),
    "no JSON": (result_with(parts=lambda w, there: (b"[" * 10**5,)), "result.bin holds no result of this study"),
    "of another sum": (result_with(aggregate=A), "result.bin holds no result"),
    "of another sum throughout": (result_with(parts=other_text(aggregate=A), aggregate=A), "result.bin is not of the"),
    "of another invitation": (result_with(parts=other_text(invitation=A)), "result.bin holds no result"),
    "of other shares": (result_with(parts=other_text(transcript=A)), "result.bin holds no result"),
}


@pytest.mark.parametrize(("change", "told"), RESULTS.values(), ids=RESULTS)
def test_a_result_that_is_none_of_this_study(world, change, told):
    w = world("revealed")
    change(w)
    for step in ("status", "verify"):
        refused(w, step, VerificationError, told)


def test_a_result_without_its_aggregate(world):
    w = world("revealed")
    (w.folder / "aggregate.bin").unlink()
    refused(w, "verify", VerificationError, "result.bin is not of the aggregate that is here")


def test_a_strangers_result_is_seen_before_anything_is_decrypted(world):
    w = world("aggregated")
    done = world("revealed", "w2")
    w.write("result.bin", signed_again(done.read()[4], w.identity("mallory")))
    refused(w, "reveal", VerificationError, "result.bin is not signed by the key holder")
    assert not list(w.place.glob("analyst.identity.studies/*/reveal"))
    (w.folder / "result.bin").unlink()
    steps.reveal_study(w.folder, w.place / "analyst.identity")


# ---- in memory: twice, and of another type


def test_a_party_is_taken_once(world):
    w = world("contributed")
    invitation, shares, contributions, *_ = w.read()
    adder = Aggregator(invitation, shares)
    adder.add(contributions[0])
    with pytest.raises(VerificationError, match=r"contribution-north\.bin: north contributed already"):
        adder.add(contributions[0])
    with pytest.raises(VerificationError, match=r"share-south\.bin: there are two shares of south"):
        Aggregator(invitation, [*shares, shares[1]])
    with pytest.raises(StudyError, match="west has not joined yet"):
        Aggregator(invitation, shares[:2])
    with pytest.raises(StudyError, match="south, west have not contributed yet"):
        adder.aggregate()


def test_a_roster_with_a_party_twice_is_no_manifest(world):
    w = world("new")
    there = w.read()[0]
    north, *rest = there.body.parties
    for parties in ((north, north, *rest), (north, north.model_copy(update={"name": "NORTH"}), *rest)):
        w.write("invitation.bin", signed_again(there, w.identity("analyst"), parties=parties))
        refused(w, "join", VerificationError, "invitation.bin says what no message of its kind says")


# ---- the folder: whatever else can lie there

DAMAGE = {
    "missing": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: os.truncate(path, path.stat().st_size - 1),
    "cut in two": lambda path: os.truncate(path, path.stat().st_size // 2),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    "text": lambda path: path.write_text("hello\n"),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "a pipe": lambda path: (path.unlink(), os.mkfifo(path)),
    "a link to itself": lambda path: (path.unlink(), path.symlink_to(path)),
    "a link to nothing": lambda path: (path.unlink(), path.symlink_to(path.parent / "nothing")),
    "a device": lambda path: (path.unlink(), path.symlink_to("/dev/zero")),
}
FILES = ("invitation", "share-south", "contribution-south", "aggregate", "result")


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
@pytest.mark.parametrize("name", FILES)
def test_verify_sees_every_damage_of_a_file(world, capsys, monkeypatch, name, damage):
    w = world("revealed")
    monkeypatch.chdir(w.place)
    damage(w.folder / f"{name}.bin")
    gone = not (w.folder / f"{name}.bin").exists() and not (w.folder / f"{name}.bin").is_symlink()
    code = main(["study", "verify", "flu"])
    out, err = capsys.readouterr()
    if name == "result" and (gone or "nothing" in str(os.path.realpath(w.folder / "result.bin"))):
        assert code == 0  # not revealed yet, for all that is there
        return
    assert code in (1, 5), err
    assert out == ""
    assert err.startswith("privkit: error: ")
    assert "bug" not in err
    assert "Traceback" not in err
    assert ".bin" in err or "flu" in err


def test_files_that_change_places_are_seen(world, capsys, monkeypatch):
    w = world("revealed")
    monkeypatch.chdir(w.place)
    pairs = [(a, b) for a in FILES for b in FILES if a < b]
    for a, b in [*pairs, ("share-north", "share-south"), ("contribution-north", "contribution-west")]:
        one, other = w.folder / f"{a}.bin", w.folder / f"{b}.bin"
        contents = one.read_bytes(), other.read_bytes()
        one.write_bytes(contents[1]), other.write_bytes(contents[0])
        assert main(["study", "verify", "flu"]) == 5
        err = capsys.readouterr().err
        assert f"{a}.bin" in err or f"{b}.bin" in err
        one.write_bytes(contents[0]), other.write_bytes(contents[1])
    assert main(["study", "verify", "flu"]) == 0


@pytest.mark.parametrize("name", ["share-SOUTH.bin", "share-.bin", "contribution-zoë.bin", "share-a\nb.bin"])
def test_messages_of_nobody_on_the_roster_are_seen(world, name):
    w = world("revealed")
    shutil.copy(w.folder / "share-south.bin", w.folder / name)
    refused(w, "verify", VerificationError, "is not on the study's roster")


def test_other_files_do_no_harm(world):
    w = world("aggregated")
    for name in ("README.txt", ".DS_Store", "share-south.bin.bak", ".share-south.bin.0f", "invitation (1).bin"):
        (w.folder / name).write_text("hello")
    (w.folder / "notes").mkdir()
    steps.verify_study(w.folder)
    steps.reveal_study(w.folder, w.place / "analyst.identity")
    steps.verify_study(w.folder)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("place", ["nothing", "file", "empty"])
def test_what_is_no_study_is_an_input_error(world, step, place):
    w = world("joined")
    w.folder = w.place / place
    if place == "file":
        w.folder.write_text("hello")
    if place == "empty":
        w.folder.mkdir()
    with pytest.raises(InputError) as caught:
        STEPS[step](w, "north")
    assert str(w.folder) in caught.value.message


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_read(world, name):
    w = world("revealed")
    (w.folder / f"{name}.bin").chmod(0)
    assert refused(w, "verify", InputError, f"{name}.bin: cannot be read").exit_code == 1


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_fails_while_it_is_read(world, monkeypatch, name):
    w = world("revealed")
    real = os.open

    def failing(path, *rest, **options):
        if str(path).endswith(f"{name}.bin"):
            raise PermissionError(13, "Permission denied")
        return real(path, *rest, **options)

    monkeypatch.setattr("os.open", failing)
    assert refused(w, "verify", InputError, f"{name}.bin: cannot be read .Permission denied").exit_code == 1


@pytest.mark.parametrize("damage", ["a folder", "a pipe", "a link to nothing", "empty"])
@pytest.mark.parametrize(
    ("stage", "step", "name"), [("new", "join", "share-north"), ("contributed", "aggregate", "aggregate")]
)
def test_what_stands_in_the_way_of_publishing_is_said_and_left_alone(world, damage, stage, step, name):
    w = world(stage)
    path = w.folder / f"{name}.bin"
    path.touch()
    DAMAGE[damage](path)
    with pytest.raises((StudyError, InputError, VerificationError)) as caught:
        STEPS[step](w, "north")
    assert f"{name}.bin" in caught.value.message
    assert not list(w.folder.glob(".*"))
    path.rmdir() if path.is_dir() else path.unlink()
    STEPS[step](w, "north")


def test_a_study_starts_in_a_folder_of_its_own(world):
    w = world("new")
    before = listing(w)
    for session in ("flu", "north.identity", "no/where"):
        with pytest.raises(PrivkitError) as caught:
            start(w.place, session)
        assert caught.value.exit_code == 1
    assert listing(w) == before


def test_shares_are_what_everyone_saw(world):
    """The transcript names every share: two rosters' views that differ in one share differ in it."""
    w = world("joined")
    invitation, shares, *_ = w.read()
    other = Share.from_bytes(signed_again(shares[1], w.identity("south"), share="09" + "00" * 31).to_bytes())
    one = Aggregator(invitation, shares).transcript
    assert Aggregator(invitation, shares[::-1]).transcript == one
    assert Aggregator(invitation, [shares[0], other, shares[2]]).transcript != one
