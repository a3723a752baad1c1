"""POST /axis-cgi/io/portmanagement.cgi: ports as control programs read and set them up (IOP-01).

Ports are counted from "0" here. Everything that is wrong in a setPorts is told at once, and then
nothing is changed.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from sipstrobe.bus import Dispatcher
from sipstrobe.commands import MAX_STEP_MS, ConfigurePorts, PortChange, RunSequence, Step
from sipstrobe.config.users import Role
from sipstrobe.errors import CommandRefused
from sipstrobe.web.compat.json_cgi import BAD_VALUE, ApiError, JsonCgi, Params, invalid
from sipstrobe.web.exchange import Route
from sipstrobe.web.views import PortView, Views

PATH: Final = "/axis-cgi/io/portmanagement.cgi"
VERSION: Final = "1.1"
SEQUENCE_RUNNING: Final = 2200
MAX_CHANGES: Final = 256  # entries of one setPorts
CIRCUITS: Final = ("open", "closed")
_TEXT = re.compile(r"[^\x00-\x1f\x7f]{0,64}")


class PortManagement:
    """The methods of the API."""

    def __init__(self, dispatcher: Dispatcher, views: Views) -> None:
        self._dispatcher = dispatcher
        self._views = views
        self._cgi = JsonCgi(
            VERSION,
            {
                "getSupportedVersions": lambda _: {"apiVersions": ["1.0", VERSION]},
                "getPorts": self._get_ports,
                "setPorts": self._set_ports,
                "setStateSequence": self._set_state_sequence,
            },
            roles={"setPorts": Role.OPERATOR},
        )

    def routes(self) -> list[Route]:
        return [
            Route(
                method="POST",
                path=PATH,
                handler=self._cgi.respond,
                role=Role.VIEWER,
                unstored=self._cgi.unstored,
            )
        ]

    def _get_ports(self, _: Params) -> dict[str, Any]:
        ports = self._views.ports()
        return {"numberOfPorts": len(ports), "items": [_told(port) for port in ports]}

    def _set_ports(self, params: Params) -> dict[str, Any]:
        entries = params.objects("ports")
        if len(entries) > MAX_CHANGES:
            invalid("ports", f"an array of {MAX_CHANGES} objects at most")
        ports = {port.port: port for port in self._views.ports()}
        problems: list[ApiError] = []
        changes = [_read(entry, ports, problems) for entry in entries]
        if problems:
            raise _all(problems)
        self._dispatcher.execute(ConfigurePorts(changes=tuple(changes)))
        return {"ports": [str(number - 1) for number in dict.fromkeys(c.port for c in changes)]}

    def _set_state_sequence(self, params: Params) -> dict[str, Any]:
        port = self._named(params)
        steps = tuple([_step(entry, port) for entry in params.objects("sequence")])
        try:
            self._dispatcher.execute(RunSequence(kind="output", number=port.port, steps=steps))
        except CommandRefused as refused:
            code = SEQUENCE_RUNNING if refused.code == "sequence_running" else BAD_VALUE
            raise ApiError(code, str(refused), details={"port": _id(port)}) from None
        return {"port": _id(port)}

    def _named(self, params: Params) -> PortView:
        asked = params.text("port")
        for port in self._views.ports():
            if _id(port) == asked:
                return port
        raise ApiError(BAD_VALUE, f"There is no port {asked[:16]}", details={"port": asked[:16]})


def circuit(port: PortView) -> str:
    """What it is, to those who know of nothing but open and closed."""
    return "closed" if port.state in ("closed", "shorted") else "open"


def _id(port: PortView) -> str:
    return str(port.port - 1)


def _told(port: PortView) -> dict[str, Any]:
    """In the order that devices have been seen to tell it in."""
    return {
        "port": _id(port),
        "configurable": True,
        "usage": port.usage,
        "name": port.name,
        "direction": port.direction,
        "state": circuit(port),
        "normalState": port.normal_state,
    }


def _read(entry: Params, ports: dict[int, PortView], problems: list[ApiError]) -> PortChange:
    """One entry of setPorts; what is wrong in it goes to the problems."""
    found: dict[str, Any] = {}
    asked = ""

    def take(name: str, ours: str, check: Callable[[str], bool], wanted: str) -> None:
        if name not in entry:
            return
        try:
            value = entry.text(name)
            if not check(value):
                invalid(name, wanted)
        except ApiError as error:
            details = {"port": asked, "propertyName": name}
            problems.append(ApiError(error.code, str(error), details=details))
        else:
            found[ours] = value

    try:
        asked = entry.text("port")
        number = int(asked) + 1 if re.fullmatch(r"[0-9]{1,3}", asked) else 0
        if number not in ports:
            invalid("port", " or ".join(map(_id, ports.values())))
    except ApiError as error:
        details = {"port": asked[:16], "propertyName": "port"}
        problems.append(ApiError(error.code, str(error), details=details))
        return PortChange(0)
    texts = "at most 64 characters"
    take("usage", "usage", lambda value: bool(_TEXT.fullmatch(value)), texts)
    take("name", "name", lambda value: bool(_TEXT.fullmatch(value)), texts)
    take("direction", "direction", ("input", "output").__contains__, "input or output")
    take("normalState", "normal_state", CIRCUITS.__contains__, "open or closed")
    take("state", "state", CIRCUITS.__contains__, "open or closed")
    if "state" in found and found.get("direction", ports[number].direction) != "output":
        details = {"port": asked, "propertyName": "state"}
        problems.append(ApiError(BAD_VALUE, "Only an output has a state", details=details))
    return PortChange(number, **found)


def _step(entry: Params, port: PortView) -> Step:
    state = entry.text("state")
    if state not in CIRCUITS:
        invalid("state", "open or closed")
    time = entry.number("time")
    if not 0 <= time <= MAX_STEP_MS:
        invalid("time", f"0 to {MAX_STEP_MS}")
    return Step(state != port.normal_state, time)


def _all(problems: list[ApiError]) -> ApiError:
    """The first of them, and where there are more, all."""
    first = problems[0]
    if len(problems) > 1:
        return ApiError(
            first.code, str(first), **first.more, errors=[problem.told for problem in problems]
        )
    return first
