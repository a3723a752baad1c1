"""What the phones of others say: WAV files, and the same in µ-law as SIPp sends it."""

import subprocess
import wave
from collections.abc import Iterable
from pathlib import Path

import numpy as np

RATE = 8000
TONE_DB = -15.0  # RMS in dBFS


def write_tone(
    path: Path, hertz: Iterable[float], seconds: float = 60.0, *, rate: int = RATE
) -> Path:
    """Sines of TONE_DB each, mono; none of them: silence."""
    t = np.arange(round(seconds * rate)) / rate
    amplitude = 10 ** (TONE_DB / 20) * np.sqrt(2)
    samples = sum((amplitude * np.sin(2 * np.pi * f * t) for f in hertz), np.zeros_like(t))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.rint(samples * 32767).astype("<i2").tobytes())
    return path


def write_ulaw(wav: Path, path: Path) -> Path:
    """Encode a WAV file as raw µ-law (ITU-T G.711) with sox."""
    subprocess.run(["sox", "-D", str(wav), "-t", "ul", str(path)], check=True, timeout=30)
    return path
