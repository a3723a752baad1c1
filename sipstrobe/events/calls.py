"""Calls, registrations and what is said in calls."""

from enum import StrEnum

from sipstrobe.events.declare import Event, Kind, declared


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


@declared(
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


@declared(
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


@declared("call/digit", Kind.PULSE, "A digit was pressed in a call; those of a PIN are not told")
class DigitReceived(Event):
    call: str
    extension: str
    line: str
    digit: str  # 0–9, *, #, A–D


@declared("call/dtmf", Kind.PULSE, "A configured sequence of digits was pressed in a call")
class SequenceReceived(Event):
    name: str  # of the event that the sequence is configured to cause
    sequence: str
    call: str
    account: str
    extension: str
    line: str
    event_id: str = ""  # what control programs call that event


@declared("call/pin_refused", Kind.PULSE, "A caller has entered a wrong PIN, or none in time")
class PinRefused(Event):
    call: str
    extension: str
    line: str
    remote_uri: str
    attempts_left: int  # 0: the call is ended


@declared(
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


@declared(
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


@declared("call/message", Kind.PULSE, "A text message was received (RFC 3428)")
class MessageReceived(Event):
    account: str
    remote_uri: str
    local_uri: str
    text: str


@declared("call/flood", Kind.PULSE, "A caller is slowed down because of too many requests")
class FloodNoticed(Event):
    address: str
    kind: str  # what there is too much of: requests, calls, bytes
