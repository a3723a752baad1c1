"""A relay, from the first request until it is given back: RFC 8656."""

import pytest

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.nat.stun import Attr, Class, Method, build, xor_address
from sipstrobe.nat.turn import (
    ASK_AGAIN,
    LIMIT,
    MAX_PEERS,
    MAX_WAITING,
    Allocated,
    Failed,
    Framer,
    State,
)
from tests.nat.turn_server import MAPPED, RELAYED, Scene

PEER = ("192.0.2.1", 4000)
OTHER = ("192.0.2.2", 4000)


@pytest.fixture
def scene() -> Scene:
    made = Scene()
    made.allocate()
    return made


def test_a_relay_is_lent_to_who_knows_the_password(scene: Scene) -> None:
    """RFC 8656 §7: the first request is refused, to say with what realm and nonce to sign."""
    [(at, told)] = scene.told
    assert isinstance(told, Allocated)
    assert (at, told.relayed, told.mapped) == (0.04, RELAYED, MAPPED)
    assert told.after == pytest.approx(0.04)
    first, second = scene.server.asked
    assert first.get(Attr.USERNAME) is None
    assert second.text(Attr.USERNAME) == "user"
    assert second.get(Attr.REQUESTED_TRANSPORT) == bytes((17, 0, 0, 0))
    assert second.transaction_id != first.transaction_id


def test_a_wrong_password_is_tried_once() -> None:
    """RFC 8489 §9.2.5: a second 401 says that it is wrong."""
    scene = Scene("wrong")
    scene.allocate()
    scene.run(100)

    assert [told for _, told in scene.told] == [Failed("does not accept our name and password")]
    assert len(scene.server.asked) == 2
    assert scene.client.deadline is None


def test_a_silent_server_is_given_up() -> None:
    scene = Scene()
    scene.server.silent = True
    scene.allocate()
    scene.run(100)

    assert scene.told == [(LIMIT, Failed("does not answer"))]
    assert len(scene.server.asked) == 3


def test_over_a_stream_nothing_is_repeated() -> None:
    """RFC 8489 §6.2.2."""
    scene = Scene(reliable=True)
    scene.server.silent = True
    scene.allocate()
    scene.run(100)

    assert scene.told == [(LIMIT, Failed("does not answer"))]
    assert len(scene.server.asked) == 1


def test_a_refusal_is_quoted() -> None:
    scene = Scene()
    scene.server.refuses[Method.ALLOCATE] = (486, "Allocation Quota Reached")
    scene.allocate()

    assert [told for _, told in scene.told] == [Failed("refused: 486 Allocation Quota Reached")]


def test_nobody_else_answers_for_the_server() -> None:
    """RFC 8489 §9.2.5: an answer with another signature is none."""
    scene = Scene()
    scene.server.forged = True
    scene.allocate()
    scene.run(LIMIT + 1)

    assert [told for _, told in scene.told] == [Failed("does not answer")]


def test_the_relay_is_refreshed_in_time(scene: Scene) -> None:
    """RFC 8656 §8: a minute before it expires."""
    scene.run(1200)

    assert scene.server.methods()[2:] == [Method.REFRESH, Method.REFRESH]
    assert len(scene.told) == 1


def test_a_lifetime_of_nothing_does_not_make_us_ask_without_end() -> None:
    scene = Scene()
    scene.server.lifetime = 0
    scene.allocate()
    scene.run(620)

    assert len(scene.server.asked) <= 4


def test_a_nonce_grows_old(scene: Scene) -> None:
    """RFC 8489 §9.2.5: 438 brings a new one."""
    scene.server.nonce = b"second"
    scene.run(600)

    assert scene.server.methods()[2:] == [Method.REFRESH] * 2
    assert scene.client.state is State.ALLOCATED


def test_nonces_that_are_always_old_end_it(scene: Scene) -> None:
    scene.server.forgetful = True
    scene.run(700)

    assert scene.told[1:] == [(pytest.approx(540, abs=1), Failed("refused: 438 Stale Nonce"))]
    assert len(scene.server.asked) < 10


def test_a_relay_that_the_server_has_forgotten(scene: Scene) -> None:
    """RFC 8656 §8.2: the server was started anew."""
    scene.server.refuses[Method.REFRESH] = (437, "Allocation Mismatch")
    scene.run(600)

    assert scene.told[-1][1] == Failed("has forgotten the relay")
    assert scene.client.relayed is None


