"""The device in a home: shown by Home Assistant's discovery, seen and told over MQTT.

What the broker shall keep of us is one tree of payloads by topic. It is compared with what was
published; only what differs is said, all of it anew when Home Assistant has started, and what has
no place in it any more is taken away. That a broker which has forgotten us is told again is the
connection's business.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, Protocol

from sipstrobe.context import Context
from sipstrobe.events import (
    CallState,
    CallStatus,
    ClipPlaying,
    DigitReceived,
    Direction,
    Event,
    Function,
    InputPortChanged,
    MaintenanceChanged,
    ManualTriggerChanged,
    OperationChanged,
    OutputActive,
    OutputPortChanged,
    PageStateChanged,
    RegistrationChanged,
    SequenceReceived,
    ServiceStateChanged,
    VirtualInputChanged,
    VolumeChanged,
)
from sipstrobe.mqtt.discovery import (
    Document,
    config_topic,
    document,
    platforms_in,
    status_topic,
)
from sipstrobe.mqtt.home import AVAILABLE, HomeSettings, Topics
from sipstrobe.mqtt.home_states import happened, last_caller, states
from sipstrobe.mqtt.packets import Message
from sipstrobe.services.home_orders import HomeOrders
from sipstrobe.services.home_thing import Wanted
from sipstrobe.services.home_wishes import LIGHTS, Shown, light_state, shown_by, siren_state
from sipstrobe.sip.uri import without_password

logger = logging.getLogger(__name__)

SEEN: Final = (  # facts of which the tree is made
    CallState,
    ClipPlaying,
    InputPortChanged,
    MaintenanceChanged,
    ManualTriggerChanged,
    OperationChanged,
    OutputActive,
    OutputPortChanged,
    PageStateChanged,
    RegistrationChanged,
    ServiceStateChanged,
    VirtualInputChanged,
    VolumeChanged,
)
QOS: Final = 1  # of what is kept


class Broker(Protocol):
    """The connection to the broker, as far as a home needs it."""

    def publish(
        self, topic: str, payload: bytes, *, qos: int, retain: bool, correlation: bytes = b""
    ) -> None:
        """Say something; what is retained, also when there is a broker again."""
        ...

    def subscribe(self, topic_filter: str, hear: Callable[[Message], None]) -> Callable[[], None]:
        """Hear what comes there from now on, over all connections; the result ends that."""
        ...

    def on_changed(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back whenever a connection has come or gone; the result ends that."""
        ...


