"""Bytes that are not exactly of the expected shape: every place of a real blob, one after the other."""

import struct

import numpy as np
import pytest
import zstandard

from privkit.errors import CiphertextError
from privkit.he import encoding, objects, structure, sums
from privkit.he.contexts import PublicContext, SecretContext

LENGTH = 5


@pytest.fixture(scope="module")
def content(context, guard):
    return sums.encrypt(context.public, np.arange(LENGTH), guard=guard)


@pytest.fixture(scope="module")
def inner(context, content):
    return next(sums._vector(content, context.parameters, LENGTH).ciphertexts())


def _refused(context, content, length=LENGTH, match=None):
    with pytest.raises(CiphertextError, match=match):
        sums.check(content, context.parameters, length)


def _packed(inner, *, frame=None, version=(4, 3), compression=2, size=None):
    frame = zstandard.ZstdCompressor().compress(inner) if frame is None else frame
    size = 16 + len(frame) if size is None else size
    return struct.pack("<2sBBBBHQ", b"\x5e\xa1", 16, *version, compression, 0, size) + frame


def _vector(packed, sizes=b"\x0a\x01\x05", tail=b""):
    return sizes + b"\x12" + encoding.varint(len(packed)) + packed + tail


def test_a_blob_put_together_by_hand_passes(context, inner):
    sums.check(_vector(_packed(inner)), context.parameters, LENGTH)


@pytest.mark.parametrize("place", range(1 + 1 + 1 + 1 + 3 + 16 + 9))
@pytest.mark.parametrize("bit", [0, 3, 7])
def test_every_bit_before_the_compressed_bytes_counts(context, content, place, bit):
    changed = bytearray(content)
    changed[place] ^= 1 << bit
    _refused(context, bytes(changed))


@pytest.mark.parametrize("place", [0, 31, 32, 33, 40, 41, 48, 49, 56, 57, 64, 65, 72, 73, 75, 76, 88, 89, 96])
def test_every_byte_of_the_head_inside_counts(context, inner, place):
    changed = bytearray(inner)
    changed[place] ^= 1
    _refused(context, _vector(_packed(bytes(changed))), match="head")


@pytest.mark.parametrize("polynomial", [0, 1])
@pytest.mark.parametrize("row", [0, 1])
def test_every_coefficient_is_below_its_prime(context, inner, polynomial, row):
    prime = context.parameters.data_moduli[row]
    for value, fits in ((prime - 1, True), (prime, False), (2**64 - 1, False)):
        changed = bytearray(inner)
        struct.pack_into("<Q", changed, 97 + 8 * ((2 * polynomial + row) * 4096 + 4095), value)
        if fits:
            sums.check(_vector(_packed(bytes(changed))), context.parameters, LENGTH)
        else:
            _refused(context, _vector(_packed(bytes(changed))), match="modulus")


def test_a_ciphertext_that_hides_nothing_is_refused(context, inner):
    changed = bytearray(inner)
    changed[97 + 8 * 2 * 4096 :] = bytes(8 * 2 * 4096)
    _refused(context, _vector(_packed(bytes(changed))), match="hides nothing")


def test_a_seed_in_the_place_of_a_polynomial_is_refused(context, inner):
    """SEAL would expand it; nothing that we write has one, and the expansion is more native code."""
    _refused(context, _vector(_packed(inner[: 97 + 8 * 2 * 4096] + bytes(81))))


@pytest.mark.parametrize("version", [(4, 2), (4, 4), (3, 4), (0, 0)])
def test_another_version_is_refused(context, inner, version):
    _refused(context, _vector(_packed(inner, version=version)), match="header")


def test_other_compressions_are_refused(context, inner):
    _refused(context, _vector(_packed(inner, compression=0, frame=inner)))
    _refused(context, _vector(_packed(inner, compression=1)))


@pytest.mark.parametrize("grown", [1 << 20, 64 << 20])
def test_a_bomb_is_refused_before_it_is_unpacked(context, grown):
    _refused(context, _vector(_packed(bytes(grown))), match="header")
    # A frame that says nothing of its size, or lies about it.
    streamed = zstandard.ZstdCompressor(write_content_size=False).compress(bytes(grown))
    _refused(context, _vector(_packed(b"", frame=streamed)), match="header")
    size = 97 + 8 * 4 * 4096
    honest = zstandard.ZstdCompressor().compress(bytes(grown))
    lying = objects.frame_head(size) + honest[len(objects.frame_head(grown)) :]
    _refused(context, _vector(_packed(b"", frame=lying)), match="compressed bytes")


