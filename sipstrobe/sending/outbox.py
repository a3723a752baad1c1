"""What waits to be sent, and when the next attempt is due: a machine.

Each recipient has a lane of its own. In a lane one message is tried at a time and the order is
kept: the first is tried again, ever more seldom, until it is sent, the fault turns out to lie in
the message, somebody removes it, or it is too old. What does not fit in is refused as it comes;
what has been taken is never dropped for what comes later.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from msgspec import Struct

MAX_ITEMS: Final = 2000  # altogether
MAX_LANE_ITEMS: Final = 500
MAX_BYTES: Final = 16 * 2**20  # altogether
MAX_LANE_BYTES: Final = 4 * 2**20
FIRST_WAIT: Final = 2.0  # seconds after the first failure of a lane; then twice as long each time
LONGEST_WAIT: Final = 300.0  # seconds
SPREAD: Final = 0.25  # by which waits are longer or shorter, so that many devices do not meet
DAY: Final = 24 * 3600.0  # seconds that a message is tried for
NO_SUCH_LANE: Final = "there is no such recipient any more"


@dataclass(slots=True, eq=False)
class Item:
    """A message in the outbox. expires: monotonic seconds, after which it is tried no more."""

    id: str
    lane: str
    size_bytes: int
    expires: float
    attempts: int = 0
    failure: str = ""  # why the last attempt has failed


class Try(Struct, frozen=True):
    """Send it now, and say `sent` or `failed`."""

    item: Item


class Failed(Struct, frozen=True):
    """An attempt has failed; it is tried again later. retry_at: monotonic seconds."""

    item: Item
    retry_at: float


class Ended(Struct, frozen=True):
    """It has left the outbox: sent, or given up with the reason."""

    item: Item
    sent: bool
    words: str = ""


Output = Try | Failed | Ended


@dataclass(slots=True)
class _Lane:
    items: deque[Item] = field(default_factory=deque[Item])
    bytes: int = 0
    trying: bool = False  # the first is being sent
    retry_at: float = 0.0
    wait: float = 0.0  # seconds, before the last attempt; 0: that one was good


class Outbox:
    """See above. spread: random, from 0 to 1."""

    def __init__(self, spread: Callable[[], float]) -> None:
        self.outbox: deque[Output] = deque()
        self._spread = spread
        self._lanes: dict[str, _Lane] = {}
        self._items: dict[str, Item] = {}
        self._bytes = 0

    # --- inputs ----------------------------------------------------------------------------------

    def apply(self, lanes: Collection[str], changed: Collection[str], *, now: float) -> None:
        """There are these lanes; what waits in another is given up. changed: those whose
        recipient is not the one it was: they are tried at once."""
        for name in [name for name in self._lanes if name not in lanes]:
            for item in list(self._lanes[name].items):
                self._end(item, False, NO_SUCH_LANE)
            del self._lanes[name]
        for name in lanes:
            self._lanes.setdefault(name, _Lane())
        for name in changed:
            self.retry(name, now=now)

    def refusal(self, lane: str, size_bytes: int) -> str:
        """Why a message of this size does not fit in; empty: it does."""
        found = self._lanes.get(lane)
        if found is None:
            return NO_SUCH_LANE
        if len(found.items) >= MAX_LANE_ITEMS:
            return f"{MAX_LANE_ITEMS} messages to {lane!r} wait already"
        if found.bytes + size_bytes > MAX_LANE_BYTES:
            return f"what waits for {lane!r} fills {MAX_LANE_BYTES >> 20} MiB"
        if len(self._items) >= MAX_ITEMS:
            return f"{MAX_ITEMS} messages wait already"
        if self._bytes + size_bytes > MAX_BYTES:
            return f"the messages that wait fill {MAX_BYTES >> 20} MiB"
        return ""

    def add(self, item: Item, *, now: float) -> None:
        """Take a message that fits in (`refusal`)."""
        self._enter(item)
        self._next(item.lane, now)

    def restore(self, items: Iterable[Item], *, now: float) -> None:
        """Take what was left by an earlier run, in its order; it fitted in then."""
        for item in items:
            if item.lane in self._lanes:
                self._enter(item)
            else:
                self.outbox.append(Ended(item, False, NO_SUCH_LANE))
        for lane in self._lanes:
            self._next(lane, now)

    def sent(self, item_id: str, *, now: float) -> None:
        """What was to be tried has been sent."""
        item = self._items.get(item_id)
        if item is None:
            return  # removed meanwhile
        item.attempts += 1
        self._lanes[item.lane].wait = 0.0
        self._end(item, True, "")
        self._next(item.lane, now)

    def failed(self, item_id: str, words: str, *, permanent: bool, now: float) -> None:
        """It could not be sent. permanent: nor could it ever be."""
        item = self._items.get(item_id)
        if item is None:
            return
        lane = self._lanes[item.lane]
        item.attempts += 1
        item.failure = words
        lane.trying = False
        if permanent:
            lane.wait = 0.0
            self._end(item, False, words)
        else:
            lane.wait = min(2 * lane.wait, LONGEST_WAIT) or FIRST_WAIT
            lane.retry_at = now + lane.wait * (1 + SPREAD * (2 * self._spread() - 1))
            if item.expires > now:
                self.outbox.append(Failed(item, lane.retry_at))
        self._next(item.lane, now)

    def remove(self, item_id: str, words: str, *, now: float) -> bool:
        """Somebody does not want it sent any more. False: there is no such message."""
        item = self._items.get(item_id)
        if item is None:
            return False
        self._end(item, False, words)
        self._next(item.lane, now)
        return True

    def retry(self, lane: str, *, now: float) -> None:
        """The recipient may be there again: do not wait any longer."""
        found = self._lanes.get(lane)
        if found is not None:
            found.wait = 0.0
            found.retry_at = now
            self._next(lane, now)

    def wake(self, *, now: float) -> None:
        for lane in self._lanes:
            self._next(lane, now)

    # --- what there is ---------------------------------------------------------------------------

    @property
    def deadline(self) -> float | None:
        idle = (lane for lane in self._lanes.values() if lane.items and not lane.trying)
        return min((min(lane.retry_at, lane.items[0].expires) for lane in idle), default=None)

    @property
    def items(self) -> Iterator[Item]:
        """All that wait, lane by lane."""
        for lane in self._lanes.values():
            yield from lane.items

    def __len__(self) -> int:
        return len(self._items)

    @property
    def failing(self) -> list[str]:
        """The lanes whose last attempt has failed."""
        return [name for name, lane in self._lanes.items() if lane.wait and lane.items]

    def retry_at(self, item: Item) -> float | None:
        """When it is tried again at the latest; None: it is being tried, or not the first."""
        lane = self._lanes[item.lane]
        return None if lane.trying or lane.items[0] is not item else lane.retry_at

    # --- steps -----------------------------------------------------------------------------------

    def _enter(self, item: Item) -> None:
        lane = self._lanes[item.lane]
        lane.items.append(item)
        lane.bytes += item.size_bytes
        self._items[item.id] = item
        self._bytes += item.size_bytes

    def _next(self, name: str, now: float) -> None:
        """Try the first of a lane, if it is time."""
        lane = self._lanes[name]
        if lane.trying:
            return
        while lane.items and lane.items[0].expires <= now:
            item = lane.items[0]
            last = f": {item.failure}" if item.failure else ""
            self._end(item, False, "too old, and could not be sent before" + last)
        if lane.items and lane.retry_at <= now:
            lane.trying = True
            self.outbox.append(Try(lane.items[0]))

    def _end(self, item: Item, sent: bool, words: str) -> None:
        lane = self._lanes[item.lane]
        if lane.items[0] is item:
            lane.trying = False
        lane.items.remove(item)
        lane.bytes -= item.size_bytes
        del self._items[item.id]
        self._bytes -= item.size_bytes
        self.outbox.append(Ended(item, sent, words))
