"""What the live page is sent: the state, then light frames, levels and events as they happen.

Everything is encoded once for all listeners, and of the state only what has changed is told. A
listener that reads too slowly is cut off; nobody waits for it.

Each message has a number, `seq`: that of the newest change or event that its reader then knows. Who
comes again with it is told what he has missed. The numbers begin at the time of day in
milliseconds, so that those of an earlier run are none of this one.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from sipstrobe.clock import Handle
from sipstrobe.context import Context
from sipstrobe.events import Event, Function
from sipstrobe.trace import Cause
from sipstrobe.web.changes import Changes
from sipstrobe.web.describe import Link, chain
from sipstrobe.web.exchange import HttpProblem, Query
from sipstrobe.web.views import Frame, Views

logger = logging.getLogger(__name__)

LIGHTS: tuple[Function, ...] = (Function.SIGNALING_LED, Function.AUDIO_LED)
LISTENERS_MAX = 32
LISTENERS_PER_ACCOUNT = 24  # so that no account keeps out the others
WAITING_MAX = 64  # messages that wait for one listener; about four seconds of a busy device
HISTORY_MAX = 100  # events kept for whoever comes later
EVENTS_PER_TICK = 20  # in a storm only the newest are told, with a count of the others
TICK = 1 / 15  # seconds between levels, and between looks at what changes by itself
GATHERING = 0.003  # seconds from an event until it is told, with what follows from it at once
CHANGE_SPACING = 1 / 30  # seconds at least from one telling of events and state to the next
EARLY_MAX = 10  # tellings a second that do not wait for the tick; a storm does
FRAME_SPACING = 1 / 60  # seconds; a frame that comes sooner waits for the tick
STATE_SHARE = 0.05  # of the time, at most, goes into telling state and levels of a busy device
SOUND = "sound"  # the view of what plays
STATE_LATEST = 1.0  # seconds until what has changed of the state is told, even without an event
AFTER: Final = Query[int | None](
    "after",
    Annotated[int, Meta(ge=0, le=2**53 - 1)],
    None,
    "The seq of the last message that was heard, to go on from there.",
)


class Listener:
    """One reader's queue of messages; ends when it is closed or cut off."""

    def __init__(self, live: "Live", whose: str) -> None:
        self.whose = whose
        self._live = live
        self._waiting: deque[str] = deque()
        self._filled = asyncio.Event()
        self._ended = False
        self._cut: Callable[[], object] = lambda: None
        self.view = ""  # what its reader looks at

    def look(self, view: str) -> None:
        """Its reader looks at this view of the page; what others need is not told."""
        self.view = view
        self._live.tell_sound_anew()

    def on_cut(self, cut: Callable[[], object]) -> None:
        """What breaks the connection of a reader that does not read."""
        self._cut = cut

    def offer(self, message: str) -> None:
        if len(self._waiting) >= WAITING_MAX:
            self.close()
            self._cut()
            self._live.count_cut_off()
            return
        self._waiting.append(message)
        self._filled.set()

    def close(self) -> None:
        self._ended = True
        self._waiting.clear()
        self._filled.set()
        self._live.leave(self)

    def __aiter__(self) -> "Listener":
        return self

    async def __anext__(self) -> str:
        while not self._waiting:
            if self._ended:
                raise StopAsyncIteration
            self._filled.clear()
            await self._filled.wait()
        return self._waiting.popleft()


