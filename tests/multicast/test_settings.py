"""What can be set about pages, and the ranks that follow from the list."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from sipstrobe.multicast.fields import Cipher
from sipstrobe.multicast.ranking import ranking
from sipstrobe.multicast.settings import (
    DeskPhoneSource,
    InternalSource,
    MulticastSettings,
    PageSource,
    problems,
)
from sipstrobe.secret import Secret


def page(label: str, address: str = "239.1.2.3", senders: tuple[str, ...] = ()) -> PageSource:
    return PageSource(label=label, address=address, port=5004, senders=senders)


def test_ranks_are_places_in_the_list_without_gaps() -> None:
    """GAP-16: moving one shifts the others."""
    fire, music = page("Fire"), page("Music")
    clip, sip, stream = (InternalSource(sound=sound) for sound in ("clip", "sip", "stream"))

    found = ranking(MulticastSettings(sources=(fire, clip, sip, music, stream)))

    assert (found.sip, found.stream, found.clip) == (3, 5, 2)
    assert found.pages == ((1, fire), (4, music))


def test_what_of_the_device_itself_is_not_named_comes_first() -> None:
    """GAP-16: calls, audio streams and clips."""
    fire, clip = page("Fire"), InternalSource(sound="clip")

    found = ranking(MulticastSettings(sources=(fire,)))
    assert (found.sip, found.stream, found.clip, found.pages) == (1, 2, 3, ((4, fire),))
    found = ranking(MulticastSettings(sources=(fire, clip)))
    assert (found.sip, found.stream, found.clip, found.pages) == (1, 2, 4, ((3, fire),))


@pytest.mark.parametrize(
    ("source", "path", "words"),
    [
        ({"address": "192.0.2.1"}, "/sources/0/address", "224.0.0.0 to"),
        ({"address": "1.2.3"}, "/sources/0/address", "IPv4 or IPv6"),
        ({"senders": ("192.0.2.1", "2001:db8::1")}, "/sources/0/senders/1", "IPv4 unicast"),
        ({"senders": ("239.0.0.1",)}, "/sources/0/senders/0", "IPv4 unicast"),
        ({"address": "ff05::1", "senders": ("192.0.2.1",)}, "/sources/0/senders/0", "IPv6"),
    ],
)
def test_addresses_must_be_a_group_and_hosts_of_the_same_family(
    source: dict[str, Any], path: str, words: str
) -> None:
    """GAP-17."""
    found = problems(MulticastSettings(sources=(page("Fire", **source),)))

    assert [p.path for p in found] == [path]
    assert words in found[0].message


@pytest.mark.parametrize(
    ("cipher", "size", "fits"),
    [
        ("AES_CM_HMAC_SHA1_80", 60, True),
        ("AES_CM_HMAC_SHA1_32", 92, True),
        ("AES_CM_HMAC_SHA1_80", 88, False),
        ("AES_GCM", 56, True),
        ("AES_GCM", 88, True),
        ("AES_GCM", 60, False),
    ],
)
def test_a_key_has_the_length_of_its_cipher_and_is_hexadecimal(
    cipher: Cipher, size: int, fits: bool
) -> None:
    """GAP-18, GAP-33."""
    for digits, good in (("aB", True), ("xy", False)):
        key = Secret(digits * (size // 2))
        source = replace(page("Fire"), cipher=cipher, srtp_key=key)
        found = problems(MulticastSettings(sources=(source,)))

        assert [p.path for p in found] == ([] if fits and good else ["/sources/0/srtp_key"])
        assert not any(key.reveal() in p.message for p in found)


def test_labels_and_internal_sounds_are_there_once() -> None:
    """MCC-03."""
    twice = MulticastSettings(
        sources=(
            page("Fire"),
            InternalSource(sound="sip"),
            page("Fire", address="239.1.2.4"),
            InternalSource(sound="sip"),
        )
    )

    assert [p.path for p in problems(twice)] == ["/sources/2/label", "/sources/3/sound"]


@pytest.mark.parametrize("port", [1023, 65535])
def test_the_port_leaves_one_above_it_for_rtcp(port: int) -> None:
    tree = {"kind": "multicast", "label": "Fire", "address": "239.1.2.3", "port": port}

    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"sources": [tree]}, MulticastSettings)


@pytest.mark.parametrize("delay", [19, 2001, 50.5, "100"])
def test_a_playout_delay_is_20_to_2000_ms_or_none(delay: object) -> None:
    tree = {"kind": "multicast", "label": "Fire", "address": "239.1.2.3", "port": 5004}
    for fits in (20, 2000, None):
        msgspec.convert({"sources": [tree | {"playout_delay": fits}]}, MulticastSettings)

    with pytest.raises(msgspec.ValidationError, match=r"sources\[0\]\.playout_delay"):
        msgspec.convert({"sources": [tree | {"playout_delay": delay}]}, MulticastSettings)


def test_desk_phones_are_where_phones_have_it_unless_told_otherwise() -> None:
    tree = {"kind": "desk_phones", "label": "Floor", "channel": 26}

    found = msgspec.convert({"sources": [tree]}, MulticastSettings)

    assert found.sources == (
        DeskPhoneSource(label="Floor", channel=26, address="224.0.1.116", port=5001),
    )
    assert problems(found) == []
    assert ranking(found).pages[0][1] == found.sources[0]


@pytest.mark.parametrize(
    "wrong",
    [{"channel": 0}, {"channel": 51}, {"port": 1023}, {"label": ""}, {"srtp_key": "ab" * 30}],
    ids=str,
)
def test_a_source_of_desk_phones_that_cannot_be(wrong: dict[str, object]) -> None:
    tree = {"kind": "desk_phones", "label": "Floor", "channel": 26} | wrong

    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"sources": [tree]}, MulticastSettings)


def test_a_channel_of_a_group_and_a_label_are_there_once() -> None:
    """MCC-03. On another port or interface it is another channel."""
    floor = DeskPhoneSource(label="Floor", channel=26)
    sources = (
        floor,
        replace(floor, label="Gate", port=5002),
        replace(floor, label="Hall", interface="eth1"),
        replace(floor, label="Same"),
        replace(floor, channel=27),
        replace(floor, label="Host", channel=28, address="192.0.2.1"),
    )

    found = problems(MulticastSettings(sources=sources))

    assert [p.path for p in found] == [
        "/sources/3/channel",
        "/sources/4/label",
        "/sources/5/address",
    ]
    assert "26 of this group is there already" in found[0].message
