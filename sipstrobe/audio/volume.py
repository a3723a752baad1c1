"""How loud a sound is by what it is; the policy then says what others make of that."""

from typing import Final

from sipstrobe.audio.format import gain_from_db
from sipstrobe.audio.policy import Group
from sipstrobe.audio.settings import AudioSettings, Emergency
from sipstrobe.audio.source import SourceKind

LARGEST_PRIORITY: Final = 10  # of what people start; the system's own ranks are above


def volume(
    group: Group, audio: AudioSettings, master_db: float, *, muted: bool, full: bool = False
) -> float:
    """The gain of the sounds of one rank and kind; 0 when they are muted.

    An emergency, and what the policy plays at full volume, has the volume of emergencies, whatever
    all others are set to.
    """
    rank, kind, _ = group
    if full or is_emergency(rank, audio.emergency):
        return gain_from_db(audio.emergency.volume_db)
    if muted:
        return 0.0
    own_db = 0.0 if kind is SourceKind.TONE else getattr(audio.volumes, kind.value)
    return gain_from_db(master_db + own_db)


def is_emergency(rank: int, emergency: Emergency) -> bool:
    """Not the system's own: who has muted the device still finds it muted by a health check."""
    return emergency.priority is not None and emergency.priority <= rank <= LARGEST_PRIORITY
