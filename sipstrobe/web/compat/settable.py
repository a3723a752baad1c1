"""Which parameters can be set by param.cgi, by whom, and what that is in our settings.

Those that programs are known to set, as far as this device has what they mean. Whatever else is
listed says what the device is, or has its place on the page (vapix-params, vapix-audio §2).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from sipstrobe.audio.clip import MAX_NAME
from sipstrobe.audio.settings import VOLUME_MIN_DB
from sipstrobe.commands import MAX_STEP_MS
from sipstrobe.config.access import MAX_BLOCK_SECONDS, MAX_FAILURES
from sipstrobe.config.settings import Settings
from sipstrobe.config.users import Role
from sipstrobe.lightsiren.chimes import FIRST_NUMBER, LAST_NUMBER

MUTE: Final = "mute"
TEXT_MAX: Final = 64  # characters, of what is said of a port
_LEVEL = re.compile(r"-?[0-9]{1,3}(\.[0-9]{1,20})?")
_WHOLE = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Choice:
    """One of these words, however it is capitalised."""

    words: tuple[str, ...]

    def read(self, text: str) -> str:
        """Raises ValueError."""
        for word in self.words:
            if word.lower() == text.lower():
                return word
        raise ValueError(text)


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number."""

    least: int
    most: int

    def read(self, text: str) -> int:
        """Raises ValueError."""
        if not _WHOLE.fullmatch(text) or not self.least <= int(text) <= self.most:
            raise ValueError(text)
        return int(text)


@dataclass(frozen=True, slots=True)
class Level:
    """dB, or the word for silence."""

    least: float
    most: float

    def read(self, text: str) -> float | None:
        """None: silence. Raises ValueError."""
        if text.lower() == MUTE:
            return None
        if not _LEVEL.fullmatch(text) or not self.least <= float(text) <= self.most:
            raise ValueError(text)
        return float(text)


@dataclass(frozen=True, slots=True)
class Text:
    """Anything that is not too long."""

    most: int

    def read(self, text: str) -> str:
        """Raises ValueError."""
        if len(text) > self.most:
            raise ValueError(text)
        return text


Kind = Choice | Whole | Level | Text
Patch = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PortWish:
    """What is to be otherwise at a port; its fields are those of PortChange."""

    port: int  # 1…2
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ClipName:
    """What a clip is to be called."""

    number: int
    name: str


Wish = Patch | PortWish | ClipName
"""A Patch is one of the settings (RFC 7396)."""


@dataclass(frozen=True, slots=True)
class Settable:
    """A parameter that can be set. wish: what its value, as the kind has read it, asks for."""

    kind: Kind
    role: Role
    wish: Callable[[Any, Settings], Wish]


def settable(name: str) -> Settable | None:
    """By the name of a parameter, without root; None: it cannot be set, or there is none."""
    if known := _TABLE.get(name):
        return known
    if match := re.fullmatch(r"IOPort\.I([01])\.(.+)", name):
        return _of_port(int(match[1]) + 1, match[2])
    if match := re.fullmatch(r"MediaClip\.M([0-9]{1,4})\.Name", name):
        return _of_clip(int(match[1]))
    return None


def _of_clip(number: int) -> Settable | None:
    """Those that every device has keep their names."""
    if FIRST_NUMBER <= number <= LAST_NUMBER:
        return None
    return Settable(Text(MAX_NAME), Role.OPERATOR, lambda name, _: ClipName(number, name))


def opposite(circuit: Literal["open", "closed"]) -> str:
    """Programs say how a circuit is when it is active, where we say how it is otherwise."""
    return "closed" if circuit == "open" else "open"


