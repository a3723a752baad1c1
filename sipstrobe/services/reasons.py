"""Because of what each light, sound, call and message began, and because of what it ended.

Listens to: OperationChanged, CallStateChanged, SendResult. The chains of what is over are kept for
a while, so that people can ask afterwards.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from sipstrobe.context import Context
from sipstrobe.events import CallStateChanged, OperationChanged, SendResult
from sipstrobe.trace import Cause

MAX_KEPT: Final = 512  # of each kind; of more, what began first is forgotten

Thing = Literal["operation", "sound", "call", "message"]


@dataclass(slots=True)
class _Reason:
    """began: the first that was told of it, and last: the newest, each with what led to it."""

    began: Cause
    last: Cause


Ask = Callable[[str], tuple[Cause | None, Cause | None] | None]
"""Whoever keeps such a thing himself: because of what it began and ended; None: it is unknown."""


class Reasons:
    """Remember the causes of what happens. asked: who knows more about things of a kind."""

    def __init__(self, context: Context, asked: Mapping[Thing, Ask]) -> None:
        self._context = context
        self._kept: dict[Thing, dict[str, _Reason]] = {"operation": {}, "call": {}, "message": {}}
        self._asked = asked
        context.bus.subscribe(OperationChanged, self._operation)
        context.bus.subscribe(CallStateChanged, self._call)
        context.bus.subscribe(SendResult, self._message)

    def why(self, thing: Thing, name: str) -> list[Cause]:
        """What began this, and what has become of it last if that is not the same.

        name: of an operation "<function>/<id>", of a sound its owner, of a call and a message the
        id. Empty: it is unknown, or too long ago.
        """
        known = self._kept.get(thing, {}).get(name)
        began, last = (known.began, known.last) if known is not None else (None, None)
        ask = self._asked.get(thing)
        if ask is not None and (asked := ask(name)) is not None:
            began, last = asked[0] or began, asked[1] or last
        causes = [cause for cause in (began, last) if cause is not None]
        return causes[:1] if len(causes) == 2 and causes[0] is causes[1] else causes

    def _operation(self, event: OperationChanged) -> None:
        self._note("operation", f"{event.function.value}/{event.operation}")

    def _call(self, event: CallStateChanged) -> None:
        self._note("call", event.call)

    def _message(self, event: SendResult) -> None:
        self._note("message", event.item)

    def _note(self, thing: Thing, name: str) -> None:
        cause = self._context.trace.current
        if cause is None:
            return
        kept = self._kept[thing]
        known = kept.get(name)
        if known is not None:
            known.last = cause
            return
        if len(kept) >= MAX_KEPT:
            del kept[next(iter(kept))]
        kept[name] = _Reason(cause, cause)
