"""The speaker: who is heard, how loud, and what was really played."""

from collections.abc import Callable, Iterable
from itertools import count
from math import floor
from typing import Any, Final

from sipstrobe.audio import policy
from sipstrobe.audio.format import Samples
from sipstrobe.audio.latency import LATENCIES
from sipstrobe.audio.mix import Mixer, MixPlan
from sipstrobe.audio.policy import Group, Places, Table
from sipstrobe.audio.presence import Presence
from sipstrobe.audio.ring import HISTORY
from sipstrobe.audio.settings import VOLUME_MIN_DB, AudioSettings
from sipstrobe.audio.source import AddSource, HearSource, RemoveSource, SourceKind
from sipstrobe.audio.tap import Tap
from sipstrobe.audio.volume import volume
from sipstrobe.clock import Handle
from sipstrobe.commands import SetVolume
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused
from sipstrobe.events import ServiceStateChanged, VolumeChanged
from sipstrobe.io.soundcard import Buffering, make_output
from sipstrobe.priority import Claim, arbitrate
from sipstrobe.services.listed import Leaving, Listed, Share, levels
from sipstrobe.services.played import Played, PlayedSounds
from sipstrobe.services.speaker import MakeOutput, Speaker
from sipstrobe.services.tone_check import tone_problem
from sipstrobe.trace import Cause

MAX_SOURCES: Final = 512  # calls
SOURCES_TOLD: Final = 16  # of those listed, by rank
MAX_OTHERS: Final = 16  # more that find room when there are so many calls
GRID: Final = 0.005  # seconds; timers that lie on the same line of the clock share a wake-up
TICK: Final = 4  # lines of the grid from one look at what the card has found out to the next
SLOW_TICK: Final = 24  # the same while nothing waits for it
LEAVE_LIMIT: Final = 1.0  # seconds until a source goes that no card has faded out
ACTIVE_DB: Final = -60.0  # RMS from which on the output is said to be active
ACTIVE_HOLD: Final = 2.0  # seconds that it stays so

VOICES: Final = frozenset({SourceKind.CALL, SourceKind.PAGE})


