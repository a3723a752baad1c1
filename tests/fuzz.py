"""Spoilt input against every parser: ``python -m tests.fuzz --messages N [--seed N] [NAME …]``.

A parser may take a message or raise RemoteProtocolError. Anything else is a bug, and is shown with
the bytes that caused it.
"""

import argparse
import time
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import islice
from typing import NamedTuple, TypeVar

import numpy as np

from sipstrobe.codecs.base import Decoder, SelfConcealing
from sipstrobe.codecs.noise import ComfortNoise
from sipstrobe.codecs.opus import OpusEncoder
from sipstrobe.codecs.registry import CODECS
from sipstrobe.dtmf.info import RELAY, sign_of
from sipstrobe.dtmf.receiver import EventReceiver
from sipstrobe.errors import RemoteProtocolError
from sipstrobe.io import igmp
from sipstrobe.multicast import group_paging
from sipstrobe.multicast.channel import ChannelStream
from sipstrobe.nat import stun
from sipstrobe.rtp import packet, rtcp, xr
from sipstrobe.sdp import candidates
from sipstrobe.sdp.crypto import make_keys
from sipstrobe.sdp.description import SessionDescription
from sipstrobe.sdp.fingerprint import Fingerprint
from sipstrobe.sdp.negotiate import Offerable, answer
from sipstrobe.sdp.security import Encryption, Security
from sipstrobe.secret import Secret
from sipstrobe.sip.auth import Authorization, Challenge
from sipstrobe.sip.auto_answer import answer_wish
from sipstrobe.sip.dialog_info import DialogState, Role, ShownDialog
from sipstrobe.sip.endpoint import Endpoint
from sipstrobe.sip.framing import Framer
from sipstrobe.sip.grammar import unfold
from sipstrobe.sip.headers import Auth, parse_auth
from sipstrobe.sip.message import (
    Message,
    Request,
    parse,
    received_from,
    respond,
    salvage,
    validate,
)
from sipstrobe.sip.outputs import Send
from sipstrobe.sip.settings import SipSettings
from sipstrobe.sip.uri import equivalent
from tests.fuzz_groups import read_group_srtp, read_group_stream, srtp_corpus, stream_corpus
from tests.fuzz_mqtt import mqtt_corpus, read_mqtt
from tests.sip.registrar import CHALLENGE, binding
from tests.sip.scene import UDP, Scene
from tests.sip.torture import CALL, CASES
from tests.support import membership
from tests.support.link import counting
from tests.support.mutate import Mutator

V = TypeVar("V")


class Target(NamedTuple):
    """corpus: good and bad examples to spoil; parse: do with the bytes all that we ever do."""

    corpus: Callable[[], Sequence[bytes]]
    parse: Callable[[bytes], object]


def read_sip(data: bytes) -> None:
    """Read everything there is to read in a message; what is read must be written alike."""
    try:
        message = parse(data)
    except RemoteProtocolError:
        if (request := salvage(data)) is not None:
            assert request.via.host
            bytes(respond(request, 400, to_tag="t"))
        raise
    assert parse(bytes(message)) == message
    _read_all(message)
    validate(message)
    if isinstance(message, Request):
        assert equivalent(message.request_uri, message.request_uri)
        marked = received_from(message, "192.0.2.1", 5060)
        assert len(marked.vias) == len(message.vias)
        assert parse(bytes(marked)) == marked
        answer = respond(marked, 200, to_tag="t", body=b"x", content_type="a/b")
        assert parse(bytes(answer)) == answer


# fmt: off
_VALUES = (
    "via", "vias", "from_", "to", "call_id", "cseq", "max_forwards", "contacts", "record_routes",
    "routes", "content_type", "session_expires", "min_se", "expires", "rseq", "rack", "retry_after",
)
# fmt: on


def _read_all(message: Message) -> None:
    for name in _VALUES:
        with suppress(RemoteProtocolError):
            getattr(message, name)
    for read in (message.tokens, message.media_types, message.auth):
        for name in ("Supported", "Accept", "Authorization", "X-Unknown"):
            with suppress(RemoteProtocolError):
                read(name)


