"""POST /axis-cgi/mqtt/client.cgi: the MQTT client as control programs configure it (MQT-01…12)."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from sipstrobe.bus import Dispatcher
from sipstrobe.commands import ChangeSettings
from sipstrobe.config.settings import Settings
from sipstrobe.config.users import Role
from sipstrobe.errors import ConfigError
from sipstrobe.mqtt.settings import PORTS, MqttSettings, Notice, prefix_of
from sipstrobe.web.compat.json_cgi import (
    BAD_VALUE,
    INTERNAL,
    ApiError,
    JsonCgi,
    Params,
    invalid,
)
from sipstrobe.web.exchange import Route

PATH: Final = "/axis-cgi/mqtt/client.cgi"
VERSION: Final = "1.6"
MAX_BYTES: Final = 64 * 1024
DEFAULT_INTERVAL: Final = 60  # seconds, of keep-alive and connect timeout
AUTHORITIES, CERTIFICATE = "mqtt-ca", "mqtt-client"
"""What the certificates in our settings are called here; others have no names on this device."""

_NOTICES: Final = {
    "lastWillTestament": "last_will",
    "connectMessage": "connect_message",
    "disconnectMessage": "disconnect_message",
}
_TEXTS: Final = {  # of the outermost object, left out they are empty
    "httpProxy": "http_proxy",
    "httpsProxy": "https_proxy",
    "username": "user",
    "clientId": "client_id",
}


class MqttClient:
    """The methods of the API; its one change is a change of the settings."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        settings: Callable[[], Settings],
        status: Callable[[], Mapping[str, object]],
    ) -> None:
        """status: active and connected, of the client as it is."""
        self._dispatcher = dispatcher
        self._settings = settings
        self._status = status
        self._cgi = JsonCgi(
            VERSION,
            {
                "getSupportedVersions": lambda _: {"apiVersions": [VERSION]},
                "configureClient": self._configure,
                "activateClient": lambda _: self._store({"active": True}, refused=INTERNAL),
                "deactivateClient": lambda _: self._store({"active": False}),
                "getClientStatus": self._get_status,
            },
            max_bytes=MAX_BYTES,
        )

    def routes(self) -> list[Route]:
        return [
            Route(
                method="POST",
                path=PATH,
                handler=self._cgi.respond,
                role=Role.ADMINISTRATOR,
                body_max_bytes=2 * MAX_BYTES,
                unstored=self._cgi.unstored,
            )
        ]

    def _configure(self, params: Params) -> dict[str, Any]:
        """Replace all that this API knows of; the client stays on or off as it is."""
        settings = self._settings()
        return self._store(read_client(params, settings.mqtt, settings.device.serial))

    def _get_status(self, _: Params) -> dict[str, Any]:
        told, settings = self._status(), self._settings()
        return {
            "status": {
                "state": "active" if told["active"] else "inactive",
                "connectionStatus": "connected" if told["connected"] else "disconnected",
            },
            "config": client_json(settings.mqtt, settings.device.serial),
        }

    def _store(self, patch: Mapping[str, Any], *, refused: int = BAD_VALUE) -> dict[str, Any]:
        try:
            self._dispatcher.execute(ChangeSettings(patch={"mqtt": patch}))
        except ConfigError as error:
            raise ApiError(refused, str(error)) from None
        return {}


# --- in ------------------------------------------------------------------------------------------


def read_client(params: Params, before: MqttSettings, serial: str) -> dict[str, Any]:
    """A whole configuration, as a change of our settings. Raises ApiError."""
    server = params.object("server")
    protocol = server.text("protocol") if "protocol" in server else "tcp"
    if protocol not in PORTS:
        invalid("server.protocol", "one of " + ", ".join(PORTS))
    host = server.text("host")
    if not host:
        invalid("server.host", "the address of the broker")
    encrypted, websocket = protocol in ("ssl", "wss"), protocol in ("ws", "wss")
    patch: dict[str, Any] = {
        "protocol": protocol,
        "host": host,
        "port": server.number("port") if "port" in server else None,
        "base_path": _text(server, "basepath") if websocket else "",
        "alpn": _text(server, "alpnProtocol") if encrypted else "",
        "clean_session": params.flag("cleanSession") if "cleanSession" in params else False,
        "reconnect": params.flag("autoReconnect") if "autoReconnect" in params else True,
        "keep_alive": _seconds(params, "keepAliveInterval"),
        "connect_timeout": _seconds(params, "connectTimeout"),
        "topic_prefix": _text(params, "deviceTopicPrefix") or f"axis/{serial}",
    }
    patch |= {own: _text(params, name) for name, own in _TEXTS.items()}
    patch |= {own: _read_notice(params, name) for name, own in _NOTICES.items()}
    if not ("keepExistingPassword" in params and params.flag("keepExistingPassword")):
        patch["password"] = _text(params, "password")
    return patch | ({"tls": _read_tls(params, before)} if encrypted else {})


