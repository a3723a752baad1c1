"""Where a device keeps what must last."""

import os
from pathlib import Path


def default_state() -> Path:
    """/var/lib/sipstrobe for root, else the user's state folder (XDG base directories)."""
    if os.geteuid() == 0:
        return Path("/var/lib/sipstrobe")
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "sipstrobe"
