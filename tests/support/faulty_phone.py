"""A phone whose sound has a fault: its calls are set up as they should be, and then are not heard.

Each fault is named in `FAULTS`, with the verdict that a device must give of it. All of them can
call at once.
"""

import asyncio
import contextlib
import re
import socket
import struct
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from itertools import count
from random import Random
from typing import Any, Final

import numpy as np

from sipstrobe.codecs.g711 import UlawEncoder
from sipstrobe.rtp import packet, rtcp
from sipstrobe.rtp.rtcp import Report, ReportBlock, SenderInfo
from sipstrobe.rtp.srtp import Keys, Outbound
from sipstrobe.secret import Secret
from tests.support.relay import Fate, Relay

HOST: Final = "127.0.0.1"
PTIME: Final = 0.020
PATIENCE: Final = 15.0  # seconds that only pass when nothing comes
TONE: Final = UlawEncoder().encode((0.3 * np.sin(np.arange(160) * 0.7)).astype(np.float32))
SILENCE: Final = UlawEncoder().silence(160)
SUITE: Final = "AES_CM_128_HMAC_SHA1_80"
KEY, OTHER_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd", "A" * 40  # base64
CRYPTO: Final = f"a=crypto:1 {SUITE} inline:{KEY}"
_serials = count(1)


