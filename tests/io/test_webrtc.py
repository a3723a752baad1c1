"""WebRTC by aiortc, in a thread of its own: offers, answers, and the end of it all."""

import asyncio
import threading

import numpy as np
import pytest

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.io.webrtc import WebRtc
from tests.support.talk import OFFER


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "webrtc"]


async def test_an_offer_is_answered_with_our_own_addresses_alone() -> None:
    """No STUN server is asked: all candidates are of this host. The thread ends with the rest."""
    here = threading.get_ident()
    states: list[tuple[str, int]] = []
    ended = asyncio.Event()

    def changed(state: str) -> None:
        states.append((state, threading.get_ident()))
        if state == "closed":
            ended.set()

    def hear(samples: object, rate: int) -> None:
        """Nobody sends anything."""

    webrtc = WebRtc()
    offer = OFFER.replace("a=sendonly", "a=sendrecv")
    line = await webrtc.open(offer, speaks=True, heard=hear, changed=changed)
    with pytest.raises(RemoteProtocolError):
        await webrtc.open("v=0\r\nm=audio x\r\n", speaks=False, heard=hear, changed=changed)

    candidates = [x for x in line.answer.splitlines() if x.startswith("a=candidate")]
    assert all(x.endswith("typ host") for x in candidates)
    assert "a=sendrecv" in line.answer
    assert "opus/48000/2" in line.answer
    for _ in range(20):  # more than wait: the oldest go
        line.say(np.zeros(960, np.float32))
    await line.close()
    async with asyncio.timeout(30):
        await ended.wait()
    assert {ident for _, ident in states} == {here}
    assert threads()
    await webrtc.aclose()
    assert not threads()


async def test_without_a_single_connection_there_is_nothing_to_end() -> None:
    await WebRtc().aclose()

    assert not threads()
