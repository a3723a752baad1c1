"""Sound files of each kind, made by FFmpeg, which has nothing in common with how we read them."""

import subprocess
from pathlib import Path

ENCODERS = {
    "wav": ("wav", ("-c:a", "pcm_s16le")),
    "au": ("au", ("-c:a", "pcm_mulaw", "-ar", "8000")),
    "mp3": ("mp3", ("-c:a", "libmp3lame", "-b:a", "128k")),
    "opus": ("opus", ("-c:a", "libopus", "-b:a", "64k")),
    "vorbis": ("ogg", ("-c:a", "libvorbis")),
    "flac": ("flac", ("-c:a", "flac")),
}


def tone(hertz: float = 1000.0, seconds: float = 1.0, amplitude: float = 0.25) -> str:
    """A source for `make`."""
    return f"aevalsrc={amplitude}*sin(2*PI*{hertz}*t):s=48000:d={seconds}"


def make(path: Path, source: str, *options: str) -> Path:
    """Have FFmpeg write what this source sounds like."""
    subprocess.run(
        ["ffmpeg", "-loglevel", "error", "-y", "-f", "lavfi", "-i", source, *options, str(path)],
        check=True,
        timeout=30,
    )
    return path


def make_kind(folder: Path, kind: str, source: str = "", *options: str) -> Path:
    """A file of one of our six kinds; a tone of 1 kHz if nothing else is wanted."""
    extension, encoder = ENCODERS[kind]
    return make(folder / f"{kind}.{extension}", source or tone(), *encoder, *options)
