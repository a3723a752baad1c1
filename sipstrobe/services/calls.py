"""One call as the phone keeps it: who, with whom, since when, and its media."""

from dataclasses import dataclass

from msgspec import Struct

from sipstrobe.audio.source import SourceKind
from sipstrobe.events import CallReason, CallState, CallStateChanged, CallStatus, Direction
from sipstrobe.rtp.verdict import Verdict
from sipstrobe.secret import Secret
from sipstrobe.services.call_media import CallMedia
from sipstrobe.services.media_options import USUAL_WAYS, DigitWays
from sipstrobe.sip.transport import Flow

CALL_RANK = 5  # among the sources of the speaker, where no extension says otherwise
NO_PIN = Secret("")


class AudioReport(Struct, frozen=True, kw_only=True):
    """How a call is heard; once it is over, how it was. Plain values, as they go outside.

    Shares are 0…1. The scores, loss and discard are of the last seconds, and once it is over of the
    whole call; scores are None where nothing was played.
    """

    verdict: Verdict
    words: str  # the cause, for a person; empty when there is nothing to say
    advice: str  # what may help
    mos: float | None  # in conversation, 1…4.5
    mos_lq: float | None  # listening
    r_factor: float | None
    loss: float  # of packets that never came
    discard: float  # of those that came too late
    burst_density: float  # of packets missing in bursts; RFC 3611 §4.7.2
    burst_ms: float  # how long a burst is, on average
    gap_density: float
    gap_ms: float
    jitter_ms: float
    round_trip_ms: float | None  # None: the other side sends no reports
    received: int  # packets
    sent: int
    remote_loss: float  # of what we send, by the other side's reports
    remote_mos: float | None  # how it hears us, by its extended reports
    source: str  # with whom packets are exchanged: address and port
    way: str  # which way they take through address translation; empty: straight
    encryption: str  # the suite of SRTP; empty: none
    seconds: dict[Verdict, float]  # how long each verdict has held


class CallSnapshot(Struct, frozen=True):
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
    line: str = ""  # number of the extension whose role decides on it
    pin: Secret = NO_PIN  # what the caller must enter before it counts as active
    rank: int = CALL_RANK  # of its voice
    voice: SourceKind = SourceKind.CALL  # what it is to those who hear it
    beep: bool = False  # tells the caller when to speak
    delayed: bool = False  # what is said is not heard before the call is over
    digits: DigitWays = USUAL_WAYS
    why: CallReason | None = None  # we hang up, because of this
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
            line=self.line,
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
            line=self.line,
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
