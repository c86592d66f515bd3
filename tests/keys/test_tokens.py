import base64
import hmac
import re

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.cmac import CMAC
from hypothesis import given
from hypothesis import strategies as st

from privkit.errors import InputError, KeyFileError
from privkit.keys.keyfile import Key
from privkit.keys.tokens import ALPHABET, TOKEN, Tokens, body_length, key_tag, token_entity

KEY = Key.from_secret(bytes(range(32)), kept=True)
OTHER = Key.from_secret(bytes(range(1, 33)), kept=True)
TOKENS = Tokens(KEY)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def siv(key: bytes, associated: list[bytes], plain: bytes) -> bytes:
    """RFC 5297 section 2.6, written down here from the RFC."""

    def cmac(data):
        mac = CMAC(algorithms.AES(key[: len(key) // 2]))
        mac.update(data)
        return mac.finalize()

    def double(block):
        number = int.from_bytes(block) << 1
        return (number & (1 << 128) - 1 ^ (0x87 if number >> 128 else 0)).to_bytes(16)

    def xor(one, other):
        return bytes(a ^ b for a, b in zip(one, other, strict=True))

    d = cmac(bytes(16))
    for data in associated:
        d = xor(double(d), cmac(data))
    if len(plain) >= 16:
        v = cmac(plain[:-16] + xor(plain[-16:], d))
    else:
        v = cmac(xor(double(d), plain + b"\x80" + bytes(15 - len(plain))))
    counter = bytearray(v)
    counter[8] &= 0x7F
    counter[12] &= 0x7F
    encryptor = Cipher(algorithms.AES(key[len(key) // 2 :]), modes.CTR(bytes(counter))).encryptor()
    return v + encryptor.update(plain)


def test_rfc_5297_vectors():
    # A.1, deterministic; A.2, with a nonce.
    key = bytes.fromhex("fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
    associated = [bytes.fromhex("101112131415161718191a1b1c1d1e1f2021222324252627")]
    plain = bytes.fromhex("112233445566778899aabbccddee")
    sealed = bytes.fromhex("85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c")
    assert AESSIV(key).encrypt(plain, associated) == siv(key, associated, plain) == sealed

    key = bytes.fromhex("7f7e7d7c7b7a79787776757473727170404142434445464748494a4b4c4d4e4f")
    associated = [
        bytes.fromhex("00112233445566778899aabbccddeeffdeaddadadeaddadaffeeddccbbaa99887766554433221100"),
        bytes.fromhex("102030405060708090a0"),
        bytes.fromhex("09f911029d74e35bd84156c5635688c0"),
    ]
    plain = b"this is some plaintext to encrypt using SIV-AES"
    sealed = bytes.fromhex(
        "7bdb6e3b432667eb06f4d14bff2fbd0fcb900f2fddbe404326601965c889bf17dba77ceb094fa663b7a3f748ba8af829ea64ad544a272e9c485b62a3fd5c0d"
    )
    assert AESSIV(key).encrypt(plain, associated) == siv(key, associated, plain) == sealed


@pytest.mark.parametrize("value", ["", "John Smith", "fifteen bytes..", "sixteen bytes...", "Zoë", "x" * 1000])
def test_a_token_is_aes_siv_of_the_padded_value(value):
    data = value.encode() + b"\x80"
    data += bytes(-len(data) % 16)
    sealed = siv(KEY.derive("reversible tokens: AES-SIV", 64), [b"PERSON"], data)
    body = base64.b32encode(sealed).decode().rstrip("=").lower()
    assert TOKENS.seal(value, "PERSON") == f"PERSON_k{key_tag(KEY)}{body}"
    assert len(body) == body_length(len(value.encode()))


def test_a_short_token_is_hmac():
    mac = hmac.digest(KEY.derive("short tokens: HMAC-SHA-256", 64), b"PERSON\0John Smith", "sha256")
    assert TOKENS.hash("John Smith", "PERSON") == "PERSON_x" + base64.b32encode(mac[:10]).decode().lower()


def test_the_format_is_frozen():
    assert TOKENS.seal("John Smith", "PERSON") == "PERSON_k7ubc2vghlrmsqglhzzyzzh5pxwkzjtjgpfxvp4tenwmx6ebmt4vvlsnq"
    assert TOKENS.hash("John Smith", "PERSON") == "PERSON_xjw3ndvumwbnc7qwp"
    assert TOKENS.open_token("PERSON_k7ubc2vghlrmsqglhzzyzzh5pxwkzjtjgpfxvp4tenwmx6ebmt4vvlsnq") == "John Smith"


@given(TEXT)
def test_every_text_comes_back(value):
    token = TOKENS.seal(value, "PERSON")
    assert TOKENS.open_token(token) == value
    assert TOKEN.fullmatch(token)
    assert TOKENS.kind(token) == "own"
    assert TOKENS.restore(token) == (value, 1, 0)


def test_a_very_long_text_and_texts_that_end_like_padding():
    for value in ("ÿ" * 100_000, "\x80", "\0", "a\x80\0\0", "\0" * 16, "x" * 15 + "\x80"):
        assert TOKENS.open_token(TOKENS.seal(value, "ID")) == value


@given(st.lists(TEXT, max_size=40))
def test_many_at_once_are_the_same_as_one_by_one(values):
    # From 16 values on, base32 is written by another way of the code.
    assert TOKENS.seal_many(values, "PERSON") == [TOKENS.seal(value, "PERSON") for value in values]
    assert TOKENS.hash_many(values, "PERSON") == [TOKENS.hash(value, "PERSON") for value in values]


def test_equal_only_for_equal_value_entity_and_key():
    seen = {
        make(tokens)(value, entity)
        for tokens in (TOKENS, Tokens(OTHER))
        for make in (lambda tokens: tokens.seal, lambda tokens: tokens.hash)
        for value in ("a", "b", "A", "a ")
        for entity in ("PERSON", "ID")
    }
    assert len(seen) == 2 * 2 * 4 * 2
    assert TOKENS.seal("a", "ID") == TOKENS.seal("a", "ID")


def test_the_entity_is_sealed_with_the_value():
    token = TOKENS.seal("John", "PERSON")
    with pytest.raises(InputError):
        TOKENS.open_token("ID" + token.removeprefix("PERSON"))
    assert TOKENS.kind("ID" + token.removeprefix("PERSON")) == "altered"


@given(TEXT)
def test_another_key_never_gives_a_value(value):
    token = TOKENS.seal(value, "PERSON")
    with pytest.raises(KeyFileError, match=r"another key"):
        Tokens(OTHER).open_token(token)
    assert Tokens(OTHER).kind(token) == "foreign"
    assert Tokens(OTHER).restore(f"see {token}.") == (f"see {token}.", 0, 1)


def test_another_key_with_the_same_tag_never_gives_a_value():
    forged = Tokens(OTHER)
    forged.tag = TOKENS.tag
    with pytest.raises(InputError, match="altered"):
        TOKENS.restore(forged.seal("John", "PERSON"))


@given(st.data())
def test_no_changed_character_gives_a_value(data):
    token = TOKENS.seal("John Smith", "PERSON")
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from(sorted(set(ALPHABET + "ABCDEF_0189-") - {token[place]})))
    changed = token[:place] + letter + token[place + 1 :]
    with pytest.raises((InputError, KeyFileError)):
        TOKENS.open_token(changed)
    try:
        text, opened, _ = TOKENS.restore(changed)
    except InputError:
        return
    assert (text, opened) == (changed, 0)


def test_a_cut_token_is_an_error():
    token = TOKENS.seal("John Smith", "PERSON")
    for length in range(len("PERSON_k") + 12, len(token)):
        with pytest.raises(InputError, match="altered or cut"):
            TOKENS.restore(f"note: {token[:length]}")


def test_spare_bits_of_the_last_letter_are_no_second_spelling():
    token = TOKENS.seal("John Smith", "PERSON")
    twin = token[:-1] + ALPHABET[ALPHABET.index(token[-1]) | 1]
    assert twin != token
    with pytest.raises(InputError):
        TOKENS.open_token(twin)


def test_tokens_in_running_text():
    john, mary, long = (TOKENS.seal(value, "PERSON") for value in ("John", "Mary", "x" * 100))
    foreign = Tokens(OTHER).seal("Eve", "PERSON")
    short = TOKENS.hash("Zed", "PERSON")
    text = f"{john}'s sister ({mary}), {foreign}, {short}; {long}"
    assert TOKENS.restore(text) == (f"John's sister (Mary), {foreign}, {short}; {'x' * 100}", 2 + 1, 1)
    assert [match["entity"] for match in TOKEN.finditer(text)] == ["PERSON"] * 5


@pytest.mark.parametrize("around", ["我叫{}住", "a{}b", "JOHN_{}4", "X{}s", "{}{}", "7{}7", "_{}_", "PERSON_k{}"])
def test_tokens_that_other_letters_touch_are_restored_all_the_same(around):
    values = ["Ann Lee", "Bo"][: around.count("{}")]
    text = around.format(*(TOKENS.seal(value, "PERSON") for value in values))
    assert TOKENS.restore(text) == (around.format(*values), len(values), 0)


@given(TEXT)
def test_other_text_stays(text):
    assert TOKENS.restore(text) == (text, 0, 0)


def test_words_are_no_tokens():
    for text in ("K8S_kubernetesclusters", "MY_key", "A_kaaaaaaaaaaaaaaaaaaaaa", "PERSON_k"):
        assert TOKENS.restore(text) == (text, 0, 0)


def test_short_tokens_cannot_be_opened():
    with pytest.raises(InputError, match="reversible"):
        TOKENS.open_token(TOKENS.hash("John", "PERSON"))


@pytest.mark.parametrize(
    ("given_", "written"),
    [("PERSON", "PERSON"), ("Employee ID", "EMPLOYEE_ID"), ("9x", "X9X"), (None, "VALUE"), ("é", "X_")],
)
def test_entities_are_written_in_the_grammar(given_, written):
    assert token_entity(given_) == written
    assert re.fullmatch("[A-Z][A-Z0-9_]*", written)
    assert TOKENS.open_token(TOKENS.seal("v", given_)) == "v"


def test_length_shows_in_steps_only():
    assert len({len(TOKENS.seal("x" * length, "ID")) for length in range(16)}) == 1
    assert [body_length(length) for length in (0, 15, 16, 31, 32)] == [52, 52, 77, 77, 103]


def test_errors_do_not_quote_the_value():
    token = TOKENS.seal("Jane Roe", "PERSON")
    for tokens, text in ((Tokens(OTHER), token), (TOKENS, token[:-2] + "aa"), (TOKENS, "Jane Roe")):
        with pytest.raises((InputError, KeyFileError)) as caught:
            tokens.open_token(text)
        assert text not in str(caught.value)
        assert "Jane" not in str(caught.value)
