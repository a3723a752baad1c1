"""The broker mosquitto, and Home Assistant as it looks from there."""

import json
import subprocess
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.interop.device import listens, wait_until
from tests.support.authority import Authority
from tests.support.ports import free_port

START_LIMIT = 30.0  # seconds
USER, PASSWORD = "device", "open sesame"
ANSWERS = "answers"  # where orders are answered


@dataclass
class Mosquitto:
    """One that keeps nothing over its own end.

    authority: guards it; then it lets in USER with his PASSWORD only, has ports for all protocols,
    and wants certificates of its clients where there is TLS.
    """

    folder: Path
    port: int = field(default_factory=free_port)
    authority: Authority | None = None
    ports: dict[str, int] = field(default_factory=dict[str, int])  # by protocol
    _process: "subprocess.Popen[bytes] | None" = None

    def __post_init__(self) -> None:
        self.ports["tcp"] = self.port
        if self.authority is not None:
            self.ports |= {protocol: free_port() for protocol in ("ssl", "ws", "wss")}

    def _lines(self) -> Iterator[str]:
        yield from ("persistence false", "set_tcp_nodelay true", "user root")  # if we are
        if self.authority is None:
            yield from ("allow_anonymous true", f"listener {self.port} 127.0.0.1")
            return
        passwords = self.folder / "passwords"
        passwords.write_text(f"{USER}:{PASSWORD}\n")
        passwords.chmod(0o600)
        subprocess.run(["mosquitto_passwd", "-U", passwords], check=True)
        own, key, _ = self.authority.sign("127.0.0.1").write(self.folder)
        (self.folder / "ca.pem").write_text(self.authority.certificate)
        yield from ("allow_anonymous false", f"password_file {passwords}")
        for protocol, port in self.ports.items():
            yield f"listener {port} 127.0.0.1"
            if protocol in ("ws", "wss"):
                yield "protocol websockets"
            if protocol in ("ssl", "wss"):
                yield from (f"cafile {self.folder}/ca.pem", f"certfile {own}", f"keyfile {key}")
                yield "require_certificate true"

    def start(self) -> None:
        config = self.folder / "mosquitto.conf"
        config.write_text("\n".join(self._lines()) + "\n")
        with (self.folder / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen(
                ["mosquitto", "-c", str(config), "-v"], stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_LIMIT
        while not listens(self.port):
            assert self._process.poll() is None, (self.folder / "mosquitto.log").read_text()
            assert time.monotonic() < deadline, "mosquitto does not start"
            time.sleep(0.01)

    def kill(self) -> None:
        """As when the power fails: nobody is told, and everything is forgotten."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def mosquitto(folder: Path, authority: Authority | None = None) -> Generator[Mosquitto]:
    folder.mkdir(parents=True, exist_ok=True)
    broker = Mosquitto(folder, authority=authority)
    broker.start()
    try:
        yield broker
    finally:
        broker.kill()


class Witness:
    """A client of others: what is said at the broker, and what it knows of each topic."""

    def __init__(self, port: int) -> None:
        self.said: list[tuple[str, bytes, bool]] = []  # topic, payload, was it retained
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.username_pw_set(USER, PASSWORD)
        self._client.on_connect = self._connected
        self._client.on_message = self._hear
        self._client.reconnect_delay_set(min_delay=1, max_delay=1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def say(self, topic: str, payload: str, *, retain: bool = False) -> None:
        """Said when the broker has it."""
        wait_until(self._client.is_connected, words="the witness is at the broker")
        self._client.publish(topic, payload, 1, retain).wait_for_publish(START_LIMIT)

    def last(self, topic: str) -> Any:
        """What was said last there, as JSON; None: nothing."""
        found = [payload for name, payload, _ in self.said if name == topic and payload]
        return json.loads(found[-1]) if found else None

    def _connected(self, client: Client, *_: object) -> None:
        client.subscribe("#", 1)

    def _hear(self, client: Client, userdata: object, message: MQTTMessage) -> None:
        self.said.append((message.topic, bytes(message.payload), message.retain))


class HomeAssistant:
    """Its MQTT integration, as far as it reads: entities by discovery, and what their topics say.

    An entity that is told with its platform alone is removed; a document that leaves one out
    removes nothing.
    """

    def __init__(self, port: int) -> None:
        self.entities: dict[str, dict[str, Any]] = {}
        self.said: dict[str, bytes] = {}  # the last payload of each topic
        self.answers: list[tuple[bytes, bytes]] = []  # payload and correlation data
        self._device: dict[str, Any] = {}
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.on_connect = self._connected
        self._client.on_message = self._hear
        self._client.reconnect_delay_set(min_delay=1, max_delay=1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def available(self) -> bool:
        """The template is that of the document, by hand."""
        assert "value_json.connected" in self._device["availability_template"]
        said = self.said.get(self._device["availability_topic"])
        return said is not None and json.loads(said)["connected"]

    def state(self, entity: str) -> Any:
        """What its state topic says; JSON where it is."""
        said = self.said.get(self.entities[entity]["state_topic"], b"{}")
        return json.loads(said) if said.startswith(b"{") else said.decode()

    def order(self, entity: str, payload: object, *, answer: str = "") -> None:
        """What Home Assistant sends to the entity's command topic."""
        data = payload if isinstance(payload, str) else json.dumps(payload)
        properties = Properties(PacketTypes.PUBLISH)
        if answer:
            properties.ResponseTopic, properties.CorrelationData = answer, b"\x01\x02"
        topic = self.entities[entity]["command_topic"]
        self._client.publish(topic, data, properties=properties)

    def say(self, topic: str, payload: str) -> None:
        self._client.publish(topic, payload)

    def _connected(self, client: Client, *_: object) -> None:
        client.subscribe("#")

    def _hear(self, client: Client, userdata: object, message: MQTTMessage) -> None:
        payload = self.said[message.topic] = bytes(message.payload)
        if message.topic == ANSWERS:
            correlation = getattr(message.properties, "CorrelationData", b"")
            self.answers.append((payload, correlation))
        if message.topic.startswith("homeassistant/device/") and payload:
            self._device = json.loads(payload)
            for name, entity in self._device["components"].items():
                if set(entity) == {"platform"}:
                    self.entities.pop(name, None)
                else:
                    self.entities[name] = entity