def read_digest(data: bytes) -> None:
    """Take a line for a challenge and for credentials; what can be answered proves itself."""
    password = Secret("swordfish")
    for auth in parse_auth(unfold(data.decode("utf-8", "surrogateescape"))):
        with suppress(RemoteProtocolError):
            given = Authorization.read(auth)
            given.proves(password, "REGISTER", b"")
            assert _reread(given, Authorization.read) == given
        challenge = Challenge.read(auth)
        assert _reread(challenge, Challenge.read) == challenge
        if challenge.usable:
            answer = challenge.answer(
                "100", password, method="BYE", uri="sip:a", body=b"", cnonce="c", count=1
            )
            assert _reread(answer, Authorization.read).proves(password, "BYE", b"")


def _reread(value: V, read: Callable[[Auth], V]) -> V:
    (auth,) = parse_auth(str(value))
    return read(auth)


def _registering() -> tuple[Endpoint, Request]:
    """An endpoint that has sent a REGISTER, always the same."""
    endpoint = Endpoint(SipSettings(), counting(1))
    endpoint.register("gate", binding(outbound=True), UDP, now=0.0)
    sent = endpoint.outbox.popleft()
    assert isinstance(sent, Send)
    request = parse(sent.data)
    assert isinstance(request, Request)
    return endpoint, request


def read_registrar(data: bytes) -> None:
    """Take a message for the answer of a registrar, and go on for a while."""
    parse(data)
    endpoint, _ = _registering()
    endpoint.receive(data, UDP, now=0.0)
    for _ in range(8):
        if (deadline := endpoint.deadline) is not None:
            endpoint.wake(now=deadline)
    while endpoint.outbox:
        assert not isinstance(output := endpoint.outbox.popleft(), Send) or output.data


def _registrar_corpus() -> Sequence[bytes]:
    _, request = _registering()
    contact = request.headers.all("Contact")[0]
    answers: list[tuple[int, tuple[tuple[str, str], ...]]] = [
        (
            200,
            (
                ("Contact", f'{contact};pub-gruu="sip:100@pbx.example;gr=urn:uuid:1"'),
                ("Contact", "<sip:100@198.51.100.7>;q=0.5;expires=60"),
                ("Service-Route", "<sip:p1.example;lr>, <sip:p2.example;lr>"),
                ("Path", "<sip:edge.example;lr;ob>"),
                ("Require", "outbound"),
                ("Flow-Timer", "90"),
                ("Authentication-Info", 'nextnonce="n2"'),
            ),
        ),
        (401, (("WWW-Authenticate", CHALLENGE.format(nonce="n")),)),
        (423, (("Min-Expires", "7200"),)),
        (302, (("Contact", "<sip:198.51.100.4:5070;transport=tcp>"),)),
        (503, (("Retry-After", "120 (busy)"),)),
    ]
    marked = received_from(request, "203.0.113.9", 40000)
    return [
        bytes(respond(marked, status, to_tag="pbx", headers=headers)) for status, headers in answers
    ]


_WILLING = SipSettings(allow_incoming=True, follow_transfers=True)


def _in_call() -> Scene:
    """An endpoint in a call that follows transfers, always the same."""
    scene = Scene(_WILLING)
    scene.establish()
    return scene


def read_request(data: bytes) -> None:
    """Take a message for a request of whoever we are in a call with, or of a stranger."""
    message = parse(data)
    validate(message)
    if isinstance(message, Request):
        answer_wish(message)
    scene = _in_call()
    scene.hear(data)
    for extension in list(scene.endpoint.watched):
        dialog = ShownDialog("in-1", DialogState.EARLY, Role.RECIPIENT, "sip:peer@192.0.2.9")
        scene.endpoint.show(extension, (dialog,), now=scene.now)
    scene.pass_(100.0)


def _request_corpus() -> Sequence[bytes]:
    scene = _in_call()
    contact = ("Contact", "<sip:peer@192.0.2.9:5062>")
    watch = (contact, ("Event", "dialog;id=7"), ("Expires", "600"), ("Accept", "application/*"))
    to = ("Refer-To", "<sip:c@h;method=INVITE?Replaces=1%40h%3Bto-tag%3Da%3Bfrom-tag%3Db>")
    wishes = (
        ("Answer-Mode", "Auto;require"),
        ("Alert-Info", "<http://h>;info=alert-autoanswer;delay=0, <sip:x>;info=y"),
        ("Call-Info", "<sip:h>;answer-after=0"),
    )
    text = (("Content-Type", "text/plain;charset=utf-8"),)
    refresh = (contact, ("Event", "refer;id=9"))
    referred, quiet = (to, ("Referred-By", "<sip:a@b>")), (to, ("Refer-Sub", "false"))
    tag = scene.tag
    return [
        bytes(request)
        for request in (
            scene.draft("SUBSCRIBE", fields=watch),
            scene.draft("REFER", fields=referred, to_tag=tag, cseq=9),
            scene.draft("REFER", fields=quiet, to_tag=tag, cseq=9),
            scene.draft("SUBSCRIBE", fields=refresh, to_tag=tag, cseq=9),
            scene.draft("INVITE", fields=wishes, call_id="call-2"),
            scene.draft("MESSAGE", fields=text, body="Räumen".encode()),
        )
    ]


