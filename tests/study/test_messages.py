"""One message, one encoding: whatever else the bytes are, it is a VerificationError, and nothing else ever."""

import base64
import hashlib
import json

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from study_data import identities, study

import privkit
from privkit.errors import VerificationError
from privkit.model.study import AggregateBody, ContributionBody, RevealBody, ShareBody, StudyKeyHolder
from privkit.study import Aggregate, Contribution, Invitation, Reveal, Share
from privkit.study.terms import draw_up

KINDS = {kind.kind: kind for kind in (Invitation, Share, Contribution, Aggregate, Reveal)}
PURPOSE = "privkit study message"
A, B = "a" * 64, "b" * 64


@pytest.fixture(scope="module")
def signers(tmp_path_factory):
    files = identities(tmp_path_factory.mktemp("identities"))
    return files, {name: privkit.Identity.load(path) for name, path in files.items()}


@pytest.fixture(scope="module")
def messages(signers):
    """One of each kind, with parts that are short: what stands in them is no business of the encoding."""
    files, who = signers
    statistics = ("SELECT COUNT(*) AS n FROM data",)
    holder = StudyKeyHolder(name="analyst", public=who["analyst"].public.text)
    manifest = draw_up(study(files, statistics=statistics), holder).manifest
    session = manifest.session
    share = ShareBody(session=session, invitation=A, party="north", share=B)
    contribution = ContributionBody(session=session, transcript=A, party="north", scales=({"rows": 12.5},))
    total = AggregateBody(session=session, transcript=A, contributions={"north": A, "south": B})
    reveal = RevealBody(session=session, transcript=A, aggregate=B, time="2026-01-01T00:00:00.000Z")
    return {
        "invitation": Invitation.signed(manifest, who["analyst"], [b"context\n", b""]),
        "share": Share.signed(share, who["north"]),
        "contribution": Contribution.signed(contribution, who["north"], [b"{vector}\n", b"\x00\xff"]),
        "aggregate": Aggregate(total, (b"sum", b"\n\n")),
        "reveal": Reveal.signed(reveal, who["analyst"], [b'{"a":1}']),
    }


def refused(kind, content):
    with pytest.raises(VerificationError) as caught:
        KINDS[kind].from_bytes(content, "the-file.bin")
    assert caught.value.message.startswith("the-file.bin ")
    assert caught.value.exit_code == 5
    return caught.value


def refused_or_another(kind, content, message):
    """An aggregate has no signature: changed bytes may be another aggregate's, never this one's."""
    if KINDS[kind].is_signed:
        refused(kind, content)
        return
    try:
        found = KINDS[kind].from_bytes(content, "the-file.bin")
    except VerificationError:
        return
    assert found.to_bytes() == content
    assert found != message


def taken_apart(message):
    line, _, rest = message.to_bytes().partition(b"\n")
    return json.loads(line), rest


def put_together(fields, rest, **options):
    how = {"sort_keys": True, "separators": (",", ":"), "ensure_ascii": False, **options}
    return json.dumps(fields, **how).encode("utf-8", "surrogatepass") + b"\n" + rest


def signed_again(fields, rest, identity):
    """As somebody would who signs whatever he likes."""
    statement = {name: value for name, value in fields.items() if name != "signature"}
    text = json.dumps(statement, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    signature = identity.sign(PURPOSE, text.encode("utf-8", "surrogatepass"))
    return put_together({**fields, "signature": base64.b64encode(signature).decode()}, rest)


every_kind = pytest.mark.parametrize("kind", KINDS)
signed_kinds = pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.is_signed])


# ---- what is taken


@every_kind
def test_it_comes_back_from_its_bytes(messages, kind):
    message = messages[kind]
    content = message.to_bytes()
    again = KINDS[kind].from_bytes(content, "the-file.bin")
    assert again == message
    assert again.to_bytes() == content
    assert again.sha256 == message.sha256 == hashlib.sha256(content[: content.index(b"\n") + 1]).hexdigest()
    assert again.name == "the-file.bin"


