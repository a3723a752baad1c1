"""How one run of the device differs from its settings."""

from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from sipstrobe.audio.settings import AudioSettings
from sipstrobe.config.settings import Settings
from sipstrobe.lightsiren.settings import LightsSettings
from sipstrobe.page import Wanted, page_wanted


class Options(Struct, frozen=True):
    """What the command line has said. sound, light: instead of the stored ones; http, https: the
    page is served there and nowhere else."""

    state: Path
    demo: bool = False
    put: tuple[tuple[str, object], ...] = ()  # (JSON pointer, value); stored like any change
    http: tuple[str, int] | None = None
    https: tuple[str, int] | None = None
    sound: str | None = None
    light: str | None = None
    microphone: bool = True  # False: it stays off, whatever is set (AUD-07)

    def audio(self, settings: Settings) -> AudioSettings:
        """What holds of the sound in this run."""
        if self.sound is None:
            return settings.audio
        return replace(settings.audio, output=self.sound)

    def lights(self, settings: Settings) -> LightsSettings:
        """What holds of the lamps in this run."""
        if self.light is None:
            return settings.lights
        return replace(settings.lights, outputs=(self.light,))

    def page(self, settings: Settings) -> Wanted:
        """Where the page is served in this run."""
        return page_wanted(settings, http=self.http, https=self.https)
