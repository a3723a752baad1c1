"""MQTT control packets: MQTT 3.1.1 §2, §3; MQTT 5 §2, §3."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.mqtt.packets import (
    MAX_PACKET_BYTES,
    Ack,
    ConnAck,
    Connect,
    Disconnect,
    Message,
    Packet,
    PingResp,
    Property,
    Publish,
    Reader,
    SubAck,
    Type,
    Version,
    publish,
    subscribe,
    unsubscribe,
)
from tests.mqtt.bench import packet


def read(data: bytes, version: Version = "3.1.1", *, piece: int = 1 << 20) -> list[Packet]:
    """All packets in these octets, which come in pieces."""
    reader = Reader(version)
    found: list[Packet] = []
    for at in range(0, len(data), piece):
        reader.feed(data[at : at + piece])
        while (one := reader.next()) is not None:
            found.append(one)
    return found


def test_a_connect_says_who_we_are_and_what_our_will_is() -> None:
    """MQTT 3.1.1 §3.1, with all of the payload of §3.1.3 in its order."""
    will = Message("w", b"gone", 1, retain=True)

    said = bytes(
        Connect(
            version="3.1.1",
            client_id="c",
            clean=True,
            keep_alive=10,
            user="u",
            password="p",
            will=will,
        )
    )

    head = b"\x00\x04MQTT\x04" + bytes((0b11101110,)) + b"\x00\x0a"
    body = head + b"\x00\x01c\x00\x01w\x00\x04gone\x00\x01u\x00\x01p"
    assert said == packet(Type.CONNECT, body)


def test_a_session_of_mqtt_5_is_kept_unless_it_is_a_clean_one() -> None:
    """MQTT 5 §3.1.2.11: no expiry; and no packet that is larger than what we keep."""
    kept = bytes(Connect(version="5", client_id="", clean=False, keep_alive=0))
    clean = bytes(Connect(version="5", client_id="", clean=True, keep_alive=0))

    size = b"\x27" + MAX_PACKET_BYTES.to_bytes(4, "big")
    assert kept.endswith(b"\x05\x00\x00\x00\x0a\x11\xff\xff\xff\xff" + size + b"\x00\x00")
    assert clean.endswith(b"\x05\x02\x00\x00\x05" + size + b"\x00\x00")


def test_a_password_is_in_no_repr() -> None:
    connect = Connect(version="5", client_id="", clean=True, keep_alive=0, password="hush")

    assert "hush" not in repr(connect)


def test_subscriptions_carry_their_identifier_in_mqtt_5() -> None:
    """MQTT 5 §3.8.2.1.2."""
    assert subscribe("3.1.1", 1, [("a", 2)]) == packet(
        Type.SUBSCRIBE, b"\x00\x01\x00\x01a\x02", flags=2
    )
    assert subscribe("5", 1, [("a", 0)], 200) == packet(
        Type.SUBSCRIBE, b"\x00\x01\x03\x0b\xc8\x01\x00\x01a\x00", flags=2
    )
    assert unsubscribe("5", 1, ["a"]) == packet(Type.UNSUBSCRIBE, b"\x00\x01\x00\x00\x01a", flags=2)


PACKETS: list[tuple[Version, bytes, Packet]] = [
    ("3.1.1", packet(Type.CONNACK, b"\x01\x00"), ConnAck(True, 0)),
    (
        "5",
        packet(Type.CONNACK, b"\x00\x00\x03\x21\x00\x05"),
        ConnAck(False, 0, {Property.RECEIVE_MAXIMUM: 5}),
    ),
    ("3.1.1", packet(Type.PUBACK, b"\x00\x07"), Ack(Type.PUBACK, 7)),
    ("5", packet(Type.PUBREC, b"\x00\x07\x97\x00"), Ack(Type.PUBREC, 7, 0x97)),
    ("3.1.1", packet(Type.PUBREL, b"\x00\x07", 2), Ack(Type.PUBREL, 7)),
    ("3.1.1", packet(Type.SUBACK, b"\x00\x07\x00\x80"), SubAck(Type.SUBACK, 7, b"\x00\x80")),
    ("5", packet(Type.UNSUBACK, b"\x00\x07\x00\x11"), SubAck(Type.UNSUBACK, 7, b"\x11")),
    ("3.1.1", packet(Type.PINGRESP, b""), PingResp()),
    ("5", packet(Type.DISCONNECT, b"\x8b\x05\x1f\x00\x02by"), Disconnect(0x8B, "by")),
    ("5", packet(Type.DISCONNECT, b""), Disconnect(0)),
    (
        "3.1.1",
        packet(Type.PUBLISH, b"\x00\x01t\x00\x09x", 0b1101),
        Publish(Message("t", b"x", 2, retain=True), 9, duplicate=True),
    ),
    (
        "5",
        packet(Type.PUBLISH, b"\x00\x01t\x0d\x0b\x05\x0b\x06\x08\x00\x01r\x09\x00\x02cdx"),
        Publish(Message("t", b"x", 0, False, "r", b"cd"), subscriptions=(5, 6)),
    ),
    (
        "5",
        packet(Type.PUBLISH, b"\x00\x01t\x0e\x26\x00\x01a\x00\x01b\x26\x00\x01a\x00\x01bx"),
        Publish(Message("t", b"x")),
    ),
]


@pytest.mark.parametrize(("version", "data", "expected"), PACKETS)
@pytest.mark.parametrize("piece", [1, 1000])
def test_what_a_broker_says_is_read(
    version: Version, data: bytes, expected: Packet, piece: int
) -> None:
    assert read(data * 2, version, piece=piece) == [expected] * 2


@pytest.mark.parametrize(
    ("version", "data"),
    [
        ("3.1.1", b"\x20\xff\xff\xff\xff\x01"),  # §2.2.3: a length of five octets
        ("3.1.1", packet(Type.CONNACK, b"\x00\x00", 1)),  # §2.2.2
        ("3.1.1", packet(Type.CONNACK, b"\x02\x00")),
        ("3.1.1", packet(Type.CONNACK, b"\x00")),
        ("3.1.1", packet(Type.CONNECT, b"")),  # for brokers only
        ("3.1.1", packet(Type.DISCONNECT, b"\x00")),  # MQTT 5 only
        ("3.1.1", packet(Type.PUBACK, b"\x00\x00")),  # §2.3.1
        ("3.1.1", packet(Type.PUBLISH, b"\x00\x00")),  # §3.3.2.1
        ("3.1.1", packet(Type.PUBLISH, b"\x00\x01#x")),
        ("3.1.1", packet(Type.PUBLISH, b"\x00\x01\xffx")),  # §1.5.3
        ("3.1.1", packet(Type.PUBLISH, b"\x00\x01\x00x")),
        ("3.1.1", packet(Type.PUBLISH, b"\x00\x05tx")),
        ("3.1.1", packet(Type.PUBLISH, b"\x00\x01t\x00\x01", 6)),  # §3.3.1.2
        ("5", packet(Type.CONNACK, b"\x00\x00\x02\x77\x00")),  # no such property
        ("5", packet(Type.CONNACK, b"\x00\x00\x04\x24\x00\x24\x00")),  # twice
        ("5", packet(Type.CONNACK, b"\x00\x00\x09\x24\x00")),  # longer than the packet
        ("5", packet(Type.PUBLISH, b"\x00\x01t\xff\xff\xff\xff\xff")),
        ("5", packet(Type.CONNACK, b"\x00\x00\x03\x16\x00\x09")),
    ],
)
def test_what_is_no_mqtt_is_refused(version: Version, data: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        read(data, version)


def test_of_a_message_that_is_too_large_only_the_head_is_kept() -> None:
    """It is told and confirmed without its payload; what follows is read as ever."""
    large = publish("3.1.1", Message("t", bytes(3 * MAX_PACKET_BYTES), 1), 5)
    reader = Reader("3.1.1")
    found: list[Packet] = []
    most = 0

    data = large + publish("3.1.1", Message("u"), 0)
    for at in range(0, len(data), 65536):
        reader.feed(data[at : at + 65536])
        most = max(most, reader.waiting)
        while (one := reader.next()) is not None:
            found.append(one)

    assert found == [Publish(Message("t", b"", 1), 5, cut=True), Publish(Message("u"))]
    assert most <= MAX_PACKET_BYTES + 65536


def test_nothing_else_may_be_too_large() -> None:
    with pytest.raises(RemoteProtocolError):
        read(bytes((Type.SUBACK << 4, 0xFF, 0xFF, 0x7F)) + bytes(MAX_PACKET_BYTES))


@given(
    st.sampled_from(["3.1.1", "5"]), st.integers(1, 14), st.integers(0, 15), st.binary(max_size=60)
)
@settings(max_examples=300)
def test_any_octets_are_a_packet_or_a_protocol_error(
    version: Version, kind: int, flags: int, body: bytes
) -> None:
    with contextlib.suppress(RemoteProtocolError):
        read(bytes((kind << 4 | flags, len(body))) + body, version)