class Sound:
    """Mix the sources, as the policy allows, and play them on the output of the settings.

    Nothing is played before the first `apply`. The loop looks at the sources every 20 ms as long
    as one of them is filled by it, is on its way out or may make others softer; else every 120 ms,
    and never while there are none.
    """

    def __init__(self, context: Context, make_output: MakeOutput = make_output) -> None:
        self._context = context
        self._mixer = Mixer()
        self._speaker = Speaker(
            context.clock, make_output, self._mixer.mix, self._mixer.mix_unheard, self._report
        )
        self._listed: dict[str, Listed] = {}
        self._shares: dict[Group, Share] = {}
        self._leaving: list[Leaving] = []
        self._played = PlayedSounds(context)
        self._orders = count()
        self._past_underruns = 0  # of the sources that have gone
        self._wanted: AudioSettings | None = None
        self._policy = policy.table()
        self._places: Places | None = None  # of the list, if there is one
        self._by_place: Table | None = None
        self._ducking = False  # it matters who can be heard just now
        self._audible: set[Share] = set()  # as the plan has it, if it matters
        self._volume_db = 0.0
        self._muted = False
        self._volume_told: VolumeChanged | None = None
        self._presence = Presence(ACTIVE_DB, ACTIVE_HOLD)
        self._active = False
        self._loudest: Cause | None = None  # of what was heard last: why it sounds
        self.watcher: Callable[[], None] | None = None  # told when others may be heard than before
        self._timer: Handle | None = None
        self._due = 0  # the line of the grid that the timer waits for
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
        self._tell_volume()
        self._policy = policy.table(wanted.policy)
        self._by_place = policy.among_places(wanted.policy)
        for source in self._listed.values():
            source.follow(wanted.level_callers and source.command.kind in VOICES)
        self._plan(*self._listed.values())
        latency = LATENCIES[wanted.latency]
        self._speaker.want(wanted.output, Buffering(latency.period, latency.card))

    def apply_places(self, places: Places | None) -> None:
        """Have a list decide between pages, calls and clips, or none."""
        self._places = places
        for source in self._listed.values():
            source.share = self._share_of(source.command)
        self._plan(*self._listed.values())

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
        return self._past_underruns + sum(entry.channel.underruns for entry in entries)

    @property
    def late(self) -> int:
        output = self._speaker.output
        return 0 if output is None else output.late

    @property
    def tap(self) -> Tap:
        """What is really played; after `catch_up` until now."""
        return self._mixer.tap

    def catch_up(self) -> None:
        """Mix what has begun to be heard, where the output leaves that for later."""
        self._speaker.catch_up()

    def recent(self, count: int) -> Samples:
        """The last samples played, 1.9 s at most."""
        return self._mixer.tap.recent(count)

    def tone_problem(self, hertz: float, level_db: float) -> str:
        """What keeps a tone that plays alone, or has until now, from being heard, in words; empty
        when it is heard. level_db: its RMS before the volume of all."""
        output = self._speaker.output
        if self._speaker.problem or output is None:
            return self._speaker.problem or "there is no output"
        if self._muted:
            return "the speaker is muted"
        output.catch_up()
        now = self._context.clock.now()
        wanted_db = level_db + self._volume_db
        return tone_problem(self._mixer.tap, output.name, hertz, wanted_db, now=now)

    @property
    def volume_db(self) -> float:
        """That of all."""
        return self._volume_db

    @property
    def level_db(self) -> float:
        """How loud it is: RMS over the last 50 ms, in dBFS."""
        resting = not self._listed and not self._leaving
        return levels(None if resting else self._mixer.tap.recent(HISTORY), 1.0)["rms_db"]

    def snapshot(self) -> dict[str, Any]:
        """What the status page shows, with the first SOURCES_TOLD of what is listed; levels in
        dBFS over the last 50 ms."""
        output = self._speaker.output
        resting = not self._listed and not self._leaving
        block = None if resting else self._mixer.tap.recent(HISTORY)
        ranked = _ranked(self._listed.values())
        return {
            "output": "" if output is None else output.name,
            "working": output is not None and not self._speaker.problem,
            "problem": self._speaker.problem,
            "volume_db": self._volume_db,
            "muted": self._muted,
            "limiter_db": round(self._mixer.reduction_db, 1),
            "active": self._active,
            **levels(block, 1.0),
            "played_seconds": round(self._mixer.tap.seconds, 3),
            "late": self.late,
            "underruns": self.underruns,
            "sources": [source.snapshot() for source in ranked[:SOURCES_TOLD]],
            "sources_total": len(ranked),
        }

    def relayable(self) -> list[Listed]:
        """Those sources that may be relayed and that no other silences, whatever the volume is; the
        highest first."""
        wanted = [s for s in self._listed.values() if s.heard and s.command.relayable]
        gains = self._gains_in_full() if wanted else {}
        return sorted((s for s in wanted if gains[s.share.group]), key=_height)

    def played(self) -> tuple[Played, ...]:
        """What was heard of the sounds that have ended, the oldest first."""
        return self._played()

    def why(self, owner: str) -> tuple[Cause | None, Cause | None] | None:
        """Because of what this owner's sound began, and if it is over, ended; None: it is unknown,
        or too long ago."""
        source = self._listed.get(owner)
        return (source.cause, None) if source is not None else self._played.why(owner)

    # --- commands ---

    def _add(self, command: AddSource) -> None:
        voice = command.kind in VOICES
        room = MAX_SOURCES if voice else MAX_SOURCES + MAX_OTHERS
        if len(self._listed) >= room and command.owner not in self._listed:
            raise CommandRefused("too_many_sources", f"{room} sources are listed already")
        cause = self._context.trace.current
        wanted_at = self._context.clock.now() if cause is None else cause.root.at
        self._leave(command.owner, wanted_at)
        order = next(self._orders)
        source = Listed(
            command, self._share_of(command), order, wanted_at, cause, lambda: self.late
        )
        source.follow(voice and self._wanted is not None and self._wanted.level_callers)
        self._listed[command.owner] = source
        source.refill()
        self._plan(source)
        self._speaker.run()
        if command.ring.upcoming is None and (next_at := self._speaker.next_at) is not None:
            command.ring.upcoming = (command.ring.consumed, next_at)
        self._tick_on()

    def _hear(self, command: HearSource) -> None:
        source = self._listed.get(command.owner)
        if source is not None and source.heard != command.heard:
            source.heard = command.heard
            self._plan(source)

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
        self._tell_volume()
        self._plan()

    def _tell_volume(self) -> None:
        told = VolumeChanged(volume_db=self._volume_db, muted=self._muted)
        if told != self._volume_told:
            self._volume_told = told
            self._context.bus.publish(told)

    # --- the plan, and what has become of it ---

    def _plan(self, *changed: Listed) -> None:
        """Say anew what is to be heard; the card takes it up with its next period.

        changed: the sources that are new or otherwise than before by themselves.
        """
        listed = self._listed.values()
        for source in listed if self._share() else changed:
            source.enter()
        if self._ducking:
            self._audible = self._audible_now()
        entries = [source.entry for source in listed]
        entries += [source.entry for source in self._leaving]
        self._speaker.catch_up()
        self._mixer.plan = MixPlan(tuple(entries))
        for source in [s for s in listed if s.command.on_heard is not None]:
            if self._listed.get(source.command.owner) is source:  # those told before may remove it
                source.tell()
        self._tell_turns()
        if self.watcher is not None:
            self.watcher()

    def _tell_turns(self) -> None:
        """Tell those whose sound can wait."""
        patient = [s for s in self._listed.values() if s.command.on_turn is not None]
        gains = self._gains_in_full() if patient else {}
        for source in patient:
            if self._listed.get(source.command.owner) is source:
                source.tell_turn(gains.get(source.share.group, 0.0) > 0.0)

    def _gains_in_full(self) -> dict[Group, float]:
        """Those of all that want to be heard, as if all volumes were full and nobody paused."""
        sounding = {source.share.group: True for source in self._listed.values() if source.heard}
        return policy.gains(self._policy, sounding, self._by_place)

    def _share_of(self, command: AddSource) -> Share:
        """What a source has in common with all of its rank, kind and place."""
        place = command.place
        if self._places is None:
            place = None
        elif place is None:
            place = self._places.of(command.kind, streamed=command.streamed)
        group = Group(command.rank, command.kind, place)
        return self._shares.setdefault(group, Share(group))

    def _share(self) -> bool:
        """Decide how loud each rank and kind is; whether that differs from before."""
        audio = self._wanted or AudioSettings()
        shares = {source.share for source in self._listed.values() if source.heard}
        groups = [share.group for share in shares]
        full = policy.at_full_volume(self._policy, groups)
        volumes = {
            share: volume(
                share.group,
                audio,
                self._volume_db,
                muted=self._muted,
                full=share.group in full,
            )
            for share in shares
        }
        heard = [share.group for share in shares if volumes[share]]
        self._ducking = policy.ducks(self._policy, heard)
        audible = self._audible_now() if self._ducking else shares
        sounding = {share.group: share in audible for share in shares if volumes[share]}
        gains = policy.gains(self._policy, sounding, self._by_place)
        differs = False
        for share in shares:
            factor = gains.get(share.group, 0.0)
            wanted = (volumes[share] * factor, 0.0 < factor < 1.0)
            if wanted != (share.gain, share.ducked):
                share.gain, share.ducked = wanted
                differs = True
        return differs

    def _audible_now(self) -> set[Share]:
        """Those of which there is something to hear."""
        now, listed = self._context.clock.now(), self._listed.values()
        return {s.share for s in listed if s.heard and s.presence.at(now)}

    def _leave(self, owner: str, wanted_at: float) -> None:
        if (source := self._listed.pop(owner, None)) is not None:
            if len(self._leaving) >= MAX_SOURCES:  # more than any card is behind
                self._conclude(self._leaving.pop(0))
            self._speaker.catch_up()
            source.leave()
            until = self._context.clock.now() + LEAVE_LIMIT
            cause = self._context.trace.current
            self._leaving.append(Leaving(source, wanted_at, cause, until))

    def _input_at(self) -> float:
        """When the input was received that has led to the current command."""
        cause = self._context.trace.current
        return self._context.clock.now() if cause is None else cause.root.at

    def _tick_on(self, lines: int = 1) -> None:
        """Have a look at this many lines of the grid from now, unless one is due before."""
        clock = self._context.clock
        line = floor(clock.now() / GRID + 1e-6) + lines
        line -= line % lines  # where others have their turns as well
        if self._timer is not None:
            if self._due <= line:
                return
            self._timer.cancel()
        self._due = line
        self._timer = clock.call_at(line * GRID, self._tick)

    def _tick(self) -> None:
        self._timer = None
        busy = self._ducking
        for source in self._listed.values():
            if source.command.refill is not None:
                busy = True
                source.refill()
                self._measure(source)
        self._look()
        if self._leaving:
            self._let_go()
        resting = not self._listed and not self._leaving
        if resting:
            self._speaker.rest()
        if busy or self._leaving:
            self._tick_on(TICK)
        elif not resting or self._active:
            self._tick_on(SLOW_TICK)

    def _look(self) -> None:
        """See what has been heard since the last time, and what follows from that."""
        now, loudest = self._context.clock.now(), 0.0
        levelled: list[Listed] = []
        for source in self._listed.values():
            power = source.look(now)
            if power > loudest:
                loudest, self._loudest = power, source.cause
            if source.leveller is not None and source.level():
                levelled.append(source)
        self._presence.hear(loudest, now=now)
        if levelled or (self._ducking and self._audible != self._audible_now()):
            self._plan(*levelled)
        if (active := self._presence.at(now)) is not self._active:
            self._active = active
            self._played.output(active, self._loudest)

    def _measure(self, source: Listed) -> None:
        heard_at = source.entry.channel.heard_at
        if heard_at is not None and not source.measured:
            source.measured = True
            self._to_sound.record(max(0.0, heard_at - source.wanted_at))

    def _let_go(self) -> None:
        """Forget the sources that have become silent."""
        now = self._context.clock.now()
        gone = {s for s in self._leaving if s.channel.silent_at is not None or now >= s.until}
        if gone:
            leaving = self._leaving
            self._leaving = [source for source in leaving if source not in gone]
            self._plan()
            for source in leaving:
                if source in gone:
                    self._conclude(source)

    def _conclude(self, leaving: Leaving) -> None:
        channel = leaving.channel
        self._past_underruns += channel.underruns
        if channel.silent_at is not None and leaving.heard:
            self._to_silence.record(max(0.0, channel.silent_at - leaving.wanted_at))
        self._played.conclude(leaving.source, leaving.cause)

    def _report(self, problem: str) -> None:
        """Publish whether the wanted output works."""
        now = self._context.clock.now()
        with self._context.trace.input("device", "speaker", now):
            self._context.bus.publish(
                ServiceStateChanged(service="sound", working=not problem, problem=problem)
            )


def _ranked(listed: Iterable[Listed]) -> list[Listed]:
    claims = arbitrate(Claim(source, source.command.rank, source.order) for source in listed)
    return [claim.owner for claim in claims]


def _height(source: Listed) -> tuple[int, int, int, int]:
    """The highest has the least: by the list where there is one, else as the policy has it."""
    group = source.share.group
    return group.place or 0, -group.rank, policy.PRECEDENCE[group.kind], source.order
