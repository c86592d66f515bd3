import base64
import copy
import os
import pickle
import stat

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from privkit.errors import KeyFileError
from privkit.keys.identity import _SMALL_ORDER, Identity, PublicIdentity

# RFC 8032 section 7.1, tests 1 to 3: secret key, public key, message, signature.
VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
        "d25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
        "387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
        "4a7c15e9716ed28dc027beceea1ec40a",
    ),
]
P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ana.identity"


@pytest.mark.parametrize(("secret", "public", "message", "signature"), VECTORS)
def test_the_primitive_is_that_of_rfc_8032(secret, public, message, signature):
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret))
    assert key.public_key().public_bytes_raw().hex() == public
    assert key.sign(bytes.fromhex(message)).hex() == signature
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(bytes.fromhex(signature), bytes.fromhex(message))


def test_our_wiring_of_it_is_frozen(path):
    secret, public, *_ = VECTORS[0]
    identity = Identity._from(bytes.fromhex(secret), "Ana")
    assert identity.public.text == "ed25519:" + base64.b64encode(bytes.fromhex(public)).decode()
    assert identity.public.fingerprint == "21fe-31df-a154-a261-626b-f854-046f-d227"
    signed = b"privkit signature v1\0" + (9).to_bytes(8, "big") + b"a purpose" + b"message"
    raw = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret))
    assert identity.sign("a purpose", b"message") == raw.sign(signed)


