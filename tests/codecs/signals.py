"""What codecs are tried with, and how what comes out is judged."""

import numpy as np
from numpy.typing import NDArray

BLOCKS = (80, 160, 320, 240)  # samples


def speech_like(rate: int, seconds: float) -> NDArray[np.float32]:
    """Harmonics of a voice that glides from 110 to 150 Hz, in syllables, with some breath."""
    t = np.arange(round(rate * seconds)) / rate
    phase = 2 * np.pi * np.cumsum(110 + 40 * t / seconds) / rate
    voice = sum(np.sin(n * phase) / (1 + n * n / 16) for n in range(1, 24))
    breath = np.random.default_rng(7).normal(0, 0.1, t.size)
    sound = (np.asarray(voice) + breath) * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * t))
    return (0.3 * sound / np.abs(sound).max()).astype(np.float32)


def tone(frequency: float, rate: int, seconds: float, peak: float = 0.25) -> NDArray[np.float32]:
    return (peak * np.sin(2 * np.pi * frequency * np.arange(round(rate * seconds)) / rate)).astype(
        np.float32
    )


def as_pcm(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    return np.clip(np.rint(samples * 32768), -32768, 32767).astype(np.int16)


def level_db(samples: NDArray[np.float32]) -> float:
    """RMS in dB of full scale."""
    return float(10 * np.log10(np.mean(samples.astype(np.float64) ** 2) + 1e-20))


def delay_of(heard: NDArray[np.float32], sent: NDArray[np.float32], longest: int) -> int:
    """By how many samples what was heard is later than what was sent."""
    window = sent.size - longest
    likeness = [float(heard[n : n + window] @ sent[:window]) for n in range(longest)]
    return int(np.argmax(likeness))


def snr_db(sent: NDArray[np.float32], heard: NDArray[np.float32]) -> float:
    """Of what was heard without delay."""
    size = min(sent.size, heard.size)
    error = heard[:size] - sent[:size]
    return level_db(sent[:size]) - level_db(error)
