"""One source in the speaker: what its owner wants, and the truth about what was heard of it."""

from collections.abc import Callable
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
from sipstrobe.audio.leveller import Leveller
from sipstrobe.audio.mix import Channel, Entry
from sipstrobe.audio.policy import Group
from sipstrobe.audio.presence import Presence
from sipstrobe.audio.ring import HISTORY
from sipstrobe.audio.source import REFILL_SAMPLES, AddSource
from sipstrobe.events import SoundPlayed
from sipstrobe.trace import Cause

AUDIBLE_DB: Final = -45.0  # RMS from which on a source makes others softer
AUDIBLE_HOLD: Final = 1.0  # seconds; longer than the pauses between words
LEVEL_STEP: Final = round(0.08 * SAMPLE_RATE)  # samples that the leveller hears at a time, or more
GAIN_STEP_DB: Final = 0.5  # of the leveller's gain; less cannot be heard


class Share:
    """What all sources of one rank and kind have in common: how loud the plan makes them."""

    __slots__ = ("ducked", "gain", "group")

    def __init__(self, group: Group) -> None:
        self.group = group
        self.gain = 0.0
        self.ducked = False


class Listed:
    """A source in the plan, or on its way out of it."""

    __slots__ = (
        "_heeded",
        "_hidden",
        "_late",
        "_late_before",
        "_seen",
        "cause",
        "command",
        "entry",
        "heard",
        "leveller",
        "measured",
        "order",
        "presence",
        "share",
        "told",
        "told_turn",
        "wanted_at",
    )

    def __init__(
        self,
        command: AddSource,
        share: Share,
        order: int,
        wanted_at: float,
        cause: Cause | None,
        late: Callable[[], int],
    ) -> None:
        """late: how many periods of the output came too late so far."""
        self.command = command
        self.order = order  # who was there first
        self.wanted_at = wanted_at  # when the input came that this source follows from
        self.cause = cause
        self.entry = Entry(Channel(command.ring), 0.0)
        self.heard = command.heard  # as its owner wants; others may silence it nevertheless
        self.share = share
        self.presence = Presence(AUDIBLE_DB, AUDIBLE_HOLD)
        self.leveller: Leveller | None = None
        self.measured = False
        self.told: bool | None = None  # to its owner: whether it is heard
        self.told_turn: bool | None = None  # to its owner: whether no other silences it
        self._late = late
        self._late_before = late()
        self._seen = (0, 0.0)  # samples and energy played, at the last look
        self._heeded = (0, 0.0)  # the same for the leveller
        self._hidden: int | None = None  # samples that passed unheard until it was removed

    def follow(self, wanted: bool) -> None:
        """Whether its owner is to be made as loud as others."""
        if wanted is (self.leveller is None):
            self.leveller = Leveller() if wanted else None

    def enter(self) -> None:
        """Have the gain in the plan that its share and the leveller give it."""
        entry, share = self.entry, self.share
        gain = share.gain if self.heard else 0.0
        if gain and self.leveller is not None and self.leveller.gain_db:
            gain *= gain_from_db(round(self.leveller.gain_db / GAIN_STEP_DB) * GAIN_STEP_DB)
        if entry.gain != gain or entry.ducked is not share.ducked:
            self.entry = Entry(entry.channel, gain, share.ducked)

    def tell(self) -> None:
        """Say to its owner whether it is heard, if he wants to know and that is new."""
        heard = self.entry.gain > 0.0
        if self.command.on_heard is not None and heard is not self.told:
            self.told = heard
            self.command.on_heard(heard)

    def tell_turn(self, turn: bool) -> None:
        """Say to its owner whether it is silenced by no other, if that is new."""
        if self.command.on_turn is not None and turn is not self.told_turn:
            self.told_turn = turn
            self.command.on_turn(turn)

    def leave(self) -> None:
        """It is removed: what it has left is not missed."""
        self._hidden = self.entry.channel.hidden + self.entry.channel.spared

    def refill(self) -> None:
        """Have the owner write what the ring lacks."""
        ring = self.command.ring
        lacking = min(REFILL_SAMPLES - ring.fill, ring.space)
        if self.command.refill is not None and lacking > 0:
            self.command.refill(lacking)

    def look(self, now: float) -> float:
        """The mean square at the speaker of what was played since the last look; 0: nothing was."""
        channel = self.entry.channel
        played, energy = channel.played, channel.energy
        count = played - self._seen[0]
        if count <= 0:
            return 0.0
        power = (energy - self._seen[1]) / count
        self._seen = (played, energy)
        if gain := self.entry.gain:
            self.presence.hear(power / (gain * gain), now=now)
        return power

    def level(self) -> bool:
        """Let the leveller listen; whether that has changed its gain."""
        leveller, channel, gain = self.leveller, self.entry.channel, self.entry.gain
        played, energy = channel.played, channel.energy
        count = played - self._heeded[0]
        if leveller is None or not gain or count < LEVEL_STEP:
            return False
        power = (energy - self._heeded[1]) / count
        self._heeded = (played, energy)
        before = round(leveller.gain_db / GAIN_STEP_DB)
        leveller.hear(db_from_gain((power**0.5) / gain), count / SAMPLE_RATE)
        return round(leveller.gain_db / GAIN_STEP_DB) != before

    def played(self) -> SoundPlayed:
        """What was really heard of it until now."""
        command, channel = self.command, self.entry.channel
        heard_at = channel.heard_at
        hidden = channel.hidden + channel.spared if self._hidden is None else self._hidden
        return SoundPlayed(
            owner=command.owner,
            kind=command.kind.value,
            rank=command.rank,
            heard_seconds=round(channel.played / SAMPLE_RATE, 3),
            hidden_seconds=round(hidden / SAMPLE_RATE, 3),
            ducked_seconds=round(min(channel.ducked, channel.played) / SAMPLE_RATE, 3),
            level_db=_level_db(channel.energy, channel.played),
            underruns=channel.underruns,
            late_periods=max(0, self._late() - self._late_before),  # another output begins at 0
            delay_ms=-1.0 if heard_at is None else _milliseconds(heard_at - self.wanted_at),
        )

    def snapshot(self) -> dict[str, Any]:
        """Levels in dBFS over the last 50 ms; the rest since it was added."""
        command, channel = self.command, self.entry.channel
        told = self.played()
        return {
            "owner": command.owner,
            "kind": command.kind.value,
            "rank": command.rank,
            "gain": self.entry.gain,
            "ducked": self.entry.ducked,
            **levels(command.ring.recent(HISTORY), channel.gain),
            "waiting_ms": round(command.ring.fill / (SAMPLE_RATE / 1000), 1),
            "underruns": told.underruns,
            "late_periods": told.late_periods,
            "heard_seconds": told.heard_seconds,
            "hidden_seconds": told.hidden_seconds,
            "ducked_seconds": told.ducked_seconds,
            "level_db": told.level_db,
            "delay_ms": told.delay_ms,
        }


class Leaving:
    """A source that fades out."""

    __slots__ = ("cause", "channel", "entry", "heard", "source", "until", "wanted_at")

    def __init__(self, source: Listed, wanted_at: float, cause: Cause | None, until: float) -> None:
        self.source = source
        self.channel = source.entry.channel
        self.heard = source.entry.gain > 0.0  # until now
        self.entry = Entry(source.entry.channel, 0.0)
        self.wanted_at = wanted_at  # when the input came that it leaves because of
        self.cause = cause
        self.until = until  # then it goes, whatever the card says


def levels(block: Samples | None, gain: float) -> dict[str, float]:
    if block is None:
        return {"peak_db": SILENCE_DB, "rms_db": SILENCE_DB}
    gain_db = db_from_gain(gain)
    return {
        "peak_db": round(max(SILENCE_DB, peak_db(block) + gain_db), 1),
        "rms_db": round(max(SILENCE_DB, rms_db(block) + gain_db), 1),
    }


def _milliseconds(seconds: float) -> float:
    return round(max(0.0, seconds) * 1000, 2)


def _level_db(energy: float, count: int) -> float:
    return round(db_from_gain((energy / count) ** 0.5), 1) if count else SILENCE_DB