class FaultyPhone:
    """One call to a device, word for word, and sockets for its sound."""

    def __init__(self, device: int) -> None:
        """device: the SIP port that is called."""
        self._device = device
        self._sip = _bound()
        self._sip.connect((HOST, device))
        self.rtp = _bound()
        self.name = f"faulty{next(_serials)}"
        self._number = 0
        self._tag = ""
        self.to = (HOST, 0)  # where the device wants its sound
        self.ssrc = 0x1000 + next(_serials)
        self._sent = count()
        self._relay: Relay | None = None

    @property
    def media_port(self) -> int:
        return int(self.rtp.getsockname()[1])

    def close(self) -> None:
        self._sip.close()
        self.rtp.close()
        if self._relay is not None:
            self._relay.close()

    # --- signalling -----------------------------------------------------------------------------

    async def invite(
        self, *lines: str, host: str = HOST, port: int = 0, profile: str = "RTP/AVP"
    ) -> None:
        """Call, or change the call: what the m= line is followed by; port 0: the one we have.

        A device that says that it has no time now is called again a moment later.
        """
        sdp = "\r\n".join(
            (
                *("v=0", f"o=- 1 {self._number} IN IP4 {HOST}", "s=-"),
                *(f"c=IN IP4 {host}", "t=0 0"),
                f"m=audio {port or self.media_port} {profile} 0",
                *(*lines, ""),
            )
        )
        answer = await self._ask("INVITE", sdp)
        while answer.startswith("SIP/2.0 503"):
            self._say("ACK", of="INVITE")
            await asyncio.sleep(0.3)
            answer = await self._ask("INVITE", sdp)
        if found := re.search(r"^m=audio (\d+)", answer, re.MULTILINE):
            self.to = (HOST, int(found[1]))
        if tag := re.search(r"^To:.*;tag=([^;\r]+)", answer, re.MULTILINE):
            self._tag = tag[1]
        assert answer.startswith("SIP/2.0 200"), answer
        self._say("ACK")

    async def hang_up(self) -> None:
        await self._ask("BYE")

    async def _ask(self, method: str, body: str = "") -> str:
        """The final response; the request is repeated until it comes."""
        self._number += 1
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(PATIENCE):
            while True:
                self._say(method, body)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(1.0):
                        while True:
                            text = (await loop.sock_recv(self._sip, 65536)).decode()
                            cseq = f"CSeq: {self._number} {method}"
                            if re.match(r"SIP/2\.0 [2-6]", text) and cseq in text:
                                return text

    def _say(self, method: str, body: str = "", *, of: str = "") -> None:
        """of: the method of the transaction that it belongs to, if not its own."""
        tag = f";tag={self._tag}" if self._tag else ""
        own = f"{HOST}:{self._sip.getsockname()[1]}"
        branch = f"{self.name}{of or method}{self._number}"
        kind = "Content-Type: application/sdp\r\n" if body else ""
        self._sip.send(
            f"{method} sip:1099@{HOST}:{self._device} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {own};rport;branch=z9hG4bK{branch}\r\n"
            f"From: <sip:{self.name}@{own}>;tag={self.name}\r\n"
            f"To: <sip:1099@{HOST}:{self._device}>{tag}\r\n"
            f"Call-ID: {self.name}@{own}\r\nCSeq: {self._number} {method}\r\n"
            f"Max-Forwards: 70\r\nContact: <sip:{self.name}@{own}>\r\n{kind}"
            f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
        )

    # --- sound ----------------------------------------------------------------------------------

    async def through(self, fate: Fate) -> None:
        """From now on all sound goes through a network with this fate."""
        self._relay = await Relay.opened(self.to, fate)
        self.to = self._relay.address

    async def speak(
        self,
        payload: bytes = TONE,
        *,
        payload_type: int = 0,
        protect: Callable[[bytes], bytes | None] | None = None,
    ) -> None:
        """Send a packet each 20 ms, for ever; what comes meanwhile is thrown away."""
        clock = asyncio.get_running_loop().time
        due = clock()
        while True:
            number = next(self._sent)
            made = packet.build(
                payload_type, False, number & 0xFFFF, number * 160, self.ssrc, payload
            )
            data = made if protect is None else protect(made)
            assert data is not None
            with contextlib.suppress(ConnectionRefusedError):
                self.rtp.sendto(data, self.to)
            self._listen()
            due += PTIME
            await asyncio.sleep(due - clock())

    async def report(self, *, ssrc: int = 0, lost: float = 0.0) -> None:
        """Send sender reports, for ever: about this source of theirs, 0 if we hear none."""
        control = (self.to[0], self.to[1] + 1)
        for turn in count(1):
            await asyncio.sleep(0.7)
            blocks: tuple[ReportBlock, ...] = ()
            if ssrc:
                blocks = (ReportBlock(ssrc, int(256 * lost), 0, 50 * turn, 0, 0, 0),)
            info = SenderInfo(1 << 40, 0, 50 * turn, 0)
            self.rtp.sendto(rtcp.compound([Report(self.ssrc, info, blocks)]), control)

    async def their_ssrc(self) -> int:
        """The source that the device sends."""
        loop = asyncio.get_running_loop()
        while len(data := await loop.sock_recv(self.rtp, 2048)) < 12:
            pass
        return int(struct.unpack_from("!I", data, 8)[0])

    def refuse_all(self) -> None:
        """Answer what comes with ICMP, as a closed port does, and go on sending from it."""
        self.rtp.connect((HOST, 9))  # a socket that is connected takes nothing from elsewhere

    def _listen(self) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionRefusedError):
            while True:
                self.rtp.recv(2048)


def _bound() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind((HOST, 0))
    made.setblocking(False)
    return made


# --- the faults ---------------------------------------------------------------------------------

Story = Callable[[FaultyPhone], Coroutine[Any, Any, None]]
"""Calls, and does what is wrong until it is cancelled."""


async def _healthy(phone: FaultyPhone) -> None:
    await phone.invite()
    await phone.speak()


async def _mute(phone: FaultyPhone) -> None:
    await phone.invite()
    await asyncio.Event().wait()


async def _to_a_wrong_port(phone: FaultyPhone) -> None:
    await phone.invite()
    with _bound() as nobody:
        phone.to = nobody.getsockname()
    await phone.speak()


async def _private(phone: FaultyPhone) -> None:
    """A loopback address other than the one it calls from: of no use to us, and not ours."""
    await phone.invite(host="127.99.0.1")
    await asyncio.Event().wait()


async def _another_codec(phone: FaultyPhone) -> None:
    await phone.invite()
    await phone.speak(payload_type=18)


async def _only_silence(phone: FaultyPhone) -> None:
    await phone.invite()
    await phone.speak(SILENCE)


