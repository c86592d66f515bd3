"""Protocol Buffers as TenSEAL writes them: fields one after the other, each number in its shortest form."""

from __future__ import annotations

from privkit.errors import CiphertextError


class Reader:
    """Reads an encoding from its start to its end.

    Args:
        content: The bytes.
    """

    def __init__(self, content: bytes | memoryview) -> None:
        self._content = memoryview(content)
        self._place = 0

    @property
    def place(self) -> int:
        """How many bytes were read."""
        return self._place

    def take(self, length: int) -> memoryview:
        """The next `length` bytes.

        Raises:
            CiphertextError: Fewer are left.
        """
        if length > len(self._content) - self._place:
            raise CiphertextError("it is cut off")
        self._place += length
        return self._content[self._place - length : self._place]

    def expect(self, wanted: bytes, what: str) -> None:
        """Passes over bytes that are known beforehand.

        Raises:
            CiphertextError: Others stand there.
        """
        if self.take(len(wanted)) != wanted:
            raise CiphertextError(f"{what} is not what it should be")

    def field(self, tag: bytes, most: int) -> memoryview:
        """The body of a length-delimited field.

        Args:
            tag: The field's number and type, as it is encoded.
            most: How long it may be.

        Raises:
            CiphertextError: Another field, a length that is not in its shortest encoding, or too long a body.
        """
        self.expect(tag, "a field")
        length = self._varint()
        if length > most:
            raise CiphertextError("a field is longer than anything that fits the parameters")
        return self.take(length)

    def end(self) -> None:
        """Refuses what is left.

        Raises:
            CiphertextError: Something is.
        """
        if self._place != len(self._content):
            raise CiphertextError("something follows its end")

    def _varint(self) -> int:
        value = shift = 0
        while shift < 35:
            (byte,) = self.take(1)
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                if byte == 0 and shift > 7:
                    break
                return value
        raise CiphertextError("a length is not in its shortest encoding")


def field(tag: bytes, body: bytes) -> bytes:
    """A length-delimited field: the inverse of `Reader.field`."""
    return b"".join((tag, varint(len(body)), body))


def varint(value: int) -> bytes:
    """The shortest encoding of a number in Protocol Buffers."""
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)
