"""Meters for sounds at 48 kHz: cadence, pitch, true peak and loudness (ITU-R BS.1770)."""

import numpy as np
from numpy.typing import NDArray

RATE = 48_000
Sound = NDArray[np.float32]
SILENCE = 10 ** (-50 / 20)


def bursts(sound: Sound, pause: float = 0.02) -> list[tuple[float, float]]:
    """When something is to be heard: (from, till) in seconds; shorter pauses do not count."""
    step = RATE // 500
    blocks = np.abs(sound[: sound.size // step * step]).reshape(-1, step).max(axis=1)
    found: list[tuple[float, float]] = []
    for at in (np.flatnonzero(blocks > SILENCE) * step / RATE).tolist():
        if found and at - found[-1][1] < pause:
            found[-1] = (found[-1][0], at + step / RATE)
        else:
            found.append((at, at + step / RATE))
    return found


def strongest(sound: Sound, at: float, window: float = 0.05) -> float:
    """The frequency in Hz of the strongest partial around this instant."""
    levels, width = _spectrum(sound, at, window)
    return float(np.argmax(levels)) * width


def lowest(sound: Sound, at: float, window: float = 0.05, within_db: float = 26.0) -> float:
    """The frequency in Hz of the lowest partial that is not much weaker than the strongest."""
    levels, width = _spectrum(sound, at, window)
    loud = levels > levels.max() * 10 ** (-within_db / 20)
    peaks = loud[1:-1] & (levels[1:-1] >= levels[:-2]) & (levels[1:-1] > levels[2:])
    return float(np.flatnonzero(peaks)[0] + 1) * width


def track(sound: Sound, step: float = 0.02, window: float = 0.03) -> list[float]:
    """The strongest frequency at every step, 0 where it is silent."""
    instants = np.arange(window / 2, sound.size / RATE - window / 2, step)
    return [_level_or_pitch(sound, float(at), window) for at in instants]


def _level_or_pitch(sound: Sound, at: float, window: float) -> float:
    piece = _piece(sound, at, window)
    return strongest(sound, at, window) if np.abs(piece).max() > SILENCE else 0.0


def _piece(sound: Sound, at: float, window: float) -> Sound:
    first = max(0, round((at - window / 2) * RATE))
    return sound[first : first + round(window * RATE)]


def _spectrum(sound: Sound, at: float, window: float) -> tuple[NDArray[np.float64], float]:
    piece = _piece(sound, at, window)
    size = 1 << 16  # zeros behind: bins of 0.7 Hz
    levels = np.abs(np.fft.rfft(piece * np.blackman(piece.size), size))
    return levels, RATE / size


def true_peak_db(sound: Sound) -> float:
    """The peak between the samples too, of a loop: four times oversampled (ITU-R BS.1770)."""
    spectrum = np.fft.rfft(sound.astype(np.float64))
    padded = np.zeros(2 * sound.size + 1, np.complex128)
    padded[: spectrum.size] = spectrum
    return float(20 * np.log10(np.abs(np.fft.irfft(padded, 4 * sound.size)).max() * 4))


def loudness(sound: Sound) -> float:
    """The loudest 400 ms of a loop in LUFS (ITU-R BS.1770, momentary)."""
    z = np.exp(-2j * np.pi * np.fft.rfftfreq(sound.size))
    shelf = (1.53512485958697 - 2.69169618940638 * z + 1.19839281085285 * z**2) / (
        1 - 1.69065929318241 * z + 0.73248077421585 * z**2
    )
    high_pass = (1 - 2 * z + z**2) / (1 - 1.99004745483398 * z + 0.99007225036621 * z**2)
    weighted = np.fft.irfft(np.fft.rfft(sound) * shelf * high_pass, sound.size)
    block = round(0.4 * RATE)
    sums = np.cumsum(np.concatenate(([0.0], weighted**2, weighted[:block] ** 2)))
    return float(-0.691 + 10 * np.log10((sums[block:] - sums[:-block]).max() / block))


def share(sound: Sound, low: float, high: float) -> float:
    """How much of the energy lies between two frequencies, 0 … 1."""
    energy = np.abs(np.fft.rfft(sound)) ** 2
    hertz = np.fft.rfftfreq(sound.size, 1 / RATE)
    return float(energy[(hertz >= low) & (hertz <= high)].sum() / energy.sum())
