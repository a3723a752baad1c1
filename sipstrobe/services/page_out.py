"""Clips that go out as multicast pages, because a rule or somebody wants so.

Whoever else speaks to the group is not interrupted: the page waits until he has ended. What a page
by multicast has led to never goes out as one, so that two devices cannot call each other without
end. Serves: PageOut, StopPageOut. Publishes: PageOutChanged.
"""

import logging
from collections.abc import Callable
from itertools import count
from typing import Any, Final

import msgspec

from sipstrobe.clock import Handle
from sipstrobe.codecs.registry import CODECS
from sipstrobe.commands import MAX_REPEAT, PageOut, StopPageOut
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused, MediaError
from sipstrobe.events import PageOutChanged, PageOutState
from sipstrobe.multicast.fields import group_problem
from sipstrobe.multicast.relay import RelaySettings
from sipstrobe.rtp.session import NTP_EPOCH
from sipstrobe.services.clip_library import Entry
from sipstrobe.services.clip_page import ClipPage
from sipstrobe.services.floor import Floor, OwnStreams
from sipstrobe.services.group_line import COLLISION, RETRY, Line, Mouth
from sipstrobe.services.page_causes import follows_from_page
from sipstrobe.services.ticker import Ticker
from sipstrobe.trace import Input

logger = logging.getLogger(__name__)

MAX_PAGES: Final = 4  # that are said, or wait, at once
PATIENCE: Final = 30.0  # seconds from its order in which a page that has an end must have begun


class PagesOut:
    """Serves the orders. find: the clip of a name. line: a new way to a group."""

    def __init__(
        self,
        context: Context,
        find: Callable[[str], Entry | None],
        line: Callable[[], Line],
    ) -> None:
        self.own = OwnStreams()  # of which nothing may be heard here
        self._context = context
        self._find = find
        self._line = line
        self._codec = "PCMU"
        self._ticker = Ticker(context.clock)
        self._pages: dict[int, _Page] = {}
        self._ids = count(1)
        self._total = context.measures.counter("page_out_packets_total", "Packets of pages sent")
        context.dispatcher.serve(PageOut, self._page)
        context.dispatcher.serve(StopPageOut, self._stop)

    def apply(self, codec: str) -> None:
        """Of pages that name none, from the next on."""
        self._codec = codec

    def close(self) -> None:
        """End all pages."""
        for page in list(self._pages.values()):
            page.end()

    def snapshot(self) -> list[dict[str, Any]]:
        """Those that are said or wait, the oldest first. problem: why one waits."""
        return [page.snapshot() for page in self._pages.values()]

    def _page(self, command: PageOut) -> int:
        clip = self._find(command.clip)
        if clip is None:
            raise CommandRefused("unknown_clip", f"there is no clip {command.clip!r}")
        wanted = _sound(command, self._codec)
        if follows_from_page(self._context.trace.current):
            words = "what a page by multicast has led to does not go out as one"
            raise CommandRefused("follows_from_page", words)
        if len(self._pages) >= MAX_PAGES:
            raise CommandRefused("too_many_pages", f"{MAX_PAGES} pages go out already")
        try:
            clip.sound.open()
        except MediaError as error:
            raise CommandRefused("clip_missing", f"the clip {clip.name!r}: {error}") from None
        number = next(self._ids)
        rounds = None if command.repeat is None else command.repeat + 1
        page = _Page(
            self._context, self._ticker, self._line(), number, clip, wanted, rounds, self.own.add
        )
        page.on_change = self._changed
        self._pages[number] = page
        page.open()
        return number

    def _stop(self, command: StopPageOut) -> None:
        for page in list(self._pages.values()):
            if command.page in (None, page.id):
                page.end()

    def _changed(self, page: "_Page") -> None:
        if page.state is PageOutState.IDLE:
            del self._pages[page.id]
            self._total.add(page.packets)
        self._context.bus.publish(
            PageOutChanged(
                page=str(page.id),
                clip=page.clip.name,
                address=page.wanted.address,
                port=page.wanted.port,
                state=page.state,
                problem=page.problem if page.state is PageOutState.IDLE else "",
            )
        )


