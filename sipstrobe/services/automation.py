"""The rules at work: events go into the engine, and what it decides becomes commands."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from sipstrobe.commands import Command
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused
from sipstrobe.events import Event, Kind, RuleActionFailed, RuleStateChanged
from sipstrobe.rules.engine import Begin, End, Engine, Output, Refuse, RuleState
from sipstrobe.rules.explain import Outcome, Record, Stand
from sipstrobe.rules.extensions import Extension, rules_of
from sipstrobe.rules.settings import Rule
from sipstrobe.rules.text import texts_of
from sipstrobe.services.rule_memory import RuleMemory
from sipstrobe.trace import Cause, Decision, Input

logger = logging.getLogger(__name__)

HISTORY_TOLD = 5  # records of a rule, where all rules are told of
MAX_LINKS = 64  # of the chain of causes that a rule which has waited goes on with


@dataclass(frozen=True, slots=True)
class RuleStatus:
    """A rule as the page shows it.

    source: of which extension's role it is a part, and changes with; empty: people have made it.
    begun_at, waits_until: monotonic seconds of its last activation, and until when it waits.
    """

    rule: Rule
    source: str
    active: bool
    begun_at: float | None = None
    waits_until: float | None = None
    state: RuleState | None = field(default=None, repr=False)  # None: it is switched off

    @property
    def history(self) -> tuple[tuple[float, str], ...]:
        """What touched it lately and what came of it: when and in words, the newest last."""
        if self.state is None:
            return ()
        return tuple([record.told for record in self.state.history.newest(HISTORY_TOLD)])

    @property
    def records(self) -> list[Record]:
        """The same in full, and more of it."""
        return [] if self.state is None else self.state.records

    @property
    def conditions(self) -> list[Stand]:
        """How each of its conditions stands; nothing is known of those of a rule that is off."""
        return [] if self.state is None else self.state.conditions


@dataclass(slots=True, eq=False)
class _Begun:
    """What lasts, and how many active rules want it: if they order the same, it is one thing."""

    order: Command
    undo: Command
    rules: int = 0


class Automation:
    """Feed the rule engine from the bus and carry out what it wants.

    memory: how rules stood before the device was started anew; None: nothing is remembered.
    """

    def __init__(self, context: Context, memory: RuleMemory | None = None) -> None:
        self._context = context
        self._memory = memory
        self._engine = Engine()
        self._driver = context.driver(self._engine, self._deliver, name="rules")
        self._rules: dict[str, tuple[Rule, str]] = {}  # by name, with their sources
        self._roles: dict[int, tuple[Extension, tuple[Rule, ...]]] = {}  # by identity
        self._active: dict[str, _Begun | None] = {}  # by name; None: nothing of it lasts
        self._shared: dict[Command, _Begun] = {}  # by order, what would replace itself
        context.bus.subscribe(Event, self._hear)

    def apply(self, rules: Sequence[Rule], extensions: Sequence[Extension] = ()) -> None:
        """Work by these rules, and by those that the roles of extensions are, from now on."""
        self._rules = {rule.name: (rule, "") for rule in rules}
        before = self._roles
        self._roles = {id(e): before.get(id(e)) or (e, rules_of(e)) for e in extensions}
        for extension, made in self._roles.values():
            for rule in made:
                self._rules[rule.name] = (rule, f"extension {extension.number}")
        wanted = [rule for rule, _ in self._rules.values()]
        if self._memory is not None:
            self._recall(self._memory, wanted)
        self._driver.feed(self._engine.apply, wanted, cause=self._context.trace.current)

    def close(self) -> None:
        """End all rules. They are remembered as they were before."""
        if self._memory is not None:
            self._memory.freeze()
        self.apply(())
        self._driver.close()

    def snapshot(self) -> list[RuleStatus]:
        """All rules in order, and what they did lately."""
        return [self._status(rule, source) for rule, source in self._rules.values()]

    def status(self, name: str) -> RuleStatus | None:
        """The rule of this name."""
        found = self._rules.get(name)
        return None if found is None else self._status(*found)

    def _status(self, rule: Rule, source: str) -> RuleStatus:
        state = self._engine.rules.get(rule.name)
        active = rule.name in self._active
        if state is None:
            return RuleStatus(rule, source, active)
        waits_until = self._engine.waits_until(rule.name)
        return RuleStatus(rule, source, active, state.begun_at, waits_until, state)

    def _recall(self, memory: RuleMemory, rules: Sequence[Rule]) -> None:
        """Only rules that are taken up for the first time are as they were before."""
        on = {rule.name: rule for rule in rules if rule.enabled}
        new = [rule for rule in rules if rule.name in on and rule.name not in self._engine.rules]
        recalled = {rule.name: known for rule in new if (known := memory.recalled(rule))}
        self._engine.recall(recalled)
        memory.only(on)

    # --- in ------------------------------------------------------------------------------------

    def _hear(self, event: Event) -> None:
        outside = event.outside
        engine = self._engine
        cause = self._context.trace.current
        if outside.kind is Kind.PROPERTY:
            items = texts_of(event)
            source = tuple([items[name] for name in outside.source])
            topic = outside.topic
            if self._memory is not None:
                self._memory.heard(topic, source, items)
            self._driver.feed(engine.property, topic, source, items, cause=cause)
        elif engine.hears(outside.topic):
            items = texts_of(event)
            self._driver.feed(engine.pulse, outside.topic, items, cause=cause)

    # --- out -----------------------------------------------------------------------------------

    def _deliver(self, output: Output) -> None:
        match output:
            case Begin() if output.armed is not None:
                with self._context.trace.because(self._waited(output.rule, output.armed)):
                    self._begin(output)
            case Begin():
                self._begin(output)
            case End(rule):
                self._end(rule)
            case Refuse(rule, reason):
                self._failed(rule, reason)

    def _waited(self, rule: Rule, armed: Cause) -> Cause:
        """The end of a wait, and what the wait began by; of what goes on and on, not all."""
        trace = self._context.trace
        known = armed if len(armed.chain()) <= MAX_LINKS else None
        with trace.because(known):
            words = f"the wait of the rule {rule.name!r} is over"
            return trace.link(Input("timer", words), self._context.clock.now())

    def _begin(self, begin: Begin) -> None:
        rule, command, active = begin.rule, begin.command, begin.active
        if active and rule.name not in self._active:
            self._active[rule.name] = None
            self._context.bus.publish(RuleStateChanged(rule=rule.name, active=True))
        if self._memory is not None and begin.record.outcome is not Outcome.RESUMED:
            self._memory.begun(rule, begin.record.came, active=active)
        if command is None:
            logger.info("rule %r goes on", rule.name)
            return
        done, result = self._execute(rule, command, begin.record)
        if not done:
            return
        logger.info("rule %r acts: %s", rule.name, rule.action.words)
        if active and rule.action.lasting:
            self._active[rule.name] = self._keep(rule, command, rule.action.undo(result))

    def _end(self, rule: Rule) -> None:
        logger.debug("rule %r has ended", rule.name)
        if self._memory is not None:
            self._memory.ended(rule)
        begun = self._active.pop(rule.name)
        if begun is not None:
            begun.rules -= 1
            if not begun.rules:
                if self._shared.get(begun.order) is begun:
                    del self._shared[begun.order]
                self._execute(rule, begun.undo, None)
        self._context.bus.publish(RuleStateChanged(rule=rule.name, active=False))

    def _keep(self, rule: Rule, order: Command, undo: Command) -> _Begun:
        """Note what the rule has begun, beside those that have ordered the same."""
        begun = _Begun(order, undo)
        if rule.action.replaces:
            begun = self._shared.setdefault(order, begun)
        begun.undo = undo
        begun.rules += 1
        return begun

    def _execute(self, rule: Rule, command: Command, record: Record | None) -> tuple[bool, object]:
        """Has the command been carried out, and its result. record: where a failure is noted."""
        trace = self._context.trace
        decision = trace.link(Decision("rule", rule.name), self._context.clock.now())
        try:
            with trace.because(decision):
                return True, self._context.dispatcher.execute(command)
        except CommandRefused as refusal:
            reason = str(refusal)
        except Exception:  # a broken service must not keep other rules from acting
            logger.exception("%s failed", type(command).__name__)
            reason = "an error inside the device; see its log"
        if record is not None:
            record.fail(reason)
        self._failed(rule, reason)
        return False, None

    def _failed(self, rule: Rule, reason: str) -> None:
        logger.warning("rule %r could not act: %s", rule.name, reason)
        self._context.bus.publish(RuleActionFailed(rule=rule.name, reason=reason))
