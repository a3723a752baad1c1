"""What sirens are made of: pitches, timbres, envelopes, bells and noise as functions of time.

Everything here can be asked for any instant without what came before it: a sound is rendered in
pieces, in any order, and sounds the same. A tone is a sum of chosen harmonics, so nothing folds
back at half the sample rate; every edge is a raised cosine, so nothing clicks.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from math import inf, pi
from typing import Protocol

from msgspec import Struct
import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 48_000
CONTROL_RATE = 1_000  # frequency points per second; linear between them
NOISE_SAMPLES = 1 << 15  # one turn of the noise table: 0.68 s

Samples = NDArray[np.float32]
Seconds = NDArray[np.float64]
Timbre = NDArray[np.complex64]  # amplitude and phase of harmonics 1, 2, 3 …


class Voice(Protocol):
    """A sound without beginning or end; t counts from the start of its note."""

    def __call__(self, t: Seconds) -> Samples: ...


# --- pitch -------------------------------------------------------------------------------------


class Pitch:
    """A frequency over time; its phase is a sum kept per control point, quadratic between two.

    hertz holds one value per control point; the last one stays.
    """

    __slots__ = ("_cycles", "_hertz", "_slope")

    def __init__(self, hertz: NDArray[np.float64]) -> None:
        hertz = np.append(hertz, hertz[-1])
        self._hertz = hertz
        self._slope = np.diff(hertz) * CONTROL_RATE
        means = (hertz[1:] + hertz[:-1]) / (2 * CONTROL_RATE)
        self._cycles = np.concatenate(([0.0], np.cumsum(means)))

    def phase(self, t: Seconds) -> Samples:
        """The phase at t in cycles, 0 ≤ phase < 1."""
        if self._slope.size == 1:  # steady
            cycles = t * self._hertz[0]
            return (cycles - np.floor(cycles)).astype(np.float32)
        point = np.minimum((t * CONTROL_RATE).astype(np.intp), self._slope.size - 1)
        rest = t - point / CONTROL_RATE
        cycles = self._cycles[point] + rest * (self._hertz[point] + self._slope[point] / 2 * rest)
        return (cycles - np.floor(cycles)).astype(np.float32)

    def vibrato(self, rate: float, cents: float) -> "Pitch":
        """The same, swaying `rate` times a second by ±cents."""
        t = np.arange(self._hertz.size) / CONTROL_RATE
        return Pitch(self._hertz * np.exp2(cents / 1200 * np.sin(2 * pi * rate * t)))

    def closed(self, seconds: float) -> "Pitch":
        """The same, tuned by less than a cycle so that it starts again after whole cycles."""
        point = min(round(seconds * CONTROL_RATE), self._slope.size)
        beyond = seconds - point / CONTROL_RATE
        cycles = float(self._cycles[point] + beyond * self._hertz[point])
        return Pitch(self._hertz * (round(cycles) / cycles))


def steady(hertz: float) -> Pitch:
    """One frequency for ever."""
    return Pitch(np.array([hertz]))


def line(*points: tuple[float, float]) -> Pitch:
    """Through (seconds, hertz) points; equal times are equal intervals, as the ear hears it."""
    times = np.array([at for at, _ in points])
    logarithms = np.log([hertz for _, hertz in points])
    t = np.arange(round(points[-1][0] * CONTROL_RATE) + 1) / CONTROL_RATE
    return Pitch(np.exp(np.interp(t, times, logarithms)))


def curve(seconds: float, hertz: Callable[[Seconds], Seconds]) -> Pitch:
    """Any function of time."""
    return Pitch(hertz(np.arange(round(seconds * CONTROL_RATE) + 1) / CONTROL_RATE))


# --- timbre ------------------------------------------------------------------------------------


def harmonics(*amplitudes: complex) -> Timbre:
    """These harmonics; a real amplitude starts as a sine, an imaginary one as a cosine."""
    return np.array(amplitudes, dtype=np.complex64)


def square(count: int) -> Timbre:
    """A square wave up to harmonic `count`; Lanczos' factors take away its overshoot."""
    k = np.arange(1, count + 1)
    return (np.where(k % 2, np.sinc(k / (count + 1)) / k, 0)).astype(np.complex64)


