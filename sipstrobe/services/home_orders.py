"""Orders over MQTT: those of the API by their names, and what Home Assistant wishes.

Each is carried out at once and answered: on the topic that the sender has named for it (MQTT 5
§4.10), else beside the order, at ``…/result``.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

import msgspec

from sipstrobe.commands import (
    StartProfile,
    StopAll,
    StopProfile,
)
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused, ConfigError
from sipstrobe.events import Function
from sipstrobe.mqtt.home import Topics
from sipstrobe.mqtt.pace import Bucket
from sipstrobe.mqtt.packets import Message
from sipstrobe.orders import COMMANDS, BadOrder, read_body
from sipstrobe.services.home_wishes import (
    LIGHTS,
    LightWish,
    ProfileWish,
    Shown,
    SirenWish,
    light_order,
    read_wish,
    shown_by,
    siren_order,
)

logger = logging.getLogger(__name__)

PAYLOAD_MAX_BYTES: Final = 16 * 1024
RATE, BURST = 20.0, 60.0  # orders a second in the long run, and at once
RESPONSE_TOPIC_MAX: Final = 512  # characters

_SIREN: Final = Function.AUDIO_SPEAKER


class Answer(Protocol):
    """Publish an answer."""

    def __call__(self, topic: str, payload: bytes, correlation: bytes, /) -> None: ...


class HomeOrders:
    """Reads orders, has them carried out, and says what has come of each."""

    def __init__(
        self, context: Context, operations: Callable[[], Sequence[Shown]], answer: Answer
    ) -> None:
        self.topics = Topics("")
        self.tones: Sequence[str] = ()
        self._context = context
        self._operations = operations
        self._answer = answer
        self._pace = Bucket(RATE, BURST)
        self._dropping = False
        self.taken = context.measures.counter(
            "mqtt_orders_total", "Orders over MQTT that were read"
        )
        self.dropped = context.measures.counter(
            "mqtt_orders_dropped_total", "Orders over MQTT that were too many and not read"
        )

    def hear(self, message: Message) -> None:
        """Whatever it says, nothing is raised.

        One that the broker keeps is passed over: it would be given anew with every connection.
        """
        now = self._context.clock.now()
        if message.retain:
            logger.warning("an order on %.200s is retained at the broker: ignored", message.topic)
            return
        if not self._pace.take(now=now):
            self._drop()
            return
        self._dropping = False
        self.taken.add()
        told = self._carried_out(message)
        self._answer(self._response_topic(message), msgspec.json.encode(told), message.correlation)

    def _drop(self) -> None:
        self.dropped.add()
        if not self._dropping:
            self._dropping = True
            logger.warning("more than %g orders a second over MQTT: some are dropped", RATE)

    def _response_topic(self, message: Message) -> str:
        """Where the answer goes; never where it would be an order itself."""
        wanted = message.response_topic
        ours = (self.topics.command(""), self.topics.wish(""))
        odd = not wanted or wanted.startswith(("$", *ours)) or "+" in wanted or "#" in wanted
        if odd or len(wanted) > RESPONSE_TOPIC_MAX:
            return f"{message.topic}/result"
        return wanted

    def _carried_out(self, message: Message) -> dict[str, Any]:
        """What the answer says."""
        try:
            if len(message.payload) > PAYLOAD_MAX_BYTES:
                raise BadOrder(f"the payload has more than {PAYLOAD_MAX_BYTES} bytes")
            return {"ok": True, "result": self._carry_out(message.topic, message.payload)}
        except BadOrder as wrong:
            told: dict[str, Any] = {"ok": False, "code": "bad_order", "message": str(wrong)}
            return told | ({"field": wrong.field} if wrong.field else {})
        except CommandRefused as refused:
            logger.info("%.200s was refused: %s", message.topic, refused)
            return {"ok": False, "code": refused.code, "message": str(refused)}
        except ConfigError as error:
            return {"ok": False, "code": "settings", "message": str(error)}
        except Exception:  # a broken service must not cost the connection
            logger.exception("%.200s failed", message.topic)
            words = "an error inside the device; see its log"
            return {"ok": False, "code": "error", "message": words}

    def _carry_out(self, topic: str, payload: bytes) -> object:
        name = topic.rpartition("/")[2]
        if topic == self.topics.wish(name):
            return self._wish(name, payload)
        kind = COMMANDS.get(name)
        if kind is None:
            raise BadOrder(f"no such command; there are {', '.join(COMMANDS)}")
        return self._context.dispatcher.execute(read_body(kind, payload))

    # --- what Home Assistant wishes: at one priority, so that a wish replaces the one before it ---

    def _wish(self, name: str, payload: bytes) -> None:
        if name in LIGHTS:
            self._light(LIGHTS[name], read_wish(LightWish, payload))
        elif name == "siren":
            self._siren(read_wish(SirenWish, payload))
        elif name == "profile":
            self._profile(read_wish(ProfileWish, payload))
        else:
            raise BadOrder(f"no such wish; there are {', '.join((*LIGHTS, 'siren', 'profile'))}")

    def _light(self, light: Function, wish: LightWish) -> None:
        if wish.state == "OFF" or wish.brightness == 0:
            self._stop(light)
        else:
            shown = shown_by(light, self._operations())
            self._context.dispatcher.execute(light_order(light, wish, shown))

    def _siren(self, wish: SirenWish) -> None:
        if wish.state == "OFF":
            self._stop(_SIREN)
        else:
            tone = self.tones[0] if self.tones else ""
            shown = shown_by(_SIREN, self._operations())
            self._context.dispatcher.execute(siren_order(wish, shown, tone))

    def _profile(self, wish: ProfileWish) -> None:
        """A profile that is wished to be over may have ended by itself."""
        if wish.active:
            self._context.dispatcher.execute(StartProfile(profile=wish.profile))
            return
        try:
            self._context.dispatcher.execute(StopProfile(profile=wish.profile))
        except CommandRefused as refused:
            if refused.code != "not_running":
                raise

    def _stop(self, function: Function) -> None:
        """All that people have started there: who switches a light off wants it dark."""
        self._context.dispatcher.execute(StopAll(functions=(function,)))
