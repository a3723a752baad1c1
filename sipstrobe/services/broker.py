"""The connection to the MQTT broker, in the hand of all that publish and hear (no service)."""

import asyncio
import contextlib
import logging
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import partial
from itertools import count
from typing import Any, Final

from msgspec import Struct

from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused, SipstrobeError
from sipstrobe.io.broker_line import Handlers, Layers, Line
from sipstrobe.mqtt.client import Client, State
from sipstrobe.mqtt.delivery import HOPELESS, Token
from sipstrobe.mqtt.outputs import (
    Arrived,
    Close,
    Delivered,
    Dial,
    Down,
    Hold,
    Options,
    Output,
    Send,
    Trouble,
    Up,
)
from sipstrobe.mqtt.packets import Connect, Message
from sipstrobe.mqtt.settings import MqttSettings, place_of
from sipstrobe.mqtt.topics import filter_problem, matches, topic_problem
from sipstrobe.services.broker_way import Way, place_words, port_of, where, words_of

logger = logging.getLogger(__name__)

DELIVERY_LIMIT: Final = 30.0  # seconds for a message whose fate somebody awaits
GOODBYE_LIMIT: Final = 0.5  # seconds
MAX_SUBSCRIBERS: Final = 1000
REMEMBERED: Final = 100  # messages whose fate was decided when nobody waited for it any more
NO_BROKER: Final = "there is no connection to the MQTT broker"


class NotPublished(SipstrobeError):
    """The broker does not have a message; the words say why, for a person. permanent: it never
    will, however often it is tried."""

    def __init__(self, words: str, *, permanent: bool = False) -> None:
        super().__init__(words)
        self.permanent = permanent


class Subscriber(Struct, frozen=True, eq=False):
    """Who hears what is on a filter."""

    filter: str
    qos: int
    hear: Callable[[Message], None]