def read_digits(data: bytes) -> None:
    """Take bytes for telephone events, and for what an INFO says."""
    receiver = EventReceiver()
    for at in range(0, len(data), 4):
        marker = data[at] & 8 > 0
        receiver.receive(data[at : at + 4], data[at] % 8 * 160, marker, data[at] % 32, 8000)
    sign_of(RELAY, data)


def read_sip_stream(data: bytes) -> None:
    """Wherever a stream is cut, the same messages come out, or the same end of them."""
    cut = zlib.crc32(data) % (len(data) + 1)
    whole, pieces = _frame(data), _frame(data[:cut], data[cut:])
    assert whole == pieces
    if whole[1] is not None:
        raise RemoteProtocolError("framing lost", status=whole[1])


def _frame(*chunks: bytes) -> tuple[list[bytes], int | None]:
    framer = Framer()
    status = None
    for chunk in chunks:
        try:
            framer.feed(chunk)
        except RemoteProtocolError as failure:
            status = failure.status
    return list(framer.outbox), status


def _sip_corpus() -> list[bytes]:
    return [case.data for case in CASES] + [CALL]


def read_sdp(data: bytes) -> None:
    """Read an offer and answer it; the answer has as many media and can be read again."""
    description = SessionDescription.parse(data)
    assert bytes(description) == data
    made = answer(description, _OURS).description
    assert len(made.media) == len(description.media)
    assert SessionDescription.parse(bytes(made)) == made


def read_rtp(data: bytes) -> None:
    received = packet.parse(data)
    assert packet.parse(bytes(received)) == received


def read_group_paging(data: bytes) -> None:
    """What desk phones send, and what is heard of it in the midst of a page."""
    group_paging.channel_of(data)
    received = group_paging.parse(data)
    assert group_paging.parse(bytes(received)) == received
    channel = ChannelStream()
    for n, before in enumerate((*_DESK_PHONE[:-1], data)):
        found = group_paging.parse(before)
        assert all(f.payload for f in channel.receive(("a", 1), found, now=0.03 * n))


def read_igmp(data: bytes) -> None:
    """With its checksum put right, without which nobody looks any further."""
    igmp.read_igmp(membership.mended(data))


def read_mld(data: bytes) -> None:
    igmp.read_mld(membership.mended(data))


def read_ice(data: bytes) -> None:
    """Read what SDP says about ICE; what we would say of it can be read again."""
    description = SessionDescription.parse(data)
    for media in description.media:
        if (ice := candidates.read(description, media)) is not None:
            candidates.mismatches(ice, media.connection or "", (media.port, media.rtcp_port))
            for candidate in ice.candidates:
                assert candidates.Candidate.parse(str(candidate)) == candidate


def read_stun(data: bytes) -> None:
    """Read all that can be read in a message; what is built of it is read alike."""
    message = stun.parse(data)
    message.is_signed_with(b"key")
    assert (
        stun.parse(
            stun.build(message.method, message.kind, message.transaction_id, message.attributes)
        ).attributes
        == message.attributes
    )
    for attribute in stun.Attr:
        message.text(attribute)
        for read in (message.number, message.address):
            with suppress(RemoteProtocolError):
                read(attribute)
    _ = message.mapped, message.error, message.unknown


