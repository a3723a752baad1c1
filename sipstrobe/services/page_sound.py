"""What is heard of one source of pages: from its payloads to the speaker, while somebody speaks.

Who speaks is decided by a machine (multicast); what a datagram means, by who is given it
(`page_stream`). Here is what all kinds of pages have in common.
"""

import logging
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Protocol, cast

from sipstrobe.audio.format import SILENCE_DB
from sipstrobe.audio.latency import LATENCIES
from sipstrobe.audio.source import AddSource, RemoveSource, SourceKind
from sipstrobe.clock import Handle
from sipstrobe.codecs.base import Codec
from sipstrobe.commands import OperationId, StartProfile, StopOperations
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused
from sipstrobe.events import PageState, PageStateChanged
from sipstrobe.io.udp import Endpoint
from sipstrobe.multicast.alignment import Alignment
from sipstrobe.multicast.settings import Paged
from sipstrobe.multicast.stream import Ended, Output, Restarted, Started
from sipstrobe.services.page_causes import PAGE_INPUT
from sipstrobe.services.page_playout import LEAST_WAIT, PagePacket, PagePlayout
from sipstrobe.services.seldom import Seldom

logger = logging.getLogger(__name__)

RANK: Final = 5  # of all pages: that of calls
UNHEARD: Final = 0.25  # seconds between two looks at somebody who is hidden
HELD_UP: Final = 0.02  # seconds that a look is late from which on packets may be waiting unread


class Talkers(Protocol):
    """The machine that says who speaks, since when and until when."""

    outbox: deque[Output]
    deadline: float | None

    def wake(self, *, now: float) -> None: ...


