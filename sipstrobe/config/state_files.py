"""What a device keeps in its state folder, and what becomes of each of it.

Whatever is written there has a line here, so that a factory default leaves nothing behind and
touches nothing that is not ours. Endings are ours too: `.new` while it is written, `-wal` and
`-shm` beside databases, `.1` of logs, `.broken` of what was put aside.
"""

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from msgspec import Struct

CLIPS: Final = "clips"
SPEAKER: Final = "speaker.json"
OWN_CERTIFICATE: Final = "certificate.pem"
RESTORING: Final = "restoring"  # the folder in which a backup is looked through


class Kept(Struct, frozen=True):
    """A pattern of names (fnmatch). restored: gone after OPS-02 too."""

    pattern: str
    what: str
    restored: bool = False


KEPT: Final = (
    Kept("settings.json*", "settings"),  # both are replaced by those of a reset
    Kept("secrets.json*", "passwords and keys"),
    Kept(CLIPS, "sound clips", restored=True),
    Kept(SPEAKER + "*", "calibration of the speaker", restored=True),
    Kept("inputs.json*", "virtual inputs", restored=True),
    Kept("rules-begun.json*", "since when rules are active", restored=True),
    Kept("outbox.*", "messages that wait to be sent", restored=True),
    Kept("pages", "calls that wait to be heard", restored=True),
    Kept("trace.pcap", "network trace", restored=True),
    Kept(RESTORING, "a backup that is being looked through", restored=True),
    Kept("schedules.*", "what came of schedules"),
    Kept("calls.*", "history of calls"),
    Kept("recordings", "recordings"),
    Kept("*certificate.pem*", "certificate of our own making"),
    Kept("system.log*", "log"),
    Kept("access.log*", "refused sign-ins"),
    Kept("audit*", "who did what"),
    Kept("run.json*", "how the last run ended"),
    Kept("control.sock", "door of the command line"),
)


def gone_by_factory_default(folder: Path) -> list[str]:
    """The names in the folder that are ours: OPS-03."""
    return _names(folder, [kept.pattern for kept in KEPT])


def gone_by_restore(folder: Path) -> list[str]:
    """The names in the folder that do not outlive a return to the defaults: OPS-02."""
    return _names(folder, [kept.pattern for kept in KEPT if kept.restored])


def unknown(folder: Path) -> list[str]:
    """What is in the folder and has no line here."""
    ours = set(gone_by_factory_default(folder))
    return sorted(entry.name for entry in folder.iterdir() if entry.name not in ours)


def _names(folder: Path, patterns: list[str]) -> list[str]:
    return sorted(
        entry.name
        for entry in folder.iterdir()
        if any(fnmatchcase(entry.name, pattern) for pattern in patterns)
    )