def formant(hertz: float, *peaks: tuple[float, float, float], top: float = 6000.0) -> Timbre:
    """Harmonics of `hertz` below `top`, shaped by (centre in Hz, width in octaves, gain) peaks.

    The phases keep the crest low, so that much loudness fits below full scale: M. R. Schroeder,
    "Synthesis of low-peak-factor signals and binary sequences with low autocorrelation", 1970.
    """
    count = int(top / hertz)
    k = np.arange(1, count + 1)
    shape = np.zeros(count)
    for centre, octaves, gain in peaks:
        shape += gain * np.exp(-0.5 * (np.log2(k * hertz / centre) / octaves) ** 2)
    power = np.cumsum(shape**2) / np.sum(shape**2)
    phases = 2 * pi * (np.cumsum(power) - power)
    return (shape * np.exp(-1j * phases)).astype(np.complex64)


# --- voices ------------------------------------------------------------------------------------


class Tone(Struct, frozen=True):
    """Harmonics on a pitch."""

    pitch: Pitch
    timbre: Timbre

    def __call__(self, t: Seconds) -> Samples:
        turn = self.pitch.phase(t) * np.float32(2 * pi)
        if self.timbre.size == 1:
            return np.sin(turn) * np.abs(self.timbre[0])
        z = np.empty(t.size, np.complex64)
        z.real, z.imag = np.cos(turn), np.sin(turn)
        total = z * self.timbre[-1]  # Horner: ((c3·z + c2)·z + c1)·z
        for amplitude in self.timbre[-2::-1]:
            total += amplitude
            total *= z
        return total.imag


class Partial(Struct, frozen=True):
    """One way in which a body rings: its frequency as a ratio, strength, and decay to 1/e."""

    ratio: float
    gain: float
    decay: float


class Bell:
    """A body struck once at t = 0."""

    __slots__ = ("_decay", "_gain", "_hertz")

    def __init__(self, hertz: float, partials: Iterable[Partial]) -> None:
        heard = [p for p in partials if p.ratio * hertz < 0.4 * SAMPLE_RATE]
        self._hertz = np.array([[p.ratio * hertz] for p in heard])
        self._gain = np.array([[p.gain] for p in heard], dtype=np.float32)
        self._decay = np.array([[-1 / p.decay] for p in heard], dtype=np.float32)

    def __call__(self, t: Seconds) -> Samples:
        cycles = self._hertz * t
        turn = (cycles - np.floor(cycles)).astype(np.float32) * np.float32(2 * pi)
        fading = np.exp(self._decay * t.astype(np.float32))
        return np.einsum("kn,kn,k->n", np.sin(turn), fading, self._gain[:, 0])


class Hammer:
    """A body struck again and again, before it has become quiet: the bell of an alarm clock.

    From one stroke to the next every partial is one decaying oscillation, whose amplitude is what
    remains of all strokes so far. They go round in a circle, without a first.
    """

    __slots__ = ("_amplitudes", "_interval", "_ringing")

    BLOW = 0.0012  # seconds in which a stroke comes up

    def __init__(
        self,
        hertz: float,
        partials: Sequence[Partial],
        interval_samples: int,
        strokes: Sequence[float],
    ) -> None:
        decays = np.array([p.decay for p in partials])
        gains = np.array([p.gain for p in partials])
        ratios = np.array([p.ratio for p in partials])
        # Each partial begins together with an opposite one that is gone at once: no hard edge.
        damping = np.concatenate((1 / decays, 1 / decays + 1 / self.BLOW))
        blow = np.concatenate((gains, -gains))
        turn = np.exp((2j * pi * hertz * np.tile(ratios, 2) - damping) / SAMPLE_RATE)
        left = turn**interval_samples
        order = np.arange(len(strokes))
        since = (order[:, None] - order) % len(strokes)  # intervals from each stroke to each
        remains = np.einsum("kij,j->ki", _powers(left, len(strokes))[:, since], strokes)
        remains /= (1 - left ** len(strokes))[:, None]  # and of all rounds before
        self._amplitudes = (blow[:, None] * remains).astype(np.complex64)
        self._interval = interval_samples
        self._ringing = _powers(turn, interval_samples).astype(np.complex64)

    def __call__(self, t: Seconds) -> Samples:
        start, size = round(float(t[0]) * SAMPLE_RATE), t.size
        total = np.empty(size, np.float32)
        done = 0
        while done < size:
            stroke, late = divmod(start + done, self._interval)
            n = min(self._interval - late, size - done)
            amplitudes = self._amplitudes[:, stroke % self._amplitudes.shape[1]]
            # Not by @, which would wake the threads of BLAS for this little and wait for them.
            ringing = np.sum(amplitudes[:, None] * self._ringing[:, late : late + n], axis=0)
            total[done : done + n] = ringing.imag
            done += n
        return total


