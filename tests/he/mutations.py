"""Ways in which bytes get broken: by accident and by somebody who knows where the lengths stand."""


def mutated(content, numbers):
    """A changed copy of `content`; `numbers` is a random.Random."""
    changed = bytearray(content)
    ways = [_random, _flipped_head, _overwritten, _cut, _without, _with_more, _spliced, _lying_length, _bits, _swapped]
    numbers.choice(ways)(changed, numbers)
    return bytes(changed)


def _random(changed, numbers):
    changed[:] = numbers.randbytes(numbers.randrange(400))


def _flipped_head(changed, numbers):
    for _ in range(numbers.randrange(1, 6)):
        changed[numbers.randrange(min(160, len(changed)))] ^= 1 << numbers.randrange(8)


def _bits(changed, numbers):
    for _ in range(numbers.randrange(1, 4)):
        changed[numbers.randrange(len(changed))] ^= 1 << numbers.randrange(8)


def _overwritten(changed, numbers):
    for _ in range(numbers.randrange(1, 20)):
        changed[numbers.randrange(len(changed))] = numbers.randrange(256)


def _cut(changed, numbers):
    del changed[numbers.randrange(len(changed)) :]


def _without(changed, numbers):
    start = numbers.randrange(len(changed))
    del changed[start : start + numbers.randrange(1, 64)]


def _with_more(changed, numbers):
    start = numbers.randrange(min(200, len(changed)))
    changed[start:start] = numbers.randbytes(numbers.randrange(1, 16))


def _spliced(changed, numbers):
    to, start, size = numbers.randrange(len(changed)), numbers.randrange(len(changed)), numbers.randrange(1, 200)
    changed[to : to + size] = changed[start : start + size]


def _lying_length(changed, numbers):
    """A varint, a SEAL size or a zstd size in the head becomes something else."""
    start = numbers.randrange(min(60, len(changed)))
    lie = numbers.choice([b"\xff" * 4, b"\xff" * 8 + b"\x01", b"\x00" * 4, b"\x80\x80\x00", b"\xff\xff\xff\x7f"])
    changed[start : start + len(lie)] = lie


def _swapped(changed, numbers):
    """Two stretches change places."""
    size = numbers.randrange(1, len(changed) // 2)
    changed[:size], changed[-size:] = changed[-size:], changed[:size]