@every_kind
def test_its_repr_holds_no_part_and_no_signature(messages, kind):
    message = messages[kind]
    shown = repr(message)
    assert "vector" not in shown
    assert "parts" not in shown
    assert str(message.signature) not in shown


@every_kind
def test_the_tests_own_writer_is_the_messages_one(messages, kind):
    fields, rest = taken_apart(messages[kind])
    assert put_together(fields, rest) == messages[kind].to_bytes()


# ---- every byte


@every_kind
def test_no_byte_can_be_changed(messages, kind):
    content = messages[kind].to_bytes()
    for place in range(len(content)):
        for flip in (0x01, 0x20, 0x80):
            changed = content[:place] + bytes([content[place] ^ flip]) + content[place + 1 :]
            refused_or_another(kind, changed, messages[kind])


@every_kind
def test_no_byte_can_be_left_out_or_doubled_and_no_end_cut_off(messages, kind):
    content = messages[kind].to_bytes()
    for place in range(len(content)):
        refused_or_another(kind, content[:place] + content[place + 1 :], messages[kind])
        refused_or_another(kind, content[: place + 1] + content[place:], messages[kind])
        refused(kind, content[:place])


@every_kind
@pytest.mark.parametrize("more", [b"\0", b"\n", b" ", b"{}"])
def test_nothing_can_be_added_before_or_after(messages, kind, more):
    content = messages[kind].to_bytes()
    refused(kind, content + more)
    refused(kind, more + content)


# ---- the same JSON, written otherwise


@every_kind
@pytest.mark.parametrize(
    "options",
    [
        {"separators": (", ", ":")},
        {"separators": (",", ": ")},
        {"indent": 1},
        {"indent": 0},
    ],
)
def test_other_spacing_is_refused(messages, kind, options):
    refused(kind, put_together(*taken_apart(messages[kind]), **options))


@every_kind
def test_another_order_of_keys_is_refused(messages, kind):
    fields, rest = taken_apart(messages[kind])
    refused(kind, put_together(dict(reversed(fields.items())), rest, sort_keys=False))
    body = dict(reversed(fields["body"].items()))
    refused(kind, put_together({**fields, "body": body}, rest, sort_keys=False))


@every_kind
def test_a_doubled_key_is_refused(messages, kind):
    content = messages[kind].to_bytes()
    for name in (b'"kind":', b'"session":', b'"body":'):
        place = content.index(name)
        for lie in (b'0,"x":', b"null,"):
            refused(kind, content[:place] + name + lie + content[place:])
    line, _, rest = content.partition(b"\n")
    refused(kind, line[:-1] + b',"signer":' + json.dumps(messages[kind].signer).encode() + b"}\n" + rest)


@every_kind
def test_escapes_and_line_ends_are_refused(messages, kind):
    content = messages[kind].to_bytes()
    refused(kind, content.replace(b'"kind"', b'"k\\u0069nd"', 1))
    refused(kind, content.replace(b"study 1", b"study\\u00201", 1))
    refused(kind, content.replace(b"\n", b"\r\n", 1))
    refused(kind, b"\xef\xbb\xbf" + content)
    refused(kind, content.decode("latin-1").encode("utf-16"))


@every_kind
@pytest.mark.parametrize("content", [b"", b"\n", b"null\n", b"[]\n", b"{}\n", b'"x"\n', b"1\n", b"NaN\n", b"{\n"])
def test_what_is_no_message_at_all_is_refused(kind, content):
    refused(kind, content)


# ---- numbers and texts that JSON or Python stumbles over

STUMBLING = {
    "NaN": b"NaN",
    "Infinity": b"Infinity",
    "minus Infinity": b"-Infinity",
    "beyond a double": b"1e999",
    "many digits": b"9" * 5000,
    "very many digits": b"9" * 300_000,
    "negative": b"-1",
    "fraction": b"0.5",
    "true": b"true",
    "null": b"null",
    "blank": b'" "',
    "half a character": b'"\\ud800"',
    "a zero byte": b'"\\u0000"',
    "no UTF-8": b'"\xff"',
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "deep and open": b'{"a":' * 50_000,
    "nested, not too deep": b"[" * 400 + b"]" * 400,
}


