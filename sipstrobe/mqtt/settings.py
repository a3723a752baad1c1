"""What can be set about MQTT (MQT-01…14, AMB-11, AMB-16)."""

from collections.abc import Iterator
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from msgspec import Meta, Struct, field

from sipstrobe.errors import Problem
from sipstrobe.mqtt.packets import MAX_TEXT_BYTES
from sipstrobe.mqtt.topics import event_filter, filter_problem, has_wildcard, topic_problem
from sipstrobe.secret import Secret

PORTS: Final = {"tcp": 1883, "ssl": 8883, "ws": 80, "wss": 443}  # MQT-02
MAX_SUBSCRIPTIONS: Final = 100
MAX_CONDITIONS: Final = 100
MAX_TOPIC: Final = 1024  # characters
MAX_PAYLOAD: Final = 8192

_OneLine = r"^[^\x00-\x1f\x7f]{0,255}$(?!\n)"
Topic = Annotated[str, Meta(max_length=MAX_TOPIC, title="Topic")]
Payload = Annotated[str, Meta(max_length=MAX_PAYLOAD, title="Payload")]
_Qos = Annotated[
    Literal[0, 1, 2],
    Meta(title="QoS", description="0: at most once. 1: at least once. 2: exactly once."),
]
_Prefix = Annotated[
    str,
    Meta(
        pattern=r"^[^\x00-\x1f\x7f+#]{0,512}$(?!\n)",
        title="Device topic prefix",
        description="What comes before the default topics; empty: sipstrobe/ and the serial"
        " number.",
    ),
]


class Notice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message about the connection itself (MQT-11, MQT-12)."""

    send: Annotated[bool, Meta(title="Send")] = False
    use_default: Annotated[
        bool,
        Meta(title="Use default", description="The rest then does not count."),
    ] = True
    topic: Topic = ""
    payload: Payload = ""
    retain: Annotated[bool, Meta(title="Retain")] = False
    qos: _Qos = 0


class MqttTls(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """TLS of the connection to the broker, for ssl and wss."""

    validate: Annotated[
        bool,
        Meta(
            title="Validate server certificate",
            description="Refuse brokers whose certificate is not trusted or has another name.",
        ),
    ] = True
    authorities: Annotated[
        str,
        Meta(
            max_length=1 << 18,
            title="CA certificate",
            description="Certificates in PEM form; empty: those that the system trusts.",
        ),
    ] = ""
    certificate: Annotated[
        str,
        Meta(
            max_length=1 << 16,
            title="Client certificate",
            description="In PEM form with its chain; empty: none is shown.",
        ),
    ] = ""
    private_key: Annotated[
        Secret, Meta(title="Private key", description="Of our certificate, in PEM form.")
    ] = field(default_factory=lambda: Secret(""))


class Condition(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Events that are published (MQT-13)."""

    topic_filter: Annotated[
        str,
        Meta(
            max_length=256,
            title="Events",
            description="Such as onvif:Device/axis:IO/Port, call/state, or axis:Call//. for all of"
            " a kind; //. alone: all there are.",
        ),
    ]
    retain: Annotated[
        Literal["none", "property", "all"],
        Meta(title="Retain", description="Property: states are, what only happens is not."),
    ] = "none"
    qos: _Qos = 0


class Publications(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which events are published, and how (MQT-13)."""

    prefix: Annotated[
        Literal["default", "custom"],
        Meta(title="Prefix", description="Default: the device topic prefix."),
    ] = "default"
    custom_prefix: Annotated[_Prefix, Meta(title="Custom prefix")] = ""
    include_topic: Annotated[
        bool,
        Meta(title="Include topic name", description="Off: all events have one topic."),
    ] = True
    include_namespaces: Annotated[bool, Meta(title="Include topic namespaces")] = True
    include_serial: Annotated[
        bool, Meta(title="Include serial number", description="In the payload.")
    ] = False
    conditions: Annotated[
        tuple[Condition, ...],
        Meta(
            max_length=MAX_CONDITIONS,
            title="Conditions",
            description="Nothing is published without any; what several of them mean, is"
            " published for each.",
        ),
    ] = ()


class Subscription(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is heard, as an event for rules (MQT-14)."""

    filter: Annotated[str, Meta(min_length=1, max_length=MAX_TOPIC, title="Filter")]
    use_prefix: Annotated[
        bool,
        Meta(
            title="Use device prefix",
            description="The device topic prefix and a slash come before the filter.",
        ),
    ] = False
    kind: Annotated[
        Literal["stateless", "stateful"],
        Meta(
            title="Kind",
            description="Stateless: each message is a trigger. Stateful: the last one holds.",
        ),
    ] = "stateless"
    true_payload: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=256,
            title="Payload for active",
            description="Of a stateful one: any other payload means inactive.",
        ),
    ] = "On"
    qos: _Qos = 0


class MqttSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The MQTT client: its broker, what it publishes and what it hears."""

    active: Annotated[bool, Meta(title="Connect")] = False
    version: Annotated[Literal["3.1.1", "5"], Meta(title="MQTT version")] = "3.1.1"
    protocol: Annotated[Literal["tcp", "ssl", "ws", "wss"], Meta(title="Protocol")] = "tcp"
    host: Annotated[
        str,
        Meta(
            pattern=r"^[0-9A-Za-z.:_%-]{0,253}$(?!\n)",
            title="Host",
            description="Host name or address of the broker.",
        ),
    ] = ""
    port: Annotated[
        Annotated[int, Meta(ge=1, le=65535)] | None,
        Meta(
            title="Port",
            description="Null: the protocol's own, which is 1883, for ssl 8883, for ws 80, for wss"
            " 443.",
        ),
    ] = None
    base_path: Annotated[
        str,
        Meta(
            pattern=r"^[!-~]{0,255}$(?!\n)",
            title="Base path",
            description="Of the WebSocket, for ws and wss; such as mqtt.",
        ),
    ] = ""
    alpn: Annotated[
        str,
        Meta(
            pattern=r"^[!-~]{0,255}$(?!\n)",
            title="ALPN protocol",
            description="What TLS says that we speak, for ssl and wss; empty: nothing.",
        ),
    ] = ""
    http_proxy: Annotated[
        str,
        Meta(
            pattern=_OneLine,
            title="HTTP proxy",
            description="Through which tcp and ws go, such as http://192.0.2.1:3128; empty: none.",
        ),
    ] = ""
    https_proxy: Annotated[
        str,
        Meta(pattern=_OneLine, title="HTTPS proxy", description="The same for ssl and wss."),
    ] = ""
    proxy_user: Annotated[str, Meta(pattern=_OneLine, title="User at the proxy")] = ""
    proxy_password: Annotated[Secret, Meta(title="Password at the proxy")] = field(
        default_factory=lambda: Secret("")
    )
    user: Annotated[str, Meta(pattern=_OneLine, title="User")] = ""
    password: Annotated[Secret, Meta(title="Password")] = field(default_factory=lambda: Secret(""))
    client_id: Annotated[
        str,
        Meta(
            pattern=_OneLine,
            title="Client id",
            description="Unlike all others at the broker; empty: sipstrobe_ and the serial number.",
        ),
    ] = ""
    clean_session: Annotated[
        bool,
        Meta(
            title="Clean session",
            description="Off: the broker keeps what is meant for us while we are not there.",
        ),
    ] = True
    keep_alive: Annotated[
        int,
        Meta(
            ge=0,
            le=65535,
            title="Keep alive",
            description="Seconds after which a silent connection is tried; 0: never.",
        ),
    ] = 60
    connect_timeout: Annotated[
        int, Meta(ge=1, le=600, title="Connect timeout", description="In seconds.")
    ] = 60
    topic_prefix: _Prefix = ""
    reconnect: Annotated[bool, Meta(title="Reconnect automatically")] = True
    tls: Annotated[MqttTls, Meta(title="TLS")] = field(default_factory=MqttTls)
    connect_message: Annotated[Notice, Meta(title="Connect message")] = Notice()
    disconnect_message: Annotated[Notice, Meta(title="Disconnect message")] = Notice()
    last_will: Annotated[
        Notice,
        Meta(
            title="Last will",
            description="What the broker says when it has lost us.",
        ),
    ] = Notice()
    publications: Annotated[Publications, Meta(title="Publications")] = Publications()
    subscriptions: Annotated[
        tuple[Subscription, ...], Meta(max_length=MAX_SUBSCRIPTIONS, title="Subscriptions")
    ] = ()

    @property
    def encrypted(self) -> bool:
        return self.protocol in ("ssl", "wss")

    @property
    def websocket(self) -> bool:
        return self.protocol in ("ws", "wss")

    @property
    def proxy(self) -> str:
        """Through which this protocol goes; "" if through none."""
        return self.https_proxy if self.encrypted else self.http_proxy


def prefix_of(settings: MqttSettings, serial: str) -> str:
    return settings.topic_prefix or f"sipstrobe/{serial}"


def topic_of(subscription: Subscription, prefix: str) -> str:
    """What the broker is asked for (AMB-11)."""
    return f"{prefix}/{subscription.filter}" if subscription.use_prefix else subscription.filter


def place_of(proxy: str) -> tuple[str, int]:
    """Host and port of a proxy. Raises ValueError, with words, for what is none."""
    url = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    if url.scheme != "http":
        raise ValueError("must be of the form http://host:port")
    if url.username is not None or url.password is not None:
        raise ValueError("must have no name and password: they have fields of their own")
    port = url.port  # raises for what is none
    if not url.hostname or url.path not in ("", "/") or url.query:
        raise ValueError("must be of the form http://host:port")
    return url.hostname, port or 80


# --- what single fields cannot say --------------------------------------------------------------


def problems(settings: MqttSettings) -> list[Problem]:
    """Paths are relative to the section."""
    return list(_problems(settings))


def _problems(settings: MqttSettings) -> Iterator[Problem]:
    if settings.active and not settings.host:
        yield Problem("/host", "must name the broker")
    if settings.alpn and settings.active and not settings.encrypted:
        yield Problem("/alpn", "is for ssl and wss only")
    for name in ("http_proxy", "https_proxy"):
        yield from _proxy_problems(getattr(settings, name), f"/{name}")
    if bool(settings.tls.certificate) != bool(settings.tls.private_key):
        name = "private_key" if settings.tls.certificate else "certificate"
        yield Problem(f"/tls/{name}", "certificate and key belong together")
    for name in ("connect_message", "disconnect_message", "last_will"):
        notice: Notice = getattr(settings, name)
        if notice.send and not notice.use_default:
            if words := topic_problem(notice.topic):
                yield Problem(f"/{name}/topic", words)
            if len(notice.payload.encode(errors="replace")) > MAX_TEXT_BYTES:
                yield Problem(f"/{name}/payload", f"must have at most {MAX_TEXT_BYTES} bytes")
    if settings.topic_prefix.startswith("$"):
        yield Problem("/topic_prefix", "must not begin with $: that is the broker's own")
    yield from _publication_problems(settings.publications)
    yield from _subscription_problems(settings.subscriptions)


def _proxy_problems(proxy: str, path: str) -> Iterator[Problem]:
    if not proxy:
        return
    if len(proxy.encode(errors="replace")) > 255:  # MQT-06
        yield Problem(path, "must have at most 255 bytes")
    try:
        place_of(proxy)
    except ValueError as error:
        words = str(error)
        form = "must be of the form http://host:port"
        yield Problem(path, words if words.startswith("must") else form)


def _publication_problems(publications: Publications) -> Iterator[Problem]:
    if publications.prefix == "custom" and not publications.custom_prefix:
        yield Problem("/publications/custom_prefix", "must not be empty")
    for n, condition in enumerate(publications.conditions):
        try:
            event_filter(condition.topic_filter)
        except ValueError as error:
            yield Problem(f"/publications/conditions/{n}/topic_filter", str(error))


def _subscription_problems(subscriptions: tuple[Subscription, ...]) -> Iterator[Problem]:
    seen: set[tuple[str, bool]] = set()
    for n, subscription in enumerate(subscriptions):
        path = f"/subscriptions/{n}/filter"
        if words := filter_problem(subscription.filter):
            yield Problem(path, words)
        elif subscription.kind == "stateful" and has_wildcard(subscription.filter):
            yield Problem(path, "must have no wildcards where the last message holds")
        key = (subscription.filter, subscription.use_prefix)
        if key in seen:
            yield Problem(path, f"{subscription.filter!r} is there already")
        seen.add(key)