class _Page:
    """One order: waits for the group to be free, speaks, and is over."""

    def __init__(
        self,
        context: Context,
        ticker: Ticker,
        line: Line,
        number: int,
        clip: Entry,
        wanted: RelaySettings,
        rounds: int | None,
        on_begin: Callable[[int, int], None],
    ) -> None:
        self.id = number
        self.clip = clip
        self.wanted = wanted
        self.state = PageOutState.WAITING
        self.problem = ""
        self.packets = 0  # of what was said and is over
        self.on_change: Callable[[_Page], None] = lambda _: None
        self._context = context
        self._clock = context.clock
        self._cause = context.trace.current
        self._ticker = ticker
        self._line = line
        self._rounds = rounds
        self._on_begin = on_begin
        self._own = OwnStreams()
        self._floor: Floor | None = None  # while the group is heard
        self._heard_since = 0.0
        self._said: ClipPage | None = None  # while it speaks
        self._mouth: Mouth | None = None
        self._leave: Callable[[], None] | None = None  # the ticker
        self._timer: Handle | None = None  # to look at the group, or to try again
        self._limit: Handle | None = None  # of waiting
        self._until = self._clock.now() + PATIENCE

    def open(self) -> None:
        """Wait, and speak as soon as nobody else does."""
        if self._rounds is not None:
            self._limit = self._clock.call_at(self._until, self._give_up)
        self._join()
        self.on_change(self)

    def end(self) -> None:
        """Say no more."""
        self.problem = ""
        self._finish()

    def snapshot(self) -> dict[str, Any]:
        packets = self.packets + (0 if self._said is None else self._said.packets)
        return {
            "page": self.id,
            "clip": self.clip.name,
            "address": self.wanted.address,
            "port": self.wanted.port,
            "codec": self.wanted.codec,
            "state": self.state.value,
            "packets": packets,
            "problem": self._why_not(),
        }

    # --- the group ------------------------------------------------------------------------------

    def _join(self) -> None:
        floor = Floor(self._clock, self._own, None, self._floor_changed)
        try:
            self._line.join(self.wanted, floor.receive, floor.receive_rtcp)
        except OSError as error:
            self._fail(f"{self.wanted.address} cannot be joined: {error.strerror or error}")
            return
        self.problem = ""
        self._floor, self._heard_since = floor, self._clock.now()
        self._timer = self._clock.call_at(self._heard_since + COLLISION, self._begin)

    def _floor_changed(self) -> None:
        """Somebody else has begun to speak to the group, or has ended."""
        floor, said = self._floor, self._said
        assert floor is not None
        if said is not None:
            if floor.talker and self._gives_way(floor, said):
                self._silence()
                self._become(PageOutState.WAITING)
        elif not floor.talker and self._clock.now() >= self._heard_since + COLLISION:
            self._begin()

    def _gives_way(self, floor: Floor, said: ClipPage) -> bool:
        """Of two who have begun at the same time, the one with the larger SSRC ends."""
        recent = said.began_at is None or self._clock.now() - said.began_at < COLLISION
        return recent and (said.began_at is None or floor.ssrc < said.ssrc)

    def _begin(self) -> None:
        floor, clock = self._floor, self._clock
        assert floor is not None
        if floor.talker or self._said is not None:
            return
        now = clock.now()
        try:
            self._mouth = self._line.speak(self.wanted)
            self._said = said = ClipPage(
                self.clip.sound,
                self._rounds,
                self._mouth,
                self.wanted.codec or "",
                self._context.random_bytes,
                ntp_offset=clock.wall().timestamp() + NTP_EPOCH - now,
                now=now,
            )
        except MediaError as error:
            self._fail(str(error))
            return
        self._own.add(self._mouth.local_port, said.ssrc)
        self._on_begin(self._mouth.local_port, said.ssrc)
        self._leave = self._ticker.join(said.interval, self._turn, after=now)
        logger.info("clip %r goes out to %s", self.clip.name, self.wanted.address)
        self._become(PageOutState.SPEAKING)

    def _turn(self, due: float, now: float) -> None:
        assert self._said is not None
        try:
            if not self._said.turn(due):
                self._finish()
        except MediaError as error:
            self._fail(str(error))

    # --- its end --------------------------------------------------------------------------------

    def _fail(self, problem: str) -> None:
        """Try again later, from the beginning, if it may still begin then."""
        self._silence()
        self._shut()
        self.problem = problem
        if self._rounds is not None and self._clock.now() >= self._until:
            self._finish()
            return
        self._become(PageOutState.WAITING)
        self._timer = self._clock.call_at(self._clock.now() + RETRY, self._join)

    def _give_up(self) -> None:
        """It has had its time to begin."""
        self._limit = None
        if self._said is None:
            self.problem = self._why_not()
            self._finish()

    def _finish(self) -> None:
        if self.state is PageOutState.IDLE:
            return
        self._silence()
        self._shut()
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None
        if self.problem:
            logger.warning("clip %r did not go out: %s", self.clip.name, self.problem)
        self._become(PageOutState.IDLE)

    def _silence(self) -> None:
        """Say BYE, if anything was said."""
        said, mouth, leave = self._said, self._mouth, self._leave
        self._said = self._mouth = self._leave = None
        if leave is not None:
            leave()
        if said is not None:
            said.end(now=self._clock.now())
            self.packets += said.packets
        if mouth is not None:
            mouth.close()

    def _shut(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._floor is not None:
            self._floor.close()
            self._floor = None
            self._line.leave()

    def _why_not(self) -> str:
        if self.problem or self._said is not None or self._floor is None:
            return self.problem
        talker = self._floor.talker
        return f"{talker} speaks to {self.wanted.address}" if talker else ""

    def _become(self, state: PageOutState) -> None:
        """Told because of the order, or where that lies in the past, of the time since then."""
        if state is self.state:
            return
        self.state = state
        trace = self._context.trace
        if trace.current is not None:
            self.on_change(self)
            return
        with trace.because(self._cause):
            link = trace.link(Input("page out", self.clip.name), self._clock.now())
        with trace.because(link):
            self.on_change(self)


def _sound(command: PageOut, codec: str) -> RelaySettings:
    """Where to and how. Raises CommandRefused that names the field."""
    if command.repeat is not None and not 0 <= command.repeat <= MAX_REPEAT:
        raise CommandRefused("repeat", f"repeat is 0 to {MAX_REPEAT}, or null: until it is stopped")
    wanted = {
        "address": command.address,
        "port": command.port,
        "codec": command.codec or codec,
        "ttl": command.ttl,
        "interface": command.interface,
    }
    try:
        made = msgspec.convert(wanted, RelaySettings)
    except msgspec.ValidationError as error:
        words, _, place = str(error).partition(" - at ")
        field = place.strip("`").removeprefix("$.")
        raise CommandRefused(field, f"{field}: {words}") from None
    _, problem = group_problem(made.address)
    if problem:
        raise CommandRefused("address", f"the address {problem}")
    used = CODECS[made.codec or codec]
    if not used.usable:
        words = f"{used.name} needs {used.library}, which is not installed"
        raise CommandRefused("codec", words)
    return made
