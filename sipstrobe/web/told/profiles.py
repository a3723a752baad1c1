"""Profiles in JSON, with what there is to say of their safety."""

from typing import Annotated, TypedDict

from msgspec import Meta

from sipstrobe.web.told.signals import ProfileTold, SafetyTold


class ProfileInFull(ProfileTold):
    """A profile, and who needs it."""

    used_by: Annotated[list[str], Meta(description="Rules, extensions and sources of pages.")]


class ProfilesTold(TypedDict):
    """All profiles."""

    revision: int
    limit: Annotated[int, Meta(description="So many there can be.")]
    profiles: list[ProfileInFull]


class ChangedProfile(TypedDict):
    """A profile as it is now."""

    revision: int
    profile: ProfileInFull
    followed: Annotated[list[str], Meta(description="Who named it by another name until now.")]


class Wrong(TypedDict):
    """One thing wrong, and where: a JSON pointer into what was sent."""

    path: str
    message: str


class CheckedProfile(TypedDict):
    """What is wrong with a profile; nothing: it can be stored. safety: null while its light is
    wrong."""

    problems: list[Wrong]
    safety: SafetyTold | None


class ImportNote(TypedDict):
    """Of a profile that came: flash_rate, saturated_red, or unknown_member that was left out."""

    profile: str
    code: str
    words: str


class ImportTold(TypedDict):
    """What became of the profiles, by name."""

    revision: int
    added: list[str]
    replaced: list[str]
    removed: list[str]
    warnings: list[ImportNote]
