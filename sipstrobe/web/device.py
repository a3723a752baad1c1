"""The device as such: what it is, its clock, and who is connected (STA-01…05, STA-08, TIM-03)."""

import asyncio
import zoneinfo
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, Protocol

import msgspec

from sipstrobe import __version__
from sipstrobe.clock import Clock
from sipstrobe.config.location import Location
from sipstrobe.config.settings import Settings
from sipstrobe.config.users import Role
from sipstrobe.io.machine_facts import ClockSync, clock_sync, machine_facts
from sipstrobe.io.own_files import OwnFiles
from sipstrobe.schedules.text import zone_named
from sipstrobe.web.exchange import About, Request, Response, Route, json, look
from sipstrobe.web.views import Views

PATH: Final = "/api/v1/"
SYNC_LIFE: Final = 10.0  # seconds for which the answer of the time service is kept
CLIENTS_TOLD: Final = 1000
PROTOCOLS: Final = ("TLS 1.3", "TLS 1.2")
_LOCALTIME: Final = Path("/etc/localtime")


class Security(msgspec.Struct, frozen=True):
    """STA-03. mode: by what the page is served; protocols: that encrypt it."""

    mode: str
    protocols: list[str]
    certificate: str
    anonymous_viewing: bool
    accounts: int
    unsigned_apps: bool


class Hint(msgspec.Struct, frozen=True):
    """What explains how the device behaves; about: maintenance, clock, files or account."""

    about: str
    words: str


class DeviceTold(msgspec.Struct, frozen=True):
    """machine: hardware, cpus, memory_mb, system, kernel, host, python, up_seconds. own_files:
    null while they are being looked through. uptime_seconds: of the program."""

    name: str
    serial: str
    version: str
    uptime_seconds: float
    machine: dict[str, str | int | float]
    own_files: OwnFiles | None
    security: Security
    speaker_test: dict[str, Any]
    location: Location
    hints: list[Hint]


class TimeTold(msgspec.Struct, frozen=True):
    """wall: with the offset of the zone. zone: empty where the system does not say its name;
    zone_by: what names it; sync: whether the clock follows others, see `words`."""

    wall: datetime
    zone: str
    zone_by: Literal["settings", "system"]
    utc_offset_seconds: int
    abbreviation: str
    sync: ClockSync


class Zones(msgspec.Struct, frozen=True):
    """Names as in Europe/Berlin."""

    zones: list[str]


class ClientTold(msgspec.Struct, frozen=True):
    """One connection. port: of the other side; user: who has last proven himself from that address,
    empty for nobody; came: it was opened by the other side."""

    protocol: str
    address: str
    port: int
    state: Literal["active", "idle", "open", "connecting"]
    came: bool
    user: str


class ClientsTold(msgspec.Struct, frozen=True):
    """All, or as many as are told."""

    total: int
    clients: list[ClientTold]


