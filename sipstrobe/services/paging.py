"""Pages by multicast: each source of the settings is a group that is joined and listened to."""

import logging
from collections import deque
from collections.abc import Callable, Container
from dataclasses import dataclass, replace
from typing import Any, Final

from sipstrobe.clock import Handle
from sipstrobe.context import Context
from sipstrobe.events import PageState, PageStateChanged, ServiceStateChanged
from sipstrobe.io.multicast import Group, GroupSockets
from sipstrobe.io.udp import Endpoint
from sipstrobe.multicast.ranking import ranking
from sipstrobe.multicast.settings import (
    DeskPhoneSource,
    MulticastSettings,
    Paged,
    PageSource,
)
from sipstrobe.services.desk_phone_stream import Channels, DeskPhoneStream
from sipstrobe.services.hearing import NeverDeaf
from sipstrobe.services.page_stream import PageStream

logger = logging.getLogger(__name__)

SOURCES_TOLD: Final = 16  # on the status page
JOINED_AT_ONCE: Final = 10  # in 1 to 2 ms
RETRY: Final = 5.0  # seconds from one attempt at a group that cannot be joined to the next


@dataclass(slots=True, eq=False)
class _Entry:
    """A source, and the groups that it has joined: that of RTP and, a port above, of RTCP; or a
    channel of one."""

    stream: PageStream | DeskPhoneStream
    made_of: tuple[Paged, int, str]  # rank and codec
    group: Group
    channel: int | None
    own: Container[tuple[bytes, Endpoint]]
    leave: tuple[Callable[[], None], ...] = ()
    problem: str = ""

    def receive(self, data: bytes, source: Endpoint, received_at: float) -> None:
        if (data, source) not in self.own:
            self.stream.receive(data, source, received_at)

    def receive_rtcp(self, data: bytes, source: Endpoint, received_at: float) -> None:
        if isinstance(self.stream, PageStream) and (data, source) not in self.own:
            self.stream.receive_rtcp(data, source, received_at)

    @property
    def trouble(self) -> str:
        """Why nothing is heard; empty while all is well."""
        return self.problem or self.stream.problem

    def interest(self) -> int:
        """What is shown first has the least."""
        if self.stream.state is not PageState.IDLE:
            return 0
        return 1 if self.trouble else 2

    def snapshot(self) -> dict[str, Any]:
        return self.stream.snapshot() | {"problem": self.trouble}

    def close(self) -> None:
        for leave in self.leave:
            leave()
        self.leave = ()
        self.stream.close()


