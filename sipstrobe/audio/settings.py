"""What can be set about the sound."""

from typing import Annotated, Final

from msgspec import Meta, Struct

VOLUME_MIN_DB: Final = -60.0


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
