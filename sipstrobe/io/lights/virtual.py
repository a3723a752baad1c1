"""A light that exists only for those who watch it."""

from collections.abc import Callable

from sipstrobe.io.lights.base import Picture

Watcher = Callable[[Picture], None]


class VirtualLight:
    """Keeps what each function shows and hands every picture to the watchers."""

    def __init__(self) -> None:
        self.pictures: dict[str, Picture] = {}
        self._watchers: tuple[Watcher, ...] = ()

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Call watcher with each picture from now on; the result ends that."""
        self._watchers = (*self._watchers, watcher)

        def unwatch() -> None:
            self._watchers = tuple(w for w in self._watchers if w is not watcher)

        return unwatch

    def show(self, picture: Picture) -> None:
        self.pictures[picture.function] = picture
        for watcher in self._watchers:
            watcher(picture)

    def check(self) -> None:
        pass

    def close(self) -> None:
        self._watchers = ()
