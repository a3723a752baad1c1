"""What can be set about the sound."""

from collections.abc import Iterator
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from sipstrobe.errors import Problem

VOLUME_MIN_DB: Final = -60.0
MAX_PAIRS: Final = 25

Kind = Literal["call", "page", "siren", "clip", "tone"]
_Volume = Annotated[float, Meta(ge=VOLUME_MIN_DB, le=0.0)]


class Volumes(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How loud each kind of sound is, in dB, before the volume of all."""

    call: Annotated[_Volume, Meta(title="Calls")] = 0.0
    page: Annotated[_Volume, Meta(title="Pages")] = 0.0
    siren: Annotated[_Volume, Meta(title="Siren")] = 0.0
    clip: Annotated[_Volume, Meta(title="Clips")] = 0.0


class MixRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a sound does to another of lower priority; both are kinds.

    At equal priority the test tone comes first, then pages, calls, the siren and clips; sounds of
    the same kind and priority are heard together.
    """

    over: Annotated[Kind, Meta(title="Higher")]
    under: Annotated[Kind, Meta(title="Lower")]
    does: Annotated[
        Literal["alone", "duck", "mix", "full"],
        Meta(
            title="Effect",
            description="Alone: the lower one is silent meanwhile. Duck: it is softer while the"
            " higher one can be heard. Mix: both are heard as they are. Full: the lower one is"
            " silent, and the higher one has the emergency volume, also when muted.",
        ),
    ]
    duck_db: Annotated[
        float, Meta(ge=-40.0, le=-1.0, title="Softer by", description="In dB, for duck.")
    ] = -12.0


class Emergency(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sounds that are as loud as this, whatever the volume is set to, and even when muted."""

    priority: Annotated[
        Annotated[int, Meta(ge=1, le=10)] | None,
        Meta(
            title="From priority",
            description="Sounds of this priority and above; null: none.",
        ),
    ] = None
    volume_db: Annotated[float, Meta(ge=VOLUME_MIN_DB, le=0.0, title="Volume")] = 0.0


class Microphone(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What callers hear of the place where the device is (AUD-01…03)."""

    input: Annotated[
        str,
        Meta(
            pattern=r"^[^\x00]{0,255}$",
            title="Input",
            description="Empty: off. auto: the default sound card. wav:PATH: a file, over and"
            " over. Anything else: the name of a sound card, or part of it.",
        ),
    ] = ""
    muted: Annotated[bool, Meta(title="Mute")] = False
    gain_db: Annotated[float, Meta(ge=-60.0, le=40.0, title="Gain")] = 0.0
    automatic_gain: Annotated[bool, Meta(title="Automatic gain")] = False
    detect_db: Annotated[
        Annotated[float, Meta(ge=-90.0, le=0.0)] | None,
        Meta(
            title="Loud from",
            description="In dBFS: from there on rules are told that it is loud; null: nobody"
            " listens for that.",
        ),
    ] = None
    echo_cancellation: Annotated[
        bool,
        Meta(
            title="Echo cancellation",
            description="Callers do not hear themselves. Without the library libspeexdsp, the"
            " microphone is softer while the speaker plays.",
        ),
    ] = True


class AudioSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the sound goes, and how loud it is there."""

    output: Annotated[
        str,
        Meta(
            pattern=r"^[^\x00]{1,255}$",
            title="Output",
            description=(
                "auto: the default sound card. null: nowhere. wav:PATH: into a file, exactly as"
                " it would be heard. Anything else: the name of a sound card, or part of it."
            ),
        ),
    ] = "auto"
    volume_db: Annotated[
        float,
        Meta(
            ge=VOLUME_MIN_DB,
            le=0.0,
            title="Volume",
            description="In dB; 0 plays everything as loud as it came.",
        ),
    ] = 0.0
    muted: Annotated[bool, Meta(title="Mute", description="Nothing is heard.")] = False
    greeting: Annotated[
        str,
        Meta(
            pattern=r"^[^\x00]{0,1024}$",
            title="Greeting",
            description="A WAV file that callers hear when they are answered; empty: silence.",
        ),
    ] = ""
    volumes: Annotated[Volumes, Meta(title="Volume by kind")] = Volumes()
    policy: Annotated[
        tuple[MixRule, ...],
        Meta(
            max_length=MAX_PAIRS,
            title="Priorities in the speaker",
            description="What differs from the device's own table of who is heard with whom.",
        ),
    ] = ()
    emergency: Annotated[Emergency, Meta(title="Emergency volume")] = Emergency()
    level_callers: Annotated[
        bool,
        Meta(
            title="Level callers",
            description="Make quiet callers up to 18 dB louder and loud ones up to 12 dB softer;"
            " pauses stay as they are.",
        ),
    ] = False
    latency: Annotated[
        Literal["normal", "low", "ultra_low"],
        Meta(
            title="Latency",
            description="How long sound waits, so that hold-ups are not heard; the page shows how"
            " long that really is.",
        ),
    ] = "normal"
    microphone: Annotated[Microphone, Meta(title="Microphone")] = Microphone()
    talk_priority: Annotated[
        int,
        Meta(
            ge=1,
            le=10,
            title="Priority of talk",
            description="1 to 10, of what people say from a browser; it is heard like a page.",
        ),
    ] = 5
    normalise_clips: Annotated[
        bool,
        Meta(title="Level clips", description="Play all clips equally loud (EBU R 128)."),
    ] = False
    clip_loudness: Annotated[
        float,
        Meta(ge=-40.0, le=-10.0, title="Loudness of clips", description="In LUFS, if levelled."),
    ] = -20.0
    clip_quota_mb: Annotated[
        int, Meta(ge=1, le=100_000, title="Space for clips", description="In megabytes.")
    ] = 500
    recording_quota_mb: Annotated[
        int,
        Meta(
            ge=1,
            le=100_000,
            title="Space for recordings",
            description="In megabytes; the oldest make room.",
        ),
    ] = 500
    record_continuously: Annotated[
        bool,
        Meta(
            title="Record without end",
            description="The microphone while it is on, in files of an hour at most.",
        ),
    ] = False


def problems(audio: AudioSettings) -> list[Problem]:
    """What single fields cannot say about themselves; paths are relative to the section."""
    return list(_problems(audio))


def _problems(audio: AudioSettings) -> Iterator[Problem]:
    seen: set[tuple[Kind, Kind]] = set()
    for i, rule in enumerate(audio.policy):
        if (rule.over, rule.under) in seen:
            yield Problem(f"/policy/{i}", f"{rule.over} over {rule.under} is there already")
        seen.add((rule.over, rule.under))
