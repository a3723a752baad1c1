"""Speaker, clips, microphone and pages in JSON."""

from typing import Annotated, Literal, NotRequired, TypedDict

from msgspec import Meta

from sipstrobe.audio.source import SourceKind
from sipstrobe.events import HearingState, PageOutState, PageState
from sipstrobe.web.told.common import Level, Problem


class SourceTold(TypedDict):
    """Something that is listed to be heard."""

    owner: str
    kind: SourceKind
    rank: int
    gain: Annotated[float, Meta(description="A factor; 0: it is silenced.")]
    ducked: bool
    peak_db: Level
    rms_db: Level
    waiting_ms: float
    underruns: int
    late_periods: int
    heard_seconds: float
    hidden_seconds: float
    ducked_seconds: float
    level_db: Level
    delay_ms: Annotated[float, Meta(description="Until its first sample; -1: never heard.")]


class SoundTold(TypedDict):
    """The speaker. output: its name; empty: none is open."""

    output: str
    working: bool
    problem: Problem
    volume_db: float
    muted: bool
    limiter_db: float
    active: bool
    peak_db: Level
    rms_db: Level
    played_seconds: float
    late: int
    underruns: int
    sources: list[SourceTold]
    sources_total: int


class PlaybackTold(TypedDict):
    """A clip that plays. rounds: null for no end."""

    playback: int
    clip: str
    number: int
    priority: int
    volume_db: float
    levelled_db: float
    seconds: float
    position_seconds: float
    round: int
    rounds: int | None


class MicrophoneTold(TypedDict):
    """The microphone. input: empty while it is off."""

    input: str
    name: str
    allowed: bool
    muted: bool
    open: bool
    working: bool
    problem: Problem
    listeners: int
    level_db: Level
    gain_db: float
    echo: str
    lost: int


class RecordingTold(TypedDict):
    """A recording that is being made."""

    recording: str
    source: str
    call: str
    seconds: float


class DelayedPagesTold(TypedDict):
    """Calls of pages that are heard later."""

    recording: list[str]
    waiting: list[str]
    playing: str


class PageTold(TypedDict):
    """A source of pages by multicast. level_db: null while it is hidden."""

    label: str
    rank: int
    address: str
    port: int
    state: PageState
    sender: str
    level_db: float | None
    offset_ms: Annotated[float | None, Meta(description="Behind the common clock; null: none.")]
    packets: int
    kind: Literal["multicast", "desk_phones"]
    strangers: int
    unknown_codec: int
    invalid: int
    undecipherable: NotRequired[int]
    channel: NotRequired[int]
    caller_id: NotRequired[str]
    problem: Problem


class HearingTold(TypedDict):
    """Whether pages by multicast can reach us (RFC 4541)."""

    state: HearingState
    words: str


class RelayTold(TypedDict):
    """What is passed on as a page."""

    state: Literal["idle", "sending", "blocked"]
    source: str
    packets: int
    problem: Problem


class PageOutTold(TypedDict):
    """A clip that goes out as a page."""

    page: int
    clip: str
    address: str
    port: int
    codec: str
    state: PageOutState
    packets: int
    problem: Problem


class MulticastTold(TypedDict):
    """Paging. told: some of the sources, those that somebody speaks to first."""

    sources: int
    joined: int
    told: list[PageTold]
    hearing: HearingTold
    relay: RelayTold
    pages_out: list[PageOutTold]


class StreamTold(TypedDict):
    """The sound that somebody sends over HTTP."""

    state: PageState
    sender: str
    type: str
    level_db: Level
    waiting_ms: int
