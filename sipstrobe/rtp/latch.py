"""From where we accept a stream and to where we send ours: symmetric RTP, RFC 4961.

The address in SDP is what the peer believes of itself; behind a NAT it is wrong, and the true one
shows in its packets. It is learnt once for each SDP exchange, so that an outsider who guesses our
port cannot draw the stream to himself later; and the negotiated address, should packets come from
it after all, has the last word.
"""

from typing import Final

Address = tuple[str, int]

MIN_PACKETS: Final = 2  # in sequence, from another address than the negotiated one, before we learn


class Latch:
    """The remote address of one stream."""

    __slots__ = (
        "_candidate",
        "_count",
        "_expected",
        "_latched",
        "_next",
        "address",
        "refused",
        "stranger",
    )

    def __init__(self) -> None:
        self.address: Address | None = None  # where to send
        self.refused = 0  # packets from elsewhere
        self.stranger: Address | None = None  # the last sender of those
        self._expected: Address | None = None
        self.expect(None)

    def expect(self, address: Address | None) -> None:
        """SDP has named an address (None: none that could be used); learn anew.

        While it is the same as before, what was learnt stays in use until something else is.
        """
        if address != self._expected:
            self.address = address
        self._expected = address
        self._latched = False
        self._candidate: Address | None = None
        self._next = 0
        self._count = 0

    def admit(self, source: Address, sequence_number: int) -> bool:
        """True when a valid packet from this source belongs to the stream."""
        if self._latched and source == self.address:
            return True
        if source == self._expected or source == self.address:
            self._latched = True
            self.address = source
            return True
        if not self._latched and self._learn(source, sequence_number):
            return True
        self.refused += 1
        self.stranger = source
        return False

    def _learn(self, source: Address, sequence_number: int) -> bool:
        if source == self._candidate and sequence_number == self._next:
            self._count += 1
        else:
            self._candidate, self._count = source, 1
        self._next = (sequence_number + 1) & 0xFFFF
        if self._count < MIN_PACKETS:
            return False
        self._latched = True
        self.address = source
        return True
