"""A room with a loudspeaker and a microphone, on a clock that stands still until it is moved."""

import numpy as np

from sipstrobe.audio.format import SAMPLE_RATE, Samples
from sipstrobe.audio.tap import Tap
from sipstrobe.io.microphone import Take

FRAME = 480


def speech(seconds: float, level_db: float = -20.0, seed: int = 1) -> Samples:
    """Noise with the spectrum and the syllables of a voice."""
    rng = np.random.default_rng(seed)
    count = round(seconds * SAMPLE_RATE)
    spectrum = np.fft.rfft(rng.standard_normal(count))
    frequencies = np.fft.rfftfreq(count, 1 / SAMPLE_RATE)
    spectrum /= np.sqrt(1 + (frequencies / 500) ** 2)
    spectrum[(frequencies < 100) | (frequencies > 7000)] = 0
    voice = np.fft.irfft(spectrum, count)
    voice *= np.clip(np.sin(2 * np.pi * 2.5 * np.arange(count) / SAMPLE_RATE) + 0.6, 0, None)
    return (voice * 10 ** (level_db / 20) / np.sqrt(np.mean(voice**2))).astype(np.float32)


def echo_of(played: Samples, delay: float = 0.025, reverberation: float = 0.2) -> Samples:
    """What comes back, 6 dB softer in all: the direct sound, then noise that falls by 60 dB in the
    time of reverberation."""
    rng = np.random.default_rng(7)
    at = np.arange(round(reverberation * SAMPLE_RATE)) / SAMPLE_RATE
    room = rng.standard_normal(at.size) * 10 ** (-3 * at / reverberation)
    room[:2] += (8.0, 4.0)
    room *= 0.5 / np.sqrt(np.sum(room**2))
    size = played.size + room.size
    back = np.fft.irfft(np.fft.rfft(played, size) * np.fft.rfft(room, size), size)
    late = round(delay * SAMPLE_RATE)
    return np.concatenate([np.zeros(late), back])[: played.size].astype(np.float32)


class Played:
    """The tap of a speaker that has played so much of a sound by now."""

    def __init__(self, sound: Samples) -> None:
        self.tap = Tap()
        self._sound = sound

    def until(self, at: float) -> None:
        """Mixed a little ahead, as by a card with 10 ms waiting."""
        while self.tap.ends_at < at + 0.010:
            start = self.tap.played
            block = np.zeros(240, np.float32)
            piece = self._sound[start : start + 240]
            block[: piece.size] = piece
            self.tap.write(block, start / SAMPLE_RATE)


class Script:
    """An input that hands over what a test has given it."""

    def __init__(self, name: str = "script") -> None:
        self.name = name
        self.late = 0
        self.problem = ""
        self.opened = self.closed = 0
        self.failure: Exception | None = None
        self.take: Take | None = None

    def open(self, take: Take) -> None:
        if self.failure is not None:
            raise self.failure
        self.opened += 1
        self.take = take

    def close(self) -> None:
        self.closed += 1
        self.take = None

    def catch_up(self) -> None:
        pass
