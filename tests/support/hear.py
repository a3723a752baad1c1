"""What an ear would notice in recorded samples: how loud a tone is, clicks, gaps."""

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]


def read_wav(path: Path) -> tuple[Samples, int]:
    """Samples −1…1 of a mono 16-bit file, also of one that is still being written; sample rate."""
    with path.open("rb") as file, wave.open(file) as wav:
        assert wav.getnchannels() == 1
        assert wav.getsampwidth() == 2
        rate = wav.getframerate()
    data = path.read_bytes()[44:]
    return np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.float64) / 32768, rate


def level_db(samples: Samples) -> float:
    """RMS in dBFS; a full-scale sine has −3.01."""
    return float(10 * np.log10(np.mean(np.square(samples)) + 1e-12))


def tone_db(samples: Samples, frequency: float, rate: int = 48000) -> float:
    """Level of one frequency as the RMS of its sine, in dBFS, by a Hann-windowed projection."""
    window = np.hanning(len(samples))
    phase = np.exp(-2j * np.pi * frequency * np.arange(len(samples)) / rate)
    amplitude = 2 * np.abs(np.sum(samples * window * phase)) / np.sum(window)
    return float(20 * np.log10(amplitude / np.sqrt(2) + 1e-9))


def loud_spans(
    samples: Samples, rate: int = 48000, *, threshold_db: float = -50.0, block: float = 0.01
) -> list[tuple[float, float]]:
    """The spans (start, end in seconds) in which blocks of this length are above the threshold."""
    size = int(rate * block)
    blocks = samples[: len(samples) // size * size].reshape(-1, size)
    loud = 10 * np.log10(np.mean(np.square(blocks), axis=1) + 1e-12) > threshold_db
    edges = np.flatnonzero(np.diff(np.concatenate(([0], loud.astype(np.int8), [0]))))
    return [(a * block, b * block) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def largest_step(samples: Samples) -> float:
    """The largest jump between neighbours; a click stands out against what the sound needs."""
    return float(np.max(np.abs(np.diff(samples)))) if len(samples) > 1 else 0.0


def tone_near(samples: Samples, frequency: float, rate: int = 48000) -> float:
    """The frequency of a tone that is about this one, by how its phase goes on from one half to
    the other: what plays a stream a little faster or slower, to follow its sender, moves it so."""
    half = len(samples) // 2
    turning = np.exp(-2j * np.pi * frequency * np.arange(2 * half) / rate) * samples[: 2 * half]
    window = np.hanning(half)
    first, second = (np.sum(window * part) for part in (turning[:half], turning[half:]))
    return frequency + float(np.angle(second * np.conj(first))) * rate / (2 * np.pi * half)


def residual_db(samples: Samples, frequency: float, rate: int = 48000) -> float:
    """What is left beside the best-fitting sine of this frequency, against it, in dB."""
    t = np.arange(len(samples)) / rate
    basis = np.stack(
        [np.sin(2 * np.pi * frequency * t), np.cos(2 * np.pi * frequency * t), np.ones_like(t)]
    )
    fit = np.linalg.lstsq(basis.T, samples, rcond=None)[0] @ basis
    return level_db(samples - fit) - level_db(fit)
