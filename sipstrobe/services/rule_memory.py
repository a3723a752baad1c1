"""How rules stand, kept over a restart: which are active, and when each has begun last.

So a rule that is to wait an hour waits it out, one that has done its once is not done again because
the device was started anew in the middle, and one that a trigger has begun goes on. Only rules for
which that matters are written down, as they begin and end; the file is written beside the loop and
renamed, so that there is always a whole one.
"""

import asyncio
import hashlib
import logging
from collections.abc import Container, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from sipstrobe.config.files import Files
from sipstrobe.context import Context
from sipstrobe.events import DECLARED, Kind
from sipstrobe.rules.anew import Recalled, ends_with_device, source_of
from sipstrobe.rules.facts import Came, Source
from sipstrobe.rules.settings import Rule

logger = logging.getLogger(__name__)

FILE: Final = "rules-begun.json"
MAX_FIRED: Final = 64  # sources of one rule; of more, the oldest is forgotten
CLOSE_LIMIT: Final = 2.0  # seconds that the last write may take at the end


class _Kept(Struct, frozen=True):
    """made: tells whether the rule is still the same. begun: seconds since 1970. fired: the sources
    of the state that was its trigger, which are still so."""

    made: str
    active: bool
    begun: float
    fired: tuple[Source, ...] = ()


def matters(rule: Rule) -> bool:
    """Is it different after a restart whether this rule was active, or has begun lately?"""
    by_more = bool(rule.conditions) and (rule.when is not None or not rule.action.lasting)
    return (by_more and _outlives(rule)) or rule.minimum_interval > 0 or _by_state(rule)


def _outlives(rule: Rule) -> bool:
    """Can it be active by the same as before, after a restart?"""
    return all(c.invert or not ends_with_device(c.event) for c in rule.conditions)


def _by_state(rule: Rule) -> bool:
    """Is the trigger a state that is reported anew after a start? No call outlives the device."""
    when = rule.when
    if when is None or when.invert or ends_with_device(when.event):
        return False
    return DECLARED[when.event].outside.kind is Kind.PROPERTY


