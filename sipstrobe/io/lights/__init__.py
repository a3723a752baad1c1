"""Where the light is shown: one module for each kind of driver."""

from sipstrobe.io.lights.base import Lamps, LightDriver, Picture
from sipstrobe.io.lights.log import LightLog
from sipstrobe.io.lights.none import NoLight

__all__ = ["Lamps", "LightDriver", "LightLog", "NoLight", "Picture"]
