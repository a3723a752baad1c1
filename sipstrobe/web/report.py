"""The server report: all that helps who is asked for help, as texts in a zip archive (LOG-01).

No secret is in it: settings have references in their place, and of logs they are masked.
"""

import asyncio
import io
import zipfile
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

import msgspec

from sipstrobe import __version__
from sipstrobe.clock import Clock
from sipstrobe.config.users import Role
from sipstrobe.io.machine_facts import clock_sync, machine_facts
from sipstrobe.measure import Measures
from sipstrobe.web.exchange import About, Media, Request, Response, Route
from sipstrobe.web.log import told
from sipstrobe.web.system_views import SystemViews

PATH: Final = "/api/v1/report"
ENTRIES: Final = 5000
_LIBRARIES: Final = ("numpy", "msgspec", "aiohttp", "cryptography", "sounddevice", "dnspython")


class ReportDoor:
    """GET of the report."""

    def __init__(
        self,
        clock: Clock,
        views: SystemViews,
        measures: Measures,
        status: Callable[[], Mapping[str, object]],
        settings: Callable[[], bytes],
    ) -> None:
        """settings: as a file, without secrets."""
        self._clock = clock
        self._views = views
        self._measures = measures
        self._status = status
        self._settings = settings

    def routes(self) -> list[Route]:
        about = About(
            summary="All that helps who is asked for help",
            answer=Media("application/zip", "Texts: settings, status, logs, figures, versions."),
        )
        return [
            Route(
                method="GET",
                path=PATH,
                handler=self._report,
                role=Role.ADMINISTRATOR,
                about=about,
            )
        ]

    async def _report(self, _: Request) -> Response:
        wall = self._clock.wall()
        views = self._views
        status = msgspec.json.encode(self._status())
        settings = self._settings()
        entries = views.log.entries(views.log.selection("debug", ""), ENTRIES)
        access = views.access.refusals(ENTRIES)
        measures = list(self._measures.prometheus())
        files = views.own_files()

        def write() -> bytes:
            machine: dict[str, Any] = dict(machine_facts())
            machine |= {"clock": clock_sync(wall.timestamp()), "own_files": files}
            texts = {
                "versions.txt": _versions(),
                "machine.json": _pretty(machine),
                "settings.json": settings,
                "status.json": msgspec.json.format(status, indent=2),
                "log.txt": "".join(
                    f"{e.at.isoformat()} {e.level:<7} {e.source}: {e.text}\n"
                    for e in reversed(told(entries))
                ).encode(),
                "access.json": _pretty(access),
                "measures.txt": "\n".join(measures).encode() + b"\n",
            }
            to = io.BytesIO()
            with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
                for name, text in texts.items():
                    archive.writestr(name, text)
            return to.getvalue()

        name = f"sipstrobe-report-{wall:%Y%m%dT%H%M%SZ}.zip"
        disposition = ("Content-Disposition", f'attachment; filename="{name}"')
        body = await asyncio.to_thread(write)
        return Response(200, body, "application/zip", (disposition,))


def _versions() -> bytes:
    lines = [f"sipstrobe {__version__}"]
    for library in _LIBRARIES:
        try:
            lines.append(f"{library} {version(library)}")
        except PackageNotFoundError:
            lines.append(f"{library} is not there")
    return "\n".join(lines).encode() + b"\n"


def _pretty(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"
