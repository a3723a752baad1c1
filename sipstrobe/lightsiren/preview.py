"""A profile that is tried before it is saved (PRF-07): served by services.signals.

A preview runs at PREVIEW_RANK, below everything that users start, so that it neither hides nor ends
a real alarm (MIX-02: an operation ends whatever runs at its own priority). Whatever does run hides
it. It belongs to no profile, so that no rule takes it for one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace
from sipstrobe.commands import Command
from sipstrobe.errors import CommandRefused
from sipstrobe.events import Function
from sipstrobe.lightsiren.activity import activities
from sipstrobe.lightsiren.operations import Activity
from sipstrobe.lightsiren.profile import check_profile
from sipstrobe.lightsiren.settings import Profile
from sipstrobe.lightsiren.sound import Playable

PREVIEW_RANK: Final = 0
MAX_PREVIEW_SECONDS: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewProfile(Command):
    """Try a profile, or only its light or siren, in place of what is tried already. ->
    tuple[OperationId, ...]

    seconds: after so many it ends, if it has not by itself; 1 to MAX_PREVIEW_SECONDS.
    Refused: nothing_to_preview, seconds, and the codes of `profile.check_profile`.
    """

    profile: Profile
    light: bool = True
    siren: bool = True
    seconds: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class StopPreview(Command):
    """End what is tried; no fault if nothing is. -> None"""


def previewed(wanted: PreviewProfile, sounds: Mapping[str, Playable]) -> dict[Function, Activity]:
    """What each function is to do. Raises CommandRefused."""
    if faults := check_profile(wanted.profile, sounds):
        raise CommandRefused(faults[0].code, f"{faults[0].field}: {faults[0].message}")
    if not 1 <= wanted.seconds <= MAX_PREVIEW_SECONDS:
        raise CommandRefused("seconds", f"a preview lasts 1 to {MAX_PREVIEW_SECONDS} seconds")
    found = {
        function: replace(
            activity,
            priority=PREVIEW_RANK,
            profile="",
            seconds=min(wanted.seconds, activity.seconds or wanted.seconds),
        )
        for function, activity in activities(wanted.profile, sounds)
        if (wanted.siren if function is Function.AUDIO_SPEAKER else wanted.light)
    }
    if not found:
        raise CommandRefused("nothing_to_preview", "the profile has nothing of what is to be tried")
    return found
