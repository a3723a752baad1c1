"""The doors to profiles and to what they are made of."""

from sipstrobe.config.store import Store
from sipstrobe.context import Context
from sipstrobe.web.patterns import PatternsDoor
from sipstrobe.web.preview import Keeps, PreviewDoor
from sipstrobe.web.profiles import ProfilesDoor
from sipstrobe.web.sounds import SoundsDoor
from sipstrobe.web.views import Views

ProfileDoors = tuple[PreviewDoor, ProfilesDoor, PatternsDoor, SoundsDoor]


def profile_doors(context: Context, store: Store, views: Views, keeps: Keeps) -> ProfileDoors:
    """All of them. keeps: whether whoever asked is still let in later."""
    return (
        PreviewDoor(context.dispatcher, context.clock, store, views, keeps),
        ProfilesDoor(context.dispatcher, store, views),
        PatternsDoor(lambda: store.current),
        SoundsDoor(),
    )