def test_frames_with_more_than_the_bytes_are_refused(context, inner):
    frame = zstandard.ZstdCompressor().compress(inner)
    empty, skipped = zstandard.ZstdCompressor().compress(b""), b"\x50\x2a\x4d\x18\x04\x00\x00\x00abcd"
    for more in (b"\x00", frame, empty, skipped):
        _refused(context, _vector(_packed(b"", frame=frame + more)), match="compressed bytes")
    _refused(context, _vector(_packed(b"", frame=skipped + frame)), match="header")
    checked = zstandard.ZstdCompressor(write_checksum=True).compress(inner)
    _refused(context, _vector(_packed(b"", frame=checked)), match="header")


@pytest.mark.parametrize(
    "sizes",
    [
        b"",
        b"\x0a\x00",
        b"\x0a\x01\x04",
        b"\x0a\x01\x06",
        b"\x0a\x02\x85\x00",  # 5, not in its shortest encoding
        b"\x08\x05",  # not packed
        b"\x0a\x02\x05\x05",
        b"\x0a\x05\xff\xff\xff\xff\x0f",
        b"\x0a\x01\x05\x0a\x01\x05",
    ],
)
def test_sizes_are_exactly_the_expected_ones(context, inner, sizes):
    _refused(context, _vector(_packed(inner), sizes=sizes))


def test_unknown_doubled_swapped_and_missing_fields_are_refused(context, inner, content):
    packed = _packed(inner)
    for tail in (b"\x12\x00", b"\x19" + bytes(8), b"\x1a\x00", b"\x18\x01", b"\x00", content[3:]):
        _refused(context, _vector(packed, tail=tail), match="something follows")
    field = _vector(packed, sizes=b"")
    _refused(context, field + b"\x0a\x01\x05")
    _refused(context, b"\x0a\x01\x05")
    overlong = bytearray(encoding.varint(len(packed)) + b"\x00")
    overlong[-2] |= 0x80
    _refused(context, b"\x0a\x01\x05\x12" + bytes(overlong) + packed, match="shortest")
    for length in (b"\xff" * 4 + b"\x07", b"\xff" * 9 + b"\x01", b"\xff" * 20):
        _refused(context, b"\x0a\x01\x05\x12" + length + packed)


def test_parts_of_two_vectors_cannot_be_swapped_for_another_number_of_them(context, guard):
    content = sums.encrypt(context.public, np.arange(3 * 4096), guard=guard)
    one, two, three = sums._vector(content, context.parameters, 3 * 4096).packed
    swapped = structure.write_vector([two, one, three], 3 * 4096, 4096)
    sums.check(swapped, context.parameters, 3 * 4096)  # the hash in the sender's message is for that
    for parts in ([one, two], [one, two, three, three]):
        written = structure.write_vector(parts, 3 * 4096, 4096)
        _refused(context, written, length=3 * 4096)
    broken = bytearray(two)
    broken[5000] ^= 1
    broken[5001] ^= 255
    bad = structure.write_vector([one, bytes(broken[:-1]) + b"\0", three], 3 * 4096, 4096)
    _refused(context, bad, length=3 * 4096, match="ciphertext 2 of 3")


@pytest.mark.parametrize("length", [0, 1, 3, 20, 1000, -1])
def test_every_cut_is_refused(context, content, length):
    _refused(context, content[:length])


@pytest.mark.parametrize("make", [PublicContext, SecretContext])
def test_contexts_are_read_as_strictly(context, make):
    content = context.public.to_bytes() if make is PublicContext else context.to_bytes()
    assert make.from_bytes(content, context.parameters)
    head = [*range(100), len(content) - 1, len(content) - 2]
    public = len(context.public.to_bytes())
    head += range(public - 12, public)
    if make is SecretContext:
        head += range(public, public + 45)
    for place in head:
        changed = bytearray(content)
        changed[place] ^= 0x41
        with pytest.raises(CiphertextError):
            make.from_bytes(bytes(changed), context.parameters)
    for wrong in (b"", content[:-1], content + b"\x00", content + content, content + b"\x20\x00", content[5:]):
        with pytest.raises(CiphertextError):
            make.from_bytes(wrong, context.parameters)


def test_other_keys_in_a_public_context_are_refused(context, guard):
    """Relinearisation or Galois keys have no use in a sum: a context that has them is another."""
    content = context.public.to_bytes()
    place = 2 + content[1]  # field 2 follows field 1
    body = encoding.Reader(content[place:]).field(b"\x12", len(content))
    wrong = content[:place] + encoding.field(b"\x12", bytes(body) + b"\x22\x00")
    with pytest.raises(CiphertextError):
        PublicContext.from_bytes(wrong, context.parameters)
