"""POST /axis-cgi/basicdeviceinfo.cgi: what a program asks first of a device that it has found.

Names and versions are for everybody; what says more of the machine is for operators. Answers do not
name their method, but for that of the versions, where programs look for it.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from sipstrobe.config.users import Role
from sipstrobe.web.compat import product
from sipstrobe.web.compat.json_cgi import OTHER_CODES, JsonCgi, Params, invalid
from sipstrobe.web.compat.product import Build, this_build
from sipstrobe.web.exchange import Request, Response, Route
from sipstrobe.web.gate import Gate

PATH: Final = "/axis-cgi/basicdeviceinfo.cgi"
VERSION: Final = "1.3"
_RESTRICTED: Final = ("Architecture", "Soc", "SocSerialNumber")


class BasicDeviceInfo:
    """The methods of the API. serial: 12 capital hexadecimal digits."""

    def __init__(self, gate: Gate, serial: Callable[[], str]) -> None:
        self._gate = gate
        self._serial = serial
        self._build: Build | None = None
        self._cgi = JsonCgi(
            VERSION,
            {
                "getSupportedVersions": lambda _: {"apiVersions": [VERSION]},
                "getAllProperties": lambda _: {"propertyList": self._properties()},
                "getAllUnrestrictedProperties": lambda _: {"propertyList": self._unrestricted()},
                "getProperties": self._get_properties,
            },
            roles=dict.fromkeys(("getAllProperties", "getProperties"), Role.OPERATOR),
            codes=OTHER_CODES,
            nameless=True,
            admit=gate.admit,
        )

    def routes(self) -> list[Route]:
        return [
            Route(method="POST", path=PATH, handler=self._respond, role=None),
            Route(method="GET", path=PATH, handler=self._cgi.refuse_method, role=None),
        ]

    async def _respond(self, request: Request) -> Response:
        if not request.body:
            # How a program begins that has a password: it wants to be asked for it (RFC 7616
            # §3.4), and sends what it wants to know with the answer.
            self._gate.admit(request, Role.OPERATOR)
        if self._build is None:
            self._build = await asyncio.to_thread(this_build)
        return self._cgi.respond(request)

    def _properties(self) -> dict[str, str]:
        assert self._build is not None
        return {
            "Architecture": self._build.architecture,
            "Brand": product.BRAND,
            "BuildDate": self._build.date,
            "HardwareID": product.HARDWARE_ID,
            "ProdFullName": product.FULL_NAME,
            "ProdNbr": product.MODEL,
            "ProdShortName": product.MODEL,
            "ProdType": product.KIND,
            "ProdVariant": "",
            "SerialNumber": self._serial(),
            "Soc": self._build.machine,
            "SocSerialNumber": "",  # it would name the machine for good; nobody needs it
            "Version": product.FIRMWARE,
            "WebURL": "",
        }

    def _unrestricted(self) -> dict[str, str]:
        return {n: value for n, value in self._properties().items() if n not in _RESTRICTED}

    def _get_properties(self, params: Params) -> dict[str, Any]:
        known = self._properties()
        wanted = params.texts("propertyList")
        for name in wanted:
            if name not in known:
                invalid("propertyList", f"some of {', '.join(known)}")
        return {"propertyList": {name: known[name] for name in wanted}}
