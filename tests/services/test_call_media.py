"""The media of one call on sockets of its own: agreed in SDP, and silent until it may begin."""

import socket
from collections.abc import AsyncIterator

import pytest

from sipstrobe.context import Context
from sipstrobe.errors import RemoteProtocolError
from sipstrobe.services.call_media import CallMedia, MediaFactory
from sipstrobe.sip.transport import Address, Flow, Transport
from tests.services.phones import HOST, Peer, media_port
from tests.support.leap import LeapClock
from tests.support.waiting import turns, until


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    peer = Peer()
    yield peer
    peer.close()


@pytest.fixture
async def media() -> AsyncIterator[CallMedia]:
    flow = Flow(Transport.UDP, Address(HOST, 5060), Address(HOST, 5062))
    media = MediaFactory(Context(LeapClock()), 21_000).open(flow, lambda: None)
    yield media
    media.close()


async def test_nothing_is_sent_before_it_begins(media: CallMedia, peer: Peer) -> None:
    answer = media.answer(peer.sdp())

    assert media.agreed
    assert media_port(answer) == media.stream.local_port
    await turns(50)
    assert peer.hears_nothing()
    media.begin(proven=True)
    await until(lambda: not peer.hears_nothing())


async def test_what_is_agreed_later_begins_at_once(media: CallMedia, peer: Peer) -> None:
    media.begin(proven=True)
    media.offer()
    await turns(50)
    assert not media.agreed

    media.accept(peer.sdp())
    await until(lambda: not peer.hears_nothing())


async def test_an_answer_to_nothing_is_refused(media: CallMedia, peer: Peer) -> None:
    with pytest.raises(RemoteProtocolError, match="without an offer"):
        media.accept(peer.sdp())
    assert not media.agreed


async def test_what_cannot_be_agreed_leaves_all_as_it_was(media: CallMedia, peer: Peer) -> None:
    media.answer(peer.sdp())
    before = media.parameters

    for body in (b"hello", peer.sdp(media="m=audio 5004 RTP/AVP 96")):
        with pytest.raises(RemoteProtocolError):
            media.answer(body)

    assert media.parameters == before


async def test_the_ports_are_free_again_in_the_end(media: CallMedia) -> None:
    port = media.stream.local_port
    media.close()

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("0.0.0.0", port))
