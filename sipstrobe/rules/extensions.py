"""Extensions that are bound to what they do; a role is nothing but the rules that it makes.

The phone finds the extension of a call, lets its role decide instead of the account's automatic
answer, and names it in the events of the call as `line`; the rules made here go by that.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from sipstrobe.errors import Problem
from sipstrobe.rules.actions import AnswerCall, OwnPriority, RunProfile, StartProfile, StopProfile
from sipstrobe.rules.match import follow
from sipstrobe.rules.settings import Condition, Rule
from sipstrobe.secret import Secret

MAX_EXTENSIONS = 256
MIN_PIN = 4  # digits
MAX_PIN = 16

RULE_PREFIX = "Extension "  # of the names of the rules that roles make
STOP_DIGIT = "#"  # ends an alert from within a call to it

Role = Literal["page", "ring", "alert"]


class Extension(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a call to an address of the device does."""

    number: Annotated[
        str,
        Meta(
            pattern=r"^[^\x00-\x20\x7f@:;<>]{1,32}$(?!\n)",
            title="Number",
            description="The user part of the address that is called; * stands for any characters.",
        ),
    ]
    name: Annotated[
        str,
        Meta(
            max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)", title="Name", description="Yours."
        ),
    ] = ""
    role: Annotated[
        Role,
        Meta(
            title="Role",
            description="Page: answer, and let the caller be heard; with a profile, run it"
            " meanwhile. Ring: never answer; run the profile while it rings. Alert: answer, and"
            " start the profile, which runs on when the call is over.",
        ),
    ]
    profile: Annotated[str, Meta(max_length=50, title="Profile")] = ""
    priority: Annotated[
        OwnPriority,
        Meta(
            title="Priority",
            description="1 to 10, of light, siren and voice; null: those of the profile, and 5"
            " for the voice.",
        ),
    ] = None
    pin: Annotated[
        Secret,
        Meta(
            title="PIN",
            description="4 to 16 digits that a caller must enter before anything happens; empty:"
            " anybody may call.",
        ),
    ] = field(default_factory=lambda: Secret(""))
    beep: Annotated[
        bool,
        Meta(title="Beep", description="Page: a short beep tells the caller when to speak."),
    ] = True
    record_then_play: Annotated[
        bool,
        Meta(
            title="Record, then play",
            description="Page: what the caller says is played when he has hung up, so that a phone"
            " near the speaker does not howl.",
        ),
    ] = False


Extensions = Annotated[
    tuple[Extension, ...],
    Meta(
        max_length=MAX_EXTENSIONS,
        title="Extensions",
        description="Of several that fit a call, the one without * counts, then the first.",
    ),
]


class Directory:
    """Finds the extension that a called number is bound to."""

    def __init__(self, extensions: Iterable[Extension] = ()) -> None:
        self._exact: dict[str, Extension] = {}
        self._patterns: list[tuple[tuple[str, ...], Extension]] = []
        for extension in extensions:
            if "*" in extension.number:
                self._patterns.append((tuple(extension.number.split("*")), extension))
            else:
                self._exact.setdefault(extension.number, extension)

    def find(self, number: str) -> Extension | None:
        """The extension of this number, as people dial it; None when it has no role."""
        found = self._exact.get(number)
        if found is None and number:
            for pieces, extension in self._patterns:
                if follow(pieces, number):
                    return extension
        return found


def rules_of(extension: Extension) -> tuple[Rule, ...]:
    """The rules that the role of an extension consists of."""
    return tuple(_rules(extension))


def problems(extensions: Sequence[Extension]) -> list[Problem]:
    """What single fields cannot say about themselves; paths are relative to the extensions."""
    return list(_problems(extensions))


def _rules(extension: Extension) -> Iterator[Rule]:
    line = {"line": extension.number}
    name = RULE_PREFIX + extension.number
    profile, priority = extension.profile, extension.priority
    rings = Condition(event="call/state", match={"state": "ringing", **line})
    if extension.role == "ring":
        run = RunProfile(profile=profile, priority=priority)
        yield Rule(name=f"{name}: profile", conditions=(rings,), action=run)
        return
    yield Rule(name=f"{name}: answer", when=rings, action=AnswerCall())
    if extension.role == "page" and profile:
        active = Condition(event="call/state", match={"state": "active", **line})
        run = RunProfile(profile=profile, priority=priority)
        yield Rule(name=f"{name}: profile", conditions=(active,), action=run)
    if extension.role == "alert":
        answered = Condition(event="call/state_change", match={"state": "active", **line})
        pressed = Condition(event="call/digit", match={"digit": STOP_DIGIT, **line})
        start = StartProfile(profile=profile, priority=priority)
        yield Rule(name=f"{name}: start", when=answered, action=start)
        yield Rule(name=f"{name}: stop", when=pressed, action=StopProfile(profile=profile))


def _problems(extensions: Sequence[Extension]) -> Iterator[Problem]:
    seen: set[str] = set()
    for i, extension in enumerate(extensions):
        path = f"/{i}"
        if extension.number in seen:
            yield Problem(path + "/number", f"{extension.number!r} has a role already")
        seen.add(extension.number)
        if extension.role != "page" and not extension.profile:
            yield Problem(path + "/profile", f"the role {extension.role} needs a profile")
        if not extension.pin:
            continue
        pin = extension.pin.reveal()
        if not (MIN_PIN <= len(pin) <= MAX_PIN and pin.isascii() and pin.isdigit()):
            yield Problem(path + "/pin", f"must be {MIN_PIN} to {MAX_PIN} digits")
        if extension.role == "ring":
            yield Problem(path + "/pin", "nobody can enter it: a call to this role is not answered")