def _powers(base: NDArray[np.complex128], count: int) -> NDArray[np.complex128]:
    """base**0 … base**(count - 1), a row for each base: powers of 64 times powers below it."""
    small = base[:, None] ** np.arange(64)
    large = (base[:, None] ** 64) ** np.arange(-(-count // 64))
    return (large[:, :, None] * small[:, None, :]).reshape(base.size, -1)[:, :count]


class Noise(Struct, frozen=True):
    """A band of noise, the same every time."""

    low: float
    high: float

    def __call__(self, t: Seconds) -> Samples:
        at = np.rint(t * SAMPLE_RATE).astype(np.intp) % NOISE_SAMPLES
        return _noise(self.low, self.high)[at]


@lru_cache(maxsize=4)
def _noise(low: float, high: float) -> Samples:
    """Noise between two frequencies with an RMS of 1/4; its end fits its beginning."""
    first, last = (round(hertz * NOISE_SAMPLES / SAMPLE_RATE) for hertz in (low, high))
    spectrum = np.zeros(NOISE_SAMPLES // 2 + 1, np.complex64)
    spectrum[first : last + 1] = np.exp(2j * pi * _scatter(last + 1 - first))
    samples = np.fft.irfft(spectrum, NOISE_SAMPLES)
    return (samples / (4 * np.std(samples))).astype(np.float32)


def _scatter(count: int) -> Seconds:
    """Numbers from 0 to 1 without visible order, the same in every version of everything.

    Steele, Lea and Flood: "Fast Splittable Pseudorandom Number Generators", 2014 (SplitMix64).
    """
    z = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (z ^ (z >> np.uint64(31))) / 2.0**64


# --- notes -------------------------------------------------------------------------------------


class Envelope(Struct, frozen=True):
    """How a note comes, stays and goes: raised cosines at both ends, a decay between.

    decay: seconds to 1/e. tremolo: (times a second, depth 0…1), beginning loud.
    """

    attack: float = 0.005
    release: float = 0.005
    decay: float = inf
    tremolo: tuple[float, float] | None = None

    def __call__(self, t: Seconds, length: float) -> Samples:
        level = np.ones(t.size, np.float32)
        if self.attack and t[0] < self.attack:
            level *= _smooth(t / self.attack)
        if self.release and t[-1] > length - self.release:
            level *= _smooth((length - t) / self.release)
        if self.decay != inf:
            level *= np.exp((t / -self.decay).astype(np.float32))
        if self.tremolo is not None:
            rate, depth = self.tremolo
            turn = ((t * rate) % 1.0).astype(np.float32) * np.float32(2 * pi)
            level *= 1 - np.float32(depth / 2) * (1 - np.cos(turn))
        return level


def _smooth(x: Seconds) -> Samples:
    return (0.5 - 0.5 * np.cos(np.clip(x, 0, 1).astype(np.float32) * np.float32(pi))).astype(
        np.float32
    )


HARD = Envelope()
HELD = Envelope(attack=0.0, release=0.0)  # for what goes on across the seam


class Note(Struct, frozen=True):
    """A voice from `at` on for `length` seconds, within one period."""

    at: float
    length: float
    voice: Voice
    envelope: Envelope = HARD
    gain: float = 1.0


def render(notes: Sequence[Note], start: int, stop: int) -> Samples:
    """The sum of the notes from sample `start` up to `stop`."""
    out = np.zeros(stop - start, np.float32)
    for note in notes:
        first = round(note.at * SAMPLE_RATE)
        low = max(start, first)
        high = min(stop, first + round(note.length * SAMPLE_RATE))
        if low < high:
            t = np.arange(low - first, high - first) / SAMPLE_RATE
            level = note.envelope(t, note.length) * np.float32(note.gain)
            out[low - start : high - start] += level * note.voice(t)
    return out


def semitones(count: float) -> float:
    """The frequency ratio of an interval in equal temperament."""
    return 2.0 ** (count / 12)
