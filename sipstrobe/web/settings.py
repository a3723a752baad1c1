"""Settings by section: read with their limits in words, changed by merge patch (RFC 7396)."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final, cast

import msgspec

from sipstrobe.audio.settings import AudioSettings
from sipstrobe.bus import Dispatcher
from sipstrobe.clock import Clock
from sipstrobe.commands import ChangeSettings
from sipstrobe.config.patch import pointer
from sipstrobe.config.settings import DeviceSettings
from sipstrobe.config.store import Store
from sipstrobe.config.users import Role
from sipstrobe.dtmf.settings import DtmfSettings
from sipstrobe.errors import StaleRevision
from sipstrobe.lightsiren.settings import LightsSettings, Profiles
from sipstrobe.mqtt.home import HomeSettings
from sipstrobe.mqtt.settings import MqttSettings
from sipstrobe.multicast.settings import MulticastSettings
from sipstrobe.ports.settings import PortsSettings
from sipstrobe.rules.settings import Rules
from sipstrobe.schedules.settings import Schedules
from sipstrobe.secret import Secret
from sipstrobe.sending.settings import Recipients
from sipstrobe.web.commands import read_object
from sipstrobe.web.exchange import HttpProblem, Request, Response, Route, json
from sipstrobe.web.rule_json import warnings_json

PATH: Final = "/api/v1/settings/"
SECTIONS: Final[Mapping[str, Any]] = {
    "audio": AudioSettings,
    "device": DeviceSettings,
    "dtmf": DtmfSettings,
    "home": HomeSettings,
    "lights": LightsSettings,
    "mqtt": MqttSettings,
    "multicast": MulticastSettings,
    "ports": PortsSettings,
    "profiles": Profiles,
    "recipients": Recipients,
    "rules": Rules,
    "schedules": Schedules,
}
LISTS: Final = frozenset({"profiles", "recipients", "rules", "schedules"})  # are replaced whole
SYSTEM: Final = (  # what reaches the machine below (ACC-04), or whom passwords are sent to
    "/device",
    "/recipients",
    "/audio/output",
    "/audio/greeting",
    "/audio/microphone/input",
    "/audio/clip_quota_mb",
    "/audio/recording_quota_mb",
    "/audio/record_continuously",
    "/ports/port_1/driver",
    "/ports/port_2/driver",
    "/home/commands",
    "/lights/outputs",
    "/mqtt",
)
BODY_MAX_BYTES: Final = 1024 * 1024  # as long as all sequences with all their accounts


class SettingsDoor:
    """The routes of the sections that have a face."""

    def __init__(self, dispatcher: Dispatcher, clock: Clock, store: Store) -> None:
        self._dispatcher = dispatcher
        self._clock = clock
        self._store = store

    def routes(self) -> list[Route]:
        return [
            Route(method="GET", path=PATH + "*", handler=self._read, role=Role.VIEWER),
            Route(
                method="PATCH",
                path=PATH + "*",
                handler=self._change,
                role=Role.OPERATOR,
                body_max_bytes=BODY_MAX_BYTES,
                streamed=True,  # so much is not read for strangers
            ),
        ]

    def _read(self, request: Request) -> Response:
        """The values, the revision they are of, and what may be said in their place."""
        name = _section(request)
        revision = self._store.revision
        answer = {
            "revision": revision,
            "settings": self._store.tree[name],
            "schema": _schema(name),
            "system": [path for path in SYSTEM if path.startswith(f"/{name}/")],
        }
        return json(answer).with_headers(("ETag", f'"{revision}"'))

    async def _change(self, request: Request) -> Response:
        """Merge; with If-Match only if nobody has changed anything since that revision. Told is
        what looks wrong with the rules, of other sections what has only become so by this."""
        name = _section(request)
        assert request.content is not None
        body = b"".join([piece async for piece in request.content])
        patch = {name: _read_list(body) if name in LISTS else read_object(body)}
        if request.principal is None or request.principal.role is not Role.ADMINISTRATOR:
            _refuse_system(patch)
        change = ChangeSettings(patch=patch, revision=_revision(request))
        before = None if name == "rules" else self._store.upcoming
        try:
            revision = self._dispatcher.execute(change)
        except StaleRevision as stale:
            words = "the settings have been changed meanwhile: look at them again"
            raise HttpProblem(412, words, code="stale") from stale
        after = self._store.upcoming
        return json(
            {
                "revision": revision,
                "warnings": await warnings_json(after, self._clock.wall(), before),
            }
        )


def _section(request: Request) -> str:
    name = request.path.removeprefix(PATH)
    if name not in SECTIONS:
        raise HttpProblem(404, f"no such section; there are {', '.join(SECTIONS)}")
    return name


def _read_list(body: bytes) -> list[Any]:
    """A list in the place of the one that there is (RFC 7396). Raises HttpProblem 400."""
    try:
        return msgspec.json.decode(body, type=list[Any])
    except (msgspec.DecodeError, RecursionError, ValueError):
        raise HttpProblem(400, "the body must be a JSON list") from None


def _refuse_system(patch: Mapping[str, Any]) -> None:
    for path in _touched(patch):
        for system in SYSTEM:
            if f"{path}/".startswith(f"{system}/") or system.startswith(f"{path}/"):
                raise HttpProblem(403, f"{system} is for administrators", field=system)


def _touched(patch: Any) -> Iterator[str]:
    """The pointers of what a merge patch puts in the place of something."""
    waiting: list[tuple[str, Any]] = [("", patch)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict):
            members = cast("dict[str, Any]", value).items()
            waiting += ((path + pointer(key), member) for key, member in members)
        else:
            yield path


def _revision(request: Request) -> int | None:
    text = request.header("if-match").strip().strip('"')
    if not text or text == "*":
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise HttpProblem(412, "If-Match names no revision of ours", code="stale")
    return int(text)


@cache
def _schema(name: str) -> Mapping[str, Any]:
    """Titles, descriptions, limits and defaults, as JSON Schema has them."""
    return msgspec.json.schema(SECTIONS[name], schema_hook=_schema_of)


def _schema_of(kind: type) -> dict[str, Any]:
    """A secret goes in as a text; out comes what stands for it, which may go in again."""
    if kind is not Secret:
        raise NotImplementedError(f"{kind.__name__} is no JSON")
    return {"type": ["string", "object"], "writeOnly": True}
