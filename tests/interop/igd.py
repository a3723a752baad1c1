"""A router's Internet Gateway Device (UPnP IGD:1), as a program of its own: it answers to searches,
and what it is asked to open is opened in the kernel.

    python -m tests.interop.igd OWN-ADDRESS EXTERNAL-ADDRESS
"""

import asyncio
import socket
import struct
import subprocess
import sys
from typing import cast
from xml.etree import ElementTree

from aiohttp import web

GROUP, PORT, HTTP = "239.255.255.250", 1900, 5000
DEVICE = "urn:schemas-upnp-org:device:InternetGatewayDevice:1"
SERVICE = "urn:schemas-upnp-org:service:WANIPConnection:1"
CHAIN = "add table ip igd; add chain ip igd in { type nat hook prerouting priority dstnat; }"
_ARGUMENTS = {
    "GetExternalIPAddress": [("out", "NewExternalIPAddress", "string")],
    "AddPortMapping": [
        ("in", "NewRemoteHost", "string"),
        ("in", "NewExternalPort", "ui2"),
        ("in", "NewProtocol", "string"),
        ("in", "NewInternalPort", "ui2"),
        ("in", "NewInternalClient", "string"),
        ("in", "NewEnabled", "boolean"),
        ("in", "NewPortMappingDescription", "string"),
        ("in", "NewLeaseDuration", "ui4"),
    ],
    "DeletePortMapping": [
        ("in", "NewRemoteHost", "string"),
        ("in", "NewExternalPort", "ui2"),
        ("in", "NewProtocol", "string"),
    ],
}


class Igd:
    """Mappings by external port and protocol."""

    def __init__(self, own: str, external: str) -> None:
        self.own, self.external = own, external
        self.mappings: dict[tuple[str, str], str] = {}

    def description(self) -> str:
        return f"""<?xml version="1.0"?>
<root xmlns="urn:schemas-upnp-org:device-1-0"><specVersion><major>1</major><minor>0</minor>
</specVersion><device><deviceType>{DEVICE}</deviceType><friendlyName>Test Router</friendlyName>
<manufacturer>Tests</manufacturer><modelName>Test Router</modelName><UDN>uuid:router</UDN>
<serviceList><service><serviceType>{SERVICE}</serviceType>
<serviceId>urn:upnp-org:serviceId:WANIPConn1</serviceId><SCPDURL>/service.xml</SCPDURL>
<controlURL>/control</controlURL><eventSubURL>/events</eventSubURL></service></serviceList>
</device></root>"""

    def service(self) -> str:
        variables = {f"A_{name}": kind for row in _ARGUMENTS.values() for _, name, kind in row}
        actions = "".join(
            f"<action><name>{name}</name><argumentList>"
            + "".join(
                f"<argument><name>{argument}</name><direction>{way}</direction>"
                f"<relatedStateVariable>A_{argument}</relatedStateVariable></argument>"
                for way, argument, _ in row
            )
            + "</argumentList></action>"
            for name, row in _ARGUMENTS.items()
        )
        table = "".join(
            f'<stateVariable sendEvents="no"><name>{name}</name><dataType>{kind}</dataType>'
            "</stateVariable>"
            for name, kind in variables.items()
        )
        return f"""<?xml version="1.0"?><scpd xmlns="urn:schemas-upnp-org:service-1-0">
<specVersion><major>1</major><minor>0</minor></specVersion><actionList>{actions}</actionList>
<serviceStateTable>{table}</serviceStateTable></scpd>"""

    async def control(self, request: web.Request) -> web.Response:
        name = request.headers["SOAPAction"].strip('"').rpartition("#")[2]
        said = {e.tag: e.text or "" for e in ElementTree.fromstring(await request.text()).iter()}
        result = ""
        key = (said.get("NewExternalPort", ""), said.get("NewProtocol", "").lower())
        if name == "GetExternalIPAddress":
            result = f"<NewExternalIPAddress>{self.external}</NewExternalIPAddress>"
        elif name == "AddPortMapping":
            self.mappings[key] = f"{said['NewInternalClient']}:{said['NewInternalPort']}"
        else:
            self.mappings.pop(key, None)
        self._open()
        text = (
            '<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">'
            f'<s:Body><u:{name}Response xmlns:u="{SERVICE}">{result}</u:{name}Response></s:Body>'
            "</s:Envelope>"
        )
        return web.Response(text=text, content_type="text/xml")

    def _open(self) -> None:
        """What is mapped now, all at once."""
        rules = [CHAIN, "flush chain ip igd in"]
        rules += [
            f'add rule ip igd in iifname "wan" {protocol} dport {port} dnat to {to}'
            for (port, protocol), to in self.mappings.items()
        ]
        subprocess.run(
            ["nft", "-f", "-"], input="\n".join(rules), text=True, check=True, timeout=10
        )


class Ssdp(asyncio.DatagramProtocol):
    """UPnP Device Architecture §1.3: answers to who looks for such a device."""

    def __init__(self, own: str) -> None:
        self._own = own

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if data.startswith(b"M-SEARCH") and DEVICE.encode() in data:
            answer = (
                "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nEXT:\r\n"
                "SERVER: Test/1 UPnP/1.1\r\n"
                f"LOCATION: http://{self._own}:{HTTP}/root.xml\r\nST: {DEVICE}\r\n"
                f"USN: uuid:router::{DEVICE}\r\n\r\n"
            )
            self._transport.sendto(answer.encode(), addr)


async def main(own: str, external: str) -> None:
    igd = Igd(own, external)
    application = web.Application()

    async def root(_: web.Request) -> web.Response:
        return web.Response(text=igd.description(), content_type="text/xml")

    async def service(_: web.Request) -> web.Response:
        return web.Response(text=igd.service(), content_type="text/xml")

    application.router.add_get("/root.xml", root)
    application.router.add_get("/service.xml", service)
    application.router.add_post("/control", igd.control)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, own, HTTP).start()
    listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("", PORT))
    group = struct.pack("4s4s", socket.inet_aton(GROUP), socket.inet_aton(own))
    listening.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(lambda: Ssdp(own), sock=listening)
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
