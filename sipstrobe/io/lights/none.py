"""A device without a light."""

from sipstrobe.io.lights.base import Picture


class NoLight:
    def show(self, picture: Picture) -> None:
        pass

    def check(self) -> None:
        pass

    def close(self) -> None:
        pass