@every_kind
@pytest.mark.parametrize("value", STUMBLING.values(), ids=STUMBLING)
def test_values_that_readers_stumble_over_are_refused_wherever_they_stand(messages, kind, value):
    fields, rest = taken_apart(messages[kind])
    for name in fields:
        refused(kind, put_together({**fields, name: "@@"}, rest).replace(b'"@@"', value, 1))
    for name in fields["body"]:
        refused(kind, put_together({**fields, "body": {**fields["body"], name: "@@"}}, rest).replace(b'"@@"', value, 1))
    for name in ("bytes", "sha256"):
        for number in range(len(fields["parts"])):
            parts = [dict(part) for part in fields["parts"]]
            parts[number][name] = "@@"
            refused(kind, put_together({**fields, "parts": parts}, rest).replace(b'"@@"', value, 1))


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=True)
    | st.text(st.characters(), max_size=8)
    | st.sampled_from([A, "north", "\ud800", 2**64, 10**400, "1e400", "0", 0, 1, "ed25519:" + "A" * 43 + "="]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def places(value, path=()):
    """Every place in a JSON value."""
    yield path
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from places(inner, (*path, name))
    if isinstance(value, list):
        for number, inner in enumerate(value):
            yield from places(inner, (*path, number))


def replaced(value, path, by):
    if not path:
        return by
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], by)
    return copy


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whoever_signs_what_he_likes_gets_a_message_or_a_verification_error(messages, signers, data):
    """Another value anywhere, signed again: a message only if these bytes are its one encoding."""
    kind = data.draw(st.sampled_from(sorted(KINDS)))
    fields, rest = taken_apart(messages[kind])
    path = data.draw(st.sampled_from(list(places(fields))))
    changed = replaced(fields, path, data.draw(json_values))
    if data.draw(st.booleans()) and isinstance(changed, dict):
        content = signed_again(changed, rest, signers[1]["analyst" if kind in ("invitation", "reveal") else "north"])
    else:
        content = put_together(changed, rest)
    try:
        found = KINDS[kind].from_bytes(content, "the-file.bin")
    except VerificationError as err:
        assert err.message.startswith("the-file.bin ")  # noqa: PT017
        return
    assert found.to_bytes() == content


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(sorted(KINDS)), content=st.binary(max_size=60))
@example(kind="share", content=b"{" + b'"a":' * 9 + b"\n")
def test_any_bytes_at_all(kind, content):
    refused(kind, content)
    refused(kind, content + b"\n" + content)


# ---- parts


def test_lying_lengths_of_parts_are_refused(messages):
    fields, rest = taken_apart(messages["contribution"])
    first, second = (part["bytes"] for part in fields["parts"])
    lies = [(first + 1, second - 1), (first + second, 0), (first, second + 1), (first, -1), (2**63, second)]
    for sizes in [*lies, (first + 10**30, second - 10**30), (True, first + second - 1), (float(first), second)]:
        parts = [{**part, "bytes": size} for part, size in zip(fields["parts"], sizes, strict=True)]
        refused("contribution", put_together({**fields, "parts": parts}, rest))


def test_parts_that_change_places_or_are_left_out_are_refused(messages, signers):
    fields, rest = taken_apart(messages["contribution"])
    first = fields["parts"][0]["bytes"]
    turned = rest[first:] + rest[:first]
    refused("contribution", put_together(fields, turned))
    refused("contribution", put_together({**fields, "parts": fields["parts"][::-1]}, turned))
    refused("contribution", put_together({**fields, "parts": []}, b""))
    more = [{**fields["parts"][0], "more": 1}, fields["parts"][1]]
    for parts in ([{"bytes": len(rest)}], more, {}, "", [[]], [None]):
        refused("contribution", put_together({**fields, "parts": parts}, rest))
        refused("contribution", signed_again({**fields, "parts": parts}, rest, signers[1]["north"]))


# ---- who signed what


@every_kind
@pytest.mark.parametrize("other", KINDS)
def test_a_message_of_one_kind_is_none_of_another(messages, kind, other):
    if kind != other:
        refused(kind, messages[other].to_bytes())
        fields, rest = taken_apart(messages[other])
        refused(kind, put_together({**fields, "kind": kind}, rest))


