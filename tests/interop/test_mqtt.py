"""MQTT with mosquitto: over all protocols, through its death and ours, and with rules."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.interop.device import Device, device, wait_until
from tests.interop.mosquitto import PASSWORD, USER, Mosquitto, Witness, mosquitto
from tests.support.authority import Authority

pytestmark = pytest.mark.interop

PREFIX = "site/strobe"
CONNECTION = f"{PREFIX}/event/connection"
INPUT = f"{PREFIX}/event/tns:onvif/Device/tns:axis/IO/VirtualInput/$source/port/5"
ALARM = {"name": "Alarm", "light": {"pattern": "Steady", "colors": ["red"]}}
WHILE_ON = {
    "name": "While on",
    "conditions": [{"event": "mqtt/state", "match": {"filter": "alarm", "payload": "On"}}],
    "action": {"do": "run_profile", "profile": "Alarm"},
}
TOLD = {
    "name": "Told",
    "when": {"event": "input/virtual", "match": {"input": "5", "active": "true"}},
    "action": {
        "do": "publish_mqtt",
        "topic": "input/{event.input}",
        "payload": '{"by":"{rule}"}',
        "qos": 2,
        "use_prefix": True,
    },
}


@dataclass
class Site:
    authority: Authority
    broker: Mosquitto
    device: Device
    witness: Witness

    def mqtt(self) -> dict[str, Any]:
        return self.device.status()["mqtt"]

    def change(self, **values: object) -> None:
        self.device.api("PATCH", "settings/mqtt", **values)

    def input(self, *, active: bool) -> None:
        self.device.command("set-virtual-input", input=5, active=active)

    def await_input(self, active: str) -> None:
        def so() -> bool:
            told = self.witness.last(INPUT)
            return told is not None and told["message"]["data"] == {"active": active}

        wait_until(so, words=f"input 5 is {active} at the broker")


def arguments(broker: Mosquitto) -> list[str]:
    wanted = {
        "active": True,
        "host": "127.0.0.1",
        "port": broker.port,
        "user": USER,
        "password": PASSWORD,
        "topic_prefix": PREFIX,
        "connect_message": {"send": True},
        "disconnect_message": {"send": True},
        "last_will": {"send": True},
        "publications": {"conditions": [{"topic_filter": "onvif:Device//.", "retain": "property"}]},
        "subscriptions": [{"filter": "alarm", "kind": "stateful", "qos": 1}],
    }
    return [
        *("--set", f"/profiles/-={json.dumps(ALARM)}"),
        *("--set", f"/rules/-={json.dumps(WHILE_ON)}", "--set", f"/rules/-={json.dumps(TOLD)}"),
        *("--set", f"/mqtt={json.dumps(wanted)}"),
    ]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    authority = Authority()
    with mosquitto(tmp_path_factory.mktemp("broker"), authority) as broker:
        witness = Witness(broker.port)
        witness.say("alarm", "On", retain=True)
        folder = tmp_path_factory.mktemp("mqtt")
        with device(folder, *arguments(broker), sound="null") as running:
            site = Site(authority, broker, running, witness)
            wait_until(lambda: site.mqtt()["connected"], words="it is connected")
            yield site
        witness.close()


def test_a_topic_switches_a_profile_from_the_start_on(site: Site) -> None:
    """EXA-07, AMB-16: the retained On is the state at the start; any payload but On ends it."""
    wait_until(lambda: bool(site.device.operations()), words="it runs from the start on")
    why = [link["name"] for link in site.device.operations()[0]["why"]]
    assert why[-1] == "mqtt"

    for payload, runs in (("Off", False), ("On", True), ("anything", False)):
        site.witness.say("alarm", payload, retain=True)
        wait_until(lambda so=runs: bool(site.device.operations()) is so, words=payload)


def test_a_rule_publishes_and_its_payload_is_filled_in(site: Site) -> None:
    """MQT-13, MQT-15; with QoS 2."""
    site.input(active=True)

    wait_until(lambda: site.witness.last(f"{PREFIX}/input/5") == {"by": "Told"}, words="told")
    site.await_input("1")
    site.input(active=False)
    site.await_input("0")


def test_it_reaches_the_broker_by_every_protocol_in_both_versions(site: Site) -> None:
    """MQT-02…05: with a password, ALPN and a certificate of its own where there is TLS; and with a
    wrong password and an authority that nobody trusts, by none."""
    shown = site.authority.sign("strobe.example", common_name="strobe")
    site.change(
        tls={
            "authorities": site.authority.certificate,
            "certificate": shown.certificate,
            "private_key": shown.key,
        }
    )
    ways = [(p, v) for v in ("5", "3.1.1") for p in ("ssl", "ws", "wss", "tcp")]
    for protocol, version in ways:
        port, alpn = site.broker.ports[protocol], "mqtt" if protocol in ("ssl", "wss") else ""
        site.change(protocol=protocol, port=port, version=version, alpn=alpn)
        wait_until(
            lambda place=f"{protocol}://127.0.0.1:{port}": (
                (now := site.mqtt())["connected"] and now["broker"] == place
            ),
            words=f"connected by {protocol} with {version}",
        )
        site.input(active=True)
        site.await_input("1")
        site.input(active=False)
        site.await_input("0")

    try:  # what keeps it from the broker is told in words
        site.change(password="wrong")
        wait_until(lambda: "we are not allowed" in site.mqtt()["words"], words="not allowed")
        site.change(password=PASSWORD, protocol="ssl", port=site.broker.ports["ssl"])
        site.change(tls={"authorities": Authority("Nobody").certificate})
        wait_until(lambda: "authority" in site.mqtt()["words"], words="nobody trusts it")
    finally:
        site.change(protocol="tcp", port=site.broker.port)
    wait_until(lambda: site.mqtt()["connected"], words="it is connected again")


def test_a_broker_that_is_killed_has_all_that_is_retained_when_it_is_back(site: Site) -> None:
    """It was started without what it had; meanwhile the input has changed, and changed again."""
    site.broker.kill()
    wait_until(lambda: not site.mqtt()["connected"], words="it has lost the broker")
    site.input(active=False)
    site.input(active=True)
    site.witness.said.clear()

    site.broker.start()
    site.await_input("1")
    late = Witness(site.broker.port)

    wait_until(lambda: bool(late.last(INPUT)), words="it is retained")
    wait_until(lambda: bool(late.last(CONNECTION)), words="the connect message is retained")
    assert late.last(INPUT)["message"]["data"] == {"active": "1"}
    assert late.last(CONNECTION)["connected"]
    late.close()


def test_a_device_that_is_killed_is_told_of_by_its_last_will(site: Site) -> None:
    """MQT-12: after kill -9. It is the last story, since no device is left."""
    wait_until(lambda: site.mqtt()["connected"], words="it is connected")

    site.device.kill()

    def lost() -> bool:
        said = site.witness.last(CONNECTION)
        return said is not None and said["description"] == "Connection Lost"

    wait_until(lost, words="the last will")
