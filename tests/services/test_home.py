"""The device in a home: what the broker keeps of it, and what it is told."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipstrobe.commands import SetManualTrigger, StartProfile, StopRecording
from sipstrobe.context import Context
from sipstrobe.errors import ConfigError, Problem
from sipstrobe.events import (
    CallState,
    CallStatus,
    DigitReceived,
    Direction,
    Function,
    ServiceStateChanged,
    VolumeChanged,
)
from sipstrobe.lightsiren.settings import Duration, LightPart, Profile, SirenPart
from sipstrobe.mqtt.home import key_of
from sipstrobe.mqtt.packets import Message
from sipstrobe.mqtt.topics import matches
from sipstrobe.orders import COMMANDS, read_body
from sipstrobe.services.home import Home
from sipstrobe.services.home_orders import BURST, PAYLOAD_MAX_BYTES
from sipstrobe.services.home_thing import wanted_of
from tests.support.clock import FakeClock
from tests.support.web import Device

PREFIX = "hall"
RED = {"r": 255, "g": 0, "b": 0}
CONFIG = "homeassistant/device/sipstrobe_0a0b0c0d0e0f/config"
LIGHT, SIREN = Function.SIGNALING_LED, Function.AUDIO_SPEAKER
PROFILES = (
    Profile(
        name="Evacuate",
        light=LightPart(pattern="Flash 3x", colors=("red",), intensity=5, priority=9),
        siren=SirenPart(pattern="Alarm: Horror", intensity=5, priority=9),
    ),
    Profile(
        name="Tür/Nord",
        light=LightPart(pattern="Rotate", priority=3, duration=Duration(value=60)),
    ),
)


@dataclass
class FakeBroker:
    """Keeps what is retained, and remembers what was said."""

    retained: dict[str, bytes] = field(default_factory=dict[str, bytes])
    said: list[Message] = field(default_factory=list[Message])
    _hear: list[tuple[str, Callable[[Message], None]]] = field(
        default_factory=list[tuple[str, Callable[[Message], None]]]
    )
    _changed: list[Callable[[], None]] = field(default_factory=list[Callable[[], None]])

    def publish(
        self, topic: str, payload: bytes, *, qos: int, retain: bool, correlation: bytes = b""
    ) -> None:
        self.said.append(Message(topic, payload, qos, retain, "", correlation))
        if retain:
            self.retained[topic] = payload
            if not payload:
                del self.retained[topic]

    def subscribe(self, topic_filter: str, hear: Callable[[Message], None]) -> Callable[[], None]:
        entry = topic_filter, hear
        self._hear.append(entry)
        return lambda: self._hear.remove(entry)

    def on_changed(self, callback: Callable[[], None]) -> Callable[[], None]:
        self._changed.append(callback)
        return lambda: self._changed.remove(callback)

    def reconnect(self) -> None:
        """The connection is made anew: what is retained is told to those that have asked."""
        for callback in self._changed:
            callback()
        for topic, payload in list(self.retained.items()):
            self.deliver(Message(topic, payload, retain=True))

    def deliver(self, message: Message) -> None:
        for topic_filter, hear in list(self._hear):
            if matches(topic_filter, message.topic):
                hear(message)

    @property
    def filters(self) -> set[str]:
        return {topic_filter for topic_filter, _ in self._hear}

    def last(self, topic: str) -> Any:
        return json.loads(next(m.payload for m in reversed(self.said) if m.topic == topic))


class House:
    """A device with a home."""

    def __init__(
        self,
        retained: dict[str, bytes] | None = None,
        profiles: tuple[Profile, ...] = PROFILES,
        triggers: tuple[str, ...] = ("Doorbell",),
        **home: Any,
    ) -> None:
        """retained: what the broker has kept of an earlier run."""
        self.clock = FakeClock()
        self.context = Context(self.clock)
        self.broker = FakeBroker(dict(retained or {}))
        self.device = Device.make(
            self.context,
            (),
            device={"serial": "0A0B0C0D0E0F"},
            profiles=profiles,
            mqtt={"topic_prefix": PREFIX},
            manual_triggers=triggers,
            home={"discovery": True, "commands": True} | home,
        )
        properties, signals = self.device.properties, self.device.signals
        self.home = Home(self.context, self.broker, properties.current, signals.status)
        self.device.store.watch(wanted_of, self.home.apply)
        self.turn()

    @property
    def document(self) -> Any:
        return json.loads(self.broker.retained[CONFIG])

    def turn(self) -> None:
        self.clock.advance(0.0)

    def state(self, *steps: str) -> str:
        return self.broker.retained["/".join((PREFIX, "state", *steps))].decode()

    def order(self, topic: str, payload: object, **more: Any) -> Any:
        """Give an order; the answer."""
        data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        before = len(self.broker.said)
        self.broker.deliver(Message(f"{PREFIX}/{topic}", data, **more))
        answers = [m for m in self.broker.said[before:] if not m.retain]
        self.turn()
        assert len(answers) <= 1
        return json.loads(answers[0].payload) if answers else None

    def change(self, **settings: Any) -> None:
        self.device.store.change_now(settings)
        self.turn()


@cache
def one_for_all() -> House:
    """For what is tried again and again."""
    return House()


_PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6)
_WORDS = st.sampled_from(["state", "effect", "color", "brightness", "tone", "profile", "pattern"])
JSON = st.dictionaries(_WORDS, _PLAIN, max_size=4) | st.lists(_PLAIN, max_size=3)
WISHES = st.dictionaries(_WORDS, _PLAIN, max_size=4).map(lambda wish: wish | {"state": "ON"})


# --- it is seen ----------------------------------------------------------------------------------


def test_the_device_shows_up_by_itself_with_all_that_it_has() -> None:
    house = House()

    components = house.document["components"]
    assert {"light", "siren", "volume", "clip", "maintenance", "trigger_1", "digit"} <= set(
        components
    )
    for component in components.values():
        topic = component.get("state_topic")
        told = {"last_caller", "digit", "sequence", "volume", "muted"}
        assert topic is None or topic in house.broker.retained or topic.split("/")[-1] in told


def test_without_orders_it_is_seen_and_hears_none() -> None:
    house = House(commands=False)

    assert f"{PREFIX}/command/+" not in house.broker.filters
    assert "light" not in house.document["components"]
    assert house.state("light") == '{"state":"OFF"}'


def test_nothing_is_said_and_heard_unless_it_is_switched_on() -> None:
    house = House(discovery=False, commands=False)

    assert house.broker.said == []
    assert house.broker.filters == set()


def test_a_profile_is_seen_while_it_runs() -> None:
    house = House()

    house.context.dispatcher.execute(StartProfile(profile="Evacuate"))
    house.turn()
    assert house.state("profile", key_of("Evacuate")) == "ON"
    assert json.loads(house.state("light")) == {
        "state": "ON",
        "brightness": 5,
        "effect": "Flash 3x",
        "color_mode": "rgb",
        "color": {"r": 255, "g": 0, "b": 0},
    }
    assert json.loads(house.state("siren"))["tone"] == "Alarm: Horror"

    house.order("command/stop-profile", {"profile": "Evacuate"})
    assert house.state("profile", key_of("Evacuate")) == "OFF"
    assert json.loads(house.state("siren")) == {"state": "OFF"}


def test_calls_triggers_and_troubles_are_seen() -> None:
    house = House()
    call = CallState(
        call="c1",
        state=CallStatus.RINGING,
        direction=Direction.INCOMING,
        account="a",
        local_uri="sip:1001@192.0.2.1",
        remote_uri="sip:alice:secret@192.0.2.7",
        extension="1001",
    )

    house.context.bus.publish(call)
    house.context.bus.publish(ServiceStateChanged(service="page", working=False, problem="taken"))
    house.context.bus.publish(VolumeChanged(volume_db=-12.5, muted=True))
    house.context.dispatcher.execute(SetManualTrigger(trigger=1, active=True))
    house.turn()

    told = json.loads(house.state("call"))
    assert (told["state"], told["ringing"], told["active"]) == ("ringing", True, False)
    assert "secret" not in house.state("call")
    assert house.state("last_caller") == "sip:alice@192.0.2.7"
    assert json.loads(house.state("problem")) == {"problems": {"page": "taken"}}
    assert house.state("trigger", "1") == "ON"
    assert (house.state("volume"), house.state("muted")) == ("-12.5", "ON")


def test_a_digit_is_told_and_not_kept() -> None:
    house = House()

    house.context.bus.publish(DigitReceived(call="c", extension="1001", line="", digit="5"))

    assert house.broker.last(f"{PREFIX}/state/digit")["event_type"] == "5"
    assert f"{PREFIX}/state/digit" not in house.broker.retained


def test_what_has_not_changed_is_not_said_again_until_home_assistant_starts() -> None:
    house = House()
    house.broker.said.clear()

    house.context.bus.publish(ServiceStateChanged(service="sip", working=True, problem=""))
    house.turn()
    assert house.broker.said == []

    house.broker.deliver(Message("homeassistant/status", b"offline"))
    house.broker.deliver(Message("homeassistant/status", b"online", retain=True))
    assert house.broker.said == []
    house.broker.deliver(Message("homeassistant/status", b"online"))
    assert {m.topic for m in house.broker.said} == set(house.broker.retained)


def test_every_order_that_is_offered_is_one_that_there_is() -> None:
    """Templates are filled in as Home Assistant does it: with a number, or a text as JSON."""
    house = House()
    house.change(ports={"port_2": {"direction": "output"}, "virtual_inputs": {"7": "Night"}})
    offered = 0

    for component in house.document["components"].values():
        topic = component.get("command_topic", "")
        if topic.startswith(f"{PREFIX}/command/"):
            template = component.get("command_template", "")
            filled = template.replace("{{ value }}", "-6").replace("{{ value | tojson }}", '"Gong"')
            payloads = [v for k, v in component.items() if k.startswith("payload_")]
            for payload in payloads or [filled]:
                order = COMMANDS[topic.rpartition("/")[2]]
                assert isinstance(read_body(order, payload.encode()), order)
                offered += 1

    assert offered >= 16


def test_virtual_inputs_are_seen_where_they_are_used() -> None:
    house = House()
    when = {"event": "input/virtual", "match": {"input": "9", "active": "true"}}
    does = {"do": "set_virtual_input", "input": 11}

    house.change(
        ports={"virtual_inputs": {"7": "Night"}},
        rules=[{"name": "r", "when": when, "action": does}],
    )

    inputs = {k: c for k, c in house.document["components"].items() if "virtual_input" in k}
    assert [c["name"] for c in inputs.values()] == ["Night", "Virtual input 9", "Virtual input 11"]
    assert house.state("virtual_input", "9") == "OFF"


# --- what goes is removed there too ---------------------------------------------------------------


def test_a_deleted_profile_is_removed_there_too() -> None:
    house = House()
    key = key_of("Evacuate")
    house.broker.said.clear()

    house.change(profiles=PROFILES[1:])

    documents = [json.loads(m.payload) for m in house.broker.said if m.topic == CONFIG]
    assert documents[0]["components"][f"profile_{key}"] == {"platform": "switch"}
    assert f"profile_{key}" not in documents[-1]["components"]
    assert f"{PREFIX}/state/profile/{key}" not in house.broker.retained


def test_what_was_deleted_while_nobody_was_there_is_removed_at_the_next_connection() -> None:
    """The broker still has the document and the states of an earlier run."""
    before = House().broker.retained
    house = House(before, profiles=(), triggers=())
    broker = house.broker
    broker.retained |= before  # it is reached only now
    broker.said.clear()

    broker.reconnect()

    gone = {f"profile_{key_of(p.name)}" for p in PROFILES} | {"trigger_1"}
    farewell = json.loads(next(m.payload for m in broker.said if m.topic == CONFIG))
    assert {k for k, c in farewell["components"].items() if set(c) == {"platform"}} == gone
    assert not gone & set(house.document["components"])
    assert not [t for t in broker.retained if "/profile/" in t or "/trigger/" in t]


def test_switched_off_it_takes_away_all_that_it_has_left() -> None:
    house = House()

    house.change(home={"discovery": False, "commands": False})

    assert house.broker.retained == {}
    assert house.broker.filters == set()


def test_another_prefix_leaves_nothing_under_the_old_one() -> None:
    house = House()

    house.change(mqtt={"topic_prefix": "yard"}, home={"discovery_prefix": "ha"})

    assert {t.split("/")[0] for t in house.broker.retained} == {"yard", "ha"}


# --- it is told ----------------------------------------------------------------------------------


def test_an_order_of_the_api_is_carried_out_and_answered() -> None:
    house = House()

    answer = house.order("command/start-profile", {"profile": "Evacuate"})

    assert answer["ok"]
    assert answer["result"] == [
        {"function": "SignalingLED", "id": 1},
        {"function": "AudioSpeaker", "id": 1},
    ]
    assert house.broker.said[-1].topic != f"{PREFIX}/command/start-profile"
    assert house.device.running(LIGHT) == ["Flash 3x"]


def test_who_names_a_topic_for_the_answer_gets_it_there() -> None:
    """MQTT 5 §4.10: with the correlation data of the request."""
    house = House()

    house.order("command/stop-all", {"functions": []}, response_topic="me", correlation=b"\x07")
    answer = next(m for m in reversed(house.broker.said) if m.topic == "me")

    assert (answer.correlation, answer.retain) == (b"\x07", False)
    assert json.loads(answer.payload)["ok"]


@pytest.mark.parametrize(
    "topic",
    ["", "a/+", "#", "$SYS/x", f"{PREFIX}/command/stop-all", f"{PREFIX}/home/light", "x" * 600],
)
def test_an_answer_is_never_an_order_itself(topic: str) -> None:
    house = House()
    house.broker.said.clear()

    house.order("command/stop-clip", {}, response_topic=topic)

    assert [m.topic for m in house.broker.said] == [f"{PREFIX}/command/stop-clip/result"]


@pytest.mark.parametrize(
    ("name", "payload", "code"),
    [
        ("command/start-profile", {"profile": "Nobody"}, "unknown_profile"),
        ("command/start-profile", {}, "bad_order"),
        ("command/start-profile", {"profile": "Evacuate", "loud": 1}, "bad_order"),
        ("command/explode", {}, "bad_order"),
        ("command/change-settings", {"patch": {}}, "bad_order"),
        ("command/stop-all", b"\xff", "bad_order"),
        ("command/stop-all", b"[" * 5000, "bad_order"),
        ("command/stop-all", b'{"functions": []}' + b" " * PAYLOAD_MAX_BYTES, "bad_order"),
        ("home/light", {"state": "MAYBE"}, "bad_order"),
        ("home/light", b"ON", "bad_order"),
        ("home/light", {"state": "ON", "effect": "Nothing"}, "light_pattern"),
        ("home/light", {"state": "ON", "effect": "Nothing", "color": RED}, "light_pattern"),
        ("home/siren", {"state": "ON", "tone": "Nothing"}, "siren_pattern"),
        ("home/siren", {"state": "ON", "volume_level": 2}, "bad_order"),
        ("home/profile", {"profile": "Nobody", "active": True}, "unknown_profile"),
        ("home/sofa", {}, "bad_order"),
    ],
)
def test_what_cannot_be_is_refused_with_code_and_words(
    name: str, payload: object, code: str
) -> None:
    house = House()

    answer = house.order(name, payload)

    assert (answer["ok"], answer["code"]) == (False, code)
    assert answer["message"]
    assert house.device.signals.status() == []


@pytest.mark.parametrize(
    ("trouble", "code"),
    [(ConfigError([Problem("/x", "no")]), "settings"), (ValueError("odd"), "error")],
)
def test_an_order_that_fails_is_answered_too(trouble: Exception, code: str) -> None:
    house = House()

    def fail(_: StopRecording) -> None:
        raise trouble

    house.context.dispatcher.serve(StopRecording, fail)

    answer = house.order("command/stop-recording", {})
    assert (answer["ok"], answer["code"]) == (False, code)
    assert "odd" not in answer["message"]


def test_a_field_that_is_wrong_is_named() -> None:
    assert House().order("command/start-profile", {"profile": 7})["field"] == "profile"


@given(
    st.sampled_from(
        ["command/start-profile", "command/start-operation", "home/light", "home/siren"]
    ),
    st.binary(max_size=40)
    | JSON.map(json.dumps).map(str.encode)
    | WISHES.map(json.dumps).map(str.encode),
)
@settings(max_examples=60, deadline=None)
def test_whatever_is_said_is_answered(name: str, payload: bytes) -> None:
    house = one_for_all()
    house.clock.advance(1.0)

    answer = house.order(name, payload)

    assert answer["ok"] or (answer["code"] != "error" and answer["message"])


def test_an_order_that_the_broker_keeps_is_not_given_anew() -> None:
    house = House()

    assert house.order("command/start-profile", {"profile": "Evacuate"}, retain=True) is None
    assert house.device.running(LIGHT) == []


def test_orders_without_end_are_dropped_beyond_a_measure() -> None:
    house = House()
    answers = [house.order("command/stop-clip", {}) for _ in range(int(BURST) + 5)]

    assert answers.count(None) == 5
    told = house.home.snapshot()
    assert (told["orders"], told["dropped"]) == (int(BURST), 5)
    assert told["topics"] == len(house.broker.retained)
    house.clock.advance(1.0)
    assert house.order("command/stop-clip", {})["ok"]


# --- lights and the siren as Home Assistant has them --------------------------------------------


def test_a_light_is_switched_changed_and_switched_off() -> None:
    house = House()

    assert house.order("home/light", {"state": "ON"})["ok"]
    assert json.loads(house.state("light"))["effect"] == "Steady"

    house.order("home/light", {"state": "ON", "brightness": 4, "color": {"r": 9, "g": 8, "b": 240}})
    told = json.loads(house.state("light"))
    assert (told["effect"], told["brightness"]) == ("Steady", 4)
    assert told["color"] == {"r": 0, "g": 0, "b": 255}

    house.order("home/light", {"state": "ON", "effect": "Blink", "transition": 2})
    told = json.loads(house.state("light"))
    assert (told["effect"], told["brightness"], told["color"]["b"]) == ("Blink", 4, 255)
    assert house.device.running(LIGHT) == ["Blink"]  # the one before it has gone

    house.order("home/light", {"state": "OFF"})
    assert json.loads(house.state("light")) == {"state": "OFF"}
    assert house.device.running(LIGHT) == []


def test_what_a_wish_leaves_out_stays_as_it_is() -> None:
    """A profile runs: another colour leaves it its speed, another pattern its colour."""
    house = House()
    pulse = {"function": "SignalingLED", "pattern": "Pulse", "colors": ["blue"], "speed": 4}
    house.order("command/start-operation", pulse)

    house.order("home/light", {"state": "ON", "color": {"r": 0, "g": 255, "b": 0}})
    shown = house.device.signals.status()[0]
    assert (shown.pattern, shown.speed, shown.colors) == ("Pulse", 4, ("green",))

    house.order("home/light", {"state": "ON", "effect": "Alternate"})
    shown = house.device.signals.status()[0]
    assert (shown.pattern, shown.colors[0], len(shown.colors)) == ("Alternate", "green", 2)


def test_a_light_can_be_told_to_stay_dark() -> None:
    """The pattern that hides what a lower priority would show has no colour."""
    house = House()

    assert house.order("home/light", {"state": "ON", "effect": "Off", "color": RED})["ok"]
    assert house.device.running(LIGHT) == ["Off"]
    assert json.loads(house.state("light")) == {"state": "OFF"}

    assert house.order("home/light", {"state": "ON", "effect": "Blink"})["ok"]
    assert json.loads(house.state("light"))["effect"] == "Blink"


def test_what_the_system_shows_is_nothing_to_go_on_from() -> None:
    house = House()
    house.order("command/set-maintenance", {"active": True})

    assert house.order("home/light", {"state": "ON"})["ok"]

    assert [o.pattern for o in house.device.signals.status() if o.function is LIGHT] == [
        "Maintenance",
        "Steady",
    ]
    told = json.loads(house.state("light"))
    assert (told["state"], told["effect"]) == ("ON", None)


@pytest.mark.parametrize(
    ("volume", "intensity"), [(0.0, 1), (0.2, 1), (0.21, 2), (0.6, 3), (0.99, 5), (1.0, 5)]
)
def test_the_volume_of_a_siren_has_five_steps(volume: float, intensity: int) -> None:
    house = House()

    house.order("home/siren", {"state": "ON", "volume_level": volume})
    assert house.device.signals.status()[0].intensity == intensity

    house.order("home/siren", {"state": "ON"})
    assert house.device.signals.status()[0].intensity == intensity


def test_every_effect_takes_every_wish() -> None:
    house = House()
    effects = house.document["components"]["light"]["effect_list"]

    for effect in effects:
        house.clock.advance(1.0)
        color = {"r": 255, "g": 0, "b": 0}
        assert house.order("home/light", {"state": "ON", "effect": effect, "color": color})["ok"]
        assert json.loads(house.state("light"))["effect"] == effect
        assert house.order("home/light", {"state": "ON", "brightness": 2})["ok"]


def test_a_flash_ends_by_itself_and_the_front_light_is_another() -> None:
    house = House()

    house.order("home/front_light", {"state": "ON", "flash": 2})
    assert json.loads(house.state("front_light"))["state"] == "ON"
    assert json.loads(house.state("light")) == {"state": "OFF"}

    house.clock.advance(2.1)
    assert json.loads(house.state("front_light")) == {"state": "OFF"}


def test_a_siren_has_tone_volume_and_duration() -> None:
    house = House()

    house.order(
        "home/siren", {"state": "ON", "tone": "Alarm: Horror", "volume_level": 0.5, "duration": 5}
    )
    assert json.loads(house.state("siren")) == {
        "state": "ON",
        "tone": "Alarm: Horror",
        "volume_level": 0.6,
    }

    house.clock.advance(5.1)
    assert json.loads(house.state("siren")) == {"state": "OFF"}


def test_a_siren_without_a_wish_sounds_and_ends_when_it_is_switched_off() -> None:
    house = House()

    assert house.order("home/siren", {"state": "ON"})["ok"]
    assert len(house.device.running(SIREN)) == 1
    house.order("home/siren", {"state": "OFF"})

    assert house.device.running(SIREN) == []


def test_a_profile_is_switched_and_one_that_is_over_is_switched_off_too() -> None:
    house = House()

    assert house.order("home/profile", {"profile": "Tür/Nord", "active": True})["ok"]
    assert house.state("profile", key_of("Tür/Nord")) == "ON"
    for _ in range(2):
        assert house.order("home/profile", {"profile": "Tür/Nord", "active": False})["ok"]
    assert house.state("profile", key_of("Tür/Nord")) == "OFF"


# --- that it is there ----------------------------------------------------------------------------


def test_with_a_will_of_people_it_says_itself_that_it_is_there() -> None:
    """MQT-12: the will is theirs; nothing says the contrary unless the device does."""
    house = House()
    house.change(
        mqtt={"last_will": {"send": True, "use_default": False, "topic": "t", "payload": "gone"}}
    )
    assert house.broker.retained["t"] == b"online"

    house.broker.retained["t"] = b"gone"
    house.broker.reconnect()
    assert house.broker.retained["t"] == b"online"

    house.home.close()
    assert house.broker.retained["t"] == b"gone"
