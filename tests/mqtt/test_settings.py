"""What can be set about MQTT, and what cannot (MQT-01…14)."""

from typing import Any

import pytest

from sipstrobe.mqtt.settings import (
    PORTS,
    Condition,
    MqttSettings,
    MqttTls,
    Notice,
    Publications,
    Subscription,
    place_of,
    prefix_of,
    problems,
)
from sipstrobe.secret import Secret


@pytest.mark.parametrize(
    ("wanted", "paths"),
    [
        ({}, []),
        ({"active": True}, ["/host"]),
        ({"active": True, "host": "broker", "alpn": "mqtt"}, ["/alpn"]),
        ({"active": True, "host": "broker", "alpn": "mqtt", "protocol": "wss"}, []),
        ({"http_proxy": "http://192.0.2.1:3128"}, []),
        ({"http_proxy": "[2001:db8::1]:3128"}, []),
        ({"http_proxy": "ftp://192.0.2.1"}, ["/http_proxy"]),
        ({"http_proxy": "http://a:b@192.0.2.1"}, ["/http_proxy"]),
        ({"https_proxy": "proxy:99999"}, ["/https_proxy"]),
        ({"https_proxy": "http://proxy/path"}, ["/https_proxy"]),
        ({"https_proxy": "http://" + "ä" * 130}, ["/https_proxy"]),  # MQT-06: 255 bytes
        ({"tls": MqttTls(certificate="x")}, ["/tls/private_key"]),
        ({"tls": MqttTls(private_key=Secret("x"))}, ["/tls/certificate"]),
        ({"last_will": Notice(send=True, use_default=False)}, ["/last_will/topic"]),
        (
            {"connect_message": Notice(send=True, use_default=False, topic="a/#")},
            ["/connect_message/topic"],
        ),
        ({"topic_prefix": "$SYS"}, ["/topic_prefix"]),
        ({"publications": Publications(prefix="custom")}, ["/publications/custom_prefix"]),
        (
            {"publications": Publications(conditions=(Condition(topic_filter="x:y"),))},
            ["/publications/conditions/0/topic_filter"],
        ),
        ({"subscriptions": (Subscription(filter="a#"),)}, ["/subscriptions/0/filter"]),
        (
            {"subscriptions": (Subscription(filter="a/+", kind="stateful"),)},
            ["/subscriptions/0/filter"],
        ),
        (
            {"subscriptions": (Subscription(filter="a"), Subscription(filter="a", qos=1))},
            ["/subscriptions/1/filter"],
        ),
        (
            {
                "subscriptions": (
                    Subscription(filter="a"),
                    Subscription(filter="a", use_prefix=True),
                )
            },
            [],
        ),
    ],
)
def test_what_does_not_fit_together_is_named(wanted: dict[str, Any], paths: list[str]) -> None:
    assert [problem.path for problem in problems(MqttSettings(**wanted))] == paths


def test_each_protocol_has_its_port_and_its_proxy() -> None:
    """MQT-02, MQT-06."""
    assert PORTS == {"tcp": 1883, "ssl": 8883, "ws": 80, "wss": 443}
    proxies = [
        MqttSettings(protocol=protocol, http_proxy="a", https_proxy="b").proxy
        for protocol in ("tcp", "ws", "ssl", "wss")
    ]
    assert proxies == ["a", "a", "b", "b"]


def test_a_proxy_is_named_in_short_or_in_full() -> None:
    assert place_of("http://192.0.2.1:3128/") == ("192.0.2.1", 3128)
    assert place_of("proxy") == ("proxy", 80)


def test_the_topic_prefix_is_the_devices_own_unless_another_is_given() -> None:
    """MQT-09."""
    assert prefix_of(MqttSettings(), "AC0123456789") == "sipstrobe/AC0123456789"
    assert prefix_of(MqttSettings(topic_prefix="site/x"), "AC0123456789") == "site/x"
