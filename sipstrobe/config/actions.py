"""What single actions of rules cannot say about themselves: patterns, sounds, triggers, texts.

Whether there are the clips that they name is for `config.clips` to say.
"""

from collections.abc import Container, Iterator, Sequence

from sipstrobe.audio.clip import CLIP_PATTERN
from sipstrobe.config.sending import items_of
from sipstrobe.errors import Problem
from sipstrobe.lightsiren.profile import check_light, check_siren
from sipstrobe.lightsiren.settings import (
    DEFAULT_INTENSITY,
    DEFAULT_PRIORITY,
    LightPart,
    SirenPart,
)
from sipstrobe.lightsiren.sounds import SOUNDS
from sipstrobe.multicast.fields import group_problem
from sipstrobe.rules.actions import PageAction, SetTrigger, WriteToLog
from sipstrobe.rules.actions.calls import Calling
from sipstrobe.rules.actions.lights import LightAction, SirenAction
from sipstrobe.rules.settings import Rule
from sipstrobe.sending import templates


def problems(rules: Sequence[Rule], triggers: int, accounts: Container[str]) -> Iterator[Problem]:
    """triggers: how many manual ones there are; accounts: the names of those for calls."""
    for i, rule in enumerate(rules):
        for problem in _of_rule(rule, triggers, accounts):
            yield Problem(f"/rules/{i}/action{problem.path}", problem.message)


def _of_rule(rule: Rule, triggers: int, accounts: Container[str]) -> Iterator[Problem]:
    match rule.action:
        case LightAction():
            faults = check_light(_light(rule.action))
            yield from (Problem("/" + fault.field, fault.message) for fault in faults)
        case SirenAction(pattern=pattern) if not pattern.startswith(CLIP_PATTERN):
            faults = check_siren(_siren(rule.action), SOUNDS)
            yield from (Problem("/" + fault.field, fault.message) for fault in faults)
        case Calling(account=str(account)) if account not in accounts:
            yield Problem("/account", f"there is no account {account!r}")
        case PageAction(address=address):
            if words := group_problem(address)[1]:
                yield Problem("/address", words)
        case SetTrigger(trigger=number) if number > triggers:
            yield Problem("/trigger", f"there is no manual trigger {number}")
        case WriteToLog(text=text):
            if words := templates.problem(text, *items_of(rule)):
                yield Problem("/text", words)
        case _:
            pass


def _light(action: LightAction) -> LightPart:
    return LightPart(
        pattern=action.pattern,
        colors=action.colors,
        speed=action.speed,
        intensity=action.intensity or DEFAULT_INTENSITY,
        priority=action.priority or DEFAULT_PRIORITY,
        function=action.light,
    )


def _siren(action: SirenAction) -> SirenPart:
    return SirenPart(
        pattern=action.pattern,
        intensity=action.intensity or DEFAULT_INTENSITY,
        priority=action.priority or DEFAULT_PRIORITY,
    )
