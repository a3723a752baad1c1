"""POST /axis-cgi/mqtt/event.cgi: which events are published, and what is heard (MQT-13, MQT-14)."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from sipstrobe.bus import Dispatcher
from sipstrobe.commands import ChangeSettings
from sipstrobe.config.users import Role
from sipstrobe.errors import ConfigError
from sipstrobe.mqtt.settings import MqttSettings, Publications, Subscription
from sipstrobe.web.compat import mqtt_client
from sipstrobe.web.compat.json_cgi import BAD_VALUE, ApiError, JsonCgi, Params, invalid
from sipstrobe.web.exchange import Route

PATH: Final = "/axis-cgi/mqtt/event.cgi"
VERSION: Final = "1.2"
MAX_BYTES: Final = 512 * 1024  # as long as all subscriptions there can be
_RETAIN: Final = ("none", "property", "all")
_PREFIXES: Final = ("default", "custom")


class MqttEvent:
    """The methods of the API; each change is a change of the settings."""

    def __init__(self, dispatcher: Dispatcher, settings: Callable[[], MqttSettings]) -> None:
        self._dispatcher = dispatcher
        self._settings = settings
        self._cgi = JsonCgi(
            VERSION,
            {
                "getSupportedVersions": lambda _: {"apiVersions": [VERSION]},
                "configureEventPublication": self._configure_publication,
                "getEventPublicationConfig": lambda _: {
                    "eventPublicationConfig": publication_json(self._settings().publications)
                },
                "configureMqttSubscription": self._configure_subscription,
                "getMqttSubscriptionConfig": self._get_subscriptions,
            },
            max_bytes=MAX_BYTES,
            takes=mqtt_client.VERSION,  # which programs know of the client they ask for here too
        )

    def routes(self) -> list[Route]:
        return [
            Route(
                method="POST",
                path=PATH,
                handler=self._cgi.respond,
                role=Role.ADMINISTRATOR,
                body_max_bytes=2 * MAX_BYTES,
                unstored=self._cgi.unstored,
            )
        ]

    def _configure_publication(self, params: Params) -> dict[str, Any]:
        return self._store({"publications": read_publication(params)})

    def _configure_subscription(self, params: Params) -> dict[str, Any]:
        before = {(s.filter, s.use_prefix): s for s in self._settings().subscriptions}
        filters = params.objects("mqttFilterList")
        return self._store({"subscriptions": [_read_subscription(f, before) for f in filters]})

    def _get_subscriptions(self, _: Params) -> dict[str, Any]:
        told = [subscription_json(one) for one in self._settings().subscriptions]
        return {"mqttSubscriptionConfig": {"mqttFilterList": told}}

    def _store(self, patch: Mapping[str, Any]) -> dict[str, Any]:
        try:
            self._dispatcher.execute(ChangeSettings(patch={"mqtt": patch}))
        except ConfigError as error:
            raise ApiError(BAD_VALUE, str(error)) from None
        return {}


def read_publication(params: Params) -> dict[str, Any]:
    """What is published, as a change of our settings; it replaces all. Raises ApiError."""
    prefix = _choice(params, "topicPrefix", _PREFIXES)
    custom = params.text("customTopicPrefix") if "customTopicPrefix" in params else ""
    if prefix == "custom":
        custom = params.text("customTopicPrefix")
    wanted = params.objects("eventFilterList") if "eventFilterList" in params else []
    return {
        "prefix": prefix,
        "custom_prefix": custom,
        "include_topic": _flag(params, "appendEventTopic", default=True),
        "include_namespaces": _flag(params, "includeTopicNamespaces", default=True),
        "include_serial": _flag(params, "includeSerialNumberInPayload", default=False),
        "conditions": [
            {
                "topic_filter": one.text("topicFilter"),
                "qos": _qos(one),
                "retain": _choice(one, "retain", _RETAIN),
            }
            for one in wanted
        ],
    }


def _read_subscription(
    params: Params, before: Mapping[tuple[str, bool], Subscription]
) -> dict[str, Any]:
    """What is heard; which payload means active is no matter of this API, and stays."""
    name = params.text("topicFilter")
    use_prefix = _flag(params, "useDeviceTopicPrefix", default=False)
    known = before.get((name, use_prefix))
    return {
        "filter": name,
        "use_prefix": use_prefix,
        "qos": _qos(params),
        "kind": "stateful" if _flag(params, "isStateData", default=False) else "stateless",
        **({"true_payload": known.true_payload} if known is not None else {}),
    }


def publication_json(publications: Publications) -> dict[str, Any]:
    return {
        "topicPrefix": publications.prefix,
        "customTopicPrefix": publications.custom_prefix,
        "appendEventTopic": publications.include_topic,
        "includeTopicNamespaces": publications.include_namespaces,
        "includeSerialNumberInPayload": publications.include_serial,
        "eventFilterList": [
            {"topicFilter": one.topic_filter, "qos": one.qos, "retain": one.retain}
            for one in publications.conditions
        ],
    }


def subscription_json(subscription: Subscription) -> dict[str, Any]:
    return {
        "topicFilter": subscription.filter,
        "useDeviceTopicPrefix": subscription.use_prefix,
        "qos": subscription.qos,
        "isStateData": subscription.kind == "stateful",
    }


def _flag(params: Params, name: str, *, default: bool) -> bool:
    return params.flag(name) if name in params else default


def _choice(params: Params, name: str, choices: tuple[str, ...]) -> str:
    """The first one where it is left out."""
    wanted = params.text(name) if name in params else choices[0]
    return wanted if wanted in choices else invalid(name, "one of " + ", ".join(choices))


def _qos(params: Params) -> int:
    qos = params.number("qos") if "qos" in params else 0
    return qos if qos in (0, 1, 2) else invalid("qos", "0, 1 or 2")