class Paging:
    """Joins the groups of the settings and brings what they say to the speaker."""

    def __init__(self, context: Context, own: Container[tuple[bytes, Endpoint]] = ()) -> None:
        """own: datagrams that this device has sent itself, of which none is heard."""
        self._context = context
        self._own = own
        self._sockets = GroupSockets(context.clock)
        self._channels = Channels(self._sockets)
        self._never_deaf = NeverDeaf(context, self._sockets)
        self._entries: dict[str, _Entry] = {}  # by label
        self._waiting: deque[_Entry] = deque()  # to join their groups
        self._timer: Handle | None = None  # for those, or for those that have failed
        self._problem = ""  # that was told last
        context.bus.subscribe(PageStateChanged, self._spoken)
        context.measures.gauge(
            "page_sources_live", "Multicast sources that somebody speaks to", self._live
        )

    def apply(self, wanted: MulticastSettings) -> None:
        """Have these sources from now on; those that stay as they are go on being heard."""
        pages = ranking(wanted).pages if wanted.enabled else ()
        before = self._entries
        kept: dict[str, _Entry] = {}
        for rank, source in pages:
            if source.enabled:
                codec = (isinstance(source, PageSource) and source.codec) or wanted.codec
                kept[source.label] = self._entry(before, (source, rank, codec))
        for label, entry in before.items():
            if kept.get(label) is not entry:
                entry.close()
        self._entries = kept
        self._join()

    def close(self) -> None:
        """Leave all groups."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for entry in self._entries.values():
            entry.close()
        self._entries = {}
        self._sockets.close()
        self._never_deaf.close()

    def snapshot(self) -> dict[str, Any]:
        """What the status page shows: by rank, those that somebody speaks to first, then those that
        have a problem, then others, SOURCES_TOLD in all."""
        entries = list(self._entries.values())
        told = sorted(entries, key=_Entry.interest)[:SOURCES_TOLD]
        return {
            "sources": len(entries),
            "joined": sum(bool(entry.leave) for entry in entries),
            "told": [entry.snapshot() for entry in told],
            "hearing": self._never_deaf.snapshot(),
        }

    def _spoken(self, event: PageStateChanged) -> None:
        """Who falls silent in the middle of a word may have been cut off."""
        entry = self._entries.get(event.page)
        if entry is None:
            return
        address, interface = entry.group.address, entry.group.interface
        if event.state is not PageState.IDLE:
            if entry.stream.missed:
                self._never_deaf.returned(address, interface)
        elif not entry.stream.parted:
            self._never_deaf.silent(address, interface)

    def _live(self) -> int:
        return sum(e.stream.state is not PageState.IDLE for e in self._entries.values())

    def _entry(self, before: dict[str, _Entry], made_of: tuple[Paged, int, str]) -> _Entry:
        """The one that there is, with its membership, where its group is still the same."""
        source = made_of[0]
        senders = source.senders if isinstance(source, PageSource) else ()
        group = Group(source.address, source.port, source.interface, senders)
        channel = source.channel if isinstance(source, DeskPhoneSource) else None
        entry = before.get(source.label)
        if entry is None or (entry.group, entry.channel) != (group, channel):
            return _Entry(self._stream(*made_of), made_of, group, channel, self._own)
        if entry.made_of != made_of:
            entry.stream.close()  # it begins anew with its next packet
            entry.stream, entry.made_of = self._stream(*made_of), made_of
        return entry

    def _stream(self, source: Paged, rank: int, codec: str) -> PageStream | DeskPhoneStream:
        if isinstance(source, PageSource):
            return PageStream(self._context, source, rank, codec, self._sockets.read_until)
        return DeskPhoneStream(self._context, source, rank)

    def _join(self) -> None:
        """Join what is not joined yet, and try again later where that fails."""
        self._waiting = deque(e for e in self._entries.values() if not e.leave)
        self._join_some()

    def _join_some(self) -> None:
        """A thousand groups at once would hold up everything else."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for _ in range(min(JOINED_AT_ONCE, len(self._waiting))):
            self._try(self._waiting.popleft())
        now = self._context.clock.now()
        if self._waiting:
            self._timer = self._context.clock.call_at(now, self._join_some)
            return
        failed = [e for e in self._entries.values() if e.problem]
        if failed:
            self._timer = self._context.clock.call_at(now + RETRY, self._join)
        first = failed[0] if failed else None
        self._tell("" if first is None else f"{first.stream.source.label}: {first.problem}")

    def _try(self, entry: _Entry) -> None:
        group, control = entry.group, replace(entry.group, port=entry.group.port + 1)
        entry.problem = ""
        left: list[Callable[[], None]] = []
        try:
            if entry.channel is not None:
                left.append(self._channels.join(group, entry.channel, entry.receive))
            else:
                left.append(self._sockets.join(group, entry.receive))
                left.append(self._sockets.join(control, entry.receive_rtcp))
        except OSError as error:
            for leave in left:
                leave()
            entry.problem = f"{group.address} cannot be joined: {error.strerror or error}"
            return
        entry.leave = tuple(left)

    def _tell(self, problem: str) -> None:
        if problem == self._problem:
            return
        self._problem = problem
        now = self._context.clock.now()
        with self._context.trace.input("device", "multicast", now):
            self._context.bus.publish(
                ServiceStateChanged(service="multicast", working=not problem, problem=problem)
            )
