"""From the settings to what a home is told of the device."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from sipstrobe import __version__
from sipstrobe.audio.settings import VOLUME_MIN_DB
from sipstrobe.config.clips import patterns
from sipstrobe.config.settings import Settings
from sipstrobe.events import CallStatus, VirtualInputChanged
from sipstrobe.lightsiren.chimes import FACTORY_CLIPS
from sipstrobe.mqtt.discovery import Thing
from sipstrobe.mqtt.home import HomeSettings, Presence, Said, Topics, announced, presence
from sipstrobe.mqtt.payload import CONNECTED, LOST, notice
from sipstrobe.mqtt.settings import Notice, prefix_of
from sipstrobe.rules.actions import SetVirtualInput, SetVirtualInputWhile
from sipstrobe.services.home_wishes import EFFECTS

_VIRTUAL: Final = VirtualInputChanged.outside.topic


class Wanted(NamedTuple):
    """What is set, and what there is."""

    settings: HomeSettings
    thing: Thing
    presence: Presence


def wanted_of(settings: Settings) -> Wanted | None:
    """None: there is nothing that a home is told."""
    if not settings.home.wanted:
        return None
    serial = settings.device.serial
    prefix = prefix_of(settings.mqtt, serial)
    mqtt = announced(settings.mqtt, settings.home)
    will = _said(mqtt.last_will, LOST, prefix, serial)
    birth = _said(mqtt.connect_message, CONNECTED, prefix, serial)
    seen = presence(will, birth)
    thing = Thing(
        serial=serial,
        name=settings.device.name,
        version=__version__,
        topics=Topics(prefix),
        availability=seen.options if settings.home.discovery else {},
        commands=settings.home.commands,
        effects=EFFECTS,
        tones=tuple(patterns(settings.clips)),
        profiles=tuple(profile.name for profile in settings.profiles),
        triggers=settings.manual_triggers,
        clips=(*FACTORY_CLIPS, *(clip.name for clip in settings.clips)),
        sequences=tuple(sequence.name for sequence in settings.dtmf.sequences),
        call_states=tuple(CallStatus),
        volume_db=(VOLUME_MIN_DB, 0.0),
        inputs=_ports(settings, "input"),
        outputs=_ports(settings, "output"),
        virtual_inputs=_virtual_inputs(settings),
    )
    return Wanted(settings.home, thing, seen)


def _said(wanted: Notice, says: tuple[bool, str], prefix: str, serial: str) -> Said:
    message = notice(wanted, says, prefix, serial, None)
    if message is None:
        return Said("", "")
    payload = message.payload.decode("utf-8", "replace")
    return Said(message.topic, payload, plain=not wanted.use_default)


def _ports(settings: Settings, direction: str) -> dict[int, str]:
    return {
        number: port.name or f"Port {number}"
        for number, port in settings.ports.both.items()
        if port.direction == direction
    }


def _virtual_inputs(settings: Settings) -> dict[int, str]:
    """Those that have a name, or that a rule waits for or switches."""
    named = {int(number): name for number, name in settings.ports.virtual_inputs.items()}
    used = named.keys() | set(_in_rules(settings))
    return {number: named.get(number) or f"Virtual input {number}" for number in sorted(used)}


def _in_rules(settings: Settings) -> Iterator[int]:
    for rule in settings.rules:
        if isinstance(rule.action, SetVirtualInput | SetVirtualInputWhile):
            yield rule.action.input
        asked = (*rule.conditions, *((rule.when,) if rule.when is not None else ()))
        for condition in asked:
            number = condition.match.get("input", "") if condition.event == _VIRTUAL else ""
            if number.isascii() and number.isdigit():
                yield int(number)