class Live:
    """Listen to the bus and the light, and tell the listeners."""

    def __init__(
        self, context: Context, views: Views, state: Callable[[], Mapping[str, Any]]
    ) -> None:
        self._context = context
        self._views = views
        self._state = state
        self._listeners: set[Listener] = set()
        self._seq = self._first = int(1000 * context.clock.wall().timestamp())
        self._changes = Changes()
        self._history: deque[tuple[int, Cause]] = deque(maxlen=HISTORY_MAX)
        self._forgotten = 0  # the number of the last event that the history no longer has
        self._untold = 0  # events since the last tick
        self._changed = False
        self._quiet_until = 0.0
        self._ticked = self._state_told_at = 0.0
        self._early: deque[float] = deque(maxlen=EARLY_MAX)  # when the last ones were
        self._beat = self._due = 0.0  # when the next regular tick is, and when the timer rings
        self._timer: Handle | None = None
        self._levels_told: dict[str, object] = {}
        self._sound_told: object = None
        self._shown_at = dict.fromkeys(LIGHTS, 0.0)
        self._waiting: dict[Function, Frame] = {}  # for the tick
        self._unwatch: list[Callable[[], None]] = []
        self._cut_off = context.measures.counter(
            "live_cut_off_total", "Listeners of the live page that read too slowly"
        )
        context.measures.gauge(
            "live_listeners", "Listeners of the live page", lambda: len(self._listeners)
        )
        self._unsubscribe = context.bus.subscribe(Event, self._event)

    def listen(self, after: int | None = None, whose: str = "") -> Listener:
        """A new listener, whose first messages are the state, the events so far and the frames.

        whose: the name of an account. after: what it knows already; of state and events it is then
        told what came later, if that is still known. Until it has heard all of that, its messages
        have no later number.
        """
        if len(self._listeners) >= LISTENERS_MAX:
            raise HttpProblem(503, f"{LISTENERS_MAX} others watch already")
        if sum(listener.whose == whose for listener in self._listeners) >= LISTENERS_PER_ACCOUNT:
            raise HttpProblem(503, f"{LISTENERS_PER_ACCOUNT} watch as {whose} already")
        resumed = after is not None and max(self._first, self._forgotten) <= after <= self._seq
        known = after if resumed and after is not None else 0
        self._tell_events()
        self._tell_state()
        listener = Listener(self, whose)
        listener.offer(self._encode("hello", seq=known, resumed=resumed))
        listener.offer(self._changed_since(known, seq=known))
        missed = [_told(cause) for seq, cause in self._history if seq > known]
        listener.offer(self._encode("events", events=missed, skipped=0))
        for light in LIGHTS:
            listener.offer(self._frame(light, self._views.frame(light)))
        self._levels_told = {}  # whoever comes has not heard them, though nothing changes
        self._listeners.add(listener)
        if not self._unwatch:
            watch = self._views.watch_frames
            self._unwatch = [watch(partial(self._show, light), light) for light in LIGHTS]
            self._beat = self._context.clock.now() + TICK
            self._wait(self._beat)
        return listener

    def leave(self, listener: Listener) -> None:
        self._listeners.discard(listener)
        if self._listeners:
            return
        self._waiting.clear()
        while self._unwatch:
            self._unwatch.pop()()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def tell_sound_anew(self) -> None:
        """Somebody looks who has not been told yet."""
        self._sound_told = None

    def count_cut_off(self) -> None:
        logger.info("a listener of the live page reads too slowly: cut off")
        self._cut_off.add()

    def dismiss(self) -> None:
        """End all listeners; who may still listen comes again."""
        for listener in tuple(self._listeners):
            listener.close()

    def close(self) -> None:
        self._unsubscribe()
        self.dismiss()

    def events(self, newest: int = HISTORY_MAX) -> list[Link]:
        """The last events, each with the chain of its causes, the oldest first."""
        return [_told(cause) for _, cause in list(self._history)[-newest:]]

    def _event(self, _: Event) -> None:
        cause = self._context.trace.current
        if cause is None:
            return
        if len(self._history) == HISTORY_MAX:
            self._forgotten = self._history[0][0]
        self._history.append((self._seq + 1, cause))  # the number that it will be told with
        self._untold += 1
        self._changed = True
        if self._timer is not None:
            self._hurry(self._timer)

    def _hurry(self, timer: Handle) -> None:
        """Do not wait for the regular tick, unless that has been done too often."""
        now, early = self._context.clock.now(), self._early
        soon = max(now + GATHERING, self._ticked + CHANGE_SPACING, self._quiet_until)
        if soon < self._due and (len(early) < EARLY_MAX or now - early[0] >= 1.0):
            early.append(now)
            timer.cancel()
            self._wait(soon)

    def _show(self, light: Function, frame: Frame) -> None:
        now = self._context.clock.now()
        if now - self._shown_at[light] < FRAME_SPACING:
            self._waiting[light] = frame
            return
        self._waiting.pop(light, None)
        self._shown_at[light] = now
        self._tell(self._frame(light, frame))

    def _frame(self, light: Function, frame: Frame) -> str:
        sides = [(side.color, side.level) for side in frame]
        return self._encode("frame", light=light, sides=sides)

    def _wait(self, until: float) -> None:
        self._due = until
        self._timer = self._context.clock.call_at(until, self._tick)

    def _tick(self) -> None:
        """Regularly, and in between soon after something has happened."""
        now = self._ticked = self._context.clock.now()
        regular = now >= self._beat
        if regular:
            self._beat = now + TICK
        self._wait(self._beat)
        for light, frame in tuple(self._waiting.items()):
            self._show(light, frame)
        self._tell_events()
        if now < self._quiet_until:
            return
        if self._changed or now - self._state_told_at >= STATE_LATEST:
            self._tell_state()
        elif regular and (levels := self._levels()):
            self._tell(self._encode("levels", **levels))
        if regular:
            self._tell_sound()
        self._quiet_until = now + (self._context.clock.now() - now) / STATE_SHARE

    def _tell_events(self) -> None:
        if not self._untold:
            return
        told = min(self._untold, EVENTS_PER_TICK)
        skipped, self._untold = self._untold - told, 0
        self._seq += 1
        if self._listeners:
            self._tell(self._encode("events", events=self.events(told), skipped=skipped))

    def _tell_state(self) -> None:
        self._changed = False
        self._state_told_at = self._context.clock.now()
        before, self._seq = self._seq, self._seq + 1
        self._changes.look(self._state(), self._seq)
        if self._listeners:
            self._tell(self._changed_since(before, seq=self._seq))

    def _changed_since(self, known: int, *, seq: int) -> str:
        """The members of the state that have changed since, all of them if nothing is known."""
        head = self._encode("state", seq=seq, whole=not known)
        return f'{head[:-1]},"state":{self._changes.since(known)}}}'

    def _levels(self) -> dict[str, object]:
        """The loudness of the speaker and of each call, in dB of full scale, if it has changed."""
        calls = {call.id: round(call.level_db, 1) for call in self._views.calls()}
        levels: dict[str, object] = {"calls": calls, "sound": self._views.sound_level()}
        if levels == self._levels_told:
            return {}
        self._levels_told = levels
        return levels

    def _tell_sound(self) -> None:
        """What plays and how loud it is, to those who look at that."""
        looking = [listener for listener in self._listeners if listener.view == SOUND]
        if not looking:
            return
        told = {"sound": self._views.sound(), "microphone": self._views.microphone()}
        if told == self._sound_told:
            return
        self._sound_told = told
        message = self._encode("sound", **told)
        for listener in looking:
            listener.offer(message)

    def _tell(self, message: str) -> None:
        for listener in tuple(self._listeners):
            listener.offer(message)

    def _encode(self, kind: str, **content: object) -> str:
        head = {"type": kind, "at": self._context.clock.now(), "seq": self._seq}
        return msgspec.json.encode(head | content).decode()


def _told(cause: Cause) -> Link:
    return {"chain": chain(cause)}
