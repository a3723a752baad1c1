"""The speaker: who is heard, how loud, and what was really played."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import count
from math import floor
from typing import Any, Final

from sipstrobe.audio.format import (
    SAMPLE_RATE,
    SILENCE_DB,
    Samples,
    db_from_gain,
    gain_from_db,
    peak_db,
    rms_db,
)
from sipstrobe.audio.latency import LATENCIES
from sipstrobe.audio.mix import Channel, Entry, Mixer, MixPlan
from sipstrobe.audio.ring import HISTORY
from sipstrobe.audio.settings import VOLUME_MIN_DB, AudioSettings
from sipstrobe.audio.source import (
    REFILL_SAMPLES,
    AddSource,
    HearSource,
    RemoveSource,
    SetVolume,
    SourceKind,
)
from sipstrobe.clock import Handle
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused
from sipstrobe.events import ServiceStateChanged
from sipstrobe.io.soundcard import Buffering, make_output
from sipstrobe.priority import Claim, arbitrate
from sipstrobe.services.speaker import MakeOutput, Speaker

MAX_SOURCES: Final = 512  # calls
MAX_OTHERS: Final = 16  # more that find room when there are so many calls
GRID: Final = 0.005  # seconds; timers that lie on the same line of the clock share a wake-up
TICK: Final = 4  # lines of the grid from one look at what the card has found out to the next
LEAVE_LIMIT: Final = 1.0  # seconds until a source goes that no card has faded out

_CALL, _PAGE, _SIREN, _CLIP, _TONE = SourceKind
# Which kinds may be heard together. Whoever cannot join all those of higher rank is silent.
MIXES_WITH: Final[dict[SourceKind, frozenset[SourceKind]]] = {
    _CALL: frozenset({_CALL, _PAGE, _SIREN, _CLIP}),
    _PAGE: frozenset({_CALL, _PAGE, _SIREN, _CLIP}),
    _SIREN: frozenset({_CALL, _PAGE, _SIREN, _CLIP}),
    _CLIP: frozenset({_CALL, _PAGE, _SIREN, _CLIP}),
    _TONE: frozenset(),
}


@dataclass(eq=False, slots=True)
class _Listed:
    """A source in the plan."""

    command: AddSource
    order: int  # who was there first
    wanted_at: float  # when the input came that this source follows from
    entry: Entry
    heard: bool  # as its owner wants; others may silence it nevertheless
    measured: bool = False


@dataclass(eq=False, slots=True)
class _Leaving:
    """A source that fades out."""

    channel: Channel
    wanted_at: float  # when the input came that it leaves because of
    heard: bool  # until now
    until: float  # then it goes, whatever the card says


class Sound:
    """Mix the sources, as MIXES_WITH allows, and play them on the output of the settings.

    Nothing is played before the first `apply`. The loop looks at the sources every 20 ms as long
    as one of them is filled by it, has not been heard yet or is on its way out; else never.
    """

    def __init__(self, context: Context, make_output: MakeOutput = make_output) -> None:
        self._context = context
        self._mixer = Mixer()
        self._speaker = Speaker(context.clock, make_output, self._mixer.mix, self._report)
        self._listed: dict[str, _Listed] = {}
        self._leaving: list[_Leaving] = []
        self._orders = count()
        self._past_underruns = 0  # of the sources that have gone
        self._wanted: AudioSettings | None = None
        self._volume_db = 0.0
        self._muted = False
        self._timer: Handle | None = None
        measures = context.measures
        self._to_sound = measures.histogram(
            "plan_to_sound_seconds", "from the input to the first sample of a siren, tone or clip"
        )
        self._to_silence = measures.histogram(
            "remove_to_silence_seconds", "from the input to the last sample of a source"
        )
        measures.gauge("sound_sources", "Sources listed", lambda: len(self._listed))
        measures.gauge("sound_underruns", "Times a source ran dry", lambda: self.underruns)
        measures.gauge("sound_late_periods", "Periods that came too late", lambda: self.late)
        measures.gauge("sound_played_seconds", "Sound mixed", lambda: self._mixer.tap.seconds)
        context.dispatcher.serve(AddSource, self._add)
        context.dispatcher.serve(HearSource, self._hear)
        context.dispatcher.serve(RemoveSource, self._remove)
        context.dispatcher.serve(SetVolume, self._set_volume)

    # --- settings, start and end ---

    def apply(self, wanted: AudioSettings) -> None:
        """Bring settings into effect; the first time, this begins the playing."""
        before, self._wanted = self._wanted, wanted
        if before is None or before.volume_db != wanted.volume_db:
            self._volume_db = wanted.volume_db
        if before is None or before.muted != wanted.muted:
            self._muted = wanted.muted
        self._plan()
        latency = LATENCIES[wanted.latency]
        self._speaker.want(wanted.output, Buffering(latency.period, latency.card))

    async def settled(self) -> None:
        """Until it is known whether the first output works, a second at most; to tell the owner."""
        await self._speaker.settled()

    async def aclose(self) -> None:
        """Fade out and close the output."""
        await self._speaker.aclose()
        if self._timer is not None:
            self._timer.cancel()

    # --- what can be seen ---

    @property
    def underruns(self) -> int:
        entries = self._mixer.plan.entries
        return self._past_underruns + sum(channel.underruns for channel, _ in entries)

    @property
    def late(self) -> int:
        output = self._speaker.output
        return 0 if output is None else output.late

    def recent(self, count: int) -> Samples:
        """The last samples played, 1.9 s at most."""
        return self._mixer.tap.recent(count)

    def snapshot(self) -> dict[str, Any]:
        """What the status page shows; levels in dBFS over the last 50 ms."""
        output = self._speaker.output
        resting = not self._listed and not self._leaving
        block = None if resting else self._mixer.tap.recent(HISTORY)
        return {
            "output": "" if output is None else output.name,
            "working": output is not None and not self._speaker.problem,
            "problem": self._speaker.problem,
            "volume_db": self._volume_db,
            "muted": self._muted,
            "limiter_db": round(self._mixer.reduction_db, 1),
            **_levels(block, 1.0),
            "played_seconds": round(self._mixer.tap.seconds, 3),
            "late": self.late,
            "underruns": self.underruns,
            "sources": [self._describe(listed) for listed in _ranked(self._listed.values())],
        }

    def _describe(self, listed: _Listed) -> dict[str, Any]:
        command, channel = listed.command, listed.entry.channel
        return {
            "owner": command.owner,
            "kind": command.kind.value,
            "rank": command.rank,
            "gain": listed.entry.gain,
            **_levels(command.ring.recent(HISTORY), channel.gain),
            "waiting_ms": round(command.ring.fill / (SAMPLE_RATE / 1000), 1),
            "underruns": channel.underruns,
        }

    # --- commands ---

    def _add(self, command: AddSource) -> None:
        room = MAX_SOURCES if command.kind is _CALL else MAX_SOURCES + MAX_OTHERS
        if len(self._listed) >= room and command.owner not in self._listed:
            raise CommandRefused("too_many_sources", f"{room} sources are listed already")
        wanted_at = self._input_at()
        self._leave(command.owner, wanted_at)
        entry, heard = Entry(Channel(command.ring), 1.0), command.heard
        self._listed[command.owner] = _Listed(command, next(self._orders), wanted_at, entry, heard)
        _refill(command)
        self._plan()
        self._speaker.run()
        self._tick_on()

    def _hear(self, command: HearSource) -> None:
        source = self._listed.get(command.owner)
        if source is not None and source.heard != command.heard:
            source.heard = command.heard
            self._plan()

    def _remove(self, command: RemoveSource) -> None:
        if command.owner in self._listed:
            self._leave(command.owner, self._input_at())
            self._plan()
            self._tick_on()

    def _set_volume(self, command: SetVolume) -> None:
        if command.volume_db is not None:
            if not VOLUME_MIN_DB <= command.volume_db <= 0.0:
                raise CommandRefused("volume", f"the volume is {VOLUME_MIN_DB:g} to 0 dB")
            self._volume_db = command.volume_db
        if command.muted is not None:
            self._muted = command.muted
        self._plan()

    # --- the plan, and what has become of it ---

    def _plan(self) -> None:
        """Say anew what is to be heard; the card takes it up with its next period."""
        silenced = _silenced([source for source in self._listed.values() if source.heard])
        for source in self._listed.values():
            gain = 1.0 if source.heard and source not in silenced else 0.0
            if source.entry.gain != gain:
                source.entry = Entry(source.entry.channel, gain)
        entries = [source.entry for source in self._listed.values()]
        entries += [Entry(source.channel, 0.0) for source in self._leaving]
        volume = 0.0 if self._muted else gain_from_db(self._volume_db)
        self._speaker.catch_up()
        self._mixer.plan = MixPlan(tuple(entries), volume)

    def _leave(self, owner: str, wanted_at: float) -> None:
        if (source := self._listed.pop(owner, None)) is not None:
            if len(self._leaving) >= MAX_SOURCES:  # more than any card is behind
                self._past_underruns += self._leaving.pop(0).channel.underruns
            until = self._context.clock.now() + LEAVE_LIMIT
            channel, gain = source.entry
            self._leaving.append(_Leaving(channel, wanted_at, gain > 0.0, until))

    def _input_at(self) -> float:
        """When the input was received that has led to the current command."""
        cause = self._context.trace.current
        return self._context.clock.now() if cause is None else cause.root.at

    def _tick_on(self, lines: int = 1) -> None:
        """Have a look at this many lines of the grid from now, unless one is due anyway."""
        if self._timer is None:
            clock = self._context.clock
            line = floor(clock.now() / GRID + 1e-6) + lines
            self._timer = clock.call_at(line * GRID, self._tick)

    def _tick(self) -> None:
        self._timer = None
        busy = False
        for source in self._listed.values():
            if source.command.refill is not None:
                busy = True
                _refill(source.command)
                self._measure(source)
        if self._leaving:
            self._let_go()
        if not self._listed and not self._leaving:
            self._speaker.rest()
        elif busy or self._leaving:
            self._tick_on(TICK)

    def _measure(self, source: _Listed) -> None:
        heard_at = source.entry.channel.heard_at
        if heard_at is not None and not source.measured:
            source.measured = True
            self._to_sound.record(max(0.0, heard_at - source.wanted_at))

    def _let_go(self) -> None:
        """Forget the sources that have become silent."""
        now = self._context.clock.now()
        staying: list[_Leaving] = []
        for source in self._leaving:
            silent_at = source.channel.silent_at
            if silent_at is None and now < source.until:
                staying.append(source)
                continue
            self._past_underruns += source.channel.underruns
            if silent_at is not None and source.heard:
                self._to_silence.record(max(0.0, silent_at - source.wanted_at))
        if len(staying) < len(self._leaving):
            self._leaving = staying
            self._plan()

    def _report(self, problem: str) -> None:
        """Publish whether the wanted output works."""
        now = self._context.clock.now()
        with self._context.trace.input("device", "speaker", now):
            self._context.bus.publish(
                ServiceStateChanged(service="sound", working=not problem, problem=problem)
            )


def _ranked(listed: Iterable[_Listed]) -> list[_Listed]:
    claims = arbitrate(Claim(source, source.command.rank, source.order) for source in listed)
    return [claim.owner for claim in claims]


def _silenced(listed: Collection[_Listed]) -> set[_Listed]:
    """Those who are not heard, by rank and MIXES_WITH."""
    kinds = {source.command.kind for source in listed}
    if all(kinds <= MIXES_WITH[kind] for kind in kinds):
        return set()  # as nearly always: all may be heard, so no ranking is needed
    silenced: set[_Listed] = set()
    kinds.clear()
    for source in _ranked(listed):
        kind = source.command.kind
        if kinds <= MIXES_WITH[kind]:
            kinds.add(kind)
        else:
            silenced.add(source)
    return silenced


def _refill(command: AddSource) -> None:
    """Have the owner write what the ring lacks."""
    ring = command.ring
    lacking = min(REFILL_SAMPLES - ring.fill, ring.space)
    if command.refill is not None and lacking > 0:
        command.refill(lacking)


def _levels(block: Samples | None, gain: float) -> dict[str, float]:
    if block is None:
        return {"peak_db": SILENCE_DB, "rms_db": SILENCE_DB}
    gain_db = db_from_gain(gain)
    return {
        "peak_db": round(max(SILENCE_DB, peak_db(block) + gain_db), 1),
        "rms_db": round(max(SILENCE_DB, rms_db(block) + gain_db), 1),
    }
