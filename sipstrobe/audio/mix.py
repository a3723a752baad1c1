"""From rings to the card: what the audio thread does, and all that it does.

The loop says what is to be heard by assigning a new `MixPlan`; the card calls `Mixer.mix` for each
of its periods. In here nothing waits, logs, raises or is built anew: samples are copied, scaled and
added in arrays that exist already. The card's findings are numbers that the loop reads later.
"""

from typing import Final, NamedTuple

import numpy as np
from msgspec import Struct

from sipstrobe.audio.fade import FADE_SAMPLES, Fade
from sipstrobe.audio.format import SAMPLE_RATE, Samples, db_from_gain
from sipstrobe.audio.limit import Limiter
from sipstrobe.audio.ring import HISTORY, SampleRing
from sipstrobe.audio.tap import Tap

MAX_PERIOD: Final = SAMPLE_RATE // 10  # samples mixed at a time; a longer period is cut

assert FADE_SAMPLES <= HISTORY


class Channel:
    """One source at the mixer: a ring and its fade, and what the card has found out about them.

    A new channel fades in with its first sample. One whose ring runs dry fades out over the
    mirror image of what it played last, and fades in again when more comes; unless the ring has
    ended, that counts as an underrun.
    Apart from `ring`, everything here is written by the card.
    """

    __slots__ = (
        "_before",
        "_fade",
        "_mirrored",
        "_until",
        "ducked",
        "energy",
        "heard_at",
        "hidden",
        "ring",
        "silent_at",
        "spared",
        "underruns",
    )

    def __init__(self, ring: SampleRing) -> None:
        self.ring = ring
        self.underruns = 0
        self.ducked = 0  # samples played softer because of a higher rank
        self.hidden = 0  # samples that passed unheard …
        self.spared = 0  # … and those that would have
        self.energy = 0.0  # of what was played: the sum of the squares
        self.heard_at: float | None = None  # when the first sample that is not zero was played
        self.silent_at: float | None = None  # since when the plan's gain of 0 is reached
        self._before = ring.consumed  # samples that others have played
        self._until = (0.0, 0)  # when the last period played began, and its samples
        self._fade = Fade(0.0)
        self._mirrored = -1  # samples of the mirror image played so far; -1: it plays the ring

    @property
    def gain(self) -> float:
        """The gain it really has just now."""
        return self._fade.gain

    @property
    def played(self) -> int:
        """Samples of the ring that were really played."""
        return self.ring.consumed - self._before - self.hidden

    @property
    def heard_until(self) -> float | None:
        """The end of what was played last."""
        at, count = self._until
        return at + count / SAMPLE_RATE if count else None

    def render(self, out: Samples, gain: float, at: float, heard: bool) -> bool:
        """Fill out with what comes next, fading to this gain; False: there is nothing to hear, and
        out is undefined. at: when the first sample of out is played; heard: by somebody."""
        ring = self.ring
        if gain:
            self.silent_at = None
        elif not self._fade.gain:
            if ring.written != ring.consumed:
                self.hidden += ring.skip(out.size)
            elif ring.spared:
                self.spared += out.size
            if self.silent_at is None:
                self.silent_at = at
            ring.upcoming = (ring.consumed, at + out.size / SAMPLE_RATE)
            return False
        audible = self._sound(out, gain, at, heard)
        ring.upcoming = (ring.consumed, at + out.size / SAMPLE_RATE)
        return audible

    def _sound(self, out: Samples, gain: float, at: float, heard: bool) -> bool:
        consumed = self.ring.consumed
        done = self._play(out, gain)
        if not done:
            return False
        while done < out.size and (more := self._play(out[done:], gain)):
            done += more
        if done < out.size:
            out[done:] = 0.0
        if not gain and not self._fade.gain:
            self.silent_at = at + min(out.size, FADE_SAMPLES) / SAMPLE_RATE
        if heard:
            energy = float(out.dot(out))
            self.energy += energy
            self._until = (at, done)
            if energy and self.heard_at is None:
                self._listen(out, at)
        else:
            self.hidden += self.ring.consumed - consumed
        return True

    def _play(self, out: Samples, gain: float) -> int:
        """Fill the start of out, from the ring or its mirror image, and say how far."""
        if self._mirrored >= 0:
            return self._fade_out(out)
        count = self.ring.read_into(out)
        fade = self._fade
        if count == out.size:
            if gain != 1.0 or fade.gain != 1.0:
                fade.apply(out, gain)
            return count
        if count:
            fade.apply(out[:count], gain)
        if fade.gain:  # it would break off at full sound
            self._mirrored = 0
            if gain and not self.ring.ended:
                self.underruns += 1
        return count or (self._fade_out(out) if self._mirrored == 0 else 0)

    def _fade_out(self, out: Samples) -> int:
        count = min(out.size, FADE_SAMPLES - self._mirrored)
        self.ring.mirror_into(out[:count], self._mirrored)
        self._fade.apply(out[:count], 0.0)
        self._mirrored += count
        if self._mirrored == FADE_SAMPLES:
            self._mirrored = -1
        return count

    def _listen(self, out: Samples, at: float) -> None:
        """Find its first sample, by halves: whatever looks at all of them makes an array."""
        first, size = 0, out.size
        while size > 1:
            half = size // 2
            part = out[first : first + half]
            if part.dot(part):
                size = half
            else:
                first += half
                size -= half
        self.heard_at = at + first / SAMPLE_RATE


class Entry(NamedTuple):
    channel: Channel
    gain: float
    ducked: bool = False  # the gain is that small because of a higher rank


class MixPlan(Struct, frozen=True):
    """All that is to be heard. A source on its way out stays listed with gain 0 until it is
    silent."""

    entries: tuple[Entry, ...] = ()


class Mixer:
    """Mixes what the plan lists. One card at a time calls `mix`; the loop assigns `plan`."""

    __slots__ = ("_limiter", "_scratch", "plan", "tap")

    def __init__(self) -> None:
        self.plan = MixPlan()
        self.tap = Tap()
        self._limiter = Limiter(MAX_PERIOD)
        self._scratch = np.empty(MAX_PERIOD, np.float32)

    @property
    def reduction_db(self) -> float:
        """What the limiter takes away just now, 0 or less."""
        return db_from_gain(self._limiter.gain)

    def mix(self, out: Samples, at: float) -> None:
        """Fill out, whose first sample is played at this instant."""
        self._mix_all(out, at, True)

    def mix_unheard(self, out: Samples, at: float) -> None:
        """As `mix`, for an output that stands in for one that does not work."""
        self._mix_all(out, at, False)

    def _mix_all(self, out: Samples, at: float, to_somebody: bool) -> None:
        plan = self.plan
        for start in range(0, out.size, MAX_PERIOD):
            piece = out[start : start + MAX_PERIOD]
            self._mix(plan, piece, at + start / SAMPLE_RATE, to_somebody)

    def _mix(self, plan: MixPlan, out: Samples, at: float, to_somebody: bool) -> None:
        scratch = self._scratch[: out.size]
        heard = False
        for channel, gain, ducked in plan.entries:
            if not channel.render(scratch if heard else out, gain, at, to_somebody):
                continue
            if heard:
                out += scratch
            heard = True
            if ducked:
                channel.ducked += out.size
        if not heard:
            out.fill(0.0)
        self._limiter.apply(out)
        self.tap.write(out, at)
