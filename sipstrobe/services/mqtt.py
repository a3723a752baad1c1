"""MQTT: the broker is reached as the settings say, events are published, and what comes are events.

Publishes: MqttClientChanged, MqttMessageReceived, MqttStateChanged, ServiceStateChanged.
"""

import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final

from sipstrobe.context import Context
from sipstrobe.events import Event, Kind, ServiceStateChanged
from sipstrobe.events.mqtt import MqttClientChanged
from sipstrobe.mqtt.delivery import MAX_RETAINED
from sipstrobe.mqtt.packets import Message
from sipstrobe.mqtt.payload import CONNECTED, DISCONNECTED, LOST, Publisher, notice
from sipstrobe.mqtt.settings import MqttSettings, Notice, Publications, Subscription, prefix_of
from sipstrobe.mqtt.subscriptions import MAX_PAYLOAD_BYTES, Subscriptions
from sipstrobe.services.broker import Broker

logger = logging.getLogger(__name__)

NAME: Final = "mqtt"


class Mqtt:
    """The client by its settings: MQT-01…14."""

    def __init__(
        self,
        context: Context,
        broker: Broker,
        serial: str,
        facts: Callable[[], Iterable[Event]],
    ) -> None:
        """facts: the properties that hold just now."""
        self._context = context
        self._broker = broker
        self._serial = serial
        self._facts = facts
        self._settings = MqttSettings()
        self._publisher = Publisher(Publications(), "", serial)
        self._published: dict[str, None] = {}  # topics that the broker retains for us
        self._subscriptions = Subscriptions()
        self._subscribed: dict[str, tuple[tuple[Subscription, ...], Callable[[], None]]] = {}
        self._made_of: object = None  # what the publisher follows from
        self._told = MqttClientChanged(active=False, connected=False)
        self._working = True
        broker.on_changed(self._show)
        context.bus.subscribe(Event, self._publish)

    @property
    def prefix(self) -> str:
        """What comes before the topics of the device (MQT-09)."""
        return prefix_of(self._settings, self._serial)

    def apply(self, wanted: MqttSettings) -> None:
        """Be connected, publish and hear like this from now on."""
        before, self._settings = self._settings, wanted
        old_prefix = prefix_of(before, self._serial)
        goodbye = self._notice(before.disconnect_message, DISCONNECTED, old_prefix)
        if (wanted.subscriptions, self.prefix) != (before.subscriptions, old_prefix):
            self._subscribe()
        if not wanted.active:
            self._broker.stop(goodbye)
        else:
            will = notice(wanted.last_will, LOST, self.prefix, self._serial, None)
            client_id = wanted.client_id or f"sipstrobe_{self._serial}"
            greeting = (
                (wanted.connect_message, self.prefix) if wanted.connect_message.send else None
            )
            self._broker.start(wanted, client_id, will, greeting, goodbye)
        self._republish(wanted)

    async def aclose(self) -> None:
        """Take leave of the broker."""
        wanted = self._settings.disconnect_message
        await self._broker.aclose(self._notice(wanted, DISCONNECTED, self.prefix))

    def snapshot(self) -> dict[str, Any]:
        """What the status page shows."""
        return self._broker.snapshot() | {"prefix": self.prefix}

    # --- the connection -------------------------------------------------------------------------

    def _show(self) -> None:
        """Tell how the connection stands, if that is anything new."""
        broker = self._broker
        state = MqttClientChanged(active=broker.active, connected=broker.connected)
        fresh, self._told = state != self._told, state
        if fresh and broker.connected:
            self._greet()
        if fresh:
            self._context.bus.publish(state)
        working = not broker.problem
        if working is not self._working:
            self._working = working
            event = ServiceStateChanged(service=NAME, working=working, problem=broker.problem)
            self._context.bus.publish(event)

    def _greet(self) -> None:
        message = self._notice(self._settings.connect_message, CONNECTED, self.prefix)
        if message is not None:
            self._say(message, first=True)

    def _notice(self, wanted: Notice, says: tuple[bool, str], prefix: str) -> Message | None:
        return notice(wanted, says, prefix, self._serial, self._context.clock.wall())

    # --- out ------------------------------------------------------------------------------------

    def _publish(self, event: Event) -> None:
        if not self._settings.active:
            return
        for message, is_state in self._publisher.messages(event, self._context.clock.wall()):
            if message.retain:
                self._published.pop(message.topic, None)
                self._published[message.topic] = None
                if len(self._published) > MAX_RETAINED:  # the client knows no more of them
                    del self._published[next(iter(self._published))]
            self._say(message, state=is_state)

    def _say(self, message: Message, *, state: bool = False, first: bool = False) -> None:
        self._broker.publish(
            message.topic,
            message.payload,
            qos=message.qos,
            retain=message.retain,
            state=state,
            first=first,
        )

    def _republish(self, wanted: MqttSettings) -> None:
        """By new publications, tell what holds; what the old ones retained is theirs no more."""
        made_of = (wanted.publications, self.prefix, wanted.active)
        if made_of == self._made_of:
            return
        self._made_of = made_of
        for topic in self._published:
            self._broker.forget(topic)
        self._published.clear()
        self._publisher = Publisher(wanted.publications, self.prefix, self._serial)
        if wanted.active and wanted.publications.conditions:
            for event in self._facts():
                if event.outside.kind is Kind.PROPERTY:
                    self._publish(event)

    # --- in -------------------------------------------------------------------------------------

    def _subscribe(self) -> None:
        """Ask anew for what is heard in another way, so that what is retained is told again."""
        for ended in self._subscriptions.apply(self._settings.subscriptions, self.prefix):
            self._context.bus.publish(ended)
        wanted = self._subscriptions.filters()
        for topic_filter, (whom, end) in list(self._subscribed.items()):
            if wanted.get(topic_filter) != whom:
                end()
                del self._subscribed[topic_filter]
        for topic_filter, whom in wanted.items():
            if topic_filter not in self._subscribed:
                qos = max(one.qos for one in whom)
                hear = partial(self._hear, whom)
                end = self._broker.subscribe(topic_filter, hear, qos=qos)
                self._subscribed[topic_filter] = (whom, end)

    def _hear(self, whom: tuple[Subscription, ...], message: Message) -> None:
        if len(message.payload) > MAX_PAYLOAD_BYTES:
            logger.warning("MQTT: a message on %s is too large for rules", message.topic[:200])
            return
        for event in self._subscriptions.hear(message, whom):
            self._context.bus.publish(event)
