"""The catalogue of sounds: 29, synthesised here, under the names that profiles use."""

from collections.abc import Mapping
from types import MappingProxyType

from sipstrobe.lightsiren.sound import Sound
from sipstrobe.lightsiren.sounds_alarm import ALARMS
from sipstrobe.lightsiren.sounds_notification import NOTIFICATIONS
from sipstrobe.lightsiren.sounds_siren import SIRENS

SOUNDS: Mapping[str, Sound] = MappingProxyType(
    {sound.name: sound for sound in (*ALARMS, *NOTIFICATIONS, *SIRENS)}
)