class HttpClient(Protocol):
    """A connection of the page or of a program."""

    @property
    def address(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def secure(self) -> bool: ...
    @property
    def busy(self) -> bool: ...
    @property
    def websocket(self) -> bool: ...


class DeviceDoor:
    """The routes."""

    def __init__(
        self,
        clock: Clock,
        views: Views,
        settings: Callable[[], Settings],
        http: Callable[[], Sequence[HttpClient]],
        user: Callable[[str], str],
    ) -> None:
        """http: the connections of the web server; user: whose an address is."""
        self._clock = clock
        self._views = views
        self._settings = settings
        self._http = http
        self._user = user
        self._started = clock.now()
        self._sync: tuple[float, ClockSync] | None = None

    def routes(self) -> list[Route]:
        return [
            look(PATH + "device", self._device, About(summary="What it is", answer=DeviceTold)),
            look(PATH + "time", self._time, About(summary="Its clock", answer=TimeTold)),
            look(
                PATH + "time-zones",
                self._zones,
                About(summary="The time zones that can be set", answer=Zones),
            ),
            Route(
                method="GET",
                path=PATH + "clients",
                handler=self._clients,
                role=Role.ADMINISTRATOR,
                about=About(summary="Who is connected", answer=ClientsTold),
            ),
        ]

    async def _device(self, _: Request) -> Response:
        settings, views = self._settings(), self._views
        machine = await asyncio.to_thread(machine_facts)
        sync = await self._look_at_clock()
        device, web = settings.device, settings.web
        files = views.system.own_files()
        return json(
            DeviceTold(
                name=device.name,
                serial=device.serial,
                version=__version__,
                uptime_seconds=round(self._clock.now() - self._started, 1),
                machine=machine,
                own_files=files,
                security=Security(
                    web.mode,
                    list(PROTOCOLS) if web.mode != "http" else [],
                    web.certificate if web.mode != "http" else "",
                    web.anonymous_viewing,
                    len(web.users),
                    unsigned_apps=False,
                ),
                speaker_test=dict(views.speaker_test()),
                location=device.location,
                hints=list(self._hints(sync, files)),
            )
        )

    def _hints(self, sync: ClockSync, files: OwnFiles | None) -> Iterator[Hint]:
        """What people ask about, answered before they do: PRB-03, PRB-07, MNT-07, GEN-06."""
        maintenance = self._views.maintenance()
        if maintenance.active:
            until = maintenance.until
            when = f" until {self._local(until):%Y-%m-%d %H:%M}" if until else ""
            words = f"Maintenance mode is on{when}: the siren is silent, the light pulses white."
            yield Hint("maintenance", words)
        if sync.state == "not synchronised":
            yield Hint("clock", sync.words)
        if files is not None and files.state == "changed":
            yield Hint("files", files.words)
        if self._settings().web.mode == "http":
            words = "Passwords travel unencrypted: switch to HTTPS, and change them then."
            yield Hint("account", words)

    async def _time(self, _: Request) -> Response:
        sync = await self._look_at_clock()
        named = self._settings().device.time_zone
        wall = self._local(self._clock.wall())
        offset = wall.utcoffset()
        return json(
            TimeTold(
                wall=wall,
                zone=named or await asyncio.to_thread(_system_zone),
                zone_by="settings" if named else "system",
                utc_offset_seconds=int(offset.total_seconds()) if offset is not None else 0,
                abbreviation=wall.tzname() or "",
                sync=sync,
            )
        )

    def _local(self, wall: datetime) -> datetime:
        """In the zone of the device: TIM-04."""
        named = self._settings().device.time_zone
        return wall.astimezone(zone_named(named) if named else None)

    async def _zones(self, _: Request) -> Response:
        return json(Zones(await asyncio.to_thread(lambda: sorted(zoneinfo.available_timezones()))))

    async def _look_at_clock(self) -> ClockSync:
        now = self._clock.now()
        if self._sync is None or now - self._sync[0] > SYNC_LIFE:
            wall = self._clock.wall().astimezone(UTC).timestamp()
            self._sync = now, await asyncio.to_thread(clock_sync, wall)
        return self._sync[1]

    def _clients(self, _: Request) -> Response:
        clients = [*self._of_http(), *self._of_sip(), *self._of_mqtt()]
        return json(ClientsTold(len(clients), clients[:CLIENTS_TOLD]))

    def _of_http(self) -> Iterator[ClientTold]:
        for one in self._http():
            scheme = "WebSocket" if one.websocket else "HTTP"
            protocol = f"{scheme} over TLS" if one.secure else scheme
            state: Literal["active", "idle"] = "active" if one.busy else "idle"
            user = self._user(one.address)
            yield ClientTold(protocol, one.address, one.port, state, True, user)

    def _of_sip(self) -> Iterator[ClientTold]:
        for transport, (address, port), came in self._views.system.sip_connections():
            yield ClientTold(f"SIP over {transport}", address, port, "open", came, "")

    def _of_mqtt(self) -> Iterator[ClientTold]:
        mqtt = self._views.mqtt()
        if mqtt.get("active") and mqtt.get("broker"):
            state: Literal["open", "connecting"] = "open" if mqtt["connected"] else "connecting"
            address, port = _host_and_port(str(mqtt["broker"]))
            yield ClientTold("MQTT", address, port, state, False, "")


def _host_and_port(text: str) -> tuple[str, int]:
    host, _, port = (
        text.partition("://")[2].rpartition(":") if "://" in text else (text.rpartition(":"))
    )
    digits = port.partition("/")[0]
    return (host.strip("[]"), int(digits)) if digits.isdigit() and host else (text, 0)


def _system_zone() -> str:
    """The name that /etc/localtime leads to; empty where it leads to none."""
    try:
        return str(_LOCALTIME.resolve()).partition("zoneinfo/")[2]
    except OSError:
        return ""