def test_a_new_identity_is_read_back(path):
    made, read = Identity.new(path, "Ana Ngũgĩ"), Identity.load(path)
    assert (made.name, made.public, made.public.name) == (read.name, read.public, "Ana Ngũgĩ")
    assert read.public.verify("p", b"m", made.sign("p", b"m"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_mode_is_0600_whatever_the_umask(path):
    before = os.umask(0)
    try:
        Identity.new(path, "ana")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_only_the_same_key_purpose_and_message_verify(tmp_path, path):
    ana, ben = Identity.new(path, "ana"), Identity.new(tmp_path / "ben", "ana")
    signature = ana.sign("checkpoint", b"message")
    assert ana.public.verify("checkpoint", b"message", signature)
    assert not ben.public.verify("checkpoint", b"message", signature)
    assert not ana.public.verify("card", b"message", signature)
    assert not ana.public.verify("checkpoint", b"messagf", signature)
    assert not ana.public.verify("checkpointm", b"essage", signature)
    for place in range(64):
        changed = bytearray(signature)
        changed[place] ^= 1
        assert not ana.public.verify("checkpoint", b"message", bytes(changed))
    for length in (0, 1, 32, 63):
        assert not ana.public.verify("checkpoint", b"message", signature[:length])
    assert not ana.public.verify("checkpoint", b"message", signature + b"\0")


def test_it_is_never_overwritten_nor_written_through_a_link(tmp_path, path):
    Identity.new(path, "ana")
    before = path.read_bytes()
    with pytest.raises(KeyFileError, match="an identity is never overwritten"):
        Identity.new(path, "ana")
    assert path.read_bytes() == before
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(KeyFileError):
        Identity.new(tmp_path / "link", "ana")
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_loose_permissions_are_refused(path, mode):
    Identity.new(path, "ana")
    path.chmod(mode)
    with pytest.raises(KeyFileError, match=f"{mode:04o}"):
        Identity.load(path)


def test_missing_folder_pipe_empty_and_no_folder(tmp_path, path):
    with pytest.raises(KeyFileError, match="no such identity file") as caught:
        Identity.load(path)
    assert "privkit identity new" in caught.value.hint
    with pytest.raises(KeyFileError, match="not an identity file"):
        Identity.load(tmp_path)
    path.touch(mode=0o600)
    with pytest.raises(KeyFileError, match="empty"):
        Identity.load(path)
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(KeyFileError, match="regular"):
        Identity.load(tmp_path / "pipe")
    with pytest.raises(KeyFileError, match="cannot be written"):
        Identity.new(tmp_path / "no" / "identity", "ana")


def test_every_damaged_character_of_a_key_is_noticed(path):
    Identity.new(path, "ana")
    text = path.read_text()
    for place in range(text.index("public:"), len(text) - 1):
        if text[place] in "=\n":
            continue
        path.write_text(text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :])
        with pytest.raises(KeyFileError, match="damaged"):
            Identity.load(path)


@pytest.mark.parametrize(
    "content",
    [b"hello", b"# only a comment\n", b"\xff\xfe\x00", b"name: a\nname: a\n", b"name: a\nsecret: AAAA\npublic: x\n"],
)
def test_other_files_are_no_identities_and_are_not_quoted(path, content):
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(KeyFileError, match="damaged") as caught:
        Identity.load(path)
    assert "hello" not in str(caught.value)
    assert "AAAA" not in str(caught.value)


def test_a_file_that_is_too_long(path):
    Identity.new(path, "ana")
    with path.open("a") as file:
        file.write("# more\n" * 1000)
    with pytest.raises(KeyFileError, match="damaged"):
        Identity.load(path)


@pytest.mark.parametrize("name", ["", " ana", "ana ", "a\nb", "a\x1b[2Jb", "a\u202eb", "x" * 101, "\ud800"])
def test_names_that_would_not_stand_on_a_line(path, name):
    with pytest.raises(KeyFileError, match="name"):
        Identity.new(path, name)
    assert not path.exists()


def test_it_shows_its_name_and_public_key_and_nothing_else(path):
    identity = Identity.new(path, "ana")
    secret = next(line for line in path.read_text().splitlines() if line.startswith("secret")).split()[1]
    assert repr(identity) == f"Identity(name='ana', public='{identity.public.text}')"
    assert secret not in repr(identity)
    assert secret not in str(vars(identity.public))


def test_it_is_not_pickled_or_copied(path):
    identity = Identity.new(path, "ana")
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled"):
            attempt(identity)
    with pytest.raises(TypeError):
        Identity()
    assert pickle.loads(pickle.dumps(identity.public)) == identity.public


def test_a_public_identity_is_its_key(path):
    public = Identity.new(path, "ana").public
    parsed = PublicIdentity.parse(f"  {public.text}\n", "somebody")
    assert parsed == public
    assert hash(parsed) == hash(public)
    assert parsed.name == "somebody"
    with pytest.raises(AttributeError):
        parsed.name = "another"


GOOD = base64.b64encode(bytes.fromhex(VECTORS[0][1])).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ed25519:",
        GOOD,
        f"ed25519:{GOOD[:-4]}",
        f"ed25519:{GOOD[:-1]}",
        f"ed25519: {GOOD}",
        f"ed25519:{GOOD}AAAA",
        f"rsa:{GOOD}",
        f"ed25519:{GOOD[:-2]}{chr(ord(GOOD[-2]) + 1)}=",
        "ed25519:" + "é" * 44,
        "ed25519:ed25519:" + GOOD,
    ],
)
def test_malformed_public_texts(text):
    with pytest.raises(KeyFileError, match="not a public identity"):
        PublicIdentity.parse(text)
    assert PublicIdentity.parse(f"ed25519:{GOOD}")


def test_keys_of_small_order_are_refused_and_are_all_of_them():
    """The listed encodings are the points that 8 times themselves lead to the neutral one, by the curve's equation."""
    orders = set()
    for raw in _SMALL_ORDER:
        y = int.from_bytes(raw, "little") % P
        x_squared = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
        x = _root(x_squared)
        point = (x, y)
        for _ in range(3):
            point = _added(point, point)
        assert point == (0, 1)
        orders.add(y)
        for sign in (0, 0x80):
            text = "ed25519:" + base64.b64encode(raw[:-1] + bytes([raw[-1] | sign])).decode()
            with pytest.raises(KeyFileError, match="small order"):
                PublicIdentity.parse(text)
    assert len(orders) == 5  # 1, 2 with x = 0; 4 with y = 0; two y of order 8: eight points with their signs


def _root(square):
    root = pow(square, (P + 3) // 8, P)
    if root * root % P != square:
        root = root * pow(2, (P - 1) // 4, P) % P
    assert root * root % P == square
    return root


def _added(first, second):
    (x1, y1), (x2, y2) = first, second
    product = D * x1 * x2 * y1 * y2
    return (
        (x1 * y2 + x2 * y1) * pow(1 + product, -1, P) % P,
        (y1 * y2 + x1 * x2) * pow(1 - product, -1, P) % P,
    )