class PageSound:
    """Heard by the speaker as its rank allows; the light shows its profile while it is heard."""

    def __init__(
        self,
        context: Context,
        source: Paged,
        rank: int,
        talkers: Talkers,
        alignment: Alignment | None = None,
        read_until: Callable[[], float] | None = None,
    ) -> None:
        """talkers: after each input to it, `settle` and `watch` are to be called. alignment: with
        other speakers. read_until: all packets that have come before have been read."""
        self.source = source
        self.rank = rank
        self.state = PageState.IDLE
        self.packets = 0  # that were heard
        self.talker = ""  # address of who speaks, or did last
        self.parted = True  # False: he has stopped without saying so
        self.missed = 0  # packets that he sent after that, before the first that came again
        self._context = context
        self._clock = context.clock
        self._talkers = talkers
        self._alignment = alignment
        self._read_until = read_until or context.clock.now
        self._playout: PagePlayout | None = None  # while the speaker has it
        self._latency = context.measures.histogram(
            "page_to_sound_seconds", "From the receipt of a multicast packet to the card"
        )
        self._offset = context.measures.histogram(
            "page_offset_seconds", "How far aligned pages are off their common instant"
        )
        self._check: Handle | None = None
        self._check_at = 0.0
        self._read_at = 0.0  # until then, silence may be packets that have not been read yet
        self._heard = False  # as the speaker has said
        self._operations: tuple[OperationId, ...] = ()  # of the profile
        self._refusals = Seldom(logger, context.clock)

    @property
    def _owner(self) -> str:
        """As the speaker calls it."""
        return f"page {self.source.label}"

    def close(self) -> None:
        """Be silent from now on."""
        if self._check is not None:
            self._check.cancel()
            self._check = None
        if self._playout is not None:
            self._conclude()

    def snapshot(self) -> dict[str, Any]:
        """What the status page shows of all kinds of pages. level_db: None while it is hidden;
        offset_ms: how much later it is heard than the common clock wants, None if there is none."""
        level_db, offset = SILENCE_DB, None
        if (playout := self._playout) is not None:
            level_db, offset = playout.level_db, playout.offset
        return {
            "label": self.source.label,
            "rank": self.rank,
            "address": self.source.address,
            "port": self.source.port,
            "state": self.state.value,
            "sender": self.talker,
            "level_db": None if level_db is None else round(level_db, 1),
            "offset_ms": None if offset is None else round(1000 * offset, 3),
            "packets": self.packets,
        }

    # --- who speaks -----------------------------------------------------------------------------

    def settle(self, now: float) -> None:
        """Carry out what the machine has decided."""
        outbox = self._talkers.outbox
        while outbox:
            output = outbox.popleft()
            self.parted = not isinstance(output, Ended) or output.said
            self.missed = output.missed if isinstance(output, Started) else 0
            match output:
                case Started(talker):
                    self._begin(talker, now)
                case Restarted():
                    self._renew()
                case Ended(said=True) if self._playout is not None:
                    self._playout.end()
                case Ended():
                    self._end(now)

    def _begin(self, talker: Endpoint, now: float) -> None:
        self.talker = talker[0]
        if self._playout is not None:  # what was said before is still being played
            self._renew()
            return
        wait = LATENCIES[self.source.latency].wait
        self._playout = PagePlayout(self._clock, wait, self._latency, self._alignment)
        order = AddSource(
            owner=self._owner,
            kind=SourceKind.PAGE,
            ring=self._playout.ring,
            rank=RANK,
            place=self.rank,
            on_heard=self._hear,
        )
        words = f"{self.source.label}: {self.talker} speaks"
        with self._context.trace.input(PAGE_INPUT, words, now):
            try:
                self._context.dispatcher.execute(order)
            except CommandRefused as refusal:
                self._playout = None
                self._refusals.say("the page %s is not heard: %s", self.source.label, refusal)

    def _renew(self) -> None:
        """Other numbers follow, or somebody else."""
        if self._playout is not None:
            self._playout.renew()

    def _end(self, now: float) -> None:
        if self._playout is not None:
            words = f"{self.source.label}: {self.talker} has ended"
            with self._context.trace.input(PAGE_INPUT, words, now):
                self._conclude()

    def _conclude(self) -> None:
        self._playout, self._heard = None, False
        self._context.dispatcher.execute(RemoveSource(owner=self._owner))
        self._show(PageState.IDLE)

    # --- what is heard --------------------------------------------------------------------------

    def play(
        self,
        codec: Codec,
        payload_type: int,
        sequence: int,
        timestamp: int,
        payload: bytes,
        received_at: float,
    ) -> None:
        """A packet of who speaks. payload_type: stands for the codec; sequence: extended."""
        playout = self._playout
        if playout is None:
            return
        self.packets += 1
        playout.push(PagePacket(codec, payload_type, sequence, timestamp, payload, received_at))
        if self._alignment is not None and (offset := playout.offset) is not None:
            self._offset.record(abs(offset))

    def go_on(self) -> None:
        """Play what was waiting for the sender's clock."""
        if self._playout is not None:
            self._playout.play(self._clock.now())
        self.watch()

    def watch(self) -> None:
        """Look again when the ring runs low or the talker may have ended, at the latest."""
        now = self._clock.now()
        low_at = None if self._playout is None else self._playout.due(now)
        silent_at = self._talkers.deadline and max(self._talkers.deadline, self._read_at)
        if silent_at is not None and self.state is PageState.HIDDEN:
            silent_at = max(silent_at, now + UNHEARD)
        wanted = low_at if silent_at is None else min(silent_at, low_at or silent_at)
        if wanted is None:
            return
        self._look_at(max(wanted, now + LEAST_WAIT))

    def _look_at(self, due: float) -> None:
        if self._check is not None:
            if self._check_at <= due:
                return
            self._check.cancel()
        self._check_at = due
        self._check = self._clock.call_at(due, self._look)

    def _look(self) -> None:
        self._check = None
        now = self._clock.now()
        if (late := now - self._check_at) > HELD_UP:
            self._read_at = now + late  # what has piled up meanwhile comes first
        self._listen(now)
        if (playout := self._playout) is not None:
            playout.play(now)
            if playout.over(now):
                self._end(now)
        self.settle(now)
        if self._heard and self.state is PageState.HIDDEN:
            self._take_turn(True)
        self.watch()

    def _listen(self, now: float) -> None:
        """Has the talker fallen silent? Not if it is we who have not read what he says."""
        if self._read_until() < now - HELD_UP:
            self._read_at = max(self._read_at, now + HELD_UP)
        if now >= self._read_at:
            self._talkers.wake(now=now)

    # --- what it does to the light --------------------------------------------------------------

    def _hear(self, heard: bool) -> None:
        """The speaker says whether it is heard."""
        self._heard = heard
        now, silent_at = self._clock.now(), self._talkers.deadline
        if heard and self.state is PageState.HIDDEN and silent_at is not None and now >= silent_at:
            self._look_at(now)  # is there still somebody who speaks?
        else:
            self._take_turn(heard)

    def _take_turn(self, heard: bool) -> None:
        if self._playout is not None:
            self._playout.hear(heard)
            self.watch()
        self._show(PageState.ACTIVE if heard else PageState.HIDDEN)

    def _show(self, state: PageState) -> None:
        before, self.state = self.state, state
        if state is before:
            return
        changed = PageStateChanged(page=self.source.label, state=state, sender=self.talker)
        trace = self._context.trace
        with trace.because(trace.link(changed, self._clock.now())):
            if state is PageState.ACTIVE:
                self._start_profile()
            elif before is PageState.ACTIVE:
                self._stop_profile()
        self._context.bus.publish(changed)

    def _start_profile(self) -> None:
        source = self.source
        if not source.profile:
            return
        order = StartProfile(profile=source.profile, priority=source.priority)
        try:
            started = self._context.dispatcher.execute(order)
            self._operations = cast("tuple[OperationId, ...]", started)
        except CommandRefused as refusal:
            self._refusals.say("the profile of %s: %s", source.label, refusal)

    def _stop_profile(self) -> None:
        operations, self._operations = self._operations, ()
        if operations:
            order = StopOperations(operations=operations, tolerant=True)
            self._context.dispatcher.execute(order)
