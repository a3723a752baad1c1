"""Two of us on 127.0.0.1 whose media are encrypted, or refused to be."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Literal

import msgspec
import numpy as np
import pytest

from sipstrobe.audio.format import Samples
from sipstrobe.context import Context
from sipstrobe.errors import RemoteProtocolError
from sipstrobe.rtp.dtls import LIMIT
from sipstrobe.rtp.verdict import Verdict
from sipstrobe.sdp.security import Encryption, KeyExchange
from sipstrobe.services.call_media import CallMedia, MediaFactory
from sipstrobe.services.media_options import PLAIN, MediaOptions
from sipstrobe.sip.outputs import AnswerReceived, Send
from sipstrobe.sip.settings import Account, SipSettings
from sipstrobe.sip.transport import Address, Flow, Transport
from tests.services.phones import HOST, Device, Peer, settings
from tests.support.leap import LeapClock
from tests.support.ports import free_port
from tests.support.waiting import until

NONE, BEST_EFFORT, MANDATORY = Encryption
SDES, DTLS = KeyExchange
WILLING = MediaOptions(encryption=BEST_EFFORT)
GCM = "AEAD_AES_256_GCM"
KEY = re.compile(rb"inline:([A-Za-z0-9+/=]+)")


class Line:
    """Two ends of a call, and what they say to each other."""

    def __init__(self, one: CallMedia, other: CallMedia) -> None:
        self.one, self.other = one, other
        self.said: list[bytes] = []

    def invite(self) -> None:
        """Offer, answer, 200, ACK."""
        self.one.begin(proven=True)
        self.said.append(self.one.offer())
        self.said.append(self.other.answer(self.said[-1]))
        self.other.begin(proven=False)
        self.one.accept(self.said[-1])
        self.other.prove()

    def invite_again(self, *change: tuple[bytes, bytes]) -> None:
        """From the other side; change: of what it says."""
        offered = self.other.offer()
        for before, after in change:
            offered = offered.replace(before, after)
        self.said.append(offered)
        self.said.append(self.one.answer(offered))
        self.other.accept(self.said[-1])

    async def until_both_are_heard(self, packets: int = 5) -> None:
        """That many more packets from either side."""
        ends = (self.one.stream, self.other.stream)
        before = [end.statistics.packets for end in ends]
        await until(
            lambda: all(
                end.statistics.packets >= count + packets
                for end, count in zip(ends, before, strict=True)
            )
        )

    @property
    def keys(self) -> set[bytes]:
        return {key for body in self.said for key in KEY.findall(body)}


@pytest.fixture
async def ends() -> AsyncIterator["Ends"]:
    made = Ends()
    yield made
    made.close()


class Ends:
    """Makes the ends of calls, and ends them."""

    def __init__(self) -> None:
        self.clock = LeapClock()
        self._factories = [MediaFactory(Context(self.clock), free_port()) for _ in range(2)]
        self._open: list[CallMedia] = []

    def line(
        self,
        one: MediaOptions,
        other: MediaOptions = WILLING,
        transport: Transport = Transport.TLS,
    ) -> Line:
        return Line(self.end(one, 0, transport), self.end(other, 1, transport))

    def end(
        self, options: MediaOptions, number: int = 0, transport: Transport = Transport.TLS
    ) -> CallMedia:
        flow = Flow(transport, Address(HOST, 5060), Address(HOST, 5062))
        media = self._factories[number].open(flow, lambda: None, options)
        self._open.append(media)
        return media

    def close(self) -> None:
        for media in self._open:
            media.close()


def tone(count: int) -> Samples:
    return (0.25 * np.sin(np.arange(count) * 2 * np.pi * 1000 / 48000)).astype(np.float32)


@pytest.mark.parametrize("keys", KeyExchange)
@pytest.mark.parametrize("encryption", [BEST_EFFORT, MANDATORY])
async def test_both_hear_each_other_and_nobody_else_does(
    ends: Ends, encryption: Encryption, keys: KeyExchange
) -> None:
    line = ends.line(MediaOptions(encryption=encryption, keys=keys))
    line.one.stream.source = tone

    line.invite()
    await line.until_both_are_heard()

    for end in (line.one.stream, line.other.stream):
        said = end.statistics
        assert said.encryption == GCM
        assert (said.undecipherable, said.invalid, said.trouble) == (0, 0, "")
    assert line.other.stream.statistics.level_db == pytest.approx(-15.05, abs=0.3)


async def test_the_best_may_be_no_encryption(ends: Ends) -> None:
    line = ends.line(MediaOptions(encryption=BEST_EFFORT), PLAIN)

    line.invite()
    await line.until_both_are_heard()

    assert line.one.stream.statistics.encryption == ""


@pytest.mark.parametrize("keys", KeyExchange)
async def test_who_insists_and_who_refuses_do_not_talk(ends: Ends, keys: KeyExchange) -> None:
    insisting = MediaOptions(encryption=MANDATORY, keys=keys)

    for line in (ends.line(insisting, PLAIN), ends.line(PLAIN, insisting)):
        with pytest.raises(RemoteProtocolError) as refusal:
            line.invite()
        assert refusal.value.status == 488


async def test_keys_are_taken_but_not_offered_without_tls(ends: Ends) -> None:
    """GAP-28."""
    udp = ends.line(MediaOptions(encryption=BEST_EFFORT), transport=Transport.UDP)
    udp.invite()
    assert not udp.keys

    with pytest.raises(RemoteProtocolError):
        ends.line(MediaOptions(encryption=MANDATORY), transport=Transport.UDP).invite()

    offered = ends.end(MediaOptions(encryption=MANDATORY)).offer()
    callee = ends.end(MediaOptions(encryption=MANDATORY), 1, Transport.UDP)
    assert KEY.search(callee.answer(offered))


@pytest.mark.parametrize("keys", KeyExchange)
async def test_hold_and_resume_keep_the_sound(ends: Ends, keys: KeyExchange) -> None:
    """RFC 3264 §8.4 by re-INVITE from the side that was called."""
    line = ends.line(MediaOptions(encryption=MANDATORY, keys=keys))
    line.invite()
    await line.until_both_are_heard()

    line.invite_again((b"a=sendrecv", b"a=inactive"))
    line.invite_again()
    await line.until_both_are_heard()

    assert line.one.stream.statistics.undecipherable == 0
    assert line.other.stream.statistics.undecipherable == 0


async def test_a_peer_that_changes_suite_gets_keys_that_were_never_used(ends: Ends) -> None:
    """RFC 3711 §9.1: back to a suite is not back to its key."""
    media = ends.end(MediaOptions(encryption=MANDATORY), 1)
    offered = ends.end(MediaOptions(encryption=MANDATORY)).offer()
    suites = [GCM, "AES_CM_128_HMAC_SHA1_80", GCM]

    seen = [KEY.findall(media.answer(_only(offered, suite)))[0] for suite in suites]

    assert len(set(seen)) == 3


def _only(offered: bytes, suite: str) -> bytes:
    lines = offered.split(b"\r\n")
    kept = (line for line in lines if b"a=crypto" not in line or suite.encode() in line)
    return b"\r\n".join(kept)


async def test_the_greeting_waits_for_the_keys(ends: Ends) -> None:
    """Nothing of it is lost before the peer can hear it."""
    line = ends.line(MediaOptions(encryption=MANDATORY, keys=DTLS))
    asked: list[int] = []
    line.other.stream.source = asked.append
    line.other.begin(proven=True)
    line.said.append(line.one.offer())
    answer = line.other.answer(line.said[-1])
    await asyncio.sleep(0.1)
    assert not asked

    line.one.begin(proven=True)
    line.one.accept(answer)
    await until(lambda: asked)

    assert line.other.stream.statistics.encryption == GCM


async def test_keys_are_in_no_log(ends: Ends, caplog: pytest.LogCaptureFixture) -> None:
    """At no level, and in the words of no object."""
    caplog.set_level(logging.DEBUG)
    line = ends.line(MediaOptions(encryption=MANDATORY))
    line.invite()
    await line.until_both_are_heard()
    with pytest.raises(RemoteProtocolError) as refusal:
        ends.end(PLAIN).answer(line.said[0])

    shown = [
        caplog.text,
        str(refusal.value),
        *(f"{end.parameters!r} {vars(end)!r}" for end in (line.one, line.other)),
    ]
    assert "media are encrypted with AEAD_AES_256_GCM" in caplog.text
    assert len(line.keys) == 5
    for key in line.keys:
        assert all(key.decode()[:8] not in text for text in shown)


async def test_a_name_in_sdp_is_looked_up(ends: Ends) -> None:
    """RFC 8866 §5.7; media begin when its address is known."""
    media = ends.end(PLAIN)
    async with AsyncExitStack() as stack:
        peer = Peer()
        stack.callback(peer.close)
        media.begin(proven=False)
        media.answer(peer.sdp().replace(b"c=IN IP4 127.0.0.1", b"c=IN IP4 localhost"))

        await until(lambda: not peer.hears_nothing())

        assert media.parameters is not None
        assert media.parameters.host == HOST
        again = peer.sdp("sendrecv").replace(b"c=IN IP4 127.0.0.1", b"c=IN IP4 localhost")
        media.answer(again)
        assert media.parameters.host == HOST


async def test_a_name_that_nobody_knows_is_no_trouble(
    ends: Ends, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    media = ends.end(PLAIN)
    async with AsyncExitStack() as stack:
        peer = Peer()
        stack.callback(peer.close)
        media.begin(proven=True)

        media.answer(peer.sdp().replace(b"c=IN IP4 127.0.0.1", b"c=IN IP4 a..b"))
        await until(lambda: "media for a..b" in caplog.text)

        assert peer.hears_nothing()


async def test_what_encryption_needs_is_made_beside_the_loop() -> None:
    """Only where an account wants it."""
    account = Account(default=True, transport="tls", media_encryption="best_effort")
    clock = LeapClock()
    plain, encrypting = (MediaFactory(Context(clock), free_port()) for _ in range(2))

    plain.apply(SipSettings(enabled=True))
    encrypting.apply(SipSettings(enabled=True, accounts=(account,)))

    assert plain.preparing is None
    assert encrypting.preparing is not None
    await encrypting.preparing
    assert encrypting.for_caller(account).encryption is BEST_EFFORT


async def test_who_takes_only_encrypted_media_is_asked_once_more() -> None:
    """RFC 8643 §3 offers RTP/AVP; a phone that insists answers 488 to that, as to any RTP/AVP."""
    account = Account(
        default=True, transport="tls", media_encryption="best_effort", media_keys="dtls"
    )
    device = Device(LeapClock(), msgspec.structs.replace(settings(), accounts=(account,)))
    peer = Peer()
    await device.phone.transports.ready()
    device.dial(f"sip:1001@{HOST}:{peer.port};transport=udp")
    offers: list[bytes] = []

    for _ in range(2):
        invite = await peer.asked("INVITE")
        offers.append(invite.body)
        peer.respond(invite, 488)
        await peer.asked("ACK")
    await until(lambda: not device.states)

    assert b"RTP/AVP 96" in offers[0]
    assert b"UDP/TLS/RTP/SAVP 96" in offers[1]
    assert device.story[-1] == "terminated failed"
    await device.close()
    peer.close()


@pytest.mark.parametrize(("encryption", "ends"), [("mandatory", True), ("best_effort", False)])
async def test_a_call_whose_media_never_get_keys(
    encryption: Literal["mandatory", "best_effort"], ends: bool
) -> None:
    """It is hung up where nothing else is allowed; else it stays, and its verdict tells why."""
    account = Account(default=True, answer_automatically=True, media_encryption=encryption)
    clock = LeapClock()
    device = Device(clock, msgspec.structs.replace(settings(), accounts=(account,)))
    peer = Peer()
    await device.phone.transports.ready()
    handshake = ("setup:actpass", "fingerprint:sha-256 " + ":".join(["AB"] * 32))
    media = f"m=audio {peer.rtp.getsockname()[1]} UDP/TLS/RTP/SAVP 0"

    peer.invite(device, body=peer.sdp(*handshake, media=media))
    await peer.told(200)
    peer.request("ACK")
    await until(lambda: not peer.hears_nothing())
    clock.leap(LIMIT + 1)
    if ends:
        peer.respond(await peer.asked("BYE"), 200)
        await until(lambda: not device.states)
        audio = device.records[-1][0].audio
    else:
        await until(lambda: any(call.audio is not None for call in device.phone.snapshot()))
        audio = device.phone.snapshot()[0].audio

    assert device.story[-1] == ("terminated failed" if ends else "active accepted_by_device")
    assert audio is not None
    assert audio.verdict is Verdict.ENCRYPTION_MISMATCH
    assert audio.words == "the other side has not finished the DTLS handshake"
    await device.close()
    peer.close()


async def test_a_call_that_is_tried_once_more_in_vain_ends() -> None:
    """However it comes to nothing: also by what would else lead to another way."""
    account = Account(
        default=True, transport="tls", media_encryption="best_effort", media_keys="dtls"
    )
    device = Device(LeapClock(), msgspec.structs.replace(settings(), accounts=(account,)))
    peer = Peer()
    await device.phone.transports.ready()
    device.dial(f"sip:1001@{HOST}:{peer.port};transport=udp")

    for status in (488, 503):
        invite = await peer.asked("INVITE")
        peer.respond(invite, status)
        await peer.asked("ACK")
    await until(lambda: not device.states)

    assert device.story[-1] == "terminated failed"
    await device.close()
    peer.close()


async def test_keys_of_a_caller_are_in_no_log_and_no_event(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """From the datagram to the end of the call, at every level."""
    caplog.set_level(logging.DEBUG)
    account = Account(default=True, transport="tls", media_encryption="best_effort")
    device = Device(LeapClock(), msgspec.structs.replace(settings(), accounts=(account,)))
    peer = Peer()
    await device.phone.transports.ready()
    key = b"WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
    offered = peer.sdp("crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + key.decode())

    peer.invite(device, body=offered)
    answer = await peer.told(200)
    peer.request("ACK")
    peer.request("BYE")
    await peer.told(200)

    theirs, ours = key.decode()[:10], KEY.findall(answer.body)[0].decode()[:10]
    news = AnswerReceived("out-1", 200, answer.body)
    sent = Send(Flow(Transport.UDP, Address(HOST, 1), Address(HOST, 2)), bytes(answer))
    for shown in (caplog.text, repr(device.events), repr((news, sent, answer))):
        assert theirs not in shown
        assert ours not in shown
    await device.close()
    peer.close()


async def test_the_caller_is_told_why_its_media_are_refused() -> None:
    """RFC 3261 §21.4.26: 488 should say it, in a Warning."""
    device, peer, rude = Device(LeapClock(), settings()), Peer(), Peer()
    await device.phone.transports.ready()

    peer.invite(device, body=peer.sdp(media="m=audio 5000 RTP/SAVP 0"))
    refusal = await peer.told(488)
    peer.request("ACK")
    rude.invite(device, body=rude.sdp(media='m=audio 5000 "\0\\\x7fX 0'))
    other = await rude.told(488)
    rude.request("ACK")

    assert other.headers.first("Warning") == r'399 - "\"\\X is not supported"'
    assert refusal.headers.first("Warning") == (
        '399 - "only encrypted media are offered, and encryption is switched off"'
    )
    await device.close()
    peer.close()
    rude.close()
