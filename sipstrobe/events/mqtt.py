"""The MQTT client, and what it hears."""

from sipstrobe.events.declare import Event, Kind, declared


@declared(
    "mqtt/client",
    Kind.PROPERTY,
    "The MQTT client is switched on, and has a broker",
    rest={"active": "false", "connected": "false"},
)
class MqttClientChanged(Event):
    active: bool
    connected: bool


@declared("mqtt/message", Kind.PULSE, "A message has come on a stateless subscription")
class MqttMessageReceived(Event):
    filter: str  # of the subscription, as it is configured
    prefix: bool  # the device's own topic prefix comes before it
    topic: str  # on which the message has come
    payload: str


@declared(
    "mqtt/state",
    Kind.PROPERTY,
    "What was last said on a stateful subscription, and whether that means active",
    source=("filter", "prefix"),
    rest={"active": "false", "payload": ""},
)
class MqttStateChanged(Event):
    filter: str
    prefix: bool
    active: bool  # the payload is the one that means so (AMB-16)
    payload: str
