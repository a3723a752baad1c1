"""Whatever is heard, and what listens."""

from enum import StrEnum

from sipstrobe.events.declare import Event, Kind, declared


class PageState(StrEnum):
    """How a source of pages, or the audio stream, stands (checklist MCC-08, GAP-20)."""

    ACTIVE = "active"  # it is heard
    HIDDEN = "hidden"  # somebody speaks, and something else is heard instead
    IDLE = "idle"


class PageOutState(StrEnum):
    """How a page that goes out from here stands."""

    WAITING = "waiting"  # somebody else speaks to the group, or it cannot be reached
    SPEAKING = "speaking"
    IDLE = "idle"


@declared(
    "sound/clip",
    Kind.PROPERTY,
    "A clip is playing",
    source=("clip",),
    rest={"playing": "false"},
)
class ClipPlaying(Event):
    clip: str  # its name
    playing: bool


@declared(
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


@declared(
    "sound/page_out",
    Kind.PROPERTY,
    "A clip goes out as a page by multicast, or waits to",
    source=("page",),
    rest={"state": "idle"},
)
class PageOutChanged(Event):
    page: str  # its id
    clip: str
    address: str  # of the group
    port: int
    state: PageOutState
    problem: str  # why it has not gone out, as it is over; empty: it has, or was stopped


@declared(
    "sound/stream",
    Kind.PROPERTY,
    "An audio stream over HTTP is heard, or hidden by what ranks higher",
    rest={"state": "idle"},
)
class StreamStateChanged(Event):
    state: PageState
    sender: str  # account and address of who transmits, or did last


@declared("sound/volume", Kind.PROPERTY, "How loud the speaker is set")
class VolumeChanged(Event):
    volume_db: float  # of all that is heard, 0: as loud as it came
    muted: bool


@declared("sound/output", Kind.PROPERTY, "The speaker plays something", rest={"active": "false"})
class OutputActive(Event):
    active: bool


@declared(
    "sound/microphone",
    Kind.PROPERTY,
    "The microphone is on: it has an input and is not muted",
    rest={"on": "false"},
)
class MicrophoneChanged(Event):
    on: bool


@declared(
    "sound/live_stream",
    Kind.PROPERTY,
    "Somebody listens live to the microphone",
    rest={"active": "false"},
)
class LiveStreamChanged(Event):
    active: bool


@declared("sound/played", Kind.PULSE, "A sound has ended; what was really heard of it")
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


@declared(
    "sound/recording",
    Kind.PROPERTY,
    "A recording is being made",
    source=("recording",),
    rest={"active": "false"},
)
class RecordingChanged(Event):
    recording: str
    active: bool


@declared(
    "sound/level",
    Kind.PROPERTY,
    "It is louder at the microphone than is set",
    rest={"above": "false"},
)
class SoundLevelChanged(Event):
    above: bool
    level_db: float  # RMS in dBFS when that was found
