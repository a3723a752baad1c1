"""Pages by multicast: each source of the settings is a group that is joined and listened to."""

import logging
from collections import deque
from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Any, Final

from msgspec.structs import replace

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
JOINED_AT_ONCE: Final = 5  # or left, in less than 1 ms …
LOOKED_AT_ONCE: Final = 100  # … and so are sources of new settings
RETRY: Final = 5.0  # seconds from one attempt at a group that cannot be joined to the next


Stream = PageStream | DeskPhoneStream
MadeOf = tuple[Paged, int, str]  # the source, its rank, and the codec of dynamic payload types


@dataclass(slots=True, eq=False)
class _Entry:
    """A source, and the groups that it has joined: that of RTP and, a port above, of RTCP; or a
    channel of one. Its stream is made when it is first spoken to."""

    make: Callable[[MadeOf], Stream]
    made_of: MadeOf
    group: Group
    channel: int | None
    own: Container[tuple[bytes, Endpoint]]
    made: Stream | None = None
    leave: tuple[Callable[[], None], ...] = ()
    problem: str = ""
    gone: bool = False

    @property
    def stream(self) -> Stream:
        if self.made is None:
            self.made = self.make(self.made_of)
        return self.made

    @property
    def live(self) -> bool:
        """Whether somebody speaks."""
        return self.made is not None and self.made.state is not PageState.IDLE

    @property
    def trouble(self) -> str:
        """Why nothing is heard; empty while all is well."""
        return self.problem or ("" if self.made is None else self.made.problem)

    def receive(self, data: bytes, source: Endpoint, received_at: float) -> None:
        if not self.gone and (data, source) not in self.own:
            self.stream.receive(data, source, received_at)

    def receive_rtcp(self, data: bytes, source: Endpoint, received_at: float) -> None:
        if self.gone or (data, source) in self.own:
            return
        if isinstance(stream := self.stream, PageStream):
            stream.receive_rtcp(data, source, received_at)

    def interest(self) -> int:
        """What is shown first has the least."""
        if self.live:
            return 0
        return 1 if self.trouble else 2

    def snapshot(self) -> dict[str, Any]:
        return self.stream.snapshot() | {"problem": self.trouble}

    def begin_anew(self, made_of: MadeOf) -> None:
        """With its next packet."""
        self.silence()
        self.made_of, self.made = made_of, None

    def silence(self) -> None:
        if self.made is not None:
            self.made.close()

    def close(self) -> None:
        for leave in self.leave:
            leave()
        self.leave = ()


def _rank(item: tuple[str, _Entry]) -> int:
    return item[1].made_of[1]


class Paging:
    """Joins the groups of the settings and brings what they say to the speaker."""

    def __init__(
        self,
        context: Context,
        own: Container[tuple[bytes, Endpoint]] = (),
        sockets: GroupSockets | None = None,
    ) -> None:
        """own: datagrams that this device has sent itself, of which none is heard. sockets: that
        others hear groups by as well; all of them are closed with this."""
        self._context = context
        self._own = own
        self._sockets = GroupSockets(context.clock) if sockets is None else sockets
        self._channels = Channels(self._sockets)
        self._never_deaf = NeverDeaf(context, self._sockets)
        self._entries: dict[str, _Entry] = {}  # by label
        self._wanted: deque[MadeOf] = deque()  # that have not been looked at yet
        self._leaving: deque[_Entry] = deque()  # that are wanted no more, to leave their groups
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
        self._wanted = deque(
            (source, rank, getattr(source, "codec", None) or wanted.codec)
            for rank, source in pages
            if source.enabled
        )
        before = self._entries
        order = {source.label: before.get(source.label) for source, _, _ in self._wanted}
        for label in before.keys() - order.keys():
            self._dismiss(before[label])
        self._entries = {label: entry for label, entry in order.items() if entry is not None}
        if len(self._wanted) > LOOKED_AT_ONCE:
            self._go_on_at(self._context.clock.now())
        else:
            self._go_on()

    def close(self) -> None:
        """Leave all groups."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for entry in (*self._entries.values(), *self._leaving):
            entry.silence()
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
        return sum(entry.live for entry in self._entries.values())

    # --- one after the other, since a thousand at once would hold up everything else -------------

    def _go_on(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._wanted:
            for _ in range(min(LOOKED_AT_ONCE, len(self._wanted))):
                self._look_at(self._wanted.popleft())
            if not self._wanted:
                self._entries = dict(sorted(self._entries.items(), key=_rank))
        for _ in range(min(JOINED_AT_ONCE, len(self._waiting))):
            self._try(self._waiting.popleft())
        for _ in range(min(JOINED_AT_ONCE, len(self._leaving))):
            self._leaving.popleft().close()
        now = self._context.clock.now()
        if self._leaving or self._wanted or self._waiting:
            self._go_on_at(now)
            return
        failed = [entry for entry in self._entries.values() if entry.problem]
        if failed:
            self._timer = self._context.clock.call_at(now + RETRY, self._try_again)
        first = failed[0] if failed else None
        self._tell("" if first is None else f"{first.made_of[0].label}: {first.problem}")

    def _go_on_at(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._context.clock.call_at(when, self._go_on)

    def _look_at(self, made_of: MadeOf) -> None:
        """The entry that there is stays, with its membership, where its group is still the same."""
        source = made_of[0]
        entry = self._entries.get(source.label)
        senders = source.senders if isinstance(source, PageSource) else ()
        group = Group(source.address, source.port, source.interface, senders)
        channel = source.channel if isinstance(source, DeskPhoneSource) else None
        if entry is not None and (entry.group, entry.channel) == (group, channel):
            if entry.made_of != made_of:
                entry.begin_anew(made_of)
        else:
            if entry is not None:
                self._dismiss(entry)
            entry = _Entry(self._stream, made_of, group, channel, self._own)
            self._entries[source.label] = entry
        if not entry.leave:
            self._waiting.append(entry)

    def _dismiss(self, entry: _Entry) -> None:
        entry.gone = True
        entry.silence()
        self._leaving.append(entry)

    def _stream(self, made_of: MadeOf) -> Stream:
        source, rank, codec = made_of
        if isinstance(source, PageSource):
            return PageStream(self._context, source, rank, codec, self._sockets.read_until)
        return DeskPhoneStream(self._context, source, rank)

    def _try_again(self) -> None:
        """Join what could not be joined."""
        self._waiting.extend(entry for entry in self._entries.values() if not entry.leave)
        self._go_on()

    def _try(self, entry: _Entry) -> None:
        if entry.gone or entry.leave:
            return
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
