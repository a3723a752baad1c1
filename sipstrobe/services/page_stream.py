"""One source of pages: from the packets of its group to the speaker, while somebody speaks."""

import logging
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from sipstrobe.audio.format import SAMPLE_RATE, SILENCE_DB, samples_in
from sipstrobe.audio.latency import LATENCIES
from sipstrobe.audio.ring import SampleRing
from sipstrobe.audio.source import AddSource, RemoveSource, SourceKind
from sipstrobe.clock import Handle
from sipstrobe.codecs.base import Codec
from sipstrobe.codecs.registry import CODECS
from sipstrobe.commands import OperationId, StartProfile, StopOperations
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused, RemoteProtocolError
from sipstrobe.events import PageState, PageStateChanged
from sipstrobe.io.udp import Endpoint
from sipstrobe.multicast.settings import SUITES, PageSource
from sipstrobe.multicast.stream import Ended, GroupStream, Restarted, Started
from sipstrobe.rtp import packet as rtp
from sipstrobe.rtp import rtcp
from sipstrobe.rtp.jitter import JitterBuffer
from sipstrobe.rtp.packet import Packet
from sipstrobe.services.playout import Playout
from sipstrobe.services.seldom import Seldom

if TYPE_CHECKING:
    from sipstrobe.rtp.group_srtp import GroupSrtp

logger = logging.getLogger(__name__)

RANK: Final = 5  # of all pages: that of calls
RING_SECONDS: Final = 0.5  # more than the jitter buffer ever lets wait
LEAST_WAIT: Final = 0.001  # seconds between two looks at a ring that runs low
HELD_UP: Final = 0.02  # seconds that a look is late from which on packets may be waiting unread
STATIC: Final = {0: "PCMU", 8: "PCMA", 9: "G722"}  # RFC 3551 §6
DYNAMIC: Final = range(96, 128)
RTCP_TYPES: Final = range(192, 224)  # RFC 5761 §4: no payload type of ours with marker


