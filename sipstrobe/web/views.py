"""What the pages and the API see of the device: snapshots that the app hands in.

The web knows no service. Each view is a plain function that gives what is so just now; the
protocols say what must be readable in it. `at` and `since` are monotonic seconds.
"""

from asyncio import Future
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from sipstrobe.events import Function
from sipstrobe.io.identity import Identity
from sipstrobe.rules.explain import Record, Stand
from sipstrobe.rules.simulate import Happening
from sipstrobe.trace import Cause
from sipstrobe.web.audit import AuditView
from sipstrobe.web.system_views import SystemViews

Thing = Literal["operation", "sound", "call", "message"]
"""What has a reason: an operation is named "<function>/<id>", a sound by its owner, a call and a
message by their ids."""


class OperationView(Protocol):
    """One running operation of light or siren."""

    @property
    def function(self) -> str: ...
    @property
    def id(self) -> int: ...
    @property
    def pattern(self) -> str: ...
    @property
    def priority(self) -> int: ...
    @property
    def intensity(self) -> int: ...
    @property
    def speed(self) -> int | None: ...
    @property
    def colors(self) -> Sequence[str]: ...
    @property
    def profile(self) -> str: ...
    @property
    def shown(self) -> bool: ...
    @property
    def ends_at(self) -> float | None: ...
    @property
    def cause(self) -> Cause | None: ...


class MaintenanceView(Protocol):
    """Maintenance mode; until is on the calendar, None: until somebody switches it off."""

    @property
    def active(self) -> bool: ...
    @property
    def until(self) -> datetime | None: ...


class HealthView(Protocol):
    """The last health check: errors are (code, words), none when all is well."""

    @property
    def wall(self) -> datetime: ...
    @property
    def errors(self) -> Sequence[tuple[int, str]]: ...


class SideView(Protocol):
    """One side of the light: a colour by name, empty when dark, and how bright it looks, 0…1."""

    @property
    def color(self) -> str: ...
    @property
    def level(self) -> float: ...


Frame = Sequence[SideView]
"""The sides A, B, C, D."""


