"""A light that hangs on no wall: it is seen on the live page, or not at all."""

from typing import ClassVar

from sipstrobe.io.lights.base import Picture


class NoLight:
    seen: ClassVar = False
    parting: ClassVar = False

    def show(self, picture: Picture) -> None:
        pass

    def check(self) -> None:
        pass

    def close(self) -> None:
        pass
