"""The broker mosquitto, and Home Assistant as it looks from there."""

import json
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.interop.device import listens
from tests.support.ports import free_port

START_LIMIT = 30.0  # seconds
ANSWERS = "answers"  # where orders are answered


@dataclass
class Mosquitto:
    """One that keeps nothing over its own end."""

    folder: Path
    port: int = field(default_factory=free_port)
    _process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        config = self.folder / "mosquitto.conf"
        config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
        )
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
def mosquitto(folder: Path) -> Generator[Mosquitto]:
    folder.mkdir(parents=True, exist_ok=True)
    broker = Mosquitto(folder)
    broker.start()
    try:
        yield broker
    finally:
        broker.kill()


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