async def _a_closed_port(phone: FaultyPhone) -> None:
    with _bound() as nobody:
        closed = nobody.getsockname()[1]
    await phone.invite(port=closed)
    await asyncio.Event().wait()


async def _speaks_and_refuses(phone: FaultyPhone) -> None:
    phone.refuse_all()
    await phone.invite()
    await phone.speak()


async def _hears_nothing(phone: FaultyPhone) -> None:
    await phone.invite()
    await asyncio.gather(phone.speak(), phone.report())


async def _misses_much(phone: FaultyPhone) -> None:
    await phone.invite()
    ssrc = await phone.their_ssrc()
    await asyncio.gather(phone.speak(), phone.report(ssrc=ssrc, lost=0.4))


async def _with_the_wrong_key(phone: FaultyPhone) -> None:
    await phone.invite(CRYPTO, profile="RTP/SAVP")
    await phone.speak(protect=Outbound(Keys(SUITE, Secret(OTHER_KEY))).protect)


async def _plain_in_spite_of_keys(phone: FaultyPhone) -> None:
    await phone.invite(CRYPTO, profile="RTP/SAVP")
    await phone.speak()


async def _with_the_right_key(phone: FaultyPhone) -> None:
    await phone.invite(CRYPTO, profile="RTP/SAVP")
    await phone.speak(protect=Outbound(Keys(SUITE, Secret(KEY))).protect)


async def _through(phone: FaultyPhone, fate: Callable[[], Fate]) -> None:
    await phone.invite()
    await phone.through(fate())
    await phone.speak()


async def _on_hold(phone: FaultyPhone) -> None:
    await phone.invite()
    await phone.invite("a=inactive")
    await asyncio.Event().wait()


async def _nowhere(phone: FaultyPhone) -> None:
    await phone.invite(host="nowhere.invalid")
    await asyncio.Event().wait()


def losing(share: float) -> Fate:
    chance = Random(1)
    return lambda _: () if chance.random() < share else (0.0,)


def losing_in_bursts() -> Fate:
    """A quarter of a second in each."""
    return lambda n: () if n % 50 < 12 else (0.0,)


def delaying(most: float) -> Fate:
    """Each packet by another time, so that they overtake one another."""
    chance = Random(2)
    return lambda _: (chance.uniform(0.0, most),)


@dataclass(frozen=True, slots=True)
class Fault:
    """words: what is wrong. verdict: what must be said of it."""

    words: str
    verdict: str
    story: Story


FAULTS: Final = (
    Fault("nothing", "ok", _healthy),
    Fault("nothing, encrypted", "ok", _with_the_right_key),
    Fault("40 ms of jitter, reordered", "ok", partial(_through, fate=lambda: delaying(0.040))),
    Fault("it sends no RTP", "no_rtp_in", _mute),
    Fault("it sends to a wrong port", "no_rtp_in", _to_a_wrong_port),
    Fault("its SDP names a private address", "private_address", _private),
    Fault("it sends another codec", "codec_mismatch", _another_codec),
    Fault("it sends only silence", "silent", _only_silence),
    Fault("its port is closed", "blocked_port", _a_closed_port),
    Fault("it speaks, and its port refuses us", "blocked_port", _speaks_and_refuses),
    Fault("it speaks, and receives nothing", "one_way", _hears_nothing),
    Fault("it sends with a wrong key", "encryption_mismatch", _with_the_wrong_key),
    Fault("it sends unencrypted in spite of keys", "encryption_mismatch", _plain_in_spite_of_keys),
    Fault("30 % loss towards us", "poor", partial(_through, fate=lambda: losing(0.3))),
    Fault("a quarter is lost in bursts", "poor", partial(_through, fate=losing_in_bursts)),
    Fault("1 s of jitter", "poor", partial(_through, fate=lambda: delaying(1.0))),
    Fault("40 % loss towards it", "poor", _misses_much),
    Fault("it holds the call", "on_hold", _on_hold),
    Fault("its SDP names a host that nobody knows", "none_out", _nowhere),
)
