"""What two parties derive from their shares: known answers, and what must never come out."""

import copy
import hashlib
import hmac
import pickle

import pytest

from privkit.errors import VerificationError
from privkit.keys.agreement import AgreementSecret, KeyStream, check_share

# RFC 7748, section 6.1.
ALICE = bytes.fromhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
ALICE_PUBLIC = bytes.fromhex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a")
BOB = bytes.fromhex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")
BOB_PUBLIC = bytes.fromhex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f")
SHARED = bytes.fromhex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")
# Points of small order, and other spellings of them (the list of cr.yp.to/ecdh.html#validate).
SMALL_ORDER = [
    "00" * 32,
    "01" + "00" * 31,
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ec" + "ff" * 30 + "7f",
    "ed" + "ff" * 30 + "7f",
    "ee" + "ff" * 30 + "7f",
]


def hkdf(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869, written down again."""
    key = hmac.digest(salt, secret, hashlib.sha256)
    block = found = b""
    while len(found) < length:
        block = hmac.digest(key, block + info + bytes([len(found) // 32 + 1]), hashlib.sha256)
        found += block
    return found[:length]


def test_the_plain_hkdf_is_rfc_5869s():
    found = hkdf(b"\x0b" * 22, bytes(range(13)), bytes(range(0xF0, 0xFA)), 42)
    assert found.hex() == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"


def test_the_public_halves_are_rfc_7748s():
    assert AgreementSecret(ALICE).public == ALICE_PUBLIC
    assert AgreementSecret(BOB).public == BOB_PUBLIC


def test_a_seed_is_hkdf_of_the_secret_that_rfc_7748_gives():
    expected = hkdf(SHARED, b"binding", b"purpose", 32)
    assert AgreementSecret(ALICE).seed(BOB_PUBLIC, b"binding", b"purpose") == expected
    assert AgreementSecret(BOB).seed(ALICE_PUBLIC, b"binding", b"purpose") == expected


def test_the_stream_is_aes_256_in_counter_mode_from_zero():
    """Blocks 0, 1 and 2 under the key of zeros: AESAVS, and GCM's test cases 13 and 14."""
    known = "dc95c078a2408989ad48a21492842087530f8afbc74536b9a963b4f1c4cb738bcea7403d4d606b6e074ec5d3baf39d18"
    assert KeyStream(bytes(32)).take(48).hex() == known
    stream = KeyStream(bytes(32))
    assert b"".join(stream.take(size) for size in (1, 15, 17, 0, 15)).hex() == known


def test_a_stream_wants_a_seed_of_32_bytes_as_aes_128_would_take_16():
    for size in (0, 16, 24, 31, 33, 64):
        with pytest.raises(ValueError):
            KeyStream(bytes(size))


@pytest.mark.parametrize("point", SMALL_ORDER)
@pytest.mark.parametrize("high_bit", [0, 0x80])
def test_points_of_small_order_are_refused(point, high_bit):
    raw = bytearray.fromhex(point)
    raw[-1] |= high_bit
    with pytest.raises(VerificationError, match="no point"):
        AgreementSecret(ALICE).seed(bytes(raw), b"binding", b"purpose")


@pytest.mark.parametrize("share", [b"", bytes(31), bytes(33), BOB_PUBLIC + b"\0"])
def test_a_share_of_another_length_is_refused(share):
    with pytest.raises(VerificationError):
        AgreementSecret(ALICE).seed(share, b"binding", b"purpose")


def test_both_sides_derive_alike_and_a_third_one_does_not():
    one, other, third = AgreementSecret(), AgreementSecret(), AgreementSecret()
    seed = one.seed(other.public, b"b", b"p")
    assert other.seed(one.public, b"b", b"p") == seed
    assert len(seed) == 32
    assert seed not in {third.seed(one.public, b"b", b"p"), third.seed(other.public, b"b", b"p")}


def test_another_binding_or_purpose_gives_another_seed():
    one, other = AgreementSecret(), AgreementSecret()
    said = [(b"b", b"p"), (b"b2", b"p"), (b"b", b"p2"), (b"", b"bp"), (b"bp", b""), (b"p", b"b")]
    assert len({one.seed(other.public, *both) for both in said}) == len(said)


def test_secrets_are_fresh_and_come_back_from_their_bytes():
    assert AgreementSecret().public != AgreementSecret().public
    one = AgreementSecret()
    assert AgreementSecret(one.to_bytes()).public == one.public
    for size in (0, 31, 33):
        with pytest.raises(ValueError):
            AgreementSecret(bytes(size))


def test_a_secret_is_neither_pickled_nor_copied_nor_shown():
    secret = AgreementSecret(ALICE)
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled or copied"):
            attempt(secret)
    with pytest.raises(TypeError):
        pickle.dumps(KeyStream(bytes(32)))
    shown = f"{secret!r} {secret} {KeyStream(ALICE)!r}"
    assert ALICE_PUBLIC.hex() in shown
    assert ALICE.hex() not in shown
    assert repr(ALICE) not in shown


@pytest.mark.parametrize("point", SMALL_ORDER)
def test_such_points_can_be_found_before_they_are_used(point):
    check_share(BOB_PUBLIC)
    with pytest.raises(VerificationError):
        check_share(bytes.fromhex(point))
