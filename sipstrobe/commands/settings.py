"""Settings: served by app, from config.store."""

from dataclasses import dataclass, field

from sipstrobe.commands.base import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSettings(Command):
    """Merge a patch (RFC 7396, arrays replaced whole) into the settings. -> the new revision

    Raises ConfigError with every problem found; StaleRevision if `revision` is not current.
    """

    patch: object = field(repr=False)
    revision: int | None = None
