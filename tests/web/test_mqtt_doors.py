"""The MQTT client and its events over real HTTP, as control programs configure them."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession, DigestAuthMiddleware

from sipstrobe.config.check import revealed
from sipstrobe.mqtt.settings import MqttSettings, Notice
from sipstrobe.web.compat import mqtt_client, mqtt_event
from tests.support.web import PASSWORDS, Device

CLIENT, EVENT = mqtt_client.PATH, mqtt_event.PATH
CONFIG: dict[str, Any] = {  # every field of the API, none at its default
    "server": {
        "protocol": "wss",
        "host": "192.0.2.10",
        "port": 8884,
        "basepath": "mqtt",
        "alpnProtocol": "mqtt",
    },
    "httpProxy": "http://192.0.2.1:3128",
    "httpsProxy": "http://192.0.2.2:3128",
    "username": "siren",
    "password": "s3cret",
    "clientId": "Siren 1",
    "keepAliveInterval": 30,
    "connectTimeout": 20,
    "cleanSession": True,
    "autoReconnect": False,
    "deviceTopicPrefix": "site/siren",
    "lastWillTestament": {"useDefault": True},
    "connectMessage": {
        "useDefault": False,
        "topic": "site/up",
        "message": "here",
        "retain": True,
        "qos": 2,
    },
    "ssl": {"validateServerCert": True, "clientCertID": "", "CACertID": ""},
}


class Client:
    """A control program; an administrator unless told otherwise."""

    def __init__(self, session: ClientSession, url: str) -> None:
        self._session, self._url = session, url

    async def post(self, path: str, body: object) -> Any:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self._session.post(self._url + path, data=data) as response:
            assert response.status == 200
            return await response.json()

    async def call(self, path: str, method: str, **params: Any) -> Any:
        """The data of the reply, or the number of its error."""
        reply = await self.post(path, {"apiVersion": "1.0", "method": method, "params": params})
        assert reply["method"] == method
        return reply["error"]["code"] if "error" in reply else reply["data"]


@pytest.fixture
async def client(url: str) -> AsyncIterator[Client]:
    digest = DigestAuthMiddleware("ada", PASSWORDS["ada"])
    async with ClientSession(middlewares=(digest,)) as session:
        yield Client(session, url)


def stored(device: Device) -> MqttSettings:
    return device.store.current.mqtt


def less(config: dict[str, Any], *path: str, **more: object) -> dict[str, Any]:
    """The configuration without one member, and with others."""
    found = json.loads(json.dumps(config)) | more
    inner = found
    for step in path[:-1]:
        inner = inner[step]
    if path:
        del inner[path[-1]]
    return found


# --- the client ----------------------------------------------------------------------------------


async def test_a_configuration_comes_back_as_it_was_given_but_for_the_password(
    client: Client, device: Device
) -> None:
    """MQT-01…12."""
    assert await client.call(CLIENT, "configureClient", **CONFIG) == {}

    told = await client.call(CLIENT, "getClientStatus")
    assert told["status"] == {"state": "inactive", "connectionStatus": "disconnected"}
    assert told["config"] == less(CONFIG, "password")
    assert stored(device).password.reveal() == "s3cret"
    assert stored(device).connect_message == Notice(
        send=True, use_default=False, topic="site/up", payload="here", retain=True, qos=2
    )
    assert not stored(device).disconnect_message.send


async def test_what_is_left_out_has_its_default(client: Client, device: Device) -> None:
    await client.call(CLIENT, "configureClient", **CONFIG)

    assert await client.call(CLIENT, "configureClient", server={"host": "h"}, clientId="c") == {}

    serial = device.store.current.device.serial
    assert (await client.call(CLIENT, "getClientStatus"))["config"] == {
        "server": {
            "protocol": "tcp",
            "host": "h",
            "port": 1883,
            "basepath": "",
            "alpnProtocol": "",
        },
        "username": "",
        "clientId": "c",
        "keepAliveInterval": 60,
        "connectTimeout": 60,
        "cleanSession": False,
        "autoReconnect": True,
        "deviceTopicPrefix": f"axis/{serial}",
        "httpProxy": "",
        "httpsProxy": "",
        "ssl": {"validateServerCert": True, "clientCertID": "", "CACertID": ""},
    }
    assert not stored(device).password


@pytest.mark.parametrize(
    ("protocol", "port"), [("tcp", 1883), ("ssl", 8883), ("ws", 80), ("wss", 443)]
)
async def test_each_protocol_has_its_port(client: Client, protocol: str, port: int) -> None:
    """MQT-02."""
    server = {"protocol": protocol, "host": "h"}
    assert await client.call(CLIENT, "configureClient", server=server) == {}

    told = (await client.call(CLIENT, "getClientStatus"))["config"]
    assert told["server"]["port"] == port
    if protocol in ("ssl", "wss"):
        assert not told["ssl"]["validateServerCert"]


async def test_a_password_can_stay_as_it_is(client: Client, device: Device) -> None:
    await client.call(CLIENT, "configureClient", **CONFIG)

    again = less(CONFIG, keepExistingPassword=True, password="other")
    assert await client.call(CLIENT, "configureClient", **again) == {}

    assert stored(device).password.reveal() == "s3cret"


async def test_no_password_is_ever_told(client: Client, device: Device) -> None:
    await client.call(CLIENT, "configureClient", **CONFIG)
    answers = [
        await client.post(CLIENT, {"apiVersion": "1.0", "method": method})
        for method in ("getClientStatus", "activateClient", "configureClient")
    ]

    assert "s3cret" in json.dumps(revealed(device.store.current))
    assert "s3cret" not in json.dumps(answers)


async def test_the_client_is_switched_on_and_off(client: Client, device: Device) -> None:
    """MQT-01: what has no broker cannot be switched on."""
    assert await client.call(CLIENT, "activateClient") == 1100
    await client.call(CLIENT, "configureClient", server={"host": "h"})

    assert await client.call(CLIENT, "activateClient") == {}
    assert stored(device).active
    await client.call(CLIENT, "configureClient", server={"host": "other"})
    assert stored(device).active
    assert await client.call(CLIENT, "deactivateClient") == {}
    assert not stored(device).active


async def test_a_certificate_stays_as_long_as_it_is_named(client: Client, device: Device) -> None:
    await client.call(CLIENT, "configureClient", **CONFIG)
    device.store.change_now({"mqtt": {"tls": {"authorities": "PEM"}}})
    ssl = (await client.call(CLIENT, "getClientStatus"))["config"]["ssl"]
    assert ssl["CACertID"]

    await client.call(CLIENT, "configureClient", **less(CONFIG, ssl=ssl))
    assert stored(device).tls.authorities == "PEM"
    await client.call(CLIENT, "configureClient", **less(CONFIG, "ssl"))
    assert stored(device).tls.authorities == ""


@pytest.mark.parametrize(
    ("config", "code"),
    [
        (less(CONFIG, "server"), 2103),
        (less(CONFIG, "server", "host"), 2103),
        (less(CONFIG, "connectMessage", "qos"), 2103),
        (less(CONFIG, "connectMessage", "topic"), 2103),
        (less(CONFIG, server={"host": ""}), 2104),
        (less(CONFIG, server={"host": "h", "protocol": "udp"}), 2104),
        (less(CONFIG, server={"host": "h", "port": 0}), 2104),
        (less(CONFIG, httpProxy="http://" + "p" * 300), 2104),
        (less(CONFIG, httpsProxy="socks://x"), 2104),
        (less(CONFIG, keepAliveInterval="soon"), 2104),
        (less(CONFIG, connectTimeout=0), 2104),
        (less(CONFIG, cleanSession="yes"), 2104),
        (less(CONFIG, lastWillTestament=[]), 2104),
        (less(CONFIG, deviceTopicPrefix="a/#"), 2104),
        (less(CONFIG, ssl={"CACertID": "unheard of"}), 2104),
        (
            less(
                CONFIG,
                lastWillTestament={"topic": "a", "message": "", "retain": False, "qos": 3},
            ),
            2104,
        ),
    ],
)
async def test_what_cannot_be_configured_has_its_number(
    client: Client, device: Device, config: dict[str, Any], code: int
) -> None:
    before = stored(device)

    assert await client.call(CLIENT, "configureClient", **config) == code
    assert stored(device) == before


@pytest.mark.parametrize(("path", "version"), [(CLIENT, "1.6"), (EVENT, "1.2")])
async def test_versions_and_methods_are_those_of_the_api(
    client: Client, path: str, version: str
) -> None:
    versions = await client.post(path, {"method": "getSupportedVersions", "context": "x"})

    assert versions["data"] == {"apiVersions": [version]}
    assert (versions["apiVersion"], versions["context"]) == (version, "x")
    assert await client.call(path, "explode") == 2102
    long = b" " * (mqtt_event.MAX_BYTES if path == EVENT else mqtt_client.MAX_BYTES)
    assert (await client.post(path, b"{}" + long))["error"]["code"] == 2106
    assert (await client.post(path, b"{"))["error"]["code"] == 2101
    other = {"apiVersion": "2.0", "method": "getClientStatus"}
    assert (await client.post(path, other))["error"]["code"] == 2100


async def test_events_may_be_asked_for_by_the_version_of_the_client(client: Client) -> None:
    """As axis (PyPI) 74 does: it knows but that version, from discovery."""
    asked = {"apiVersion": "1.6", "method": "getEventPublicationConfig"}
    told = await client.post(EVENT, asked)

    assert (told["apiVersion"], "eventPublicationConfig" in told["data"]) == ("1.2", True)
    newer = {"apiVersion": "1.7", "method": "getEventPublicationConfig"}
    assert (await client.post(EVENT, newer))["error"]["code"] == 2100


@pytest.mark.parametrize("path", [CLIENT, EVENT])
@pytest.mark.parametrize("name", ["olga", "victor"])
async def test_the_doors_are_for_administrators(url: str, path: str, name: str) -> None:
    digest = DigestAuthMiddleware(name, PASSWORDS[name])
    body = {"method": "getSupportedVersions"}
    async with (
        ClientSession(middlewares=(digest,)) as session,
        session.post(url + path, json=body) as response,
    ):
        assert response.status == 401


# --- publications and subscriptions --------------------------------------------------------------


async def test_a_new_device_publishes_nothing(client: Client) -> None:
    assert await client.call(EVENT, "getEventPublicationConfig") == {
        "eventPublicationConfig": {
            "topicPrefix": "default",
            "customTopicPrefix": "",
            "appendEventTopic": True,
            "includeTopicNamespaces": True,
            "includeSerialNumberInPayload": False,
            "eventFilterList": [],
        }
    }


async def test_publications_are_replaced_as_a_whole(client: Client) -> None:
    """MQT-13."""
    wanted = {
        "topicPrefix": "custom",
        "customTopicPrefix": "site",
        "appendEventTopic": False,
        "includeTopicNamespaces": False,
        "includeSerialNumberInPayload": True,
        "eventFilterList": [
            {"topicFilter": "onvif:Device/axis:IO/Port", "qos": 2, "retain": "property"},
            {"topicFilter": "axis:CameraApplicationPlatform//.", "qos": 0, "retain": "none"},
        ],
    }
    assert await client.call(EVENT, "configureEventPublication", **wanted) == {}
    told = await client.call(EVENT, "getEventPublicationConfig")
    assert told["eventPublicationConfig"] == wanted

    only = [{"topicFilter": "axis:Call//."}]
    assert await client.call(EVENT, "configureEventPublication", eventFilterList=only) == {}
    told = (await client.call(EVENT, "getEventPublicationConfig"))["eventPublicationConfig"]
    assert told["topicPrefix"] == "default"
    assert (told["appendEventTopic"], told["includeTopicNamespaces"]) == (True, True)
    assert told["includeSerialNumberInPayload"] is False
    assert told["eventFilterList"] == [
        {"topicFilter": "axis:Call//.", "qos": 0, "retain": "none"},
    ]


async def test_subscriptions_are_replaced_and_keep_what_the_api_does_not_know(
    client: Client, device: Device
) -> None:
    """MQT-14, AMB-16."""
    on = {"topicFilter": "Motion", "useDeviceTopicPrefix": False, "qos": 1, "isStateData": True}
    any_door = {"topicFilter": "door/+", "useDeviceTopicPrefix": True, "qos": 0}
    await client.call(EVENT, "configureMqttSubscription", mqttFilterList=[on])
    subscription = stored(device).subscriptions[0]
    assert (subscription.kind, subscription.true_payload) == ("stateful", "On")
    other = {"filter": "Motion", "kind": "stateful", "true_payload": "1", "qos": 1}
    device.store.change_now({"mqtt": {"subscriptions": [other]}})

    lists = {"mqttFilterList": [on, any_door]}
    assert await client.call(EVENT, "configureMqttSubscription", **lists) == {}
    assert stored(device).subscriptions[1].kind == "stateless"

    told = await client.call(EVENT, "getMqttSubscriptionConfig")
    assert told["mqttSubscriptionConfig"] == {
        "mqttFilterList": [on, any_door | {"isStateData": False}]
    }
    assert stored(device).subscriptions[0].true_payload == "1"


BAD: list[tuple[str, dict[str, Any], int]] = [
    ("configureEventPublication", {"topicPrefix": "mine"}, 2104),
    ("configureEventPublication", {"topicPrefix": "custom"}, 2103),
    ("configureEventPublication", {"eventFilterList": [{}]}, 2103),
    ("configureEventPublication", {"eventFilterList": "all"}, 2104),
    (
        "configureEventPublication",
        {"eventFilterList": [{"topicFilter": "axis:Call//.", "retain": "some"}]},
        2104,
    ),
    (
        "configureEventPublication",
        {"eventFilterList": [{"topicFilter": "axis:Call//.", "qos": 3}]},
        2104,
    ),
    ("configureMqttSubscription", {}, 2103),
    ("configureMqttSubscription", {"mqttFilterList": [{"qos": 1}]}, 2103),
    ("configureMqttSubscription", {"mqttFilterList": [{"topicFilter": "a/#/b"}]}, 2104),
    (
        "configureMqttSubscription",
        {"mqttFilterList": [{"topicFilter": "a/+", "isStateData": True}]},
        2104,
    ),
]


@pytest.mark.parametrize(("method", "params", "code"), BAD)
async def test_what_cannot_be_published_or_heard_has_its_number(
    client: Client, device: Device, method: str, params: dict[str, Any], code: int
) -> None:
    """Wildcards are for what is no state (MQT-14)."""
    before = stored(device)

    assert await client.call(EVENT, method, **params) == code
    assert stored(device) == before
