"""One call as the phone keeps it: who, with whom, since when, and its media."""

from dataclasses import dataclass

from sipstrobe.events import CallReason, CallState, CallStateChanged, CallStatus, Direction
from sipstrobe.rtp.quality import Bursts, Quality
from sipstrobe.rtp.verdict import Opinion, Verdict
from sipstrobe.services.call_media import CallMedia
from sipstrobe.services.stream import StreamStatistics
from sipstrobe.sip.transport import Flow


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioReport:
    """How a call is heard; once it is over, how it was. Shares are 0…1.

    quality: of the last seconds, then of the whole call; None where nothing was played.
    seconds: how long each verdict has held.
    """

    opinion: Opinion
    quality: Quality | None
    bursts: Bursts
    statistics: StreamStatistics
    seconds: dict[Verdict, float]


@dataclass(frozen=True, slots=True)
class CallSnapshot:
    """A call as others may see it. since: monotonic seconds of its last change of state."""

    id: str
    direction: Direction
    account: str
    local_uri: str
    remote_uri: str
    extension: str
    state: CallStatus
    since: float
    transport: str
    codec: str
    level_db: float
    packets_received: int
    packets_lost: int
    jitter_ms: float
    audio: AudioReport | None  # None: it was not looked at yet


@dataclass(slots=True, eq=False)
class Call:
    """State of one call. leg: the endpoint's name of its INVITE session, once there is one."""

    id: str
    direction: Direction
    account: str
    local_uri: str
    remote_uri: str
    extension: str
    since: float
    flow: Flow | None = None
    leg: str | None = None
    state: CallStatus = CallStatus.IDLE
    media: CallMedia | None = None
    answer: bytes = b""  # the SDP of the 2xx, while the call rings
    heard: bool = False  # its sound is listed with the sound service
    failed: bool = False  # we hang up because there can be no sound
    audio: AudioReport | None = None  # how it is heard, kept by services.verdicts

    def moved(self, state: CallStatus, reason: CallReason) -> CallStateChanged:
        """Change the state; the pulse that says so."""
        before, self.state = self.state, state
        return CallStateChanged(
            call=self.id,
            direction=self.direction,
            account=self.account,
            local_uri=self.local_uri,
            remote_uri=self.remote_uri,
            extension=self.extension,
            before=before,
            state=state,
            reason=reason,
        )

    def property(self) -> CallState:
        """The state as rules hold it; idle once it has ended."""
        over = self.state in (CallStatus.TERMINATED, CallStatus.IDLE)
        return CallState(
            call=self.id,
            state=CallStatus.IDLE if over else self.state,
            direction=self.direction,
            account=self.account,
            local_uri=self.local_uri,
            remote_uri=self.remote_uri,
            extension=self.extension,
        )

    def snapshot(self) -> CallSnapshot:
        statistics = self.media.stream.statistics if self.media is not None else None
        parameters = self.media.parameters if self.media is not None else None
        return CallSnapshot(
            id=self.id,
            direction=self.direction,
            account=self.account,
            local_uri=self.local_uri,
            remote_uri=self.remote_uri,
            extension=self.extension,
            state=self.state,
            since=self.since,
            transport=self.flow.transport.value if self.flow is not None else "",
            codec=parameters.codec if parameters is not None else "",
            level_db=statistics.level_db if statistics is not None else -120.0,
            packets_received=statistics.packets if statistics is not None else 0,
            packets_lost=statistics.lost if statistics is not None else 0,
            jitter_ms=statistics.jitter_ms if statistics is not None else 0.0,
            audio=self.audio,
        )
