"""POST /axis-cgi/systemready.cgi: whether the device works, and whether it is set up (GEN-03).

For everybody: programs ask it again and again while a device starts. Those that look for devices
do so by GET, and know one by any answer but an HTTP error.
"""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from sipstrobe.clock import Clock
from sipstrobe.web.compat.json_cgi import INTERNAL, OTHER_CODES, JsonCgi, Params
from sipstrobe.web.exchange import Route
from sipstrobe.web.gate import Gate

PATH: Final = "/axis-cgi/systemready.cgi"
VERSION: Final = "1.5"


class SystemReady:
    """The methods of the API."""

    def __init__(self, gate: Gate, clock: Clock, random_bytes: Callable[[int], bytes]) -> None:
        self._gate = gate
        self._clock = clock
        self._started = clock.now()
        self._boot_id = str(UUID(bytes=random_bytes(16), version=4))
        self._cgi = JsonCgi(
            VERSION,
            {
                "getSupportedVersions": lambda _: {"apiVersions": [VERSION]},
                "systemready": self._system_ready,
            },
            codes=OTHER_CODES | {INTERNAL: 9000},
        )

    def routes(self) -> list[Route]:
        return [
            Route(method="POST", path=PATH, handler=self._cgi.respond, role=None),
            Route(method="GET", path=PATH, handler=self._cgi.refuse_method, role=None),
        ]

    def _system_ready(self, params: Params) -> dict[str, Any]:
        if "timeout" in params:
            params.number("timeout")  # for how long to wait; but who answers is ready
        return {
            "systemready": "yes",
            "needsetup": "no" if self._gate.is_set_up else "yes",
            "uptime": str(int(self._clock.now() - self._started)),
            "bootid": self._boot_id,
            "passphrasepolicy": "none",
        }