class RuleMemory:
    """What there is to remember. The file is read as this is made, once."""

    def __init__(self, context: Context, files: Files) -> None:
        self._context = context
        self._files = files
        self._kept = self._read()
        self._fired: dict[tuple[str, Source], dict[str, Rule]] = {}
        self._rules: Mapping[str, Rule] = {}
        self._thread = ThreadPoolExecutor(1, "rules")
        self._writing: asyncio.Future[None] | None = None
        self._changed = False
        self._frozen = False

    def recalled(self, rule: Rule) -> Recalled | None:
        """How the rule stood when the device stopped; None: nothing of it matters.

        An hour is an hour by the calendar here; if that was set back meanwhile, none has passed.
        """
        known = self._kept.get(rule.name)
        if known is None or not matters(rule):
            return None
        passed = max(0.0, self._context.clock.wall().timestamp() - known.begun)
        same = known.made == _made(rule)
        active = known.active and same
        begun_at = self._context.clock.now() - passed
        fired_by = known.fired if same else ()
        if rule.when is not None:
            for source in fired_by:
                self._fired.setdefault((rule.when.event, source), {})[rule.name] = rule
        return Recalled(active, begun_at, frozenset(fired_by))

    def begun(self, rule: Rule, came: Came, *, active: bool) -> None:
        """The rule has begun by this, and is active or over."""
        if not matters(rule):
            return
        wall = self._context.clock.wall().timestamp()
        made, known = _made(rule), self._kept.get(rule.name)
        fired = known.fired if known is not None and known.made == made else ()
        if rule.when is not None and _by_state(rule) and came.topic == rule.when.event:
            source = source_of(came.topic, came.items)
            self._fired.setdefault((came.topic, source), {})[rule.name] = rule
            fired = (*(one for one in fired if one != source), source)[-MAX_FIRED:]
        kept = _Kept(made, active and _outlives(rule), wall, fired)
        self._keep(rule, self._left(rule, kept))

    def heard(self, topic: str, source: Source, items: Mapping[str, str]) -> None:
        """A source has this value now, which may no longer be a trigger that it was."""
        fired = self._fired.get((topic, source))
        if not fired:
            return
        for rule in list(fired.values()):
            assert rule.when is not None
            if not rule.when.match.items() <= items.items():
                del fired[rule.name]
                self._rested(rule, source)
        if not fired:
            del self._fired[topic, source]

    def ended(self, rule: Rule) -> None:
        """The rule is no longer active."""
        known = self._kept.get(rule.name)
        if known is None or not known.active:
            return
        self._keep(rule, self._left(rule, replace(known, active=False)))

    def _rested(self, rule: Rule, source: Source) -> None:
        known = self._kept.get(rule.name)
        if known is not None and source in known.fired:
            fired = tuple([one for one in known.fired if one != source])
            self._keep(rule, self._left(rule, replace(known, fired=fired)))

    def _left(self, rule: Rule, kept: _Kept) -> _Kept | None:
        """What is still worth keeping; a rule that has been changed waits as it does now."""
        rule = self._rules.get(rule.name, rule)
        return kept if kept.active or kept.fired or rule.minimum_interval > 0 else None

    def only(self, rules: Mapping[str, Rule]) -> None:
        """There are no other rules any more."""
        self._rules = rules
        gone = [name for name in self._kept if name not in rules]
        for name in gone if not self._frozen else ():
            del self._kept[name]
            self._write()
        if not self._frozen:
            self._forget(rules)

    def _forget(self, names: Container[str]) -> None:
        for fired in self._fired.values():
            for name in [name for name in fired if name not in names]:
                del fired[name]
        self._fired = {source: fired for source, fired in self._fired.items() if fired}

    def freeze(self) -> None:
        """The device stops: what ends from now on would not have ended."""
        self._frozen = True

    async def aclose(self) -> None:
        """Wait until all is written."""
        self._frozen = True
        if self._writing is not None:
            await asyncio.wait([self._writing], timeout=CLOSE_LIMIT)
        self._thread.shutdown(wait=False)

    # --- the file ------------------------------------------------------------------------------

    def _keep(self, rule: Rule, kept: _Kept | None) -> None:
        if self._frozen or self._kept.get(rule.name) == kept:
            return
        if kept is None:
            del self._kept[rule.name]
        else:
            self._kept[rule.name] = kept
        self._write()

    def _write(self) -> None:
        """Write all of it, after what is being written now."""
        self._changed = True
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_future()
            self._submit(self._writing)

    def _submit(self, written: "asyncio.Future[None]") -> None:
        self._changed = False
        data = msgspec.json.encode(self._kept)
        loop = asyncio.get_running_loop()
        done = loop.run_in_executor(self._thread, self._put, data)
        done.add_done_callback(lambda done: self._done(written, done.exception()))

    def _done(self, written: "asyncio.Future[None]", error: BaseException | None) -> None:
        if error is not None:
            logger.warning("what rules have begun is not kept: %s", error)
        if self._changed:
            self._submit(written)
            return
        self._writing = None
        written.set_result(None)

    def _put(self, data: bytes) -> None:
        beside = FILE + ".new"
        self._files.write(beside, data, mode=0o644)
        self._files.replace(FILE, beside)

    def _read(self) -> dict[str, _Kept]:
        """What cannot be read is as if it had never been."""
        try:
            data = self._files.read(FILE)
            return {} if data is None else msgspec.json.decode(data, type=dict[str, _Kept])
        except (OSError, ValueError, msgspec.MsgspecError) as error:
            logger.warning("what rules had begun cannot be read: %s", error)
            return {}


def _made(rule: Rule) -> str:
    return hashlib.sha256(msgspec.json.encode(rule)).hexdigest()[:16]
