"""What can be set about the relay."""

from typing import Any

import msgspec
import pytest

from sipstrobe.multicast.relay import RelaySettings
from sipstrobe.multicast.settings import MulticastSettings, problems
from sipstrobe.secret import Secret

GROUP = "239.1.2.3"


def read(**fields: object) -> MulticastSettings:
    return msgspec.convert({"relay": fields}, MulticastSettings, dec_hook=lambda _, x: Secret(x))


def test_a_new_device_relays_nothing() -> None:
    relay = MulticastSettings().relay

    assert (relay.enabled, relay.sounds, relay.ttl) == (False, ("calls",), 1)
    assert problems(MulticastSettings()) == []


@pytest.mark.parametrize("address", [GROUP, "ff15::1234"])
def test_a_group_is_all_it_needs(address: str) -> None:
    assert problems(read(enabled=True, address=address)) == []


@pytest.mark.parametrize(
    ("fields", "path", "words"),
    [
        ({"enabled": True}, "/relay/address", "IPv4 or IPv6"),
        ({"address": "192.0.2.1"}, "/relay/address", "224.0.0.0 to"),
        ({"address": "1.2.3"}, "/relay/address", "IPv4 or IPv6"),
        ({"srtp_key": "ab" * 20}, "/relay/srtp_key", "60 or 92 hexadecimal"),
        ({"srtp_key": "x" * 60}, "/relay/srtp_key", "60 or 92 hexadecimal"),
        ({"srtp_key": "a" * 60, "cipher": "AES_GCM"}, "/relay/srtp_key", "56 or 88"),
    ],
)
def test_what_is_wrong_is_told_with_its_path(fields: dict[str, Any], path: str, words: str) -> None:
    (found,) = problems(read(**fields))

    assert found.path == path
    assert words in found.message


@pytest.mark.parametrize(
    "fields",
    [
        {"ttl": 0},
        {"ttl": 256},
        {"port": 1023},
        {"port": 65535},
        {"sounds": []},
        {"sounds": ["siren"]},
        {"codec": "MP3"},
        {"interface": "a/b"},
        {"address": "239.1.2.3\n"},
        {"cipher": "DES"},
        {"more": 1},
    ],
)
def test_what_is_out_of_range_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        read(**fields)


def test_it_comes_back_as_it_was() -> None:
    wanted = RelaySettings(enabled=True, address=GROUP, ttl=255, sounds=("calls", "clips"))

    assert read(**msgspec.to_builtins(wanted, enc_hook=lambda s: s.reveal())).relay == wanted