@every_kind
@pytest.mark.parametrize("version", ["study 2", "study", "study 1 ", "", 1, None, ["study 1"]])
def test_another_version_is_refused(messages, signers, kind, version):
    fields, rest = taken_apart(messages[kind])
    refused(kind, signed_again({**fields, "privkit": version}, rest, signers[1]["north"]))


@signed_kinds
def test_an_unsigned_message_is_refused(messages, kind):
    fields, rest = taken_apart(messages[kind])
    refused(kind, put_together({**fields, "signature": ""}, rest))
    refused(kind, put_together({**fields, "signature": "", "signer": ""}, rest))
    refused(kind, put_together({**fields, "signer": ""}, rest))
    refused(kind, put_together({name: value for name, value in fields.items() if name != "signature"}, rest))


@signed_kinds
@pytest.mark.parametrize("signature", ["A", "AA==", "é", "\ud800", "A" * 88, "!" * 88, 5, None])
def test_what_is_no_signature_is_refused(messages, kind, signature):
    fields, rest = taken_apart(messages[kind])
    refused(kind, put_together({**fields, "signature": signature}, rest))


@signed_kinds
def test_another_spelling_of_the_same_signature_is_refused(messages, kind):
    fields, rest = taken_apart(messages[kind])
    text = fields["signature"]
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    spare = text[:-3] + letters[letters.index(text[-3]) + 1] + "=="
    assert base64.b64decode(spare) == base64.b64decode(text)
    refused(kind, put_together({**fields, "signature": spare}, rest))
    refused(kind, put_together({**fields, "signature": f"{text}\n"}, rest))


@signed_kinds
def test_another_identitys_signature_is_refused(messages, signers, kind):
    fields, rest = taken_apart(messages[kind])
    west = signers[1]["west"]
    statement = {name: value for name, value in fields.items() if name != "signature"}
    forged = {**fields, "signature": base64.b64encode(west.sign(PURPOSE, canonical(statement))).decode()}
    refused(kind, put_together(forged, rest))
    refused(kind, put_together({**fields, "signer": west.public.text}, rest))
    own = signed_again({**fields, "signer": west.public.text}, rest, west)
    assert KINDS[kind].from_bytes(own).signer == west.public.text  # holds: whether west may say so, the roster knows


@signed_kinds
@pytest.mark.parametrize("purpose", ["", "privkit checkpoint", "privkit card", "privkit study message "])
def test_a_signature_for_another_purpose_is_refused(messages, signers, kind, purpose):
    fields, rest = taken_apart(messages[kind])
    statement = {name: value for name, value in fields.items() if name != "signature"}
    signer = next(one for one in signers[1].values() if one.public.text == fields["signer"])
    signature = base64.b64encode(signer.sign(purpose, canonical(statement))).decode()
    refused(kind, put_together({**fields, "signature": signature}, rest))
    right = base64.b64encode(signer.sign(PURPOSE, canonical(statement))).decode()
    assert KINDS[kind].from_bytes(put_together({**fields, "signature": right}, rest)) == messages[kind]


@signed_kinds
@pytest.mark.parametrize(
    "signer", ["\ud800", "nobody", "ed25519:", "ed25519:" + "A" * 43 + "=", " {} ", "{}\n", "x{}", "ED25519:{}"]
)
def test_what_is_no_identity_signs_nothing(messages, kind, signer):
    """Also not the point of small order, for which anybody can sign."""
    fields, rest = taken_apart(messages[kind])
    refused(kind, put_together({**fields, "signer": signer.format(fields["signer"])}, rest))


def test_an_aggregate_is_not_signed(messages, signers):
    fields, rest = taken_apart(messages["aggregate"])
    north = signers[1]["north"]
    refused("aggregate", signed_again({**fields, "signer": north.public.text}, rest, north))
    refused("aggregate", signed_again(fields, rest, north))
    refused("aggregate", put_together({**fields, "signer": north.public.text}, rest))


def canonical(fields):
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
