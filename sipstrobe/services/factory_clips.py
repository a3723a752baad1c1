"""The clips of every device as the doors show and hand them out."""

import wave
from io import BytesIO
from typing import Any

from sipstrobe.audio.format import SAMPLE_RATE
from sipstrobe.lightsiren.chimes import FACTORY_CLIPS
from sipstrobe.lightsiren.sound import PEAK_DB, Sound

_FULL_SCALE = 32767


def described(name: str) -> dict[str, Any]:
    """One of them as plain values, as those that people have added."""
    clip = FACTORY_CLIPS[name]
    return {
        "number": clip.number,
        "name": name,
        "file": "",
        "format": "wav",
        "size": 0,
        "seconds": clip.sound.seconds,
        "sample_rate": SAMPLE_RATE,
        "channels": 1,
        "loudness": clip.loudness,
        "peak_db": PEAK_DB,
        "factory": True,
        "problem": "",
    }


def wav_of(sound: Sound) -> bytes:
    """The file that it could have come from; takes some milliseconds for each second."""
    file = BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        wav.writeframes((sound.render() * _FULL_SCALE).astype("<i2").tobytes())
    return file.getvalue()