_OURS = Offerable(
    host="192.0.2.20",
    rtp_port=4000,
    session_id=7,
    security=Security(
        encryption=Encryption.BEST_EFFORT,
        keys=make_keys(bytes),
        fingerprint=Fingerprint("sha-256", bytes(32)),
    ),
)
_OFFER = (
    b"v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP6 2001:db8::1\r\nt=0 0\r\n"
    b"m=audio 49170/2 RTP/AVP 96 8 0 101\r\nc=IN IP4 192.0.2.1/127\r\na=rtpmap:96 L16/16000/2\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=rtcp:53020 IN IP4 192.0.2.1\r\n"
    b"a=ptime:30\r\na=maxptime:40\r\na=sendonly\r\nm=video 0 RTP/SAVP 31\r\na=inactive\r\n"
)
_ICE = (
    b"v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\na=ice-lite\r\n"
    b"a=ice-options:trickle ice2\r\nm=audio 49170 RTP/AVP 0\r\na=rtcp:49171\r\na=ice-ufrag:abcd\r\n"
    b"a=ice-pwd:aaaaaaaaaaaaaaaaaaaaaa\r\n"
    b"a=candidate:1 1 UDP 2130706431 192.0.2.1 49170 typ host\r\n"
    b"a=candidate:2 2 udp 1694498815 192.0.2.3 4 typ srflx raddr 10.0.0.1 rport 89 generation 0\r\n"
    b"a=remote-candidates:1 192.0.2.9 4000 2 192.0.2.9 4001\r\na=end-of-candidates\r\n"
)
_ID = bytes(range(12))
_STUN = (
    stun.build(
        stun.Method.BINDING,
        stun.Class.SUCCESS,
        _ID,
        [
            (stun.Attr.XOR_MAPPED_ADDRESS, stun.xor_address(("192.0.2.1", 4000), _ID)),
            (stun.Attr.MAPPED_ADDRESS, bytes.fromhex("00018055c0000201")),
            (stun.Attr.ERROR_CODE, stun.error_code(438, "Stale Nonce")),
            (stun.Attr.LIFETIME, b"\0\0\2\x58"),
            (0x7FF0, b"?"),
        ],
        key=b"key",
    ),
    stun.build(stun.Method.ALLOCATE, stun.Class.REQUEST, _ID, key=b"key", sha256=True),
)
_ENCRYPTED = (
    b"v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    b"a=fingerprint:sha-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB\r\n"
    b"m=audio 5000 RTP/SAVP 0\r\na=rtcp-mux\r\na=setup:actpass\r\na=tls-id:abcdefghijklmnopqrst\r\n"
    b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20\r\n"
    b"a=crypto:2 AEAD_AES_128_GCM inline:" + bytes(range(65, 91)) + b"01234567890= WSH=64\r\n"
    b"m=audio 5002 UDP/TLS/RTP/SAVPF 8\r\na=setup:passive\r\n"
)
_PAGE = group_paging.Page(26, 7, "Reception", 9)
_DESK_PHONE = [_PAGE.alert(), *(_PAGE.transmit(bytes([n]) * 80) for n in range(3)), _PAGE.end()]
_RTP = (
    packet.build(0, True, 1, 160, 7, bytes(160)),
    bytes(
        packet.Packet(8, False, 2, 9, 7, b"\xd5" * 80, (1, 2), packet.Extension(0xBEDE, bytes(8)))
    ),
    bytes.fromhex("a000 0001 00000002 00000003 ffff 00000004"),
)
_IGMP = (
    membership.igmp_query("192.0.2.2"),
    membership.igmp_query("192.0.2.2", "239.1.1.1", version=2),
    membership.igmp_report("192.0.2.1", [(6, "239.1.1.1", ()), (1, "232.1.1.1", ["192.0.2.2"])]),
    membership.old_report("192.0.2.1", "239.1.1.1"),
)
_MLD = (
    membership.mld_query("fe80::2"),
    membership.mld_query("fe80::2", "ff05::1", version=1),
    membership.mld_report("fe80::1", [(4, "ff05::1", ()), (5, "ff35::1", ["fe80::2"])]),
    membership.old_mld_report("fe80::1", "ff05::1"),
)
_RTCP = rtcp.compound(
    (
        rtcp.Report(
            1, rtcp.SenderInfo(1 << 40, 2, 3, 4), (rtcp.ReportBlock(7, 1, -2, 3, 4, 5, 6),)
        ),
        rtcp.Description(((1, "cname"),)),
        xr.ExtendedReport(
            1,
            (
                xr.ReceiverTime(1 << 40),
                xr.DelaySinceLast((xr.ReceiverDelay(1, 2, 3), xr.ReceiverDelay(4, 5, 6))),
                xr.VoipMetrics(7, loss_rate=9, mos_cq=41),
            ),
        ),
        rtcp.Bye((1, 2), "over"),
    )
)

