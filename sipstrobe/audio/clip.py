"""The clips that the device has; their sound lies in files of the clip store (CLP-01…08)."""

from collections.abc import Iterator
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from sipstrobe.errors import Problem

MAX_CLIPS: Final = 200
MAX_NAME: Final = 45  # characters
CLIP_PATTERN: Final = "clip:"  # before its name, a clip is a siren pattern of profiles (PRF-13)

# $ would also stand before a newline at the end.
ClipName = Annotated[str, Meta(pattern=rf"^[^\x00-\x1f\x7f]{{1,{MAX_NAME}}}$(?!\n)", title="Name")]
ClipFormat = Literal["wav", "au", "mp3", "opus", "vorbis", "flac"]

_LEVEL_DB: Final = Meta(ge=-120.0, le=40.0)


class Clip(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One clip, as measured when it was added."""

    number: Annotated[int, Meta(ge=0, le=9999, title="Number")]
    name: ClipName
    file: Annotated[
        str,
        Meta(
            pattern=r"^[0-9a-f]{64}\.[a-z0-9]{2,6}$(?!\n)",
            title="File",
            description="In the clip store: the SHA-256 of its bytes, and what it is.",
        ),
    ]
    format: Annotated[ClipFormat, Meta(title="Format")]
    size: Annotated[int, Meta(ge=1, le=10**9, title="Size", description="In bytes.")]
    seconds: Annotated[float, Meta(ge=0.01, le=3600.0, title="Length")]
    sample_rate: Annotated[
        int, Meta(ge=1, le=192_000, title="Sample rate", description="As added, in Hz.")
    ]
    channels: Annotated[int, Meta(ge=1, le=2, title="Channels")]
    loudness: Annotated[
        Annotated[float, _LEVEL_DB] | None,
        Meta(title="Loudness", description="In LUFS (EBU R 128); null: too short or silent."),
    ]
    peak_db: Annotated[float, _LEVEL_DB, Meta(title="True peak", description="In dBTP.")]


Clips = Annotated[
    tuple[Clip, ...],
    Meta(max_length=MAX_CLIPS, title="Clips", description="Sounds that people have added."),
]


def problems(clips: tuple[Clip, ...]) -> list[Problem]:
    """What single fields cannot say about themselves; paths are relative to the clips."""
    return list(_problems(clips))


def _problems(clips: tuple[Clip, ...]) -> Iterator[Problem]:
    names: set[str] = set()
    numbers: set[int] = set()
    for i, clip in enumerate(clips):
        if clip.name in names:
            yield Problem(f"/{i}/name", f"there is a clip {clip.name!r} already")
        if clip.number in numbers:
            yield Problem(f"/{i}/number", f"there is a clip {clip.number} already")
        names.add(clip.name)
        numbers.add(clip.number)
