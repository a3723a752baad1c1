"""The one tree of everything that can be set, made of the cores' own settings."""

from collections.abc import Callable, Container, Iterator, Mapping
from typing import Annotated, Any, Literal, NamedTuple

from msgspec import Meta, Struct

from sipstrobe.audio import settings as audio
from sipstrobe.audio.clip import CLIP_PATTERN, Clips
from sipstrobe.audio.settings import AudioSettings
from sipstrobe.commands import PORTS, VIRTUAL_INPUTS
from sipstrobe.config import access, actions, certificates, clips, sending, users
from sipstrobe.config.access import MAX_TOKENS, BruteForce, Token
from sipstrobe.config.certificates import Certificates
from sipstrobe.config.location import Location
from sipstrobe.config.users import MAX_USERS, User
from sipstrobe.dtmf import settings as dtmf
from sipstrobe.dtmf.settings import DtmfSettings
from sipstrobe.errors import Problem
from sipstrobe.events import (
    InputPortChanged,
    ManualTriggerChanged,
    OutputPortChanged,
    PageStateChanged,
    ScheduleInterval,
    SchedulePulse,
    SequenceReceived,
    VirtualInputChanged,
)
from sipstrobe.lightsiren import profile
from sipstrobe.lightsiren.colors import COLORS
from sipstrobe.lightsiren.settings import (
    LightsSettings,
    MaintenanceSettings,
    Profile,
    Profiles,
    lights_problems,
)
from sipstrobe.lightsiren.sounds import SOUNDS
from sipstrobe.mqtt import settings as mqtt
from sipstrobe.mqtt.home import HomeSettings
from sipstrobe.mqtt.settings import MqttSettings
from sipstrobe.multicast import settings as multicast
from sipstrobe.multicast.settings import MulticastSettings, Paged
from sipstrobe.ports import settings as ports
from sipstrobe.ports.settings import PortsSettings
from sipstrobe.rules import extensions
from sipstrobe.rules import settings as rules
from sipstrobe.rules.actions import RunProfile, ShowColor, StartProfile, StopProfile
from sipstrobe.rules.extensions import RULE_PREFIX, Extensions, rules_of
from sipstrobe.rules.settings import Condition, Rule, Rules
from sipstrobe.schedules import settings as schedules
from sipstrobe.schedules.settings import Schedules
from sipstrobe.schedules.text import ScheduleError, zone_named
from sipstrobe.sending import settings as recipients
from sipstrobe.sending.settings import Recipients
from sipstrobe.sip import settings as sip
from sipstrobe.sip.settings import SipSettings

MAX_MANUAL_TRIGGERS = 16
_TRIGGER = ManualTriggerChanged.outside.topic
_DIGITS = SequenceReceived.outside.topic
_PAGE = PageStateChanged.outside.topic
_PULSE = SchedulePulse.outside.topic
_INTERVAL = ScheduleInterval.outside.topic
_INPUT = InputPortChanged.outside.topic
_OUTPUT = OutputPortChanged.outside.topic
_VIRTUAL = VirtualInputChanged.outside.topic


class DeviceSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The device as such."""

    name: Annotated[
        str,
        Meta(
            pattern=r"^[^\x00-\x1f\x7f]{1,64}$(?!\n)",
            title="Name",
            description="How the page and other devices call this one.",
        ),
    ] = "sipstrobe"
    serial: Annotated[
        str,
        Meta(
            pattern=r"^[0-9A-F]{12}$(?!\n)",
            title="Serial number",
            description="12 capital hexadecimal digits, drawn when the device first starts.",
        ),
    ] = "000000000000"
    time_zone: Annotated[
        str,
        Meta(
            pattern=r"^([A-Za-z0-9+_/-]{1,64})?$(?!\n)",
            title="Time zone",
            description="As in Europe/Berlin; empty: that of the system.",
        ),
    ] = ""
    location: Annotated[Location, Meta(title="Location")] = Location()


class WebSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The page and the HTTP interfaces."""

    host: Annotated[
        str,
        Meta(
            pattern=r"^[0-9A-Za-z.:_-]{1,253}$(?!\n)",
            title="Address",
            description="Where the page is served: 0.0.0.0 for all IPv4 addresses, :: for IPv6.",
        ),
    ] = "0.0.0.0"  # noqa: S104  a device in a network is there to be reached
    mode: Annotated[
        Literal["both", "http", "https"],
        Meta(
            title="Served by",
            description="With https, whoever comes by HTTP is only told to come by HTTPS.",
        ),
    ] = "both"
    port: Annotated[int, Meta(ge=1, le=65535, title="HTTP port")] = 8080
    https_port: Annotated[int, Meta(ge=1, le=65535, title="HTTPS port")] = 8443
    certificate: Annotated[
        str,
        Meta(
            max_length=64,
            title="Certificate",
            description="The name of the one that is shown over HTTPS; self-signed: the one that"
            " the device makes for itself.",
        ),
    ] = certificates.OWN
    users: Annotated[
        tuple[User, ...],
        Meta(max_length=MAX_USERS, title="Users", description="At least one is administrator."),
    ] = ()
    tokens: Annotated[tuple[Token, ...], Meta(max_length=MAX_TOKENS, title="Tokens")] = ()
    anonymous_viewing: Annotated[
        bool,
        Meta(
            title="Anonymous viewing",
            description="Whoever has no account may look, and do nothing else.",
        ),
    ] = False
    brute_force: Annotated[BruteForce, Meta(title="Brute-force protection")] = BruteForce()


