"""When each sample of a device's WAV was to be heard, exactly, and how far two of them differ."""

import math
import time
from typing import Final

import numpy as np

from sipstrobe.io.soundcard import Null
from tests.interop.device import RATE, WAV_HEADER, Device, wait_until
from tests.support.hear import Samples

LOOKS: Final = 0.5  # seconds, in which the file is looked at all the time
_STEP: Final = 0.0005


def opened_at(*devices: Device) -> list[float]:
    """When the first sample of each one's file was to be heard, in monotonic seconds.

    The periods of the output lie on a grid. What ends with the period that has just begun is
    written in the moment in which that begins, every 0.2 s, so that the file reaches ahead by the
    length of one. The earliest look after such a moment tells which line of the grid it was; where
    none was early enough, because the machine was late, the result is lines off.
    """
    found, end = [math.inf] * len(devices), time.monotonic() + LOOKS
    while time.monotonic() < end:
        ages = [time.monotonic() - _seconds(device) for device in devices]
        found = [min(pair) for pair in zip(found, ages, strict=True)]
        time.sleep(_STEP)
    return [math.floor((at + Null.PERIOD) / Null.PERIOD + 0.1) * Null.PERIOD for at in found]


def between(device: Device, opened: float, since: float, until: float) -> Samples:
    """What was to be heard between two instants; waits for the end."""
    wait_until(lambda: opened + _seconds(device) > until, words="sound")
    first = round((since - opened) * RATE)
    return device.sound()[first : first + round((until - since) * RATE)]


def _seconds(device: Device) -> float:
    """Of sound in its file."""
    size = (device.folder / "sound.wav").stat().st_size
    return (size - WAV_HEADER) / (2 * RATE)


def lag(one: Samples, other: Samples) -> float:
    """By how many seconds the second is later, found by correlation to a part of a sample."""
    size = 1 << (2 * one.size - 1).bit_length()
    spectrum = np.fft.rfft(other, size) * np.conj(np.fft.rfft(one, size))
    fits = np.fft.irfft(spectrum, size)
    best = int(np.argmax(fits))
    before, at, after = fits[best - 1], fits[best], fits[(best + 1) % size]
    peak = best + 0.5 * (before - after) / (before - 2 * at + after)
    return (peak - size if peak > size / 2 else peak) / RATE
