"""What comes on subscriptions, as events for rules (MQT-14, AMB-11, AMB-16)."""

from collections.abc import Iterator, Sequence
from typing import Final

from sipstrobe.events import Event
from sipstrobe.events.mqtt import MqttMessageReceived, MqttStateChanged
from sipstrobe.mqtt.packets import Message
from sipstrobe.mqtt.settings import MAX_PAYLOAD, Subscription, topic_of

MAX_PAYLOAD_BYTES: Final = 4 * MAX_PAYLOAD


class Subscriptions:
    """The subscriptions, and of the stateful ones what holds."""

    def __init__(self) -> None:
        self._wanted: tuple[tuple[str, Subscription], ...] = ()
        self._states: dict[tuple[str, bool], MqttStateChanged] = {}

    def apply(self, wanted: Sequence[Subscription], prefix: str) -> list[Event]:
        """Hear these from now on; the result ends the states of those that are gone.

        A state outlasts a lost connection: the broker says the retained one anew.
        """
        self._wanted = tuple((topic_of(one, prefix), one) for one in wanted)
        stateful = {_key(one) for one in wanted if one.kind == "stateful"}
        return [
            MqttStateChanged(filter=key[0], prefix=key[1], active=False, payload="")
            for key in list(self._states)
            if key not in stateful and self._states.pop(key)
        ]

    def filters(self) -> dict[str, tuple[Subscription, ...]]:
        """What to ask the broker for, and for whom."""
        found: dict[str, tuple[Subscription, ...]] = {}
        for topic_filter, wanted in self._wanted:
            found[topic_filter] = (*found.get(topic_filter, ()), wanted)
        return found

    def hear(self, message: Message, whom: Sequence[Subscription]) -> Iterator[Event]:
        """The events that a message is to these subscriptions, on whose filter it has come.

        A retained one says what holds, and nothing that happens just now: it would happen anew
        with each connection.
        """
        text = message.payload.decode("utf-8", "replace")[:MAX_PAYLOAD]
        for wanted in whom:
            if wanted.kind == "stateless":
                if not message.retain:
                    yield MqttMessageReceived(
                        filter=wanted.filter,
                        prefix=wanted.use_prefix,
                        topic=message.topic,
                        payload=text,
                    )
                continue
            state = MqttStateChanged(
                filter=wanted.filter,
                prefix=wanted.use_prefix,
                active=text == wanted.true_payload,
                payload=text,
            )
            if self._states.get(_key(wanted)) != state:
                self._states[_key(wanted)] = state
                yield state


def _key(subscription: Subscription) -> tuple[str, bool]:
    return subscription.filter, subscription.use_prefix
