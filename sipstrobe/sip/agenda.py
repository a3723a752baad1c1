"""When which of many small machines is due: a heap in which entries are struck out, not searched.

Noting, forgetting and asking for the earliest instant cost the same for ten machines and for a
hundred thousand.
"""

from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Protocol


class Entry:
    """One line of the agenda; `item` is None once it is struck out."""

    __slots__ = ("at", "item")

    def __init__(self, at: float, item: "Item") -> None:
        self.at = at
        self.item: Item | None = item


class Item(Protocol):
    """A machine with a place for its line in the agenda; it starts with None."""

    entry: Entry | None

    @property
    def deadline(self) -> float | None: ...
    def wake(self, *, now: float) -> None: ...


class Agenda:
    """Knows the earliest deadline of all items noted, and hands out those that are due."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Entry]] = []
        self._serials = count()
        self._struck = 0

    def __len__(self) -> int:
        """How many items are waiting."""
        return len(self._heap) - self._struck

    @property
    def room(self) -> int:
        """How many lines it takes up, those struck out included."""
        return len(self._heap)

    def note(self, item: Item) -> None:
        """Take down the item's deadline; to be called after whatever may have changed it."""
        at, entry = item.deadline, item.entry
        if entry is not None:
            if at is not None and at >= entry.at:
                return  # it is moved when its line comes up
            self.forget(item)
        if at is not None:
            self._write(item, at)

    def forget(self, item: Item) -> None:
        """Strike out the item."""
        if item.entry is None:
            return
        item.entry.item = item.entry = None
        self._struck += 1
        if self._struck > 64 and self._struck * 2 > len(self._heap):
            self._heap = [line for line in self._heap if line[2].item is not None]
            heapify(self._heap)
            self._struck = 0

    @property
    def deadline(self) -> float | None:
        heap = self._heap
        while heap:
            at, _, entry = heap[0]
            item = entry.item
            if item is not None and item.deadline == at:
                return at
            heappop(heap)
            if item is None:
                self._struck -= 1
            else:
                item.entry = None
                self.note(item)
        return None

    def due(self, now: float) -> Iterator[Item]:
        """The items whose deadline has come, earliest first; note each again after waking it."""
        while (at := self.deadline) is not None and at <= now:
            entry = heappop(self._heap)[2]
            item = entry.item
            assert item is not None
            item.entry = None
            yield item

    def _write(self, item: Item, at: float) -> None:
        item.entry = entry = Entry(at, item)
        heappush(self._heap, (at, next(self._serials), entry))
