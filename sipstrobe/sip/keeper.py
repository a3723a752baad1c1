"""Keep-alives: what keeps the way from a registrar to us open. RFC 5626 §3.5, §4.4.

One keeper for each flow, however many bindings use it. With a registrar that knows outbound each
keep-alive is answered, and a flow without an answer has failed; others get an empty line.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sipstrobe.sip.agenda import Entry
from sipstrobe.sip.framing import PING
from sipstrobe.sip.grant import Grant
from sipstrobe.sip.layer import Layer, Way, way
from sipstrobe.sip.outputs import CloseConnection, KeepAlive
from sipstrobe.sip.transport import Flow

if TYPE_CHECKING:
    from sipstrobe.sip.registration import Registration

OVER_UDP = 29.0  # seconds at most between two, RFC 5626 §4.4.2: translators forget after 30
OVER_CONNECTION = 120.0  # the same, §4.4.1
SHORTEST = 10.0  # whatever a Flow-Timer says
ANSWER_LIMIT = 10.0  # seconds; RFC 5626 §4.4.1
_REPEATED_AFTER = (0.5, 1.0, 2.0, 2.0, 2.0, 2.0, 0.5)  # RFC 8489 §6.2.1, within that limit

_EMPTY_LINE = b"\r\n"


class Keeper:
    """Keep one flow alive for the bindings that use it."""

    __slots__ = (
        "_answered",
        "_asked",
        "_failed",
        "_layer",
        "_longest",
        "deadline",
        "entry",
        "flow",
        "users",
    )

    def __init__(self, layer: Layer, flow: Flow, failed: "Callable[[Keeper, float], None]") -> None:
        self._layer = layer
        self._failed = failed
        self._longest = OVER_CONNECTION if flow.transport.reliable else OVER_UDP
        self._answered = False  # the other side answers keep-alives
        self._asked = 0  # how often, since the last answer
        self.flow = flow
        self.users: dict[Registration, None] = {}
        self.deadline: float | None = None
        self.entry: Entry | None = None

    def use(self, user: "Registration", grant: Grant, *, now: float) -> None:
        self.users[user] = None
        self._answered = grant.outbound
        if grant.flow_timer is not None and grant.outbound:
            self._longest = min(self._longest, max(float(grant.flow_timer), SHORTEST))
        if self.deadline is None:
            self._rest(now)

    @property
    def waiting(self) -> bool:
        """An answer is expected."""
        return self._asked > 0

    def heard(self, *, now: float) -> None:
        """The other side has shown that the flow works."""
        if self.waiting:
            self._rest(now)

    def wake(self, *, now: float) -> None:
        pauses = (ANSWER_LIMIT,) if self.flow.transport.reliable else _REPEATED_AFTER
        if self._asked == len(pauses):
            self.deadline = None
            self._failed(self, now)
            return
        self._ask()
        if self._answered:
            self.deadline = now + pauses[self._asked]
            self._asked += 1
            self._layer.agenda.note(self)
        else:
            self._rest(now)

    def _ask(self) -> None:
        if not self._answered:
            self._layer.send(self.flow, _EMPTY_LINE)
        elif self.flow.transport.reliable:
            self._layer.send(self.flow, PING)
        else:
            self._layer.outbox.append(KeepAlive(self.flow))

    def _rest(self, now: float) -> None:
        """RFC 5626 §4.4: a random time between 80 and 100 % of what is allowed."""
        self._asked = 0
        self.deadline = now + self._longest * (1 - 0.0002 * self._layer.random_below(1001))
        self._layer.agenda.note(self)


class Keepers:
    """All keepers, by the flow that they keep."""

    def __init__(self, layer: Layer) -> None:
        self._layer = layer
        self._by_way: dict[Way, dict[int | None, Keeper]] = {}

    def use(self, user: "Registration", flow: Flow, grant: Grant, *, now: float) -> Keeper:
        there = self._by_way.setdefault(way(flow), {})
        keeper = there.get(flow.connection)
        if keeper is None:
            keeper = there[flow.connection] = Keeper(self._layer, flow, self._give_up)
        keeper.use(user, grant, now=now)
        return keeper

    def leave(self, keeper: Keeper, user: "Registration") -> None:
        """The last one to leave closes."""
        keeper.users.pop(user, None)
        if not keeper.users:
            self._drop(keeper)

    def of(self, flow: Flow) -> Keeper | None:
        return self._by_way.get(way(flow), {}).get(flow.connection)

    def flow_failed(self, flow: Flow, words: str, *, now: float) -> None:
        """What depends on this flow is told."""
        for keeper in list(self._by_way.get(way(flow), {}).values()):
            if keeper.flow.connection in (None, flow.connection):
                self._tell(keeper, words, now)

    def _give_up(self, keeper: Keeper, now: float) -> None:
        self._tell(keeper, "keep-alives are not answered any more", now)
        if keeper.flow.connection is not None:
            self._layer.outbox.append(CloseConnection(keeper.flow.connection))

    def _tell(self, keeper: Keeper, words: str, now: float) -> None:
        self._drop(keeper)
        for user in list(keeper.users):
            user.flow_failed(words, now=now)

    def _drop(self, keeper: Keeper) -> None:
        self._layer.agenda.forget(keeper)
        there = self._by_way.get(way(keeper.flow), {})
        if there.get(keeper.flow.connection) is keeper:
            del there[keeper.flow.connection]
            if not there:
                del self._by_way[way(keeper.flow)]
