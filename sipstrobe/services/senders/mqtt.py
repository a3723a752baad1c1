"""Publications of the outbox: through the broker that the whole device has (MQT-15)."""

from collections.abc import Callable

from sipstrobe.mqtt.topics import topic_problem
from sipstrobe.sending.failure import SendFailed
from sipstrobe.sending.message import MqttMessage
from sipstrobe.services.broker import Broker, NotPublished


class MqttSender:
    """Publishes; with a QoS above 0 a message is sent once the broker has confirmed it."""

    def __init__(self, broker: Broker, prefix: Callable[[], str]) -> None:
        """prefix: what comes before the topics of the device just now."""
        self._broker = broker
        self._prefix = prefix

    async def send(self, recipient: None, message: MqttMessage, /) -> None:
        topic = f"{self._prefix()}/{message.topic}" if message.use_prefix else message.topic
        if words := topic_problem(topic):
            raise SendFailed(f"the topic {words}", permanent=True)
        payload = message.payload.encode()
        try:
            await self._broker.deliver(
                topic, payload, qos=message.qos, retain=message.retain, name=message.id
            )
        except NotPublished as error:
            raise SendFailed(str(error), permanent=error.permanent) from None