class PageStream:
    """Heard by the speaker as its rank allows; the light shows its profile while it is heard."""

    def __init__(self, context: Context, source: PageSource, rank: int, codec: str) -> None:
        """codec: of dynamic payload types."""
        self.source = source
        self.rank = rank
        self.codec = codec
        self.state = PageState.IDLE
        self.packets = 0  # that were heard
        self.invalid = 0  # that were none, or RTCP that was none
        self.unknown = 0  # of payload types that nothing is known of
        self._context = context
        self._clock = context.clock
        self._srtp = _srtp(source)
        self._group = GroupStream()
        self._talker = ""  # address of who speaks, or did last
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

    @property
    def problem(self) -> str:
        """Why nothing is heard of what comes; empty while all is well."""
        return "" if self._srtp is None else self._srtp.problem

    def receive(self, data: bytes, source: Endpoint, received_at: float) -> None:
        """A datagram for the group and the port of RTP."""
        if len(data) > 1 and data[1] in RTCP_TYPES:  # RFC 5761: both on the same port
            self.receive_rtcp(data, source, received_at)
            return
        opened = data if self._srtp is None else self._srtp.open(data)
        if opened is None:
            return
        try:
            packet = rtp.parse(opened)
        except RemoteProtocolError:
            self.invalid += 1
            return
        codec = self._codec_of(packet.payload_type)
        if codec is None:
            self.unknown += 1
            return
        sequence = self._group.packet(
            source,
            packet.ssrc,
            packet.sequence_number,
            packet.timestamp,
            codec.clock_rate,
            now=received_at,
        )
        self._settle(received_at)
        if sequence is not None and self._ring is not None:
            self._play(packet, sequence, codec, received_at, self._ring)
        self._watch()

    def receive_rtcp(self, data: bytes, source: Endpoint, received_at: float) -> None:
        """A datagram for the port of RTCP."""
        opened = data if self._srtp is None else self._srtp.open_rtcp(data)
        if opened is None:
            return
        try:
            found = rtcp.parse(opened)
        except RemoteProtocolError:
            self.invalid += 1
            return
        for packet in found:
            if isinstance(packet, rtcp.Bye) and self._group.talker is not None:
                # What was sent before it may still lie in the other socket, and is read first.
                self._clock.call_at(self._clock.now(), partial(self._part, source, packet.ssrcs))

    def close(self) -> None:
        """Be silent from now on."""
        if self._check is not None:
            self._check.cancel()
            self._check = None
        if self._ring is not None:
            self._conclude()

    def snapshot(self) -> dict[str, Any]:
        """undecipherable: packets that nobody with the key has sent."""
        playout, idle, srtp = self._playout, self._ring is None, self._srtp
        return {
            "label": self.source.label,
            "rank": self.rank,
            "address": self.source.address,
            "port": self.source.port,
            "state": self.state.value,
            "sender": self._talker,
            "level_db": SILENCE_DB if idle or playout is None else round(playout.level_db, 1),
            "packets": self.packets,
            "strangers": self._group.strangers,
            "unknown_codec": self.unknown,
            "invalid": self.invalid,
            "undecipherable": 0 if srtp is None else srtp.failed,
        }

    # --- who speaks -----------------------------------------------------------------------------

    def _settle(self, now: float) -> None:
        outbox = self._group.outbox
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

    def _part(self, source: Endpoint, ssrcs: tuple[int, ...]) -> None:
        self._group.bye(source, ssrcs)
        self._settle(self._clock.now())
        self._watch()

    def _begin(self, talker: Endpoint, now: float) -> None:
        self._talker = talker[0]
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
        words = f"{self.source.label}: {self._talker} speaks"
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
            words = f"{self.source.label}: {self._talker} has ended"
            with self._context.trace.input("page", words, now):
                self._conclude()

    def _conclude(self) -> None:
        self._ring = self._playout = self._ends_at = None
        self._context.dispatcher.execute(RemoveSource(owner=self._owner))
        self._show(PageState.IDLE)

    # --- what is heard --------------------------------------------------------------------------

    def _play(
        self, packet: Packet, sequence: int, codec: Codec, received_at: float, ring: SampleRing
    ) -> None:
        self.packets += 1
        playout = self._playout
        if playout is None or playout.rates != codec.rates:
            wait = LATENCIES[self.source.latency].wait
            jitter = JitterBuffer(codec.clock_rate, shortest=wait)
            self._playout = playout = Playout(ring, codec, jitter, self._latency)
        if packet.payload_type not in playout.decoders:
            playout.decoders = {**playout.decoders, packet.payload_type: codec.decoder()}
        number, payload = packet.payload_type, packet.payload
        playout.push(sequence, packet.timestamp, number, payload, received_at)
        playout.play(self._clock.now())

    def _codec_of(self, payload_type: int) -> Codec | None:
        name = STATIC.get(payload_type)
        if name is None and payload_type in DYNAMIC:
            wanted = self.source.payload_type
            name = self.codec if wanted in (None, payload_type) else None
        codec = None if name is None else CODECS[name]
        return codec if codec is not None and codec.usable else None

    def _watch(self) -> None:
        """Look again when the ring runs low or the talker may have ended, at the latest."""
        now = self._clock.now()
        low_at = None
        if self._ends_at is None and self._playout is not None:
            low_at = self._playout.low_at(now)
        silent_at = self._group.deadline and max(self._group.deadline, self._read_at)
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
            self._group.wake(now=now)
        if self._ends_at is not None and now >= self._ends_at:
            self._end(now)
        elif self._ends_at is None and self._playout is not None:
            self._playout.play(now)
        self._settle(now)
        self._watch()

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
        label, talker = self.source.label, self._talker
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


def _srtp(source: PageSource) -> "GroupSrtp | None":
    """Loaded only where there is a key."""
    key = source.srtp_key
    if not key:
        return None
    from sipstrobe.rtp.group_srtp import GroupSrtp

    return GroupSrtp(SUITES[source.cipher][len(key.reveal())], key)