HTTPS_PORT = WebSettings().https_port
"""Whoever had HTTP at this port before there was HTTPS has it still, and no HTTPS."""

TriggerName = Annotated[str, Meta(min_length=1, max_length=64)]


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that can be set. The defaults are a device as it is shipped: quiet."""

    device: Annotated[DeviceSettings, Meta(title="Device")] = DeviceSettings()
    sip: Annotated[SipSettings, Meta(title="SIP")] = SipSettings()
    dtmf: Annotated[DtmfSettings, Meta(title="DTMF")] = DtmfSettings()
    audio: Annotated[AudioSettings, Meta(title="Sound")] = AudioSettings()
    multicast: Annotated[MulticastSettings, Meta(title="Paging")] = MulticastSettings()
    mqtt: Annotated[MqttSettings, Meta(title="MQTT")] = MqttSettings()
    home: Annotated[HomeSettings, Meta(title="Home")] = HomeSettings()
    clips: Clips = ()
    lights: Annotated[LightsSettings, Meta(title="Lights")] = LightsSettings()
    maintenance: Annotated[MaintenanceSettings, Meta(title="Maintenance")] = MaintenanceSettings()
    ports: Annotated[PortsSettings, Meta(title="Inputs and outputs")] = PortsSettings()
    profiles: Profiles = ()
    extensions: Extensions = ()
    rules: Rules = ()
    recipients: Recipients = ()
    schedules: Schedules = ()
    manual_triggers: Annotated[
        tuple[TriggerName, ...],
        Meta(
            max_length=MAX_MANUAL_TRIGGERS,
            title="Manual triggers",
            description="The names of triggers that people set by hand.",
        ),
    ] = ("Manual trigger 1",)
    certificates: Certificates = ()
    web: Annotated[WebSettings, Meta(title="Page")] = WebSettings()


def _profile_problems(profiles: tuple[Profile, ...]) -> list[Problem]:
    """Whether there are the clips that they name is for `problems` to say."""
    sirens = [p.siren.pattern for p in profiles if p.siren is not None]
    own = {pattern for pattern in sirens if pattern.startswith(CLIP_PATTERN)}
    return profile.problems(profiles, SOUNDS.keys() | own, "")


def _device_problems(device: DeviceSettings) -> list[Problem]:
    try:
        if device.time_zone:
            zone_named(device.time_zone)
    except ScheduleError as error:
        return [Problem("/time_zone", str(error))]
    return []


def _web_problems(web: WebSettings) -> list[Problem]:
    names = {user.name for user in web.users}
    wrong = [Problem("/users" + p.path, p.message) for p in users.problems(web.users)]
    if web.https_port == web.port != HTTPS_PORT:
        wrong.append(Problem("/https_port", f"{web.port} is the port of HTTP"))
    of_tokens = access.problems(web.tokens, names)
    return wrong + [Problem("/tokens" + p.path, p.message) for p in of_tokens]


SECTION_CHECKS: dict[str, Callable[[Any], list[Problem]]] = {
    "device": _device_problems,
    "sip": sip.problems,
    "dtmf": dtmf.problems,
    "audio": audio.problems,
    "multicast": multicast.problems,
    "mqtt": mqtt.problems,
    "clips": clips.section_problems,
    "certificates": certificates.section_problems,
    "lights": lights_problems,
    "ports": ports.problems,
    "profiles": _profile_problems,
    "recipients": recipients.problems,
    "extensions": extensions.problems,
    "web": _web_problems,
}
"""What single fields cannot say about themselves, by section; paths are relative to it."""

LIST_CHECKS: dict[str, Callable[[Any, Container[int]], list[Problem]]] = {
    "rules": rules.problems,
    "schedules": schedules.problems,
}
"""The same of long lists; they are told which entries, by id, have been found sound before."""


def problems(settings: Settings) -> Iterator[Problem]:
    """What sections cannot say about themselves: one that names what another must have."""
    known = {profile.name for profile in settings.profiles}
    named = _named(settings)
    yield from _extension_problems(settings, known)
    yield from _page_problems(settings, known)
    yield from clips.problems(settings.clips, settings.profiles, settings.rules)
    yield from certificates.problems(settings.certificates, settings.web.certificate)
    accounts = {account.name for account in settings.sip.accounts}
    yield from sending.problems(settings.recipients, accounts, settings.rules)
    yield from actions.problems(settings.rules, len(settings.manual_triggers), accounts)
    for i, rule in enumerate(settings.rules):
        match rule.action:
            case RunProfile(profile=name) | StartProfile(profile=name) | StopProfile(profile=name):
                if name not in known:
                    path = f"/rules/{i}/action/profile"
                    yield Problem(path, f"there is no profile {name!r}")
            case ShowColor(color=color) if color not in COLORS:
                path = f"/rules/{i}/action/color"
                yield Problem(path, "must be one of " + ", ".join(COLORS))
            case _:
                pass
        yield from _condition_problems(rule, f"/rules/{i}", named)
    yield from _sequence_problems(settings)
    if settings.sip.enabled and settings.web.port == settings.sip.port:
        yield Problem("/web/port", f"{settings.web.port} is the SIP port")


class _Named(NamedTuple):
    """An item of an event that says the name of something in the settings."""

    item: str
    known: Container[str]
    words: str  # for a name that nothing has


def _named(settings: Settings) -> dict[str, _Named]:
    """By topic."""
    triggers = _numbers(len(settings.manual_triggers))
    sequences = {sequence.name for sequence in settings.dtmf.sequences}
    pages = {s.label for s in settings.multicast.sources if isinstance(s, Paged)}
    pulses = {s.name for s in settings.schedules if schedules.is_pulse(s)}
    intervals = {s.name for s in settings.schedules} - pulses
    return {
        _TRIGGER: _Named("trigger", triggers, "there is no manual trigger"),
        _DIGITS: _Named("name", sequences, "no sequence of digits causes the event"),
        _PAGE: _Named("page", pages, "there is no source of pages"),
        _PULSE: _Named("schedule", pulses, "there is no schedule without an end"),
        _INTERVAL: _Named("schedule", intervals, "there is no schedule with an end"),
        _INPUT: _Named("port", _numbers(PORTS), "there is no port"),
        _OUTPUT: _Named("port", _numbers(PORTS), "there is no port"),
        _VIRTUAL: _Named("input", _numbers(VIRTUAL_INPUTS), "there is no virtual input"),
    }


def _numbers(last: int) -> set[str]:
    return {str(number) for number in range(1, last + 1)}


def _sequence_problems(settings: Settings) -> Iterator[Problem]:
    """DTM-03: peer-to-peer accounts share their sequences, so two of them cannot differ."""
    accounts = settings.sip.accounts
    known = {a.name for a in accounts}
    peers = {a.name for a in accounts if a.kind == "peer_to_peer"}
    shared: set[tuple[str, bool]] = set()
    for i, wanted in enumerate(settings.dtmf.sequences):
        for n, name in enumerate(wanted.accounts):
            if name not in known:
                path = f"/dtmf/sequences/{i}/accounts/{n}"
                yield Problem(path, f"there is no account {name!r}")
        if not peers.isdisjoint(wanted.accounts):
            if (wanted.sequence, wanted.held) in shared:
                words = f"{wanted.sequence} is a sequence of peer-to-peer accounts already"
                yield Problem(f"/dtmf/sequences/{i}/sequence", words)
            shared.add((wanted.sequence, wanted.held))


def _page_problems(settings: Settings, profiles: set[str]) -> Iterator[Problem]:
    for i, source in enumerate(settings.multicast.sources):
        if isinstance(source, Paged) and source.profile and source.profile not in profiles:
            path = f"/multicast/sources/{i}/profile"
            yield Problem(path, f"there is no profile {source.profile!r}")


def _extension_problems(settings: Settings, profiles: set[str]) -> Iterator[Problem]:
    for i, extension in enumerate(settings.extensions):
        if extension.profile and extension.profile not in profiles:
            yield Problem(f"/extensions/{i}/profile", f"there is no profile {extension.profile!r}")
    doubtful = [i for i, rule in enumerate(settings.rules) if rule.name.startswith(RULE_PREFIX)]
    if not doubtful:
        return
    made = {rule.name for extension in settings.extensions for rule in rules_of(extension)}
    for i in doubtful:
        if settings.rules[i].name in made:
            yield Problem(f"/rules/{i}/name", "a rule that an extension makes has this name")


def _condition_problems(rule: Rule, path: str, named: Mapping[str, _Named]) -> Iterator[Problem]:
    """What the conditions of a rule ask for by name and nobody has."""
    if rule.when is not None and rule.when.event in named:
        yield from _name_problem(rule.when, f"{path}/when", named[rule.when.event])
    for i, condition in enumerate(rule.conditions):
        if condition.event in named:
            yield from _name_problem(condition, f"{path}/conditions/{i}", named[condition.event])


def _name_problem(condition: Condition, path: str, named: _Named) -> Iterator[Problem]:
    name = condition.match.get(named.item, "")
    if name and name not in named.known:
        yield Problem(f"{path}/match/{named.item}", f"{named.words} {name}")