def test_what_is_sent_to_a_peer_waits_for_its_channel(scene: Scene) -> None:
    """RFC 8656 §12: one channel for each peer, which permits it as well."""
    scene.send(b"hello", PEER)
    scene.send(b"again", PEER)
    scene.send(b"other", OTHER)

    assert scene.server.channels == {0x4000: PEER, 0x4001: OTHER}
    assert scene.channel_data == [
        b"\x40\x00\x00\x05hello",
        b"\x40\x00\x00\x05again",
        b"\x40\x01\x00\x05other",
    ]
    assert scene.client.receive(b"\x40\x01\x00\x03yes", now=scene.now) == (b"yes", OTHER)


def test_over_a_stream_channel_data_is_padded() -> None:
    """RFC 8656 §12.5."""
    scene = Scene(reliable=True)
    scene.allocate()
    scene.send(b"hello", PEER)

    assert scene.channel_data == [b"\x40\x00\x00\x05hello\0\0\0"]
    assert scene.client.receive(scene.channel_data[0], now=0.0) == (b"hello", PEER)


def test_a_peer_that_is_not_let_in_costs_no_more_than_a_question_now_and_then(scene: Scene) -> None:
    """RFC 8656 §12.3: 403 for peers that the server does not allow."""
    scene.server.refuses[Method.CHANNEL_BIND] = (403, "Forbidden")
    for _ in range(200):
        scene.send(b"hello", PEER)

    assert scene.server.methods().count(Method.CHANNEL_BIND) <= 1 + 200 * 0.05 / ASK_AGAIN
    assert scene.channel_data == []
    assert scene.client.dropped >= 200 - MAX_WAITING
    scene.server.refuses.clear()
    scene.run(scene.now + ASK_AGAIN)
    assert scene.channel_data == [b"\x40\x00\x00\x05hello"] * MAX_WAITING


def test_channels_and_permissions_are_kept(scene: Scene) -> None:
    """RFC 8656 §9: a permission lasts five minutes."""
    scene.send(b"hello", PEER)
    scene.client.permit("192.0.2.77", now=scene.now)
    scene.run(540)

    assert scene.server.methods().count(Method.CHANNEL_BIND) == 3
    assert scene.server.methods().count(Method.CREATE_PERMISSION) == 3
    assert scene.server.permitted == {PEER[0], "192.0.2.77"}


def test_who_has_no_channel_is_heard_all_the_same(scene: Scene) -> None:
    """RFC 8656 §11.4: a Data indication names its sender."""
    transaction = bytes(12)
    attributes = [
        (Attr.XOR_PEER_ADDRESS, xor_address(OTHER, transaction)),
        (Attr.DATA, b"sound"),
    ]
    data = build(Method.DATA, Class.INDICATION, transaction, attributes)

    assert scene.client.receive(data, now=scene.now) == (b"sound", OTHER)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x40",
        b"\x40\x00\x00\x05hell",
        b"\x4f\xff\x00\x01x",
        build(Method.DATA, Class.INDICATION, bytes(12), [(Attr.DATA, b"x")]),
        build(Method.ALLOCATE, Class.SUCCESS, bytes(12)),
        bytes(100),
    ],
)
def test_what_means_nothing_is_passed_over(scene: Scene, data: bytes) -> None:
    assert scene.client.receive(data, now=scene.now) is None
    assert len(scene.told) == 1


def test_no_more_peers_than_a_call_can_have(scene: Scene) -> None:
    for n in range(MAX_PEERS + 10):
        scene.send(b"x", ("192.0.2.1", 5000 + n))
    scene.client.permit("192.0.2.99", now=scene.now)

    assert len(scene.server.channels) == MAX_PEERS
    assert scene.client.dropped == 10


def test_it_is_given_back(scene: Scene) -> None:
    """RFC 8656 §8: a refresh with a lifetime of nothing."""
    scene.client.release(now=scene.now)
    scene.run(2000)

    assert scene.server.asked[-1].method == Method.REFRESH
    assert scene.server.asked[-1].number(Attr.LIFETIME) == 0
    assert scene.client.deadline is None
    assert scene.client.wrap(b"late", PEER, now=scene.now) is None


def test_messages_come_out_of_a_stream_however_it_is_cut() -> None:
    message = build(Method.BINDING, Class.SUCCESS, bytes(12), [(Attr.SOFTWARE, b"x")])
    channel = b"\x40\x00\x00\x05hello\0\0\0"
    stream = message + channel + message

    for size in (1, 3, 7, len(stream)):
        framer = Framer()
        found = [
            one for at in range(0, len(stream), size) for one in framer.feed(stream[at : at + size])
        ]
        assert found == [message, channel, message]


@pytest.mark.parametrize(
    "data", [b"PRI * HTTP/2.0", b"\x80" * 4, b"<html><head><title>400</title>", bytes(20)]
)
def test_a_stream_of_something_else(data: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        Framer().feed(data)
