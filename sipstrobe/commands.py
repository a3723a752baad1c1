"""Orders to the device. Each kind is carried out by exactly one service.

`served by` names it; the result is what `Dispatcher.execute` returns. CommandRefused carries one of
the codes named here.
"""

from dataclasses import dataclass, field
from typing import Literal

from sipstrobe.events import Function

DurationUnit = Literal["seconds", "repetitions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Base of all orders."""


# --- light and siren: served by services.signals -----------------------------------------------


@dataclass(frozen=True, slots=True)
class OperationId:
    """One operation: the lights count together and the siren by itself, so both have a first."""

    function: Function
    id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StartProfile(Command):
    """Start the light and the siren of a profile. -> tuple[OperationId, ...]

    priority: 1…10 instead of those of the profile. Refused: unknown_profile, priority.
    """

    profile: str
    priority: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopProfile(Command):
    """Stop every operation that this profile started. -> None

    Refused: unknown_profile, not_running.
    """

    profile: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StartOperation(Command):
    """Start one light or siren operation without a profile. -> OperationId

    None means the default of the pattern. duration None: continuous.
    Refused: light_pattern, siren_pattern, light_intensity, siren_intensity, light_priority,
    siren_priority, light_duration_unit, siren_duration_unit, light_duration, siren_duration,
    color_count, unknown_color, speed.
    """

    function: Function
    pattern: str
    intensity: int | None = None
    priority: int | None = None
    speed: int | None = None
    colors: tuple[str, ...] | None = None
    duration: tuple[str, int] | None = None  # (unit, value), unit as DurationUnit


@dataclass(frozen=True, slots=True, kw_only=True)
class StopOperations(Command):
    """Stop operations by id. -> None. Refused: unknown_operation (unless tolerant)."""

    operations: tuple[OperationId, ...]
    tolerant: bool = False  # True: those that have ended already are passed over


@dataclass(frozen=True, slots=True, kw_only=True)
class StopAll(Command):
    """Stop all user operations (priority 1–10) of these functions. -> None"""

    functions: tuple[Function, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMaintenance(Command):
    """Switch maintenance mode. seconds: how long, None = until switched off. -> None

    Refused: maintenance_duration.
    """

    active: bool
    seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHealthCheck(Command):
    """Light each side in turn and play a test tone; ends with HealthCheckDone. -> None"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocateDevice(Command):
    """Flash and sound for some seconds, so that people find the device. -> None"""

    seconds: int = 10


# --- calls: served by services.phone -----------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial(Command):
    """Call an address. account: name of an account, None = the default one. -> the call's id

    Refused: sip_off, bad_uri, unknown_account, busy.
    """

    uri: str
    account: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerCall(Command):
    """Answer a ringing call; None = the one that rings longest. -> None

    Refused: unknown_call, not_ringing.
    """

    call: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HangUp(Command):
    """End a call, whatever its state; None = all calls. -> None. Refused: unknown_call."""

    call: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SendDigits(Command):
    """Send DTMF in an active call, in the way of its account; None = every active call. -> None

    Telephone events if the other side takes them, else INFO or tones if the account has these.
    Refused: unknown_call, not_active, digits, no_way (the account or the other side has none).
    """

    call: str | None = None
    digits: str  # 0–9, A–D, *, #; a comma is a pause of 2 s


# --- clips: served by services.clips -----------------------------------------------------------

CLIP_RANK = 5  # of a clip, where nothing says otherwise
MAX_REPEAT = 1000
CLIP_VOLUME_DB = (-60.0, 20.0)  # at the least it is silent


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayClip(Command):
    """Play a clip of the library. -> int, the id of this playback

    repeat: how often again after the first time (CLP-06: 0 means once), None: until it is stopped.
    volume_db: CLIP_VOLUME_DB, against the clip as it is stored. priority: 1…10.
    Refused: unknown_clip, clip_missing, repeat, volume, priority, too_many_clips.
    """

    clip: str
    repeat: int | None = 0
    volume_db: float = 0.0
    priority: int = CLIP_RANK


@dataclass(frozen=True, slots=True, kw_only=True)
class StopClip(Command):
    """Stop one playback, all of one clip, or (neither given) all there are; no fault if nothing
    plays. -> None. Refused: unknown_clip."""

    playback: int | None = None
    clip: str | None = None


# --- pages that are heard later: served by services.delayed_pages -------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class StopPages(Command):
    """Stop the page that is played after its call, and forget those that wait. -> None"""


RecordingSource = Literal["call", "speaker", "microphone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRecording(Command):
    """Record into the store. -> str, the name of the recording

    call: which, for the source "call" (both sides of it); None = the one that is active longest.
    seconds: it ends by itself after so many. Refused: no_call, no_microphone, seconds,
    storage_full, too_many_recordings.
    """

    source: RecordingSource
    call: str | None = None
    seconds: int = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRecording(Command):
    """End a recording; None = all. No fault if it has ended. -> None"""

    recording: str | None = None


# --- inputs: served by services.properties -----------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SetManualTrigger(Command):
    """Press or release a manual trigger. -> None. Refused: unknown_trigger."""

    trigger: int  # 1…
    active: bool


# --- settings: served by app, from config.store ------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSettings(Command):
    """Merge a patch (RFC 7396, arrays replaced whole) into the settings. -> the new revision

    Raises ConfigError with every problem found; StaleRevision if `revision` is not current.
    """

    patch: object = field(repr=False)
    revision: int | None = None
