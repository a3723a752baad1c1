"""Sound files for callers to hear, as the mix plan has it: 48 kHz, mono."""

from pathlib import Path

from sipstrobe.audio.format import SAMPLE_RATE, Samples
from sipstrobe.audio.resample import Upsampler
from sipstrobe.errors import MediaError
from sipstrobe.io.wavfile import read_wav

RATES = (8000, 16000, 24000, SAMPLE_RATE)
LONGEST = 600.0  # seconds


def load_recording(path: Path) -> Samples:
    """The samples of a WAV file at 48 kHz.

    Raises MediaError, in words: it is no WAV file, too long, or its rate is none of RATES.
    """
    sound = read_wav(path)
    if sound.sample_rate not in RATES:
        known = ", ".join(f"{rate // 1000}" for rate in RATES)
        raise MediaError(f"{path} has {sound.sample_rate} Hz; {known} kHz are understood")
    if sound.seconds > LONGEST:
        raise MediaError(f"{path} lasts {sound.seconds:.0f} s; at most {LONGEST:.0f} s are taken")
    if sound.sample_rate == SAMPLE_RATE:
        return sound.samples
    return Upsampler(SAMPLE_RATE // sound.sample_rate).process(sound.samples)
