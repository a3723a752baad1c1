"""Facts: what has happened (pulses) and what holds (properties), with their outside form.

The declaration of an event is all that the rule editor, the streams and the documentation know of
it: its topic, whether it is a pulse or a property, which of its items name the source (one property
value is kept per source) and which values an item can take.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from enum import Enum, StrEnum
from typing import Any, ClassVar, TypeVar, dataclass_transform, get_type_hints

T = TypeVar("T")


class Kind(Enum):
    PULSE = "pulse"  # it happened
    PROPERTY = "property"  # it holds until the next value of the same source


class CallStatus(StrEnum):
    """States of a call as rules see them (checklist CON-02, GAP-23)."""

    IDLE = "idle"
    CALLING = "calling"
    RINGING = "ringing"
    PIN = "pin"  # answered; silent until the caller has entered the PIN of the extension
    ACTIVE = "active"
    TERMINATED = "terminated"


class CallReason(StrEnum):
    """Why a call changed its state (checklist GAP-23)."""

    INITIATED = "initiated"
    DENIED = "denied"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    FAILED = "failed"
    ACCEPTED_BY_REMOTE = "accepted_by_remote"
    ACCEPTED_BY_DEVICE = "accepted_by_device"
    TERMINATED = "terminated"


class Direction(StrEnum):
    INCOMING = "incoming"
    OUTGOING = "outgoing"


class RegistrationState(StrEnum):
    """How an account stands with its registrar (checklist SAC-03, AMB-05)."""

    OFF = "off"  # it does not register
    TRYING = "trying"
    REGISTERED = "registered"
    FAILED = "failed"  # and is tried again
    GIVEN_UP = "given_up"  # after so many attempts; tried again more slowly


class Function(StrEnum):
    """The outputs with a status list of their own (checklist MIX-05)."""

    SIGNALING_LED = "SignalingLED"
    AUDIO_LED = "AudioLED"
    AUDIO_SPEAKER = "AudioSpeaker"


class OperationPhase(StrEnum):
    """What has become of a light or siren operation."""

    SHOWN = "shown"  # it is what its function shows now
    HIDDEN = "hidden"  # it runs, and a higher priority is shown
    ENDED = "ended"


class PageState(StrEnum):
    """How a source of pages, or the audio stream, stands (checklist MCC-08, GAP-20)."""

    ACTIVE = "active"  # it is heard
    HIDDEN = "hidden"  # somebody speaks, and something else is heard instead
    IDLE = "idle"


class HearingState(StrEnum):
    """Whether pages by multicast can reach us (RFC 4541)."""

    HEARING = "hearing"  # a querier asks which groups are wanted, and is answered
    NO_QUERIER = "no querier"  # nobody asks, so that switches may forget us
    DEAF = "deaf"  # a group does not reach us
    CANNOT_TELL = "cannot tell"  # not yet, or for want of rights
    IDLE = "idle"  # no groups, or on this machine only


@dataclass(frozen=True, slots=True)
class Outside:
    """How an event looks from outside.

    rest: the items of a property whose source has nothing to report. A value that equals it ends
    the source's entry; when no source has an entry, conditions see this one.
    """

    topic: str
    kind: Kind
    words: str
    source: tuple[str, ...] = ()
    rest: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of all facts; published once on the bus."""

    outside: ClassVar[Outside]

    def items(self) -> dict[str, Any]:
        """The event's items by name, as plain values: str, int, float, bool or None."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {n: v.value if isinstance(v, Enum) else v for n, v in values.items()}


DECLARED: dict[str, type[Event]] = {}


@dataclass_transform(frozen_default=True, kw_only_default=True)
def _declared(
    topic: str,
    kind: Kind,
    words: str,
    *,
    source: tuple[str, ...] = (),
    rest: dict[str, str] | None = None,
) -> Callable[[type[T]], type[T]]:
    def declare(cls: type[T]) -> type[T]:
        made = dataclass(frozen=True, slots=True, kw_only=True)(cls)
        assert issubclass(made, Event)
        made.outside = Outside(topic, kind, words, source, rest or {})
        DECLARED[topic] = made
        return made

    return declare


def choices(event: type[Event]) -> dict[str, tuple[str, ...] | None]:
    """The items of an event and, where the vocabulary is closed, the values they can take."""
    hints = get_type_hints(event)
    found: dict[str, tuple[str, ...] | None] = {}
    for item in fields(event):
        kind = hints[item.name]
        if isinstance(kind, type) and issubclass(kind, Enum):
            found[item.name] = tuple(str(member.value) for member in kind)
        else:
            found[item.name] = ("true", "false") if kind is bool else None
    return found


# --- calls -------------------------------------------------------------------------------------


@_declared(
    "call/state_change",
    Kind.PULSE,
    "A call has changed its state, or was refused",
    source=("call",),
)
class CallStateChanged(Event):
    call: str
    direction: Direction
    account: str
    local_uri: str  # the called address of an incoming call, as in the request
    remote_uri: str
    extension: str  # user part of local_uri; empty when it has none
    line: str = ""  # number of the configured extension that the call came in on, such as 10*
    before: CallStatus
    state: CallStatus
    reason: CallReason


@_declared(
    "call/state",
    Kind.PROPERTY,
    "The state of each call; idle when there is none",
    source=("call",),
    rest={"state": "idle"},
)
class CallState(Event):
    call: str
    state: CallStatus
    direction: Direction
    account: str
    local_uri: str
    remote_uri: str
    extension: str
    line: str = ""


@_declared("call/digit", Kind.PULSE, "A digit was pressed in a call; those of a PIN are not told")
class DigitReceived(Event):
    call: str
    extension: str
    line: str
    digit: str  # 0–9, *, #, A–D


@_declared("call/dtmf", Kind.PULSE, "A configured sequence of digits was pressed in a call")
class SequenceReceived(Event):
    name: str  # of the event that the sequence is configured to cause
    sequence: str
    call: str
    account: str
    extension: str
    line: str


@_declared("call/pin_refused", Kind.PULSE, "A caller has entered a wrong PIN, or none in time")
class PinRefused(Event):
    call: str
    extension: str
    line: str
    remote_uri: str
    attempts_left: int  # 0: the call is ended


@_declared(
    "call/registration",
    Kind.PROPERTY,
    "How an account stands with its registrar",
    source=("account",),
    rest={"state": "off"},
)
class RegistrationChanged(Event):
    account: str
    state: RegistrationState
    server: str  # where it is registered, or was tried last
    uri: str  # the address under which it can be called
    code: int  # the last SIP status, 0: none has come
    words: str  # what that means, for a person
    until: str  # when the registration ends, ISO 8601 with zone; empty: it is not registered


@_declared(
    "call/audio",
    Kind.PROPERTY,
    "Whether a call is heard, and what keeps it from that",
    source=("call",),
    rest={"verdict": "none"},
)
class CallAudioChanged(Event):
    call: str
    verdict: str  # one word of rtp.verdict, "none" when the call has ended
    words: str  # the cause, for a person
    mos: float  # estimated mean opinion score 1…4.5 of what we hear; 0: not known


@_declared("call/message", Kind.PULSE, "A text message was received (RFC 3428)")
class MessageReceived(Event):
    account: str
    remote_uri: str
    local_uri: str
    text: str


@_declared("call/flood", Kind.PULSE, "A caller is slowed down because of too many requests")
class FloodNoticed(Event):
    address: str
    kind: str  # what there is too much of: requests, calls, bytes


# --- light and siren ---------------------------------------------------------------------------


@_declared(
    "signal/operation",
    Kind.PROPERTY,
    "A light or siren operation is shown, hidden or has ended",
    source=("function", "operation"),
    rest={"phase": "ended"},
)
class OperationChanged(Event):
    function: Function
    operation: int
    phase: OperationPhase
    pattern: str
    priority: int
    profile: str  # empty when not started through a profile


@_declared("signal/maintenance", Kind.PROPERTY, "Maintenance mode is on", rest={"active": "false"})
class MaintenanceChanged(Event):
    active: bool


@_declared("signal/health_check", Kind.PULSE, "A health check has ended")
class HealthCheckDone(Event):
    passed: bool
    errors: str  # what is wrong, in words; empty when all is well


# --- sound -------------------------------------------------------------------------------------


@_declared(
    "sound/clip",
    Kind.PROPERTY,
    "A clip is playing",
    source=("clip",),
    rest={"playing": "false"},
)
class ClipPlaying(Event):
    clip: str  # its name
    playing: bool


@_declared(
    "sound/page",
    Kind.PROPERTY,
    "A page by multicast is heard, or hidden by what ranks higher",
    source=("page",),
    rest={"state": "idle"},
)
class PageStateChanged(Event):
    page: str  # label of the source
    state: PageState
    sender: str  # address of who speaks, or spoke last


@_declared(
    "sound/stream",
    Kind.PROPERTY,
    "An audio stream over HTTP is heard, or hidden by what ranks higher",
    rest={"state": "idle"},
)
class StreamStateChanged(Event):
    state: PageState
    sender: str  # account and address of who transmits, or did last


@_declared("sound/output", Kind.PROPERTY, "The speaker plays something", rest={"active": "false"})
class OutputActive(Event):
    active: bool


@_declared(
    "sound/microphone",
    Kind.PROPERTY,
    "The microphone is on: it has an input and is not muted",
    rest={"on": "false"},
)
class MicrophoneChanged(Event):
    on: bool


@_declared(
    "sound/live_stream",
    Kind.PROPERTY,
    "Somebody listens live to the microphone",
    rest={"active": "false"},
)
class LiveStreamChanged(Event):
    active: bool


@_declared("sound/played", Kind.PULSE, "A sound has ended; what was really heard of it")
class SoundPlayed(Event):
    owner: str  # the call, the clip, …
    kind: str  # as in audio.source.SourceKind
    rank: int
    heard_seconds: float  # with a gain above 0, on an output that worked
    hidden_seconds: float  # passed unheard: silenced by a higher rank, muted, or without an output
    ducked_seconds: float  # of those heard: softer because of a higher rank
    level_db: float  # RMS of what was heard of it, dBFS, before the limiter; -120: nothing
    underruns: int  # times that it had nothing to play
    late_periods: int  # of the output meanwhile: gaps in all that was heard
    delay_ms: float  # from the input that wanted it to its first sample; -1: never heard


@_declared(
    "sound/recording",
    Kind.PROPERTY,
    "A recording is being made",
    source=("recording",),
    rest={"active": "false"},
)
class RecordingChanged(Event):
    recording: str
    active: bool


# --- inputs ------------------------------------------------------------------------------------


@_declared(
    "input/manual_trigger",
    Kind.PROPERTY,
    "A trigger that people set by hand",
    source=("trigger",),
    rest={"active": "false"},
)
class ManualTriggerChanged(Event):
    trigger: int  # 1…
    active: bool


# --- the network -------------------------------------------------------------------------------


@_declared(
    "network/hearing",
    Kind.PROPERTY,
    "Whether pages by multicast can reach the device",
    rest={"state": "idle"},
)
class HearingChanged(Event):
    state: HearingState
    words: str  # what that means, for a person


# --- the device itself -------------------------------------------------------------------------


@_declared("device/settings", Kind.PULSE, "The settings have changed")
class SettingsChanged(Event):
    revision: int
    paths: str  # what has changed, as JSON pointers, space separated


@_declared(
    "device/service",
    Kind.PROPERTY,
    "A part of the device works, or what keeps it from working",
    source=("service",),
)
class ServiceStateChanged(Event):
    service: str
    working: bool
    problem: str  # empty when it works


@_declared(
    "rule/state", Kind.PROPERTY, "A rule is active", source=("rule",), rest={"active": "false"}
)
class RuleStateChanged(Event):
    rule: str
    active: bool


@_declared("rule/failed", Kind.PULSE, "The action of a rule was refused", source=("rule",))
class RuleActionFailed(Event):
    rule: str
    reason: str
