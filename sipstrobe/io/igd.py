"""A router that lets others in when it is asked: Internet Gateway Device (UPnP IGD:1 and IGD:2, by
WANIPConnection or WANPPPConnection), spoken to with async-upnp-client."""

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from async_upnp_client.aiohttp import AiohttpRequester
from async_upnp_client.client import UpnpService
from async_upnp_client.client_factory import UpnpFactory
from async_upnp_client.exceptions import UpnpActionError, UpnpError
from async_upnp_client.search import SsdpSearchListener

# Its INFO is about each message.
logging.getLogger("async_upnp_client").setLevel(logging.WARNING)

SEARCH_LIMIT: Final = 2.5  # seconds in which a router must have answered to a search
SEARCHES: Final = 2  # datagrams get lost
ACTION_LIMIT: Final = 2  # seconds for one request to it
MAX_ANSWERS: Final = 8  # of devices on the network that are looked at
_DEVICE: Final = "urn:schemas-upnp-org:device:InternetGatewayDevice:1"  # version 2 answers as well
_SERVICES: Final = (
    "urn:schemas-upnp-org:service:WANIPConnection:2",
    "urn:schemas-upnp-org:service:WANIPConnection:1",
    "urn:schemas-upnp-org:service:WANPPPConnection:1",
)
_ONLY_PERMANENT: Final = 725  # WANIPConnection:1 §2.4.16: OnlyPermanentLeasesSupported


class Gateway:
    """A router that was found. All requests raise OSError with words for a person."""

    def __init__(self, name: str, host: str, service: UpnpService) -> None:
        self.name = name
        self.host = host
        self._service = service

    @classmethod
    async def find(cls, source: str) -> "Gateway":
        """Search from this address of ours; the first that answers. Raises OSError."""
        answers: asyncio.Queue[tuple[str, str]] = asyncio.Queue(MAX_ANSWERS)

        def heard(headers: Mapping[str, Any]) -> None:
            with contextlib.suppress(asyncio.QueueFull):
                answers.put_nowait((str(headers.get("location")), str(headers.get("_host"))))

        listener = SsdpSearchListener(
            callback=heard, source=(source, 0), timeout=1, search_target=_DEVICE
        )
        try:
            await listener.async_start()
            async with asyncio.timeout(SEARCH_LIMIT):
                return await _first(listener, answers)
        except TimeoutError:
            raise OSError("no router answers") from None
        finally:
            listener.async_stop()

    async def external_address(self) -> str:
        """Our public address, numeric."""
        found = await self._call("GetExternalIPAddress")
        return str(found["NewExternalIPAddress"])

    async def add(self, port: int, protocol: str, host: str, lease: int) -> None:
        """Let others reach this port of ours at the same port of the router, for lease seconds.

        Asked again it renews. protocol: "UDP" or "TCP".
        """
        try:
            await self._add(port, protocol, host, lease)
        except _Refused as refused:
            if refused.code != _ONLY_PERMANENT:
                raise
            await self._add(port, protocol, host, 0)

    async def delete(self, port: int, protocol: str) -> None:
        await self._call(
            "DeletePortMapping",
            NewRemoteHost="",
            NewExternalPort=port,
            NewProtocol=protocol,
        )

    async def _add(self, port: int, protocol: str, host: str, lease: int) -> None:
        await self._call(
            "AddPortMapping",
            NewRemoteHost="",
            NewExternalPort=port,
            NewProtocol=protocol,
            NewInternalPort=port,
            NewInternalClient=host,
            NewEnabled=True,
            NewPortMappingDescription="sipstrobe",
            NewLeaseDuration=lease,
        )

    async def _call(self, name: str, **values: Any) -> Mapping[str, Any]:
        try:
            async with asyncio.timeout(ACTION_LIMIT):
                return await self._service.action(name).async_call(**values)
        except TimeoutError:
            raise OSError(f"the router {self.name} does not answer") from None
        except UpnpActionError as error:
            words = f"the router {self.name} refuses: {error.error_desc or error.error_code}"
            raise _Refused(words, error.error_code) from None
        except (UpnpError, KeyError) as error:
            raise OSError(f"the router {self.name} cannot be used: {error}") from None


class _Refused(OSError):
    """The router has said no. code: UPnP Device Architecture §3.2.2."""

    def __init__(self, words: str, code: int | None) -> None:
        super().__init__(words)
        self.code = code


async def _first(
    listener: SsdpSearchListener, answers: "asyncio.Queue[tuple[str, str]]"
) -> Gateway:
    """The first answer that is a router's."""
    for _ in range(SEARCHES):
        listener.async_search()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SEARCH_LIMIT / SEARCHES):
                while True:
                    found = await _look_at(*await answers.get())
                    if found is not None:
                        return found
    raise TimeoutError


async def _look_at(location: str, sender: str) -> Gateway | None:
    """What a device says of itself, asked of nobody but the one that has answered."""
    try:
        host = urlsplit(location).hostname
    except ValueError:
        return None
    if host is None or host != sender:
        return None
    factory = UpnpFactory(AiohttpRequester(timeout=ACTION_LIMIT), non_strict=True)
    try:
        device = await factory.async_create_device(location)
    except UpnpError:
        return None
    for wanted in _SERVICES:
        for one in device.all_services:
            if one.service_type == wanted and one.has_action("AddPortMapping"):
                return Gateway(device.name, host, one)
    return None
