"""What a broker may say, for the fuzzer: everything goes through a client that is up."""

from collections.abc import Sequence

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.mqtt.client import LONGEST_WAIT
from sipstrobe.mqtt.outputs import (
    Dial,
    Down,
)
from sipstrobe.mqtt.packets import Message, Type, Version
from tests.mqtt.bench import Bench, connack, from_broker, options, packet


def mqtt_corpus() -> Sequence[bytes]:
    """The first octet says which version it is."""
    three = [
        from_broker("door", b"On", retain=True) * 3,
        from_broker("a/b", b"x", qos=1, packet_id=7) + packet(Type.PINGRESP, b""),
        from_broker("a/b", b"x", qos=2, packet_id=7) + packet(Type.PUBREL, b"\x00\x07", 2),
        packet(Type.PUBACK, b"\x00\x01") + packet(Type.PUBREC, b"\x00\x02"),
        packet(Type.SUBACK, b"\x00\x03\x00\x80") + packet(Type.UNSUBACK, b"\x00\x04"),
    ]
    five = [
        packet(Type.PUBLISH, b"\x00\x01t\x0d\x0b\x05\x0b\x06\x08\x00\x01r\x09\x00\x02cdx"),
        packet(Type.PUBLISH, b"\x00\x01t\x0e\x26\x00\x01a\x00\x01b\x26\x00\x01a\x00\x01bx"),
        packet(Type.PUBACK, b"\x00\x01\x87\x00") + packet(Type.PUBCOMP, b"\x00\x02\x92\x00"),
        packet(Type.DISCONNECT, b"\x8b\x05\x1f\x00\x02by"),
        packet(Type.SUBACK, b"\x00\x03\x00\x00\x8f"),
    ]
    return [*(b"3" + one for one in three), *(b"5" + one for one in five)]


def read_mqtt(data: bytes) -> None:
    """A client that has something under way hears it; what it does not take makes it come again."""
    version: Version = "5" if data[:1] == b"5" else "3.1.1"
    bench = Bench(options(version))
    bench.up(connack(version=version))
    bench.subscribe(door=1)
    bench.say(Message("t", b"x", 1), token=1)
    bench.say(Message("t", b"x", 2))
    bench.hear(data[1:])
    bench.advance(1.0)
    down = next((one for one in bench.told if isinstance(one, Down)), None)
    if down is not None:
        bench.advance(LONGEST_WAIT)
        assert Dial() in bench.told
        raise RemoteProtocolError(down.words)
