"""The way to an MQTT broker (no service): what lies between a connection and what is said on it."""

import asyncio
import os
from typing import TYPE_CHECKING

from sipstrobe.errors import ConfigError
from sipstrobe.io.broker_line import ProxyChannel
from sipstrobe.io.connection import Channel
from sipstrobe.mqtt.packets import MAX_PACKET_BYTES
from sipstrobe.mqtt.settings import PORTS, MqttSettings

if TYPE_CHECKING:
    from sipstrobe.io.tls import Tls


class Way:
    """Makes the channels of each connection; what TLS needs is made once and used again."""

    def __init__(self) -> None:
        self._tls: tuple[object, Tls] | None = None  # by the settings that it was made of

    async def channels(self, settings: MqttSettings) -> list[Channel]:
        """What lies between; what it needs is loaded in another thread, on first use."""
        host, port = settings.host, port_of(settings)
        channels: list[Channel] = []
        place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        if settings.proxy:
            password = settings.proxy_password.reveal()
            channels.append(ProxyChannel(place, settings.proxy_user, password))
        if settings.encrypted:
            channels.append((await self._client_tls(settings)).connect(host))
        if settings.websocket:
            channels.append(await asyncio.to_thread(_websocket, place, settings.base_path))
        return channels

    async def _client_tls(self, settings: MqttSettings) -> "Tls":
        """Raises ConfigError for a certificate that cannot be used."""
        of = (settings.tls, settings.alpn)
        if self._tls is None or self._tls[0] != of:
            self._tls = (of, await asyncio.to_thread(_make_tls, settings))
        return self._tls[1]


def _make_tls(settings: MqttSettings) -> "Tls":
    from sipstrobe.io.tls import Tls
    from sipstrobe.io.x509 import Identity

    tls = settings.tls
    identity = Identity(tls.certificate, tls.private_key) if tls.certificate else None
    return Tls.client(
        identity,
        "automatic",
        authorities=tls.authorities,
        verify=tls.validate,
        alpn=settings.alpn,
        section="/mqtt/tls",
    )


def _websocket(place: str, path: str) -> Channel:
    from sipstrobe.io.websocket import WebSocketChannel, mqtt

    return WebSocketChannel(None, max_bytes=MAX_PACKET_BYTES, host=place, spoken=mqtt(path))


def port_of(settings: MqttSettings) -> int:
    return settings.port or PORTS[settings.protocol]


def place_words(settings: MqttSettings) -> str:
    return f"{settings.host}:{port_of(settings)}"


def where(settings: MqttSettings) -> tuple[object, ...]:
    """What makes it another connection, beside what CONNECT says."""
    return (
        settings.protocol,
        settings.host,
        settings.port,
        settings.base_path,
        settings.alpn,
        settings.proxy,
        settings.proxy_user,
        settings.proxy_password,
        settings.tls,
    )


def words_of(error: Exception, host: str) -> str:
    if isinstance(error, ConfigError):
        return str(error)
    if isinstance(error, OSError):
        number = error.errno or 0  # those of the resolver are negative
        return f"{host}: {os.strerror(number) if number > 0 else error.strerror or error}"
    return str(error)
