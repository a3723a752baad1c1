"""Extended reports, RFC 3611: how well a stream is heard, and the round trip of who only hears."""

from dataclasses import dataclass, fields
from struct import Struct
from typing import Final, NamedTuple

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.rtp.quality import GMIN, Bursts, Quality

XR: Final = 207  # RTCP packet type
MAX_BLOCKS: Final = 32  # of one packet; more are passed over
UNAVAILABLE: Final = 127  # RFC 3611 §4.7.4, §4.7.5
RX_CONFIG: Final = 0b1011_0000  # §4.7.6: concealment "enhanced", jitter buffer adaptive
_RECEIVER_TIME, _DLRR, _VOIP_METRICS = 4, 5, 7  # block types
_MAX_8, _MAX_16 = 0xFF, 0xFFFF
_BLOCK: Final = Struct("!BBH")
_SSRC: Final = Struct("!I")
_NTP: Final = Struct("!Q")
_DELAY: Final = Struct("!III")
_METRICS: Final = Struct("!IBBBBHHHHbbBBBBBBBxHHH")


@dataclass(frozen=True, slots=True)
class ReceiverTime:
    """§4.4: when a receiver has sent this, as its 64-bit NTP timestamp."""

    ntp: int

    def __bytes__(self) -> bytes:
        return _block(_RECEIVER_TIME, _NTP.pack(self.ntp))


class ReceiverDelay(NamedTuple):
    """§4.5, for one receiver: its last time (middle 32 bits), and how long ago that came."""

    ssrc: int
    last_receiver_time: int
    delay: int  # in 1/65536 s


@dataclass(frozen=True, slots=True)
class DelaySinceLast:
    """The DLRR block of §4.5."""

    delays: tuple[ReceiverDelay, ...]

    def __bytes__(self) -> bytes:
        return _block(_DLRR, b"".join(_DELAY.pack(*delay) for delay in self.delays))


@dataclass(frozen=True, slots=True)
class VoipMetrics:
    """§4.7, as on the wire: rates and densities in 1/256, durations and delays in ms.

    Levels in dBm0 and dB; R factors 0…100, MOS in tenths; 127 is "unavailable" for all of these.
    """

    ssrc: int
    loss_rate: int = 0
    discard_rate: int = 0
    burst_density: int = 0
    gap_density: int = 0
    burst_duration: int = 0
    gap_duration: int = 0
    round_trip_delay: int = 0
    end_system_delay: int = 0
    signal_level: int = UNAVAILABLE
    noise_level: int = UNAVAILABLE
    residual_echo_return_loss: int = UNAVAILABLE
    gmin: int = GMIN
    r_factor: int = UNAVAILABLE
    external_r_factor: int = UNAVAILABLE
    mos_lq: int = UNAVAILABLE
    mos_cq: int = UNAVAILABLE
    rx_config: int = 0
    jitter_buffer_nominal: int = 0
    jitter_buffer_maximum: int = 0
    jitter_buffer_absolute_maximum: int = 0

    def __bytes__(self) -> bytes:
        return _block(_VOIP_METRICS, _METRICS.pack(*(getattr(self, f.name) for f in fields(self))))

    @property
    def mos(self) -> float | None:
        """In conversation; None: not told."""
        return self.mos_cq / 10 if 10 <= self.mos_cq <= 50 else None  # §4.7.5

    @property
    def loss(self) -> float:
        """Share of packets that the other side could not play, lost or too late."""
        return min(1.0, (self.loss_rate + self.discard_rate) / 256)


Block = ReceiverTime | DelaySinceLast | VoipMetrics


@dataclass(frozen=True, slots=True)
class ExtendedReport:
    """One XR packet; blocks of other types are passed over."""

    ssrc: int
    blocks: tuple[Block, ...]

    def __bytes__(self) -> bytes:
        body = _SSRC.pack(self.ssrc) + b"".join(bytes(block) for block in self.blocks)
        return _BLOCK.pack(0x80, XR, len(body) // 4) + body


def parse(body: bytes) -> ExtendedReport:
    """What follows the RTCP header. Raises RemoteProtocolError when a block is cut off."""
    if len(body) < _SSRC.size:
        raise RemoteProtocolError("XR packet cut off")
    blocks: list[Block] = []
    at = _SSRC.size
    for _ in range(MAX_BLOCKS):
        if at + _BLOCK.size > len(body):
            break
        kind, _, words = _BLOCK.unpack_from(body, at)
        at, end = at + _BLOCK.size, at + _BLOCK.size + 4 * words
        if end > len(body):
            raise RemoteProtocolError("XR block cut off")
        block = _parse_block(kind, body[at:end])
        if block is not None:
            blocks.append(block)
        at = end
    return ExtendedReport(_SSRC.unpack_from(body)[0], tuple(blocks))


def metrics(
    ssrc: int,
    quality: Quality,
    bursts: Bursts,
    *,
    ptime_ms: float,
    round_trip_ms: float,
    buffer_ms: float,
    longest_ms: float,
) -> VoipMetrics:
    """How the source ssrc is heard. buffer_ms: that sound waits now; longest_ms: that it may."""
    return VoipMetrics(
        ssrc,
        loss_rate=_octet(256 * quality.loss),
        discard_rate=_octet(256 * quality.discard),
        burst_density=_octet(256 * bursts.burst_density),
        gap_density=_octet(256 * bursts.gap_density),
        burst_duration=_word(ptime_ms * bursts.burst_length),
        gap_duration=_word(ptime_ms * bursts.gap_length),
        round_trip_delay=_word(round_trip_ms),
        end_system_delay=_word(ptime_ms + buffer_ms),
        r_factor=round(quality.r_factor),
        mos_lq=round(10 * quality.mos_lq),
        mos_cq=round(10 * quality.mos_cq),
        rx_config=RX_CONFIG,
        jitter_buffer_nominal=_word(buffer_ms),
        jitter_buffer_maximum=_word(longest_ms),
        jitter_buffer_absolute_maximum=_word(longest_ms),
    )


def _parse_block(kind: int, body: bytes) -> Block | None:
    """None: of another type, or of a length that its type does not have, to be ignored (§3)."""
    if kind == _RECEIVER_TIME and len(body) == _NTP.size:
        return ReceiverTime(_NTP.unpack(body)[0])
    if kind == _DLRR and len(body) % _DELAY.size == 0:
        return DelaySinceLast(tuple(ReceiverDelay(*delay) for delay in _DELAY.iter_unpack(body)))
    if kind == _VOIP_METRICS and len(body) == _METRICS.size:
        return VoipMetrics(*_METRICS.unpack(body))
    return None


def _block(kind: int, body: bytes) -> bytes:
    return _BLOCK.pack(kind, 0, len(body) // 4) + body


def _octet(value: float) -> int:
    return max(0, min(_MAX_8, int(value)))  # §4.7.1: the integer part


def _word(value: float) -> int:
    return max(0, min(_MAX_16, round(value)))
