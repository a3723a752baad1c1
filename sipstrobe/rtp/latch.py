"""From where we accept a stream and to where we send ours: symmetric RTP, RFC 4961.

The address in SDP is what the peer believes of itself; behind a NAT it is wrong, and the true one
shows in its packets. Who sends from elsewhere is believed by what speaks for it: most of all the
negotiated address, then a host that we know (that of SDP, or where the signalling comes from), and
least of all a stranger, who must have been at it for a while. Whoever is believed keeps the stream
against all that have no more to say for themselves: so an outsider who guesses our port cannot draw
it to himself, and if he was first, loses it to the peer.
"""

from collections.abc import Container
from typing import Final, NamedTuple

Address = tuple[str, int]

MIN_PACKETS: Final = 2  # in sequence, before anything but the negotiated address is believed
STRANGER_SPAN: Final = 0.05  # seconds in sequence, before a stranger is
MAX_CANDIDATES: Final = 8
STALE: Final = 0.5  # seconds without a packet after which a candidate makes room
NOBODY, STRANGER, KNOWN, NEGOTIATED = range(4)  # what speaks for a sender


def standing_of(source: Address, expected: Address | None, known: Container[str]) -> int:
    """expected: the address in SDP; known: further hosts from which the peer may well send."""
    if source == expected:
        return NEGOTIATED
    near = expected is not None and source[0] == expected[0]
    return KNOWN if near or source[0] in known else STRANGER


class _Candidate(NamedTuple):
    upcoming: int  # the sequence number that would go on
    packets: int  # in sequence
    began: float
    seen: float


class Latch:
    """The remote address of one stream."""

    __slots__ = (
        "_candidates",
        "_expected",
        "_known",
        "_standing",
        "address",
        "refused",
        "stranger",
    )

    def __init__(self) -> None:
        self.address: Address | None = None  # where to send
        self.refused = 0  # packets from elsewhere
        self.stranger: Address | None = None  # the last sender of those
        self._expected: Address | None = None
        self._known: Container[str] = ()
        self.expect(None)

    def expect(self, address: Address | None, known: Container[str] = ()) -> None:
        """SDP has named an address (None: none that could be used); learn anew.

        known: further hosts from which the peer may well send. While the address is the same as
        before, what was learnt stays in use until something else is.
        """
        if address != self._expected:
            self.address = address
        self._expected = address
        self._known = known
        self._standing = NOBODY  # what speaks for the address in use
        self._candidates: dict[Address, _Candidate] = {}

    def admit(self, source: Address, sequence_number: int, now: float) -> bool:
        """True when a valid packet from this source belongs to the stream."""
        if source == self.address and self._standing:
            return True
        standing = standing_of(source, self._expected, self._known)
        if standing > self._standing and (
            standing == NEGOTIATED
            or source == self.address
            or self._learn(source, sequence_number, standing, now)
        ):
            self.address, self._standing = source, standing
            self._candidates.clear()
            return True
        self.refused += 1
        self.stranger = source
        return False

    def _learn(self, source: Address, number: int, standing: int, now: float) -> bool:
        before = self._candidates.get(source)
        if before is None and not self._make_room(standing, now):
            return False
        if before is not None and number == before.upcoming:
            packets, began = before.packets + 1, before.began
        else:
            packets, began = 1, now
        self._candidates[source] = _Candidate((number + 1) & 0xFFFF, packets, began, now)
        return packets >= MIN_PACKETS and (standing == KNOWN or now - began >= STRANGER_SPAN)

    def _make_room(self, standing: int, now: float) -> bool:
        """For one more candidate: those that have fallen silent go, and strangers for a known."""
        if len(self._candidates) >= MAX_CANDIDATES:
            self._candidates = {
                source: candidate
                for source, candidate in self._candidates.items()
                if now - candidate.seen < STALE and (standing == STRANGER or self._is_known(source))
            }
        return len(self._candidates) < MAX_CANDIDATES

    def _is_known(self, source: Address) -> bool:
        return standing_of(source, self._expected, self._known) == KNOWN
