"""Actions on MQTT. Texts may hold placeholders, such as {event.digit}, {rule} and {device.name}."""

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta

from sipstrobe import commands
from sipstrobe.commands import Command
from sipstrobe.rules.actions.base import RULE_NAME, RuleAction

MAX_TOPIC = 1024  # characters (MQT-15)
MAX_PAYLOAD = 8192


class PublishMqtt(RuleAction, tag="publish_mqtt", frozen=True, kw_only=True):
    """Publish a message over MQTT (MQT-15); it waits in the outbox while there is no broker."""

    words = "Publish over MQTT"
    topic: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=MAX_TOPIC,
            pattern=r"^[^\x00+#]*$(?!\n)",
            title="Topic",
            description="Without wildcards.",
        ),
    ]
    payload: Annotated[str, Meta(max_length=MAX_PAYLOAD, title="Payload")] = ""
    qos: Annotated[Literal[0, 1, 2], Meta(title="QoS")] = 0
    retain: Annotated[bool, Meta(title="Retain")] = False
    use_prefix: Annotated[
        bool,
        Meta(
            title="Use default prefix",
            description="The device topic prefix and a slash come before the topic.",
        ),
    ] = False

    @property
    def templates(self) -> dict[str, str]:
        """The texts with placeholders, by their place in the action."""
        return {"/topic": self.topic, "/payload": self.payload}

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.PublishMqtt(
            topic=self.topic,
            payload=self.payload,
            qos=self.qos,
            retain=self.retain,
            use_prefix=self.use_prefix,
            items=items,
            rule=items.get(RULE_NAME, ""),
        )
