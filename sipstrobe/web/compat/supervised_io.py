"""POST /axis-cgi/supervisedio.cgi: inputs whose lines are told to be cut or shorted (IOP-04).

`params` is an array here, and ports are counted from 0. There is no converter whose ranges could
be set: whoever tells of a supervised input tells its state, so its level is always 0.
"""

from collections.abc import Callable
from typing import Any, Final

from sipstrobe.bus import Dispatcher
from sipstrobe.commands import ConfigurePorts, PortChange
from sipstrobe.config.users import Role
from sipstrobe.errors import ConfigError
from sipstrobe.events import LineState
from sipstrobe.web.compat.json_cgi import BAD_VALUE, ApiError, JsonCgi, Params, invalid
from sipstrobe.web.exchange import Route
from sipstrobe.web.views import PortView, Views

PATH: Final = "/axis-cgi/supervisedio.cgi"
VERSION: Final = "2.0"


class SupervisedIo:
    """The methods of the API."""

    def __init__(self, dispatcher: Dispatcher, views: Views) -> None:
        self._dispatcher = dispatcher
        self._views = views
        self._cgi = JsonCgi(
            VERSION,
            {
                "getSupportedVersions": lambda _: {"apiVersions": [VERSION]},
                "getNumberOfPorts": self._get_number_of_ports,
                "isSupervisable": self._each(_supervisable),
                "getSupervised": self._each(_supervised),
                "setSupervised": self._set_supervised,
                "getSupervisedRanges": self._each(_ranges),
                "getSupportedStates": lambda _: {"states": [state.value for state in LineState]},
            },
            lists=True,
        )

    def routes(self) -> list[Route]:
        return [
            Route(
                method="POST",
                path=PATH,
                handler=self._cgi.respond,
                role=Role.OPERATOR,
                unstored=self._cgi.unstored,
            )
        ]

    def _get_number_of_ports(self, _: Params) -> dict[str, Any]:
        directions = [port.direction for port in self._views.ports()]
        return {"inputs": directions.count("input"), "outputs": directions.count("output")}

    def _each(
        self, tell: Callable[[PortView], dict[str, Any]]
    ) -> Callable[[Params], dict[str, Any]]:
        """Of the ports that are asked for, or of all."""

        def told(params: Params) -> dict[str, Any]:
            asked = params.objects("params") if "params" in params else []
            ports = [self._named(entry) for entry in asked] or self._views.ports()
            return {"items": [{"port": port.port - 1, **tell(port)} for port in ports]}

        return told

    def _set_supervised(self, params: Params) -> dict[str, Any]:
        changes: list[PortChange] = []
        for entry in params.objects("params"):
            if "ranges" in entry and entry.objects("ranges"):
                invalid("ranges", "absent: this device has none to set")
            changes.append(PortChange(self._named(entry).port, supervised=entry.flag("supervised")))
        try:
            self._dispatcher.execute(ConfigurePorts(changes=tuple(changes)))
        except ConfigError as error:
            raise ApiError(BAD_VALUE, str(error)) from None
        return {}

    def _named(self, entry: Params) -> PortView:
        number = entry.number("port")
        for port in self._views.ports():
            if port.port == number + 1:
                return port
        raise ApiError(BAD_VALUE, f"There is no port {number}")


def _can_be_supervised(port: PortView) -> bool:
    return port.direction == "input" and port.driver == "none"


def _supervisable(port: PortView) -> dict[str, Any]:
    return {"input": port.driver == "none", "output": False}


def _supervised(port: PortView) -> dict[str, Any]:
    return {
        "supervised": port.supervised,
        "supervisable": _can_be_supervised(port),
        "state": port.state,
        "level": 0,
    }


def _ranges(_: PortView) -> dict[str, Any]:
    return {"ranges": []}
