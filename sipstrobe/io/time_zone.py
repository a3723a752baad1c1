"""The time zone of this machine: what TZ or /etc/localtime says (tzset(3), localtime(5))."""

import os
from datetime import UTC, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_LOCALTIME = Path("/etc/localtime")
_TABLES = "/zoneinfo/"


def system_zone_name() -> str:
    """As in the tables of the system; empty where it has none of its own."""
    told = os.environ.get("TZ", "").removeprefix(":")
    if told:
        return told
    _, found, name = os.path.realpath(_LOCALTIME).partition(_TABLES)
    return name if found else ""


def system_zone() -> tuple[str, tzinfo]:
    """Its name, and what it is; UTC where nothing can be found out."""
    name = system_zone_name()
    try:
        if name:
            return name, ZoneInfo(name)
        with _LOCALTIME.open("rb") as file:
            return "local", ZoneInfo.from_file(file)
    except (OSError, ValueError, ZoneInfoNotFoundError):
        return "UTC", UTC
