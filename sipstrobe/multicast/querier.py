"""Who asks on a link which groups are wanted, and what follows from how he asks: RFC 3376 §8."""

from ipaddress import ip_address
from typing import Final, Literal

from msgspec import Struct

ROBUSTNESS: Final = 2  # RFC 3376 §8.1
QUERY_INTERVAL: Final = 125.0  # seconds; §8.2
RESPONSE_INTERVAL: Final = 10.0  # seconds; §8.3
MEMBERSHIP_INTERVAL: Final = ROBUSTNESS * QUERY_INTERVAL + RESPONSE_INTERVAL  # 260 s; §8.4
PRESENT_AT_MOST: Final = 3600.0  # seconds for which one who asks seldom is believed to be there
ANSWER_SLACK: Final = 1.0  # seconds past the response interval, for a machine that is late


class Link(Struct, frozen=True):
    """A network interface, and which IP on it: those who ask by IGMP and by MLD may be others."""

    interface: str
    version: Literal[4, 6]

    @property
    def protocol(self) -> str:
        return "IGMP" if self.version == 4 else "MLD"


class Query(Struct, frozen=True):
    """by: the querier's address. general: about all groups, else about one. The times are seconds;
    those that a query of its version does not state are the defaults of the RFC."""

    by: str
    general: bool = True
    response: float = RESPONSE_INTERVAL
    interval: float = QUERY_INTERVAL
    robustness: int = ROBUSTNESS

    @property
    def forgotten_after(self) -> float:
        """Seconds after its last report in which a group is forgotten (§8.4). Never more than the
        default, which those switches have that do not listen to what the querier says."""
        return min(self.robustness * self.interval + self.response, MEMBERSHIP_INTERVAL)

    @property
    def present_for(self) -> float:
        """Seconds of silence after which he is not there any more (§8.5)."""
        return min(self.robustness * self.interval + self.response / 2, PRESENT_AT_MOST)


DEFAULT: Final = Query("")


class QuerierWatch:
    """What is known of the querier of one link."""

    def __init__(self, *, now: float) -> None:
        self.last: Query | None = None
        self._heard_at = now  # the last; before the first: when we began to listen
        self._asked_at: float | None = None  # by a query that waits for its answers …
        self._answered_by = 0.0  # … until then

    def heard(self, query: Query, *, expect: bool, now: float) -> None:
        """A query. expect: the kernel has received it, so that it will be answered.

        Of several queriers the one with the lowest address counts, as among themselves (§6.6.2).
        """
        if expect and query.general and self._asked_at is None:
            self._asked_at = now
            self._answered_by = now + query.response + ANSWER_SLACK
        last = self.last
        if last is None or not self.present(now) or _elected(query.by) < _elected(last.by):
            self.last = query
        elif query.by != last.by:
            return
        elif query.general:
            self.last = query
        self._heard_at = now

    def present(self, now: float) -> bool:
        return self.last is not None and now < self._heard_at + self.last.present_for

    def waiting(self, now: float) -> bool:
        """Whether it is too early to say that there is none."""
        return self.last is None and now < self._heard_at + DEFAULT.present_for

    def forgotten_after(self, now: float) -> float:
        """Seconds after its last report in which a group is forgotten. What a querier said of it
        holds on for as long as memberships of his time may."""
        if self.last is None:
            return MEMBERSHIP_INTERVAL
        if not self.present(now) and now >= self._heard_at + MEMBERSHIP_INTERVAL:
            return MEMBERSHIP_INTERVAL
        return self.last.forgotten_after

    @property
    def deadline(self) -> float:
        """When there may be something new to say though nothing comes."""
        at = self._heard_at + (self.last or DEFAULT).present_for
        return at if self._asked_at is None else min(at, self._answered_by)

    def conclude(self, *, now: float) -> float | None:
        """When that was asked which should have been answered by now; told once."""
        if self._asked_at is None or now < self._answered_by:
            return None
        asked_at, self._asked_at = self._asked_at, None
        return asked_at


def _elected(by: str) -> tuple[bool, int]:
    """The lowest wins; a switch that asks from no address never does (RFC 4541 §2.1.1)."""
    address = ip_address(by)
    return address.is_unspecified, int(address)
