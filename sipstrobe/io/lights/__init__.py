"""Where the light is shown: one module for each kind of driver, named by a short text."""

from pathlib import Path

from sipstrobe.io.lights.base import LightDriver, Picture
from sipstrobe.io.lights.log import LightLog
from sipstrobe.io.lights.none import NoLight

__all__ = ["LightDriver", "LightLog", "NoLight", "Picture", "open_light"]


def open_light(spec: str) -> LightDriver:
    """The driver that `virtual`, `none` or `log:PATH` names.

    Raises ValueError for a name that is none of these, OSError when it cannot be opened.
    """
    kind, _, rest = spec.partition(":")
    match kind, rest:
        case "virtual" | "none", "":
            return NoLight()
        case "log", path if path:
            return LightLog(Path(path))
        case _:
            raise ValueError(f"{spec!r} is no light: virtual, none or log:PATH")
