"""Spoil messages the way networks, old software and attackers do; the same seed spoils alike."""

import random
import re
from collections.abc import Iterator, Sequence

MAX_BYTES = 8192  # of a mutant: duplications must not make it grow for ever

# fmt: off
_SIGNS = [
    b"\r\n", b"\n", b"\r", b"\r\n ", b"\r\n\r\n", b" ", b"\t", b"\0", b"\xff", b"\xc3\x28",
    b"\xed\xb2\x80", b":", b";", b",", b"=", b"<", b">", b'"', b"\\", b'\\"', b"@", b"?", b"&",
    b"%", b"%00", b"[", b"]", b"()", b"*", b"/", b"-1", b"0", b"00000000000", b"4294967296",
    b"9" * 30, b"9" * 5000, b"a" * 300,
]
# fmt: on
_WORD = re.compile(rb"[A-Za-z0-9.]+|[^A-Za-z0-9.]")


class Mutator:
    """An endless, repeatable stream of spoilt copies of a corpus."""

    def __init__(self, corpus: Sequence[bytes], seed: int = 0) -> None:
        self._corpus = list(corpus)
        self._random = random.Random(seed)
        self._spoil = (
            self._flip_bit,
            self._set_byte,
            self._insert_sign,
            self._cut_out,
            self._truncate,
            self._repeat,
            self._splice,
            self._swap_words,
            self._swap_lines,
            self._repeat_line,
        )

    def __iter__(self) -> Iterator[bytes]:
        while True:
            data = bytearray(self._random.choice(self._corpus))
            for _ in range(self._random.choice((1, 1, 1, 2, 3, 6))):
                self._random.choice(self._spoil)(data)
            yield bytes(data[:MAX_BYTES])

    def _span(self, data: bytearray, longest: int) -> tuple[int, int]:
        start = self._random.randrange(len(data) + 1)
        return start, start + self._random.randrange(longest)

    def _flip_bit(self, data: bytearray) -> None:
        if data:
            data[self._random.randrange(len(data))] ^= 1 << self._random.randrange(8)

    def _set_byte(self, data: bytearray) -> None:
        if data:
            data[self._random.randrange(len(data))] = self._random.randrange(256)

    def _insert_sign(self, data: bytearray) -> None:
        at, _ = self._span(data, 1)
        data[at:at] = self._random.choice(_SIGNS)

    def _cut_out(self, data: bytearray) -> None:
        start, end = self._span(data, 40)
        del data[start:end]

    def _truncate(self, data: bytearray) -> None:
        del data[self._span(data, 1)[0] :]

    def _repeat(self, data: bytearray) -> None:
        start, end = self._span(data, 60)
        data[start:start] = data[start:end] * self._random.choice((1, 1, 2, 30))

    def _splice(self, data: bytearray) -> None:
        other = self._random.choice(self._corpus)
        start, end = self._span(bytearray(other), 200)
        at, until = self._span(data, 200)
        data[at:until] = other[start:end]

    def _swap_words(self, data: bytearray) -> None:
        start, end = self._span(data, 200)
        words = _WORD.findall(data[start:end])
        if len(words) > 1:
            a, b = self._random.randrange(len(words)), self._random.randrange(len(words))
            words[a], words[b] = words[b], words[a]
            data[start:end] = b"".join(words)

    def _swap_lines(self, data: bytearray) -> None:
        lines = data.split(b"\r\n")
        a, b = self._random.randrange(len(lines)), self._random.randrange(len(lines))
        lines[a], lines[b] = lines[b], lines[a]
        data[:] = b"\r\n".join(lines)

    def _repeat_line(self, data: bytearray) -> None:
        lines = data.split(b"\r\n")
        line = self._random.choice(lines)
        lines[1:1] = [line] * self._random.choice((1, 2, 250))
        data[:] = b"\r\n".join(lines)