def _text(params: Params, name: str) -> str:
    return params.text(name) if name in params else ""


def _seconds(params: Params, name: str) -> int:
    return params.number(name) if name in params else DEFAULT_INTERVAL


def _read_notice(params: Params, name: str) -> dict[str, Any]:
    """A message about the connection; one that is left out is not sent."""
    rest = {"use_default": True, "topic": "", "payload": "", "retain": False, "qos": 0}
    if name not in params:
        return {"send": False, **rest}
    message = params.object(name)
    if "useDefault" in message and message.flag("useDefault"):
        return {"send": True, **rest}
    qos = message.number("qos")
    if qos not in (0, 1, 2):
        invalid(f"{name}.qos", "0, 1 or 2")
    return {
        "send": True,
        "use_default": False,
        "topic": message.text("topic"),
        "payload": message.text("message"),
        "retain": message.flag("retain"),
        "qos": qos,
    }


def _read_tls(params: Params, before: MqttSettings) -> dict[str, Any]:
    """Whether the broker is looked at, and by what; certificates that are not named are gone."""
    if "ssl" not in params:
        return {"validate": False, "authorities": "", "certificate": "", "private_key": ""}
    ssl = params.object("ssl")
    patch: dict[str, Any] = {
        "validate": ssl.flag("validateServerCert") if "validateServerCert" in ssl else False
    }
    if not _names(ssl, "CACertID", AUTHORITIES if before.tls.authorities else ""):
        patch["authorities"] = ""
    if not _names(ssl, "clientCertID", CERTIFICATE if before.tls.certificate else ""):
        patch |= {"certificate": "", "private_key": ""}
    return patch


def _names(ssl: Params, name: str, known: str) -> bool:
    """Whether a certificate is named; the only one there can be is the one we have."""
    wanted = _text(ssl, name)
    if wanted and wanted != known:
        invalid(f"ssl.{name}", f"{known!r}" if known else "empty: this device has none")
    return bool(wanted)


# --- out -----------------------------------------------------------------------------------------


def client_json(settings: MqttSettings, serial: str) -> dict[str, Any]:
    """The configuration; of passwords and keys, nothing."""
    told: dict[str, Any] = {
        "server": {
            "protocol": settings.protocol,
            "host": settings.host,
            "port": settings.port or PORTS[settings.protocol],
            "basepath": settings.base_path,
            "alpnProtocol": settings.alpn,
        },
        "username": settings.user,
        "clientId": settings.client_id or f"sipstrobe_{serial}",
        "keepAliveInterval": settings.keep_alive,
        "connectTimeout": settings.connect_timeout,
        "cleanSession": settings.clean_session,
        "autoReconnect": settings.reconnect,
        "deviceTopicPrefix": prefix_of(settings, serial),
        "httpProxy": settings.http_proxy,
        "httpsProxy": settings.https_proxy,
        "ssl": {
            "validateServerCert": settings.tls.validate,
            "clientCertID": CERTIFICATE if settings.tls.certificate else "",
            "CACertID": AUTHORITIES if settings.tls.authorities else "",
        },
    }
    for name, own in _NOTICES.items():
        notice: Notice = getattr(settings, own)
        if notice.send:
            told[name] = _notice_json(notice)
    return told


def _notice_json(notice: Notice) -> dict[str, Any]:
    if notice.use_default:
        return {"useDefault": True}
    return {
        "useDefault": False,
        "topic": notice.topic,
        "message": notice.payload,
        "retain": notice.retain,
        "qos": notice.qos,
    }