class Broker:
    """One broker at a time; whoever has this may publish, subscribe, and hear how it stands.

    All methods but `deliver` return at once, whatever the broker does.
    """

    def __init__(self, context: Context) -> None:
        self.problem = ""  # why there is no connection, for people
        self._context = context
        self._client = Client(context.random_bytes)
        self._driver = context.driver(self._client, self._deliver, name="mqtt")
        self._settings = MqttSettings()
        self._line: Line | None = None
        self._dialling: asyncio.Task[None] | None = None
        self._way = Way()
        self._subscribers: list[Subscriber] = []
        self._changed: list[Callable[[], None]] = []
        self._tokens = count(1)
        self._awaited: dict[Token, asyncio.Future[None]] = {}
        self._fates: OrderedDict[Token, str] = OrderedDict()  # "": the broker has it
        self._latency = context.measures.histogram(
            "mqtt_handling_seconds", "from a message to all that follows from it at once"
        )

    # --- for those that publish and hear --------------------------------------------------------

    @property
    def active(self) -> bool:
        """It is switched on."""
        return self._client.state is not State.OFF

    @property
    def connected(self) -> bool:
        return self._client.state is State.UP

    def on_changed(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back whenever `active` or `connected` has changed; the result ends that."""
        self._changed.append(callback)
        return partial(self._changed.remove, callback)

    def on_connected(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back with each new connection, once all subscriptions are asked for."""

        def changed() -> None:
            if self.connected:
                callback()

        return self.on_changed(changed)

    def publish(
        self,
        topic: str,
        payload: str | bytes,
        *,
        qos: int = 0,
        retain: bool = False,
        state: bool = False,
        first: bool = False,
        correlation: bytes = b"",
    ) -> None:
        """Have a message published, now or when there is a broker.

        What is retained is a state: only the latest of a topic waits, and it is published again if
        the broker has forgotten us. So is what is said to be a `state`, without the latter. All
        else with QoS 0 is dropped when there is no broker. first: see Delivery.put.
        correlation: what says that it is an answer (MQTT 5).
        """
        data = payload.encode() if isinstance(payload, str) else payload
        message = Message(topic, data, qos, retain, correlation=correlation)
        assert not topic_problem(topic), topic
        self._driver.feed(self._client.publish, message, state=state, first=first)

    async def deliver(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int,
        retain: bool,
        name: str = "",
        limit: float = DELIVERY_LIMIT,
    ) -> None:
        """Publish, and return when the broker has it: with QoS 0 when it was sent, else when it was
        confirmed. name: by which a message is known that is tried again, so that it is not sent
        twice where the first is still on its way. limit: seconds. Raises NotPublished."""
        fate = self._fates.pop(name, None)
        if fate == "":
            return
        if fate in HOPELESS:
            raise NotPublished(fate, permanent=True)
        if not self.connected:
            raise NotPublished(self.problem or NO_BROKER)
        if words := topic_problem(topic):
            raise NotPublished(f"the topic {words}")
        token = name or next(self._tokens)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._awaited[token] = future
        try:
            message = Message(topic, payload, qos, retain)
            self._driver.feed(self._client.publish, message, token=token)
            async with asyncio.timeout(limit):
                await future
        except TimeoutError:
            raise NotPublished("the broker has not confirmed it in time") from None
        finally:
            del self._awaited[token]
            self._driver.feed(self._client.cancel, token)

    def forget(self, topic: str) -> None:
        """Do not publish again what was retained there."""
        self._client.delivery.forget(topic)

    def subscribe(
        self, topic_filter: str, hear: Callable[[Message], None], *, qos: int = 0
    ) -> Callable[[], None]:
        """Call hear with each message on this filter; the result ends that."""
        assert not filter_problem(topic_filter), topic_filter
        if len(self._subscribers) >= MAX_SUBSCRIBERS:
            raise CommandRefused("too_many_subscriptions", f"there are {MAX_SUBSCRIBERS} already")
        subscriber = Subscriber(topic_filter, qos, hear)
        self._subscribers.append(subscriber)
        self._subscribe()

        def end() -> None:
            if subscriber in self._subscribers:
                self._subscribers.remove(subscriber)
                self._subscribe()

        return end

    def snapshot(self) -> dict[str, Any]:
        """What the status page shows."""
        client, delivery = self._client, self._client.delivery
        settings = self._settings
        return {
            "active": self.active,
            "connected": self.connected,
            "words": self.problem,
            "broker": f"{settings.protocol}://{place_words(settings)}" if self.active else "",
            "sent": delivery.sent,
            "received": client.received,
            "waiting": delivery.waiting,
            "dropped": delivery.dropped + client.oversize,
        }

    # --- for the service that has it ------------------------------------------------------------

    def start(
        self,
        settings: MqttSettings,
        client_id: str,
        will: Message | None,
        greeting: Hashable,
        goodbye: Message | None,
    ) -> None:
        """Be connected by these settings; a connection that fits them already is kept, another is
        left with the goodbye. greeting: whatever is told of on_connected, as a value."""
        self._settings = settings
        connect = Connect(
            version=settings.version,
            client_id=client_id,
            clean=settings.clean_session,
            keep_alive=settings.keep_alive,
            user=settings.user,
            password=settings.password.reveal(),
            will=will,
        )
        options = Options(
            connect,
            float(settings.connect_timeout),
            settings.reconnect,
            where(settings),
            greeting,
        )
        self._driver.feed(self._client.start, options, goodbye)
        self._tell()

    def stop(self, goodbye: Message | None) -> None:
        self._driver.feed(self._client.stop, goodbye)

    async def aclose(self, goodbye: Message | None) -> None:
        """Stop for good; the broker is given GOODBYE_LIMIT to take our last word."""
        line = self._line
        self.stop(goodbye)
        self._driver.close()
        if line is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_LIMIT):
                    await line.gone.wait()

    # --- outputs of the client ------------------------------------------------------------------

    def _deliver(self, output: Output) -> None:
        match output:
            case Dial():
                self._dial()
            case Send(data):
                if self._line is not None:
                    self._line.send(data)
            case Hold(on):
                if self._line is not None:
                    self._line.hold(on)
            case Close():
                self._hang_up()
            case Up():
                self.problem = ""
                logger.info("MQTT: connected to %s", place_words(self._settings))
                self._tell()
            case Down(words, retry):
                self._down(words, retry)
            case Arrived(message, filters):
                self._hear(message, filters)
            case Delivered(token, problem):
                self._decide(token, problem)
            case Trouble(words):
                logger.warning("MQTT: %s", words)

    def _down(self, words: str, retry: float | None) -> None:
        if not words:
            logger.info("MQTT: disconnected")
        elif words != self.problem:  # a repeating fault is logged once
            then = "" if retry is None else f"; again in {retry:.1f} s"
            logger.warning("MQTT: no broker at %s: %s%s", place_words(self._settings), words, then)
        self.problem = words
        self._tell()

    def _tell(self) -> None:
        for callback in list(self._changed):
            callback()

    def _decide(self, token: Token, problem: str) -> None:
        future = self._awaited.get(token)
        if future is None or future.done():
            self._fates[token] = problem
            if len(self._fates) > REMEMBERED:
                self._fates.popitem(last=False)
        elif problem:
            future.set_exception(NotPublished(problem, permanent=problem in HOPELESS))
        else:
            future.set_result(None)

    def _hear(self, message: Message, filters: tuple[str, ...]) -> None:
        """A broker may send a message once for each filter, or once for all."""
        began = self._context.clock.now()
        with self._context.trace.input("mqtt", f"message on {message.topic[:200]}", began):
            for subscriber in list(self._subscribers):
                if filters and subscriber.filter not in filters:
                    continue
                if not matches(subscriber.filter, message.topic):
                    continue
                try:
                    subscriber.hear(message)
                except Exception:
                    logger.exception("what came on %s was not understood", message.topic[:200])
        self._latency.record(self._context.clock.now() - began)

    def _subscribe(self) -> None:
        wanted: dict[str, int] = {}
        for one in self._subscribers:
            wanted[one.filter] = max(wanted.get(one.filter, 0), one.qos)
        self._driver.feed(self._client.subscribe, wanted)

    # --- the connection -------------------------------------------------------------------------

    def _dial(self) -> None:
        self._hang_up()
        self._dialling = asyncio.get_running_loop().create_task(self._connect(self._settings))

    def _hang_up(self) -> None:
        if self._dialling is not None:
            self._dialling.cancel()
            self._dialling = None
        if self._line is not None:
            self._line.close()
            self._line = None

    async def _connect(self, settings: MqttSettings) -> None:
        """Open a connection; the client has it when something can be said on it."""
        host, port = settings.host, port_of(settings)
        try:
            channels = await self._way.channels(settings)
            if settings.proxy:
                host, port = place_of(settings.proxy)
            line = Line(self._handlers(), Layers(channels))
            self._line = line
            await line.connect(host, port)
        except (OSError, SipstrobeError, ValueError) as error:
            self._dialling = None
            self._driver.feed(self._client.closed, words_of(error, host))
        else:
            self._dialling = None

    def _handlers(self) -> Handlers:
        feed, client = self._driver.feed, self._client

        def closed(words: str) -> None:
            self._line = None
            feed(client.closed, words)

        return Handlers(
            opened=lambda: feed(client.opened),
            received=lambda data: feed(client.feed, data),
            writable=lambda so: feed(client.writable, so),
            closed=closed,
        )