class CallView(Protocol):
    """One call and its media."""

    @property
    def id(self) -> str: ...
    @property
    def direction(self) -> str: ...
    @property
    def account(self) -> str: ...
    @property
    def local_uri(self) -> str: ...
    @property
    def remote_uri(self) -> str: ...
    @property
    def extension(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def since(self) -> float: ...
    @property
    def codec(self) -> str: ...
    @property
    def level_db(self) -> float: ...
    @property
    def packets_received(self) -> int: ...
    @property
    def packets_lost(self) -> int: ...
    @property
    def jitter_ms(self) -> float: ...
    @property
    def transport(self) -> str: ...
    @property
    def audio(self) -> object | None:
        """How it is heard, as plain values: verdict, words, advice, mos, …; None: not known yet."""
        ...


class PortView(Protocol):
    """One port. problem: what keeps its driver from working, or empty."""

    @property
    def port(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def usage(self) -> str: ...
    @property
    def direction(self) -> str: ...
    @property
    def normal_state(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def active(self) -> bool: ...
    @property
    def supervised(self) -> bool: ...
    @property
    def driver(self) -> str: ...
    @property
    def problem(self) -> str: ...
    @property
    def cause(self) -> Cause | None: ...


class VirtualInputView(Protocol):
    """One virtual input. seconds_left: until it is inactive by itself; None: it is not."""

    @property
    def input(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def active(self) -> bool: ...
    @property
    def seconds_left(self) -> float | None: ...
    @property
    def cause(self) -> Cause | None: ...


class NamedRule(Protocol):
    """What a rule is called, and whether it is switched on."""

    @property
    def name(self) -> str: ...
    @property
    def enabled(self) -> bool: ...


class RuleView(Protocol):
    """A rule at work. history: (monotonic seconds, words) of what touched it, the newest last;
    records: the same in full, and more of it.

    source: what it is a part of and changes with, such as "extension 1001"; empty: of nothing.
    begun_at, waits_until: monotonic seconds of its last activation, and until when it waits.
    """

    @property
    def rule(self) -> NamedRule: ...
    @property
    def source(self) -> str: ...
    @property
    def active(self) -> bool: ...
    @property
    def history(self) -> Sequence[tuple[float, str]]: ...
    @property
    def records(self) -> Sequence[Record]: ...
    @property
    def conditions(self) -> Sequence[Stand]: ...
    @property
    def begun_at(self) -> float | None: ...
    @property
    def waits_until(self) -> float | None: ...


class ExcerptView(Protocol):
    """What has happened lately. before: what held as it begins; events: what came after."""

    @property
    def before(self) -> Sequence[Happening]: ...
    @property
    def events(self) -> Sequence[Happening]: ...
    @property
    def seconds(self) -> float: ...


class NewClip(Protocol):
    """A clip that has been added."""

    @property
    def number(self) -> int: ...
    @property
    def name(self) -> str: ...


class ClipFile(Protocol):
    """The file of a clip: where it is, or else what is in it; and a name for it."""

    @property
    def path(self) -> Path | None: ...
    @property
    def data(self) -> bytes: ...
    @property
    def name(self) -> str: ...
    @property
    def format(self) -> str: ...


class ClipsView(Protocol):
    """The clips of the device, and what people do with them; CommandRefused says why not."""

    def listing(self) -> Sequence[Mapping[str, Any]]:
        """number, name, format, size, seconds, sample_rate, channels, loudness, peak_db, factory
        and problem of each."""
        ...

    def space(self) -> Mapping[str, int]:
        """used_bytes and quota_bytes."""
        ...

    async def file(self, number: int) -> ClipFile:
        """The file of a clip."""
        ...

    async def add(self, name: str, content: AsyncIterator[bytes]) -> NewClip: ...
    async def rename(self, number: int, name: str) -> None: ...
    async def delete(self, number: int) -> None: ...


class StreamView(Protocol):
    """The audio stream that somebody sends over HTTP, and its way in."""

    def snapshot(self) -> Mapping[str, object]:
        """state, sender, type, level_db and waiting_ms; plain values."""
        ...

    async def transmit(self, content_type: str, sender: str, content: AsyncIterator[bytes]) -> None:
        """Play what comes until it ends. Raises CommandRefused: unknown_type, busy, stalled …"""
        ...


class BegunTalk(Protocol):
    """What a browser is answered. words: why it hears nothing though it wants to; else empty."""

    @property
    def id(self) -> str: ...
    @property
    def sdp(self) -> str: ...
    @property
    def listening(self) -> bool: ...
    @property
    def words(self) -> str: ...


class TalkView(Protocol):
    """People who talk and listen from browsers."""

    def snapshot(self) -> Sequence[Mapping[str, Any]]:
        """id, who, address, state, talking, listening, level_db and seconds of each."""
        ...

    async def open(
        self, offer: str, who: str, address: str, still: Callable[[], bool]
    ) -> BegunTalk:
        """Answer an offer (SDP); still: whether whoever asks may go on. Raises CommandRefused:
        too_many_talkers, not_available, no_answer; RemoteProtocolError for what is no offer."""
        ...

    def close(self, talker: str) -> bool:
        """False: there is no such."""
        ...


class MicrophoneSound(Protocol):
    """What the microphone hears, as it comes: a WAV file, or bare G.711 µ-law (audio/basic).

    Raises CommandRefused when it is off, or too many listen.
    """

    def __call__(self, *, basic: bool = False) -> AsyncGenerator[bytes]: ...


class RecordedView(Protocol):
    """A recording that there is; began: seconds since 1970, size: bytes."""

    @property
    def name(self) -> str: ...
    @property
    def began(self) -> float: ...
    @property
    def source(self) -> str: ...
    @property
    def seconds(self) -> float: ...
    @property
    def size(self) -> int: ...


class RecordingsView(Protocol):
    """The recordings."""

    def snapshot(self) -> Sequence[Mapping[str, object]]:
        """recording, source, call, seconds of each that is being made; plain values."""
        ...

    async def recordings(self) -> Sequence[RecordedView]:
        """All there are, the newest first. Raises OSError."""
        ...

    async def delete(self, name: str) -> bool:
        """False: there is none. Raises CommandRefused "recording" while it is made, OSError."""
        ...

    def path(self, name: str) -> Path | None:
        """Its file, which may be gone; None for what cannot be a name."""
        ...


class TrialView(Protocol):
    """What came of a test; words: what exactly has failed."""

    @property
    def worked(self) -> bool: ...
    @property
    def words(self) -> str: ...
    @property
    def seconds(self) -> float: ...


class OutboxView(Protocol):
    """What leaves the device for recipients."""

    def snapshot(self) -> Mapping[str, object]:
        """waiting, failing and results, in short; plain values."""
        ...

    def messages(self) -> Mapping[str, object]:
        """waiting and results, one by one; plain values."""
        ...

    def remove(self, message: str) -> bool:
        """False: there is no such message in the outbox."""
        ...

    async def test(self, name: str) -> TrialView:
        """Send a test message to a recipient. Raises CommandRefused."""
        ...


class SchedulesView(Protocol):
    """The schedules."""

    def snapshot(self, count: int = 1) -> Sequence[Mapping[str, object]]:
        """name, text, kind, time_zone, active, next (so many at most) and rules of each."""
        ...

    async def days(self, first: date | None, number: int) -> Mapping[str, object]:
        """time_zone, today, and what is on so many days there: occurrences (schedule, start, end,
        count, last), and cut: the schedules that occur too often to tell all of it.

        first: None: from today on.
        """
        ...

    async def preview(self, text: str, count: int) -> Mapping[str, object]:
        """kind, time_zone and next of a schedule of this text. Raises ScheduleError."""
        ...

    async def history(self, schedule: str, limit: int) -> Sequence[Mapping[str, object]] | None:
        """What came of its occurrences, the newest first: at, until, done, why; None: there is no
        such schedule. Raises OSError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Views:
    """The device as others may look at it."""

    operations: Callable[[], Sequence[OperationView]]
    maintenance: Callable[[], MaintenanceView]
    health: Callable[[], HealthView | None]
    frame: Callable[[Function], Frame]
    """What this light shows now."""
    watch_frames: Callable[[Callable[[Frame], None], Function], Callable[[], None]]
    """Call back with each new frame of this light; the result ends that."""

    calls: Callable[[], Sequence[CallView]]
    registrations: Callable[[], Sequence[Mapping[str, object]]]
    """account, state, server, uri, code, words, until, problem: of each account."""
    history: Callable[[int, int | None], Awaitable[Sequence[object]]]
    """So many calls that were, the newest first, and only those before an id; plain values with
    an id, and started, answered and ended in seconds since 1970. Raises OSError."""
    listening: Callable[[], Sequence[str]]
    """Addresses as people would dial or open them."""
    nat: Callable[[], object]
    """Plain values: public, our address as others see it; servers: kind, server, milliseconds,
    problem of each that helps us through address translation."""
    sound: Callable[[], Mapping[str, object]]
    """output, working, problem, volume_db, peak_db, rms_db, sources, … of the speaker."""
    sound_level: Callable[[], float]
    """How loud the speaker is, RMS in dBFS."""
    microphone: Callable[[], Mapping[str, object]]
    """input, name, allowed, muted, working, problem, listeners, level_db, echo, … of it."""
    played: Callable[[], Sequence[object]]
    """What was heard of each sound that has ended, the oldest first; plain values."""
    stream: StreamView
    talk: TalkView
    clips: ClipsView
    clips_playing: Callable[[], Sequence[Mapping[str, Any]]]
    """playback, clip, number, priority, volume_db, levelled_db, seconds, position_seconds, round
    and rounds of each clip that plays."""
    microphone_sound: MicrophoneSound
    recordings: RecordingsView
    pages: Callable[[], Mapping[str, object]]
    """recording, waiting, playing: the calls of pages that are heard later."""
    multicast: Callable[[], Mapping[str, object]]
    """sources, joined, and told: label, rank, address, port, state, sender, problem … of some."""
    lights: Callable[[], Mapping[str, str]]
    """What keeps each output of the light from working; empty where nothing does."""
    services: Callable[[], Mapping[str, str]]
    """The same for every part of the device."""
    triggers: Callable[[], Sequence[tuple[int, str, bool]]]
    """The number, name and state of each manual trigger."""
    ports: Callable[[], Sequence[PortView]]
    """The two ports."""
    virtual_inputs: Callable[[], Sequence[VirtualInputView]]
    """Those that are active or have a name."""
    rules: Callable[[], Sequence[RuleView]]
    rule: Callable[[str], RuleView | None]
    past: Callable[[float], ExcerptView]
    """What has happened in so many seconds up to now."""
    why: Callable[[Thing, str], Sequence[Cause]]
    """Because of what a thing of this name began, and what has become of it last if that is not
    the same; none: it is unknown."""
    schedules: SchedulesView
    storage: Callable[[], Mapping[str, object]]
    """alert, words and free_mb of the disk."""
    speaker_test: Callable[[], Mapping[str, object]]
    """calibrated, way, at and running of the test of the speaker."""
    outbox: OutboxView
    home: Callable[[], Mapping[str, object]]
    """discovery, commands; topics that the broker keeps for a home, orders that came over MQTT, and
    how many of them were dropped."""
    mqtt: Callable[[], Mapping[str, object]]
    """active, connected, words, broker, prefix, sent, received, waiting, dropped of the client."""
    system: SystemViews
    audit: AuditView
    own_certificate: Callable[[], Identity]
    """The certificate of the device's own making; blocks."""
    settled: Callable[[], Future[Any] | None]
    """What to await until all changes of the settings are stored and seen; None: they are."""
