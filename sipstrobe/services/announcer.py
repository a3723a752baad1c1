"""Calls that are made to let somebody hear a clip.

Serves: CallAndTell. Listens to: CallStateChanged.
"""

import logging
from collections.abc import Callable

import numpy as np
from msgspec import Struct

from sipstrobe.audio.format import Samples
from sipstrobe.audio.source import SayInCall
from sipstrobe.commands import CallAndTell, Dial, HangUp
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused, MediaError
from sipstrobe.events import CallStateChanged, CallStatus
from sipstrobe.lightsiren.sound import SirenSource
from sipstrobe.services.clip_library import Entry
from sipstrobe.trace import Cause, Input

logger = logging.getLogger(__name__)


class _Wish(Struct, frozen=True):
    clip: Entry
    hang_up: bool
    cause: Cause | None  # of the call


class Announcer:
    """Tells each call that it has made what it was made for, once it is answered. There are no
    more of them than calls. find: the clip of a name."""

    def __init__(self, context: Context, find: Callable[[str], Entry | None]) -> None:
        self._context = context
        self._find = find
        self._wishes: dict[str, _Wish] = {}  # by call, until that is over
        context.dispatcher.serve(CallAndTell, self._call)
        context.bus.subscribe(CallStateChanged, self._changed)

    def _call(self, command: CallAndTell) -> str:
        clip = self._find(command.clip)
        if clip is None:
            raise CommandRefused("unknown_clip", f"there is no clip {command.clip!r}")
        dial = Dial(uri=command.uri, account=command.account)
        call = str(self._context.dispatcher.execute(dial))
        self._wishes[call] = _Wish(clip, command.hang_up, self._context.trace.current)
        return call

    def _changed(self, event: CallStateChanged) -> None:
        if event.state is CallStatus.TERMINATED:
            self._wishes.pop(event.call, None)
        elif event.state is CallStatus.ACTIVE and (wish := self._wishes.get(event.call)):
            self._tell(event.call, wish)

    def _tell(self, call: str, wish: _Wish) -> None:
        try:
            sound = _Once(wish.clip, lambda: self._told(call))
        except MediaError as error:
            logger.warning("call %s hears nothing: clip %r: %s", call, wish.clip.name, error)
            self._told(call)
        else:
            self._context.dispatcher.execute(SayInCall(call=call, sound=sound))

    def _told(self, call: str) -> None:
        """It has heard all; the stream, which asks for its sound now, is left alone first."""

        def end() -> None:
            wish = self._wishes.pop(call, None)
            if wish is None or not wish.hang_up:
                return
            trace, now = self._context.trace, self._context.clock.now()
            with trace.because(wish.cause):
                over = trace.link(Input("clip", f"{wish.clip.name} is over"), now)
            with trace.because(over):
                self._context.dispatcher.execute(HangUp(call=call))

        self._context.clock.call_at(self._context.clock.now(), end)


class _Once:
    """A clip from its beginning to its end. Raises MediaError where it has no sound."""

    def __init__(self, clip: Entry, on_end: Callable[[], None]) -> None:
        self._left = clip.sound.open().period_samples
        self._source = SirenSource(clip.sound)
        self._on_end = on_end

    def __call__(self, count: int) -> Samples | None:
        if self._left <= 0:
            self._on_end()
            return None
        piece = self._source.next(min(count, self._left))
        self._left -= count
        if piece.size == count:
            return piece
        return np.concatenate([piece, np.zeros(count - piece.size, np.float32)])
