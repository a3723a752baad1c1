"""Sequence numbers of one source, extended to 32 bits: RFC 3550 appendix A.1."""

from typing import Final

RTP_SEQ_MOD: Final = 1 << 16
MAX_DROPOUT: Final = 3000  # packets lost at once that are still the same run of numbers
MAX_MISORDER: Final = 100  # packets a late one may be behind
MIN_SEQUENTIAL: Final = 2  # packets in sequence that make a source valid


class Sequence:
    """Follow the numbers through wrap-around, loss and a restart of the sender.

    `base` and `highest` are extended numbers. The source counts as restarted when two packets in
    sequence come from far away: `restarts` grows, and the extended numbers go on in a later cycle,
    so that they never fall back.
    """

    __slots__ = ("_awaited", "base", "highest", "restarts")

    def __init__(self, first: int) -> None:
        """first: the sequence number of the first packet."""
        self.restarts = 0
        self.base = self.highest = RTP_SEQ_MOD + first  # room for late ones below
        self._awaited: int | None = None

    def extend(self, number: int) -> int | None:
        """The extended number of a packet; None: so far off that it is not to be believed yet."""
        delta = (number - self.highest) & 0xFFFF
        if delta < MAX_DROPOUT:
            self.highest += delta
            return self.highest
        if delta >= RTP_SEQ_MOD - MAX_MISORDER:
            return self.highest + delta - RTP_SEQ_MOD
        if number == self._awaited:
            self.restarts += 1
            cycle = self.highest // RTP_SEQ_MOD + 2
            self.base = self.highest = cycle * RTP_SEQ_MOD + number
            self._awaited = None
            return self.highest
        self._awaited = (number + 1) & 0xFFFF
        return None

    @property
    def expected(self) -> int:
        """Packets that should have come by now: RFC 3550 appendix A.3."""
        return self.highest - self.base + 1

    @property
    def reported(self) -> int:
        """The extended highest sequence number as reports have it, its cycles counted from base."""
        return self.highest - self.base // RTP_SEQ_MOD * RTP_SEQ_MOD & 0xFFFFFFFF