def _of_port(port: int, name: str) -> Settable | None:
    """Changes of what a port is leave active what is active; others put it back to normal."""
    if name in _PORT_TEXTS:
        kind, field, ours = _PORT_TEXTS[name]
        return Settable(
            kind, Role.ADMINISTRATOR, lambda value, _: PortWish(port, {field: ours(value)})
        )
    if name in _PORT_OUTPUT:
        kind, field = _PORT_OUTPUT[name]
        return Settable(
            kind, Role.ADMINISTRATOR, lambda value, _: {"ports": {f"port_{port}": {field: value}}}
        )
    return None


def _same(value: str) -> str:
    return value


_CIRCUIT: Final = Choice(("closed", "open"))
_PORT_TEXTS: Final[Mapping[str, tuple[Kind, str, Callable[[Any], str]]]] = {
    "Direction": (Choice(("input", "output")), "direction", _same),
    "Input.Name": (Text(TEXT_MAX), "name", _same),
    "Input.Trig": (_CIRCUIT, "normal_state", opposite),
    "Output.Active": (_CIRCUIT, "normal_state", opposite),
    "Output.Name": (Text(TEXT_MAX), "name", _same),
    "Usage": (Text(TEXT_MAX), "usage", _same),
}
_PORT_OUTPUT: Final[Mapping[str, tuple[Kind, str]]] = {
    "Output.Mode": (Choice(("bistable", "monostable")), "mode"),
    "Output.PulseTime": (Whole(0, MAX_STEP_MS), "pulse_ms"),  # milliseconds
}


def _level(field: str, level: float | None) -> Patch:
    """A level is heard, whatever was muted before."""
    return {"muted": True} if level is None else {"muted": False, field: level}


def _setting(*path: str, kind: Kind, ours: Callable[[Any], Any] = lambda value: value) -> Settable:
    """One that is a single setting, for administrators. ours: what we call a value."""

    def wish(value: Any, _: Settings) -> Patch:
        wanted = ours(value)
        for step in reversed(path):
            wanted = {step: wanted}
        return wanted

    return Settable(kind, Role.ADMINISTRATOR, wish)


def _https(word: str, settings: Settings) -> Patch:
    """It is switched on beside HTTP, unless it is on by itself."""
    mode = settings.web.mode
    return {"web": {"mode": "http" if word == "no" else "both" if mode == "http" else mode}}


_PORT_NUMBER: Final = Whole(1, 65535)
_FAILURES: Final = Whole(1, MAX_FAILURES)
_GUESSING: Final = "System.PreventDoSAttack."
_TABLE: Final[Mapping[str, Settable]] = {
    "AudioSource.A0.InputGain": Settable(
        Level(-60.0, 40.0),
        Role.OPERATOR,
        lambda level, _: {"audio": {"microphone": _level("gain_db", level)}},
    ),
    "AudioSource.A0.OutputGain": Settable(
        Level(VOLUME_MIN_DB, 0.0),
        Role.OPERATOR,
        lambda level, _: {"audio": _level("volume_db", level)},
    ),
    "HTTPS.Enabled": Settable(Choice(("yes", "no")), Role.ADMINISTRATOR, _https),
    "HTTPS.Port": _setting("web", "https_port", kind=_PORT_NUMBER),
    "System.BoaPort": _setting("web", "port", kind=_PORT_NUMBER),
    "System.BoaProtViewer": _setting(
        "web",
        "anonymous_viewing",
        kind=Choice(("password", "anonymous")),
        ours=lambda word: word == "anonymous",
    ),
    _GUESSING + "ActivatePasswordThrottling": _setting(
        "web", "brute_force", "enabled", kind=Choice(("On", "Off")), ours=lambda word: word == "On"
    ),
    _GUESSING + "DoSBlockingPeriod": _setting(
        "web", "brute_force", "block_seconds", kind=Whole(1, MAX_BLOCK_SECONDS)
    ),
    _GUESSING + "DoSPageCount": _setting(
        "web", "brute_force", "page_failures_per_second", kind=_FAILURES
    ),
    _GUESSING + "DoSSiteCount": _setting(
        "web", "brute_force", "device_failures_per_second", kind=_FAILURES
    ),
}
