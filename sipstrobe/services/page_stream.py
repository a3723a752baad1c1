"""One source of pages by RTP: from the packets of its group to what is heard."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from sipstrobe.codecs.base import Codec
from sipstrobe.codecs.registry import CODECS
from sipstrobe.context import Context
from sipstrobe.errors import RemoteProtocolError
from sipstrobe.events import PageState
from sipstrobe.io.udp import Endpoint
from sipstrobe.multicast.alignment import Alignment
from sipstrobe.multicast.fields import SUITES
from sipstrobe.multicast.settings import PageSource
from sipstrobe.multicast.stream import GroupStream
from sipstrobe.rtp import packet as rtp
from sipstrobe.rtp import rtcp
from sipstrobe.services.page_sound import PageSound

if TYPE_CHECKING:
    from sipstrobe.rtp.group_srtp import GroupSrtp

STATIC: Final = {0: "PCMU", 8: "PCMA", 9: "G722"}  # RFC 3551 §6
DYNAMIC: Final = range(96, 128)
ATTEMPTS: Final = 3  # to read two clocks at the same instant
RTCP_TYPES: Final = range(192, 224)  # RFC 5761 §4: no payload type of ours with marker


class PageStream:
    """RTP, perhaps encrypted, as it comes to one group and port."""

    def __init__(
        self,
        context: Context,
        source: PageSource,
        rank: int,
        codec: str,
        read_until: Callable[[], float] | None = None,
    ) -> None:
        """codec: of dynamic payload types. read_until: all packets that have come before have been
        read."""
        self.source = source
        self.codec = codec
        self.invalid = 0  # that were no packets, or RTCP that was none
        self.unknown = 0  # of payload types that nothing is known of
        self._clock = context.clock
        self._srtp = _srtp(source)
        self._group = GroupStream()
        delay = source.playout_delay
        self._alignment = None if delay is None else Alignment(delay / 1000)
        self._sound = PageSound(context, source, rank, self._group, self._alignment, read_until)

    @property
    def state(self) -> PageState:
        return self._sound.state

    @property
    def parted(self) -> bool:
        """False where the last to speak has stopped without saying so."""
        return self._sound.parted

    @property
    def missed(self) -> int:
        """Packets that were lost since then, where he speaks again."""
        return self._sound.missed

    @property
    def problem(self) -> str:
        """Why nothing is heard of what comes, or not together with others; empty while all is
        well."""
        found = "" if self._srtp is None else self._srtp.problem
        return found or ("" if self._alignment is None else self._alignment.problem)

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
        number = packet.payload_type
        codec = self._codec_of(number)
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
        sound = self._sound
        sound.settle(received_at)
        if sequence is not None:
            if self._alignment is not None:
                self._alignment.begin(source[0], packet.ssrc, codec.clock_rate)
            sound.play(codec, number, sequence, packet.timestamp, packet.payload, received_at)
        sound.watch()

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
            elif isinstance(packet, rtcp.Report) and packet.sender is not None:
                self._reported(source[0], packet.ssrc, packet.sender, received_at)

    def close(self) -> None:
        """Be silent from now on."""
        self._sound.close()

    def snapshot(self) -> dict[str, Any]:
        """undecipherable: packets that nobody with the key has sent."""
        return self._sound.snapshot() | {
            "kind": "multicast",
            "strangers": self._group.strangers,
            "unknown_codec": self.unknown,
            "invalid": self.invalid,
            "undecipherable": 0 if self._srtp is None else self._srtp.failed,
        }

    def _part(self, source: Endpoint, ssrcs: tuple[int, ...]) -> None:
        self._group.bye(source, ssrcs)
        self._sound.settle(self._clock.now())
        self._sound.watch()

    def _reported(self, host: str, ssrc: int, sender: rtcp.SenderInfo, received_at: float) -> None:
        alignment = self._alignment
        if alignment is not None:
            wall = received_at + self._wall_offset()
            alignment.report(host, ssrc, sender.ntp, sender.timestamp, now=received_at, wall=wall)
            self._sound.go_on()

    def _wall_offset(self) -> float:
        """From our monotonic clock to the time of day, in seconds; of several attempts the one
        that was held up the least."""
        clock, found = self._clock, (float("inf"), 0.0)
        for _ in range(ATTEMPTS):
            before = clock.now()
            wall = clock.wall().timestamp()
            after = clock.now()
            found = min(found, (after - before, wall - (before + after) / 2))
        return found[1]

    def _codec_of(self, payload_type: int) -> Codec | None:
        name = STATIC.get(payload_type)
        if name is None and payload_type in DYNAMIC:
            wanted = self.source.payload_type
            name = self.codec if wanted in (None, payload_type) else None
        codec = None if name is None else CODECS[name]
        return codec if codec is not None and codec.usable else None


def _srtp(source: PageSource) -> "GroupSrtp | None":
    """Loaded only where there is a key."""
    key = source.srtp_key
    if not key:
        return None
    from sipstrobe.rtp.group_srtp import GroupSrtp

    return GroupSrtp(SUITES[source.cipher][len(key.reveal())], key)
