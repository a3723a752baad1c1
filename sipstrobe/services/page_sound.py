"""What is heard of one source of pages: from its payloads to the speaker, while somebody speaks.

Who speaks is decided by a machine (multicast); what a datagram means, by who is given it
(`page_stream`). Here is what all kinds of pages have in common.
"""

import logging
from collections import deque
from typing import Any, Final, Protocol, cast

from sipstrobe.audio.format import SAMPLE_RATE, SILENCE_DB, samples_in
from sipstrobe.audio.latency import LATENCIES
from sipstrobe.audio.ring import SampleRing
from sipstrobe.audio.source import AddSource, RemoveSource, SourceKind
from sipstrobe.clock import Handle
from sipstrobe.codecs.base import Codec
from sipstrobe.commands import OperationId, StartProfile, StopOperations
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused
from sipstrobe.events import PageState, PageStateChanged
from sipstrobe.io.udp import Endpoint
from sipstrobe.multicast.settings import Paged
from sipstrobe.multicast.stream import Ended, Output, Restarted, Started
from sipstrobe.rtp.jitter import JitterBuffer
from sipstrobe.services.playout import Playout
from sipstrobe.services.seldom import Seldom

logger = logging.getLogger(__name__)

RANK: Final = 5  # of all pages: that of calls
RING_SECONDS: Final = 0.5  # more than the jitter buffer ever lets wait
LEAST_WAIT: Final = 0.001  # seconds between two looks at a ring that runs low
HELD_UP: Final = 0.02  # seconds that a look is late from which on packets may be waiting unread


class Talkers(Protocol):
    """The machine that says who speaks, since when and until when."""

    outbox: deque[Output]
    deadline: float | None

    def wake(self, *, now: float) -> None: ...


class PageSound:
    """Heard by the speaker as its rank allows; the light shows its profile while it is heard."""

    def __init__(self, context: Context, source: Paged, rank: int, talkers: Talkers) -> None:
        """talkers: after each input to it, `settle` and `watch` are to be called."""
        self.source = source
        self.rank = rank
        self.state = PageState.IDLE
        self.packets = 0  # that were heard
        self.talker = ""  # address of who speaks, or did last
        self._context = context
        self._clock = context.clock
        self._talkers = talkers
        self._ring: SampleRing | None = None  # while the speaker has it
        self._playout: Playout | None = None
        self._latency = context.measures.histogram(
            "page_to_sound_seconds", "From the receipt of a multicast packet to the card"
        )
        self._check: Handle | None = None
        self._check_at = 0.0
        self._read_at = 0.0  # until then, silence may be packets that have not been read yet
        self._ends_at: float | None = None  # when what has come has been played
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
        if self._ring is not None:
            self._conclude()

    def snapshot(self) -> dict[str, Any]:
        """What the status page shows of all kinds of pages."""
        playout, idle = self._playout, self._ring is None
        return {
            "label": self.source.label,
            "rank": self.rank,
            "address": self.source.address,
            "port": self.source.port,
            "state": self.state.value,
            "sender": self.talker,
            "level_db": SILENCE_DB if idle or playout is None else round(playout.level_db, 1),
            "packets": self.packets,
        }

    # --- who speaks -----------------------------------------------------------------------------

    def settle(self, now: float) -> None:
        """Carry out what the machine has decided."""
        outbox = self._talkers.outbox
        while outbox:
            match outbox.popleft():
                case Started(talker):
                    self._begin(talker, now)
                case Restarted():
                    self._renew()
                case Ended(said=True) if self._ring is not None:
                    self._ends_at = self._clock.now() + self._ring.fill / SAMPLE_RATE
                case Ended():
                    self._end(now)

    def _begin(self, talker: Endpoint, now: float) -> None:
        self.talker = talker[0]
        self._ends_at = None
        if self._ring is not None:  # what was said before is still being played
            self._renew()
            return
        self._ring = SampleRing(samples_in(RING_SECONDS))
        order = AddSource(
            owner=self._owner,
            kind=SourceKind.PAGE,
            ring=self._ring,
            rank=RANK,
            place=self.rank,
            on_heard=self._hear,
        )
        words = f"{self.source.label}: {self.talker} speaks"
        with self._context.trace.input("page", words, now):
            try:
                self._context.dispatcher.execute(order)
            except CommandRefused as refusal:
                self._ring = None
                self._refusals.say("the page %s is not heard: %s", self.source.label, refusal)

    def _renew(self) -> None:
        """Other numbers follow, or somebody else."""
        if self._playout is not None:
            self._playout.restart()
            self._playout.decoders = {}

    def _end(self, now: float) -> None:
        if self._ring is not None:
            words = f"{self.source.label}: {self.talker} has ended"
            with self._context.trace.input("page", words, now):
                self._conclude()

    def _conclude(self) -> None:
        self._ring = self._playout = self._ends_at = None
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
        """The payload of a packet. payload_type: stands for the codec; sequence: extended."""
        if self._ring is None:
            return
        self.packets += 1
        playout = self._playout
        if playout is None or playout.rates != codec.rates:
            wait = LATENCIES[self.source.latency].wait
            jitter = JitterBuffer(codec.clock_rate, shortest=wait)
            self._playout = playout = Playout(self._ring, codec, jitter, self._latency)
        if payload_type not in playout.decoders:
            playout.decoders = {**playout.decoders, payload_type: codec.decoder()}
        playout.push(sequence, timestamp, payload_type, payload, received_at)
        playout.play(self._clock.now())

    def watch(self) -> None:
        """Look again when the ring runs low or the talker may have ended, at the latest."""
        now = self._clock.now()
        low_at = None
        if self._ends_at is None and self._playout is not None:
            low_at = self._playout.low_at(now)
        silent_at = self._talkers.deadline and max(self._talkers.deadline, self._read_at)
        wanted = [at for at in (silent_at, self._ends_at, low_at) if at is not None]
        if not wanted:
            return
        due = max(min(wanted), now + LEAST_WAIT)
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
        if now >= self._read_at:
            self._talkers.wake(now=now)
        if self._ends_at is not None and now >= self._ends_at:
            self._end(now)
        elif self._ends_at is None and self._playout is not None:
            self._playout.play(now)
        self.settle(now)
        self.watch()

    # --- what it does to the light --------------------------------------------------------------

    def _hear(self, heard: bool) -> None:
        """The speaker says whether it is heard."""
        self._show(PageState.ACTIVE if heard else PageState.HIDDEN)

    def _show(self, state: PageState) -> None:
        before, self.state = self.state, state
        if state is before:
            return
        if state is PageState.ACTIVE:
            self._start_profile()
        elif before is PageState.ACTIVE:
            self._stop_profile()
        label, talker = self.source.label, self.talker
        self._context.bus.publish(PageStateChanged(page=label, state=state, sender=talker))

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
