"""The rules at work: events go into the engine, and what it decides becomes commands."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from sipstrobe.commands import Command
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused
from sipstrobe.events import Event, Kind, RuleActionFailed, RuleStateChanged
from sipstrobe.rules.engine import Begin, End, Engine, Output, Refuse
from sipstrobe.rules.explain import explain
from sipstrobe.rules.extensions import Extension, rules_of
from sipstrobe.rules.settings import Rule
from sipstrobe.rules.text import texts_of

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RuleStatus:
    """A rule as the page shows it. history: what touched it and what came of it, newest last.

    source: of which extension's role it is a part, and changes with; empty: people have made it.
    """

    rule: Rule
    source: str
    active: bool
    history: tuple[tuple[float, str], ...]  # (monotonic seconds, words)


class Automation:
    """Feed the rule engine from the bus and carry out what it wants."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._engine = Engine()
        self._driver = context.driver(self._engine, self._deliver, name="rules")
        self._rules: dict[str, tuple[Rule, str]] = {}  # by name, with their sources
        self._roles: dict[int, tuple[Extension, tuple[Rule, ...]]] = {}  # by identity
        self._undo: dict[str, Command | None] = {}  # of the active rules by name
        context.bus.subscribe(Event, self._hear)

    def apply(self, rules: Sequence[Rule], extensions: Sequence[Extension] = ()) -> None:
        """Work by these rules, and by those that the roles of extensions are, from now on."""
        self._rules = {rule.name: (rule, "") for rule in rules}
        before = self._roles
        self._roles = {id(e): before.get(id(e)) or (e, rules_of(e)) for e in extensions}
        for extension, made in self._roles.values():
            for rule in made:
                self._rules[rule.name] = (rule, f"extension {extension.number}")
        cause, root = self._serials()
        wanted = [rule for rule, _ in self._rules.values()]
        self._driver.feed(self._engine.apply, wanted, cause=cause, root=root)

    def close(self) -> None:
        """End all rules."""
        self.apply(())
        self._driver.close()

    def snapshot(self) -> list[RuleStatus]:
        """All rules in order, and what they did lately."""
        states = self._engine.rules
        return [
            RuleStatus(
                rule,
                source,
                rule.name in self._undo,
                tuple((r.at, explain(rule, r)) for r in states[rule.name].records)
                if rule.name in states
                else (),
            )
            for rule, source in self._rules.values()
        ]

    # --- in ------------------------------------------------------------------------------------

    def _hear(self, event: Event) -> None:
        outside = event.outside
        engine = self._engine
        if outside.kind is Kind.PROPERTY:
            items = texts_of(event)
            source = tuple([items[name] for name in outside.source])
            cause, root = self._serials()
            self._driver.feed(engine.property, outside.topic, source, items, cause=cause, root=root)
        elif engine.hears(outside.topic):
            cause, root = self._serials()
            self._driver.feed(engine.pulse, outside.topic, texts_of(event), cause=cause, root=root)

    def _serials(self) -> tuple[int, int]:
        """Of the current cause and of where it began."""
        current = self._context.trace.current
        return (0, 0) if current is None else (current.serial, current.root.serial)

    # --- out -----------------------------------------------------------------------------------

    def _deliver(self, output: Output) -> None:
        match output:
            case Begin(rule, command, active):
                self._begin(rule, command, active)
            case End(rule):
                self._end(rule)
            case Refuse(rule, reason):
                self._failed(rule, reason)

    def _begin(self, rule: Rule, command: Command, active: bool) -> None:
        if active and rule.name not in self._undo:
            self._undo[rule.name] = None
            self._context.bus.publish(RuleStateChanged(rule=rule.name, active=True))
        done, result = self._execute(rule, command)
        if not done:
            return
        logger.info("rule %r acts: %s", rule.name, rule.action.words)
        if active and rule.action.lasting:
            self._undo[rule.name] = rule.action.undo(result)

    def _end(self, rule: Rule) -> None:
        logger.debug("rule %r has ended", rule.name)
        undo = self._undo.pop(rule.name)
        if undo is not None:
            self._execute(rule, undo)
        self._context.bus.publish(RuleStateChanged(rule=rule.name, active=False))

    def _execute(self, rule: Rule, command: Command) -> tuple[bool, object]:
        """Has the command been carried out, and its result."""
        try:
            return True, self._context.dispatcher.execute(command)
        except CommandRefused as refusal:
            self._failed(rule, str(refusal))
        except Exception:  # a broken service must not keep other rules from acting
            logger.exception("%s failed", type(command).__name__)
            self._failed(rule, "an error inside the device; see its log")
        return False, None

    def _failed(self, rule: Rule, reason: str) -> None:
        logger.warning("rule %r could not act: %s", rule.name, reason)
        self._context.bus.publish(RuleActionFailed(rule=rule.name, reason=reason))