_DIGEST = (
    b'Digest realm="a \\"b\\" c", nonce="n", qop="auth,auth-int", algorithm=SHA-256, opaque="",'
    b" stale=true",
    b'Digest realm=r,nonce=n,algorithm=MD5-sess, Digest realm="s", nonce="m"',
    b'Digest username="100", realm="r", nonce="n", uri="sip:a", response="'
    + b"0" * 32
    + b'", algorithm=MD5, cnonce="c", opaque="o", qop=auth, nc=0000000a',
)


def read_payload(data: bytes) -> None:
    """A payload for every codec, on its own and where the packet before it was lost."""
    refused = 0
    for codec in CODECS.values():
        refused += not _played(codec.decoder(), data, codec.clock_rate, codec.sample_rate)
    refused += not _played(ComfortNoise(8000, 8000), data, 8000, 8000)
    if refused:
        raise RemoteProtocolError("not all of them can take it")


def _played(decoder: Decoder, data: bytes, clock_rate: int, sample_rate: int) -> bool:
    units = decoder.duration(data)
    try:
        heard = decoder.decode(data)
    except RemoteProtocolError:
        return False
    finally:
        if isinstance(decoder, SelfConcealing):
            assert decoder.recover(data, 480).size == decoder.conceal(480).size == 480
    assert heard.size * clock_rate == units * sample_rate
    assert np.isfinite(heard).all()
    return True


def _payload_corpus() -> Sequence[bytes]:
    sound = (0.3 * np.sin(np.arange(2880) * 0.1)).astype(np.float32)
    opus = OpusEncoder("useinbandfec=1")
    packets = [opus.encode(sound[:size]) for size in (480, 960, 1920, 2880)]
    return [*packets, b"\x7b\x42\x02ab", b"\x78", bytes([40, 100, 130]), bytes(range(160))]


TARGETS: dict[str, Target] = {
    "sdp": Target(lambda: [_OFFER, _OFFER.replace(b"\r\n", b"\n"), _ENCRYPTED], read_sdp),
    "ice": Target(lambda: [_ICE], read_ice),
    "stun": Target(lambda: _STUN, read_stun),
    "payload": Target(_payload_corpus, read_payload),
    "igmp": Target(lambda: _IGMP, read_igmp),
    "mld": Target(lambda: _MLD, read_mld),
    "rtp": Target(lambda: _RTP, read_rtp),
    "rtcp": Target(lambda: [_RTCP], rtcp.parse),
    "group-srtp": Target(srtp_corpus, read_group_srtp),
    "group-stream": Target(stream_corpus, read_group_stream),
    "group-paging": Target(lambda: _DESK_PHONE, read_group_paging),
    "mqtt": Target(mqtt_corpus, read_mqtt),
    "sip": Target(_sip_corpus, read_sip),
    "digest": Target(lambda: _DIGEST, read_digest),
    "registrar": Target(_registrar_corpus, read_registrar),
    "request": Target(_request_corpus, read_request),
    "digits": Target(lambda: [b"Signal=5\r\nDuration=160\r\n", b"Signal = 11"], read_digits),
    "sip-stream": Target(lambda: [case.data + CALL for case in CASES], read_sip_stream),
}


class Result(NamedTuple):
    accepted: int
    refused: int
    seconds: float


def run(name: str, messages: int, seed: int = 0) -> Result:
    """Feed this many spoilt messages; AssertionError shows the first that broke the parser."""
    target = TARGETS[name]
    refused = 0
    start = time.perf_counter()
    for number, data in enumerate(islice(Mutator(target.corpus(), seed), messages)):
        try:
            target.parse(data)
        except RemoteProtocolError:
            refused += 1
        except Exception as bug:
            raise AssertionError(f"{name}, seed {seed}, message {number}: {data!r}") from bug
    return Result(messages - refused, refused, time.perf_counter() - start)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--messages", type=int, default=100_000, metavar="N")
    arguments.add_argument("--seed", type=int, default=0, metavar="N")
    arguments.add_argument("names", nargs="*", metavar="NAME", help=", ".join(TARGETS))
    options = arguments.parse_args()
    for name in options.names or TARGETS:
        accepted, refused, seconds = run(name, options.messages, options.seed)
        print(
            f"{name}: {options.messages:,} messages in {seconds:.0f} s, seed {options.seed}: "
            f"{accepted:,} accepted, {refused:,} refused, nothing else"
        )


if __name__ == "__main__":
    main()