class Home:
    """Keeps what is retained of the device as it is, and hears what it is told."""

    def __init__(
        self,
        context: Context,
        broker: Broker,
        facts: Callable[[], Sequence[Event]],
        operations: Callable[[], Sequence[Shown]],
    ) -> None:
        """facts: the properties that hold; operations: what runs on each function."""
        self._context = context
        self._broker = broker
        self._facts = facts
        self._operations = operations
        self._orders = HomeOrders(context, operations, self._answer)
        self._wanted: Wanted | None = None
        self._document = Document(b"", {})  # for Home Assistant
        self._published: dict[str, bytes] = {}  # what the broker keeps of us, as far as we know
        self._subscribed: list[Callable[[], None]] = []
        self._heard: tuple[HomeSettings, Topics] | None = None  # what the subscriptions follow from
        self._caller = ""  # the last one
        self._waiting = False  # for the next turn of the loop
        self._end = broker.on_changed(self._say_present)
        for kind in SEEN:
            context.bus.subscribe(kind, self._touch)
        context.bus.subscribe(CallState, self._note_caller)
        context.bus.subscribe(DigitReceived, self._digit)
        context.bus.subscribe(SequenceReceived, self._sequence)

    def apply(self, wanted: Wanted | None) -> None:
        """Be shown and heard like this from now on; None: not at all."""
        before = self._document.platforms
        self._wanted = wanted
        heard = None if wanted is None else (wanted.settings, wanted.thing.topics)
        if heard != self._heard:
            self._heard = heard
            self._unsubscribe()
            if wanted is not None:
                self._subscribe(wanted)
        if wanted is not None:
            self._orders.tones = wanted.thing.tones
            self._document = document(wanted.thing)
            self._forget(before)
        self._settle()
        self._say_present()

    def close(self) -> None:
        """Hear nothing more; what the broker keeps stays, and its last will or the disconnect
        message says that nobody is there."""
        self._unsubscribe()
        self._end()
        wanted, self._wanted = self._wanted, None
        if wanted is not None and wanted.settings.discovery and wanted.presence.says:
            gone_words = wanted.presence.options["payload_not_available"]
            self._say(wanted.presence.topic, gone_words.encode())

    def snapshot(self) -> dict[str, object]:
        """What the status page shows. topics: that the broker keeps for us."""
        settings = self._wanted.settings if self._wanted is not None else HomeSettings()
        return {
            "discovery": settings.discovery,
            "commands": settings.commands,
            "topics": len(self._published),
            "orders": self._orders.taken.value,
            "dropped": self._orders.dropped.value,
        }

    # --- what is heard ---------------------------------------------------------------------------

    def _subscribe(self, wanted: Wanted) -> None:
        topics, settings = wanted.thing.topics, wanted.settings
        self._orders.topics = topics
        heard = [(topics.state("+", "+"), self._look)]
        if settings.commands:
            heard.append((topics.command("+"), self._orders.hear))
            heard.append((topics.wish("+"), self._orders.hear))
        if settings.discovery:
            prefix = settings.discovery_prefix
            heard.append((config_topic(prefix, wanted.thing.serial), self._look_at_document))
            heard.append((status_topic(prefix), self._birth))
        self._subscribed = [self._broker.subscribe(where, what) for where, what in heard]

    def _unsubscribe(self) -> None:
        for end in self._subscribed:
            end()
        self._subscribed = []

    def _say_present(self) -> None:
        """The last will may have been said meanwhile, where our own word for being there was."""
        wanted = self._wanted
        if wanted is not None and wanted.settings.discovery and wanted.presence.says:
            self._say(wanted.presence.topic, wanted.presence.says.encode())

    def _birth(self, message: Message) -> None:
        """Home Assistant has started: it may have missed what was not retained."""
        if not message.retain and message.payload == AVAILABLE.encode():
            self._settle(anew=True)

    def _look(self, message: Message) -> None:
        """Something is retained below our states: of what is no more, perhaps of an earlier run."""
        if message.retain and message.payload and message.topic not in self._published:
            self._say(message.topic, b"")

    def _look_at_document(self, message: Message) -> None:
        """An earlier document, perhaps with components that are no more."""
        if message.retain and self._forget(platforms_in(message.payload)):
            self._say(message.topic, self._document.data)

    # --- what is seen ----------------------------------------------------------------------------

    def _touch(self, _: Event) -> None:
        """Look at the facts once those that came together have all come."""
        if self._wanted is not None and not self._waiting:
            self._waiting = True
            self._context.clock.call_at(self._context.clock.now(), self._look_around)

    def _look_around(self) -> None:
        self._waiting = False
        self._settle()

    def _note_caller(self, call: CallState) -> None:
        if call.direction is Direction.INCOMING and call.state is CallStatus.RINGING:
            self._caller = without_password(call.remote_uri)

    def _digit(self, event: DigitReceived) -> None:
        self._happened("digit", event.digit, call=event.call, extension=event.extension)

    def _sequence(self, event: SequenceReceived) -> None:
        self._happened("sequence", event.name, call=event.call, extension=event.extension)

    def _happened(self, topic: str, kind: str, **more: str) -> None:
        if self._wanted is not None:
            where = self._wanted.thing.topics.state(topic)
            self._broker.publish(where, happened(kind, **more), qos=0, retain=False)

    # --- what the broker keeps -------------------------------------------------------------------

    def _tree(self) -> Mapping[str, bytes]:
        """All that shall be retained: the document first, so that its states are waited for."""
        if self._wanted is None:
            return {}
        settings, thing = self._wanted.settings, self._wanted.thing
        topics = thing.topics
        tree: dict[str, bytes] = {}
        if settings.discovery:
            tree[config_topic(settings.discovery_prefix, thing.serial)] = self._document.data
        operations = self._operations()
        for name, function in LIGHTS.items():
            tree[topics.state(name)] = light_state(shown_by(function, operations))
        siren = shown_by(Function.AUDIO_SPEAKER, operations)
        tree[topics.state("siren")] = siren_state(siren, thing.tones)
        tree |= states(thing, [_without_passwords(fact) for fact in self._facts()])
        if self._caller:
            tree[topics.state("last_caller")] = last_caller(self._caller)
        return tree

    def _settle(self, *, anew: bool = False) -> None:
        """Publish what differs, or all of it; and take away what has no place any more."""
        tree = self._tree()
        for topic in [topic for topic in self._published if topic not in tree]:
            del self._published[topic]
            self._say(topic, b"")
        for topic, payload in tree.items():
            if anew or self._published.get(topic) != payload:
                self._published[topic] = payload
                self._say(topic, payload)

    def _forget(self, before: Mapping[str, str]) -> bool:
        """Have Home Assistant remove the components of an earlier document that are no more; the
        present one has to be said after that."""
        wanted, now = self._wanted, self._document.platforms
        lost = {key: platform for key, platform in before.items() if key not in now}
        if wanted is None or not wanted.settings.discovery or not lost:
            return False
        topic = config_topic(wanted.settings.discovery_prefix, wanted.thing.serial)
        self._say(topic, document(wanted.thing, lost).data)
        return True

    def _say(self, topic: str, payload: bytes) -> None:
        self._broker.publish(topic, payload, qos=QOS, retain=True)

    def _answer(self, topic: str, payload: bytes, correlation: bytes) -> None:
        self._broker.publish(topic, payload, qos=0, retain=False, correlation=correlation)


def _without_passwords(fact: Event) -> Event:
    """What a caller has put into his address is for nobody else."""
    if not isinstance(fact, CallState):
        return fact
    remote, local = without_password(fact.remote_uri), without_password(fact.local_uri)
    return replace(fact, remote_uri=remote, local_uri=local)
