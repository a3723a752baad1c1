"""POST /axis-cgi/apidiscovery.cgi: which interfaces of other programs are here, and their versions.

For everybody. What is not listed is not there.
"""

from typing import Any, Final

from sipstrobe.web.compat import (
    basic_device_info,
    call,
    mqtt_client,
    mqtt_event,
    param,
    port_management,
    siren_and_light,
    supervised_io,
    system_ready,
)
from sipstrobe.web.compat.json_cgi import OTHER_CODES, JsonCgi, Params, invalid
from sipstrobe.web.compat.wildcard import matches
from sipstrobe.web.exchange import Route

PATH: Final = "/axis-cgi/apidiscovery.cgi"
VERSION: Final = "1.1"
PATTERN_MAX: Final = 64  # characters
APIS: Final = (  # id, version and name
    ("api-discovery", VERSION, "API Discovery"),
    ("basic-device-info", basic_device_info.VERSION, "Basic Device Information"),
    ("device-config", "1.0", "Device Configuration"),
    ("event-mqtt-bridge", mqtt_event.VERSION, "Event MQTT Bridge"),
    ("io-port-management", port_management.VERSION, "I/O Port Management"),
    ("mediaclip", "1.0", "Media Clip"),
    ("mqtt-client", mqtt_client.VERSION, "MQTT Client"),
    ("param-cgi", param.VERSION, "Legacy Parameter Handling"),
    ("sip", call.VERSION, "Call service API"),
    ("siren-and-light", siren_and_light.VERSION, "Siren And Light"),
    ("supervised-io", supervised_io.VERSION, "Supervised I/O"),
    ("systemready", system_ready.VERSION, "System Ready"),
    ("user-management", "1.2", "User Management"),
)


class ApiDiscovery:
    """The methods of the API."""

    def __init__(self) -> None:
        self._cgi = JsonCgi(
            VERSION,
            {
                "getSupportedVersions": lambda _: {"apiVersions": [VERSION]},
                "getApiList": _get_api_list,
            },
            codes=OTHER_CODES,
        )

    def routes(self) -> list[Route]:
        return [
            Route(method="POST", path=PATH, handler=self._cgi.respond, role=None),
            Route(method="GET", path=PATH, handler=self._cgi.refuse_method, role=None),
        ]


def _get_api_list(params: Params) -> dict[str, Any]:
    """Those whose id and version fit the patterns that are given."""
    wanted_id, wanted_version = _pattern(params, "id"), _pattern(params, "version")
    return {
        "apiList": [
            {"id": api, "version": version, "name": name, "docLink": "", "status": "official"}
            for api, version, name in APIS
            if matches(wanted_id, api) and matches(wanted_version, version)
        ]
    }


def _pattern(params: Params, name: str) -> str:
    pattern = params.text(name) if name in params else "*"
    if len(pattern) > PATTERN_MAX:
        invalid(name, f"a pattern of at most {PATTERN_MAX} characters")
    return pattern
