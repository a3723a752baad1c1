"""Sound files of other people: of what kind they are, whether they may be, and their samples.

Decoding goes through libsndfile, block by block, so that neither a long file nor one that lies
about itself takes memory. It holds up whoever does it: `services.clip_reader` does it in a process
of its own, which a file may kill.
"""

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from sipstrobe.errors import MediaError
from sipstrobe.io.mp3 import bit_rate

if TYPE_CHECKING:
    from soundfile import SoundFile  # pyright: ignore[reportMissingTypeStubs]

Samples = NDArray[np.float32]
Format = Literal["wav", "au", "mp3", "opus", "vorbis", "flac"]

MAX_BYTES: Final = 100 * 10**6
MAX_SECONDS: Final = 1200.0
MIN_SECONDS: Final = 0.05
RATES: Final = range(8000, 48001)
MP3_KBITS: Final = (64, 320)
MAX_PEAK_DB: Final = 12  # of a sample; what compression adds to full scale is less
_AU_RATES: Final = (8000, 16000)
_BLOCK: Final = 1 << 16  # sample frames decoded at a time
_UNKNOWN: Final = 1 << 40  # sample frames; of a file that does not say how many it has
_HEAD: Final = 64 * 1024  # bytes in which a file says what it is
_OPEN_SIZES: Final = (0, 0xFFFFFFFF)  # of a file that was written without knowing its end

_SUBTYPES: Final[dict[Format, tuple[str, ...]]] = {  # as libsndfile calls them
    "wav": ("PCM_U8", "PCM_16", "ULAW"),
    "au": ("PCM_S8", "PCM_16", "ULAW"),
    "mp3": ("MPEG_LAYER_III",),
    "opus": ("OPUS",),
    "vorbis": ("VORBIS",),
    "flac": ("PCM_S8", "PCM_16", "PCM_24"),
}
EXTENSIONS: Final[dict[Format, str]] = {
    "wav": "wav",
    "au": "au",
    "mp3": "mp3",
    "opus": "opus",
    "vorbis": "ogg",
    "flac": "flac",
}
ACCEPTED: Final = (
    "accepted are wav (8- or 16-bit PCM, µ-law), au (the same, at 8 or 16 kHz), mp3 (64 to 320"
    " kbit/s), opus and vorbis (in Ogg) and flac (8 to 24 bits); all with one or two channels at 8"
    f" to 48 kHz, up to {MAX_SECONDS / 60:.0f} minutes and {MAX_BYTES // 10**6} MB"
)


class SoundForm(Struct, frozen=True):
    """What a file says of its sound before it is decoded."""

    format: Format
    sample_rate: int
    channels: int


class Refused(MediaError):
    """A file that is not taken; the words name the fault and what is accepted (PRB-04)."""

    def __init__(self, fault: str) -> None:
        super().__init__(f"{fault}; {ACCEPTED}")


def recognise(head: bytes) -> Format | None:
    """What a file is by its first bytes, whatever it is called."""
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "wav"
    if head[:4] == b".snd":
        return "au"
    if head[:4] == b"fLaC":
        return "flac"
    if head[:4] == b"OggS":
        packet = head[27 + (head[26] if len(head) > 26 else 0) :]  # RFC 3533 §6
        if packet.startswith(b"OpusHead"):
            return "opus"
        return "vorbis" if packet.startswith(b"\x01vorbis") else None
    if head[:3] == b"ID3" or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2):
        return "mp3"
    return None


@contextmanager
def open_sound(path: Path) -> Generator[tuple[SoundForm, Iterator[Samples]]]:
    """The form of a sound file, and its sound: blocks of one channel at the file's rate.

    Two channels are mixed to one. Raises MediaError with the reason in words, also while the blocks
    are taken, for whatever is not accepted or cannot be decoded to its very end.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    size = path.stat().st_size
    kind = recognise(head)
    if size > MAX_BYTES:
        raise Refused(f"the file has {size / 1e6:.1f} MB")
    if kind is None:
        raise Refused("the file is none of the known kinds")
    _refuse_torn(kind, head, size)
    if kind == "mp3":
        _refuse_bit_rate(path)
    try:
        from soundfile import (  # pyright: ignore[reportMissingTypeStubs]
            LibsndfileError,
            SoundFile,
        )
    except (ImportError, OSError) as error:
        raise MediaError(f"no sound file can be read here: {error}") from None
    try:
        with closing(SoundFile(str(path))) as sound:
            yield _form(kind, sound), _blocks(sound)
    except LibsndfileError as error:
        raise Refused(f"the file cannot be decoded ({error.error_string})") from None


def _form(kind: Format, sound: "SoundFile") -> SoundForm:
    """Raises MediaError where a limit is broken."""
    rate, channels = sound.samplerate, sound.channels
    if sound.subtype not in _SUBTYPES[kind]:
        raise Refused(f"the file is {kind} of the kind {sound.subtype_info}")
    if channels not in (1, 2):
        raise Refused(f"the file has {channels} channels")
    if rate not in RATES or (kind == "au" and rate not in _AU_RATES):
        raise Refused(f"the file has {rate} Hz")
    if sound.frames < _UNKNOWN and sound.frames / rate > MAX_SECONDS:
        raise Refused(f"the sound lasts {sound.frames / rate / 60:.1f} minutes")
    return SoundForm(kind, rate, channels)


def _blocks(sound: "SoundFile") -> Iterator[Samples]:
    decoded = 0
    most_loud = 10 ** (MAX_PEAK_DB / 20)
    most, least = (round(limit * sound.samplerate) for limit in (MAX_SECONDS, MIN_SECONDS))
    while (block := sound.read(_BLOCK, dtype="float32", always_2d=True)).shape[0]:
        decoded += block.shape[0]
        if not np.abs(block).max() <= most_loud:  # what is no number is not, either
            raise Refused(f"the sound goes more than {MAX_PEAK_DB} dB beyond full scale")
        if decoded > most:
            raise Refused(f"the sound lasts longer than {MAX_SECONDS / 60:.0f} minutes")
        mixed: Samples = block.mean(axis=1, dtype=np.float32)
        yield mixed
    if decoded < least:
        raise Refused(f"the sound lasts {decoded / sound.samplerate:.3f} s, too short to be one")
    if sound.format == "FLAC" and decoded < sound.frames < _UNKNOWN:
        raise Refused(_torn(decoded, sound.frames, "samples"))


def _refuse_torn(kind: Format, head: bytes, size: int) -> None:
    """Raise MediaError if a file ends before its header says so."""
    if kind == "wav":
        claimed = int.from_bytes(head[4:8], "little")
        announced = claimed + 8 if claimed not in _OPEN_SIZES else 0
    elif kind == "au":
        start, claimed = (int.from_bytes(head[at : at + 4], "big") for at in (4, 8))
        announced = start + claimed if claimed not in _OPEN_SIZES else 0
    else:
        return
    if announced > size + 1:  # some leave out the last chunk's padding
        raise Refused(_torn(size, announced, "bytes"))


def _torn(there: int, announced: int, unit: str) -> str:
    return f"the file is cut short: {there} of {announced} {unit}"


def _refuse_bit_rate(path: Path) -> None:
    rate = bit_rate(path.read_bytes())
    least, most = MP3_KBITS
    if rate is None:
        raise Refused("the file has no MPEG layer III frames")
    if not least <= rate <= most:
        raise Refused(f"the file has {rate} kbit/s")
