"""Home Assistant finds the device at a real broker, tells it what to do, and sees what it does."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from sipstrobe.config.check import plain
from sipstrobe.config.demo import PROFILES
from sipstrobe.mqtt.home import key_of
from tests.interop.device import Device, device, wait_until
from tests.interop.mosquitto import ANSWERS, HomeAssistant, Mosquitto, mosquitto

pytestmark = pytest.mark.interop

BELL = {"name": "Bell", "light": {"pattern": "Steady", "colors": ["white"]}}


@dataclass
class House:
    broker: Mosquitto
    device: Device
    assistant: HomeAssistant


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with mosquitto(tmp_path_factory.mktemp("broker")) as broker:
        arguments = (
            *("--set", "/mqtt/host=127.0.0.1", "--set", f"/mqtt/port={broker.port}"),
            *("--set", '/mqtt/version="5"', "--set", "/mqtt/topic_prefix=hall"),
            *("--set", "/home/discovery=true", "--set", "/home/commands=true"),
            *("--set", f"/profiles/-={json.dumps(BELL)}", "--set", "/mqtt/active=true"),
        )
        with device(tmp_path_factory.mktemp("home"), *arguments, sound="null") as running:
            assistant = HomeAssistant(broker.port)
            wait_until(lambda: "light" in assistant.entities, words="discovery")
            found = House(broker, running, assistant)
            yield found
            found.assistant.close()


def test_the_device_appears_and_does_what_home_assistant_tells_it(house: House) -> None:
    """The light by its command topic, and a siren that ends after its duration; both are seen."""
    assistant, color = house.assistant, {"r": 255, "g": 0, "b": 0}
    wait_until(lambda: assistant.available, words="it is there")
    wait_until(lambda: assistant.state("light") == {"state": "OFF"}, words="dark")

    wish = {"state": "ON", "effect": "Blink", "brightness": 5, "color": color}
    assistant.order("light", wish, answer=ANSWERS)
    wait_until(lambda: assistant.state("light").get("state") == "ON", words="lit")
    assert assistant.state("light") | wish == assistant.state("light")
    assert house.device.operations()[0]["why"][-1]["name"] == "mqtt"
    wait_until(lambda: bool(assistant.answers), words="an answer")
    assert assistant.answers == [(b'{"ok":true,"result":null}', b"\x01\x02")]

    assistant.order("siren", {"state": "ON", "tone": "Siren: Evac", "duration": 1})
    wait_until(lambda: assistant.state("siren").get("state") == "ON", words="it sounds")
    assert assistant.state("siren")["tone"] == "Siren: Evac"
    wait_until(lambda: assistant.state("siren") == {"state": "OFF"}, words="it ends by itself")

    assistant.order("stop_all", assistant.entities["stop_all"]["payload_press"])
    wait_until(lambda: assistant.state("light") == {"state": "OFF"}, words="dark again")


def test_a_profile_that_is_deleted_goes_from_home_assistant_too(house: House) -> None:
    assistant, name = house.assistant, "profile_" + key_of("Bell")
    wait_until(lambda: name in assistant.entities, words="the profile")
    switch = assistant.entities[name]
    assistant.order(name, switch["payload_on"])
    wait_until(lambda: assistant.state(name) == "ON", words="the profile runs")
    assistant.order(name, switch["payload_off"])
    wait_until(lambda: assistant.state(name) == "OFF", words="the profile is over")

    house.device.set("/profiles", plain(PROFILES))

    wait_until(lambda: name not in assistant.entities, words="the profile is gone")
    wait_until(lambda: not assistant.said[switch["state_topic"]], words="and its state")


def test_a_broker_that_has_forgotten_everything_is_told_again(house: House) -> None:
    """It is killed and started without a memory, and so is Home Assistant."""
    house.assistant.close()
    house.broker.kill()
    house.device.command("set-manual-trigger", trigger=1, active=True)
    house.broker.start()
    house.assistant = assistant = HomeAssistant(house.broker.port)

    wait_until(lambda: "trigger_1" in assistant.entities, words="discovery anew")
    wait_until(lambda: assistant.state("trigger_1") == "ON", words="what happened meanwhile")
    wait_until(lambda: assistant.available, words="it is there")
    assistant.order("trigger_1", assistant.entities["trigger_1"]["payload_off"])
    wait_until(lambda: assistant.state("trigger_1") == "OFF", words="it is told again")
