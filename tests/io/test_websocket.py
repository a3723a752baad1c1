"""SIP over WebSocket without sockets: RFC 6455, RFC 7118 §4, §5."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.io.tls import Tls
from sipstrobe.io.websocket import MAX_REQUEST_BYTES, WebSocketChannel
from sipstrobe.io.x509 import Identity
from sipstrobe.secret import Secret
from tests.support.authority import Authority

MAX = 65_535
KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
ASKING = (
    b"GET /any HTTP/1.1\r\nHost: 192.0.2.1:8088\r\nUpgrade: websocket\r\n"
    b"Connection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n" + KEY
)


def server() -> WebSocketChannel:
    return WebSocketChannel(None, max_bytes=MAX)


def client() -> WebSocketChannel:
    return WebSocketChannel(None, max_bytes=MAX, host="192.0.2.1:8088")


def secure() -> tuple[WebSocketChannel, WebSocketChannel]:
    """The same over TLS."""
    authority = Authority()
    shown = authority.sign("pbx.example")
    tls = Tls.server(Identity(shown.certificate, Secret(shown.key)), "automatic")
    trusting = Tls.client(None, "automatic", authorities=authority.certificate, verify=True)
    return (
        WebSocketChannel(trusting.connect("pbx.example"), max_bytes=MAX, host="pbx.example"),
        WebSocketChannel(tls.accept(), max_bytes=MAX),
    )


def carry(a: WebSocketChannel, b: WebSocketChannel, *, piece: int = 65_536) -> list[bytes]:
    """Carry bytes to and fro until nobody has more to say; the result is what was heard."""
    heard: list[bytes] = []
    while (pair := (a.outgoing(), b.outgoing())) != (b"", b""):
        for data, to in zip(pair, (b, a), strict=True):
            for at in range(0, len(data), piece):
                heard += to.receive(data[at : at + piece])
    return heard


def joined(
    a: WebSocketChannel, b: WebSocketChannel, *, piece: int = 65_536
) -> tuple[WebSocketChannel, WebSocketChannel]:
    a.begin()
    b.begin()
    assert carry(a, b, piece=piece) == []
    assert (a.open, b.open) == (True, True)
    return a, b


def frame(opcode: int, payload: bytes, *, fin: bool = True, masked: bool = True) -> bytes:
    """RFC 6455 §5.2, with a mask of zeros."""
    size = len(payload)
    length = bytes([size]) if size < 126 else b"\x7e" + size.to_bytes(2, "big")
    length = bytes([length[0] | 0x80 * masked]) + length[1:]
    return bytes([opcode | 0x80 * fin]) + length + bytes(4 * masked) + payload


def welcomed() -> WebSocketChannel:
    """A server that has been asked in the right way."""
    ours = server()
    ours.begin()
    assert ours.receive(ASKING + b"Sec-WebSocket-Protocol: sip\r\n\r\n") == []
    answer = ours.outgoing()
    assert answer.startswith(b"HTTP/1.1 101 ")
    assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in answer, "the example of RFC 6455 §1.3"
    assert b"sec-websocket-protocol: sip\r\n" in answer.lower()
    return ours


@pytest.mark.parametrize("piece", [1, 7, 65_536])
@pytest.mark.parametrize("over_tls", [False, True])
def test_both_ends_understand_each_other_however_bytes_are_cut(over_tls: bool, piece: int) -> None:
    a, b = joined(*(secure() if over_tls else (client(), server())), piece=piece)
    a.send("OPTIONS sip:ä\r\n\r\n".encode())
    a.send(b"\xff\xfe no text")
    b.send(b"SIP/2.0 200 OK\r\n\r\n")

    heard = carry(a, b, piece=piece)

    assert sorted(heard) == sorted(
        ["OPTIONS sip:ä\r\n\r\n".encode(), b"\xff\xfe no text", b"SIP/2.0 200 OK\r\n\r\n"]
    )
    b.close()
    carry(a, b, piece=piece)
    assert a.ended


def test_a_message_in_fragments_with_a_ping_between_them_is_one() -> None:
    """RFC 6455 §5.4, §5.5.2."""
    ours = welcomed()
    assert ours.receive(frame(1, b"OPTIONS ", fin=False)) == []
    assert ours.partial
    assert ours.receive(frame(9, b"there?")) == []
    assert ours.outgoing() == frame(10, b"there?", masked=False)
    assert ours.receive(frame(0, b"sip:a", fin=True)) == [b"OPTIONS sip:a"]
    assert not ours.partial


def test_what_is_text_is_sent_as_text_and_what_is_not_as_bytes() -> None:
    """RFC 7118 §5.1: browsers expect text."""
    ours = welcomed()
    ours.send("ä".encode())
    assert ours.outgoing() == frame(1, "ä".encode(), masked=False)
    ours.send(b"\xff")
    assert ours.outgoing() == frame(2, b"\xff", masked=False)


def test_a_message_that_is_too_large_ends_it() -> None:
    ours = WebSocketChannel(None, max_bytes=1000)
    ours.receive(ASKING + b"Sec-WebSocket-Protocol: sip\r\n\r\n")
    ours.outgoing()
    assert ours.receive(frame(1, bytes(1000))) == [bytes(1000)]

    with pytest.raises(RemoteProtocolError, match="too large"):
        ours.receive(frame(1, bytes(600), fin=False) + frame(0, bytes(600)))
    assert ours.outgoing() == frame(8, (1009).to_bytes(2, "big"), masked=False)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (frame(1, b"\xff\xfe"), 1007),
        (frame(1, b"x", masked=False), 1002),
        (frame(3, b"x"), 1002),
        (frame(8, (1000).to_bytes(2, "big")), 1000),
    ],
)
def test_how_it_ends(sent: bytes, code: int) -> None:
    """RFC 6455 §7.4.1: no text, no mask, no such frame; and a good-bye."""
    ours = welcomed()
    ours.receive(sent)
    assert ours.outgoing()[2:4] == code.to_bytes(2, "big")
    assert ours.ended


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (ASKING + b"\r\n", b"400"),
        (ASKING + b"Sec-WebSocket-Protocol: chat\r\n\r\n", b"400"),
        (ASKING.replace(b": 13", b": 12") + b"\r\n", b"426"),
        (ASKING.replace(KEY, b"") + b"\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: a\r\n\r\n", b"400"),
        (b"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP h\r\n\r\n", b"400"),
    ],
)
def test_who_asks_for_something_else_is_told_what_this_is(asked: bytes, status: bytes) -> None:
    """RFC 7118 §4: without the subprotocol there is no connection."""
    ours = server()
    with pytest.raises(RemoteProtocolError):
        ours.receive(asked)
    answer = ours.outgoing()
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert answer.endswith(b"RFC 7118.\r\n")


def test_a_request_that_does_not_end_is_not_waited_for() -> None:
    ours = server()
    ours.receive(b"GET / HTTP/1.1\r\nX: ")
    for _ in range(MAX_REQUEST_BYTES // 1024 - 1):
        ours.receive(bytes([120]) * 1024)
    with pytest.raises(RemoteProtocolError):
        ours.receive(bytes([120]) * 1024)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "it answers 404 to WebSocket"),
        (b"SIP/2.0 400 Bad Request\r\n\r\n", "it does not speak WebSocket"),
        (bytes(100), "it does not speak WebSocket"),
    ],
)
def test_a_server_that_is_none(answer: bytes, words: str) -> None:
    a = client()
    a.begin()
    asked = a.outgoing()
    assert asked.startswith(b"GET / HTTP/1.1\r\nHost: 192.0.2.1:8088\r\n")
    assert b"sec-websocket-protocol: sip\r\n" in asked.lower()
    with pytest.raises(RemoteProtocolError, match=words):
        a.receive(answer)


@pytest.mark.parametrize("said", [b"X-Nothing: sip\r\n", b"Sec-WebSocket-Protocol: chat\r\n"])
def test_a_server_that_speaks_something_else_over_websocket(said: bytes) -> None:
    """RFC 7118 §4: it must choose what we have asked for."""
    a, b = client(), server()
    a.begin()
    b.receive(a.outgoing())
    answer = b.outgoing().replace(b"Sec-WebSocket-Protocol: sip\r\n", said)
    with pytest.raises(RemoteProtocolError, match=r"it does not speak .*WebSocket"):
        a.receive(answer)
    assert not a.open


def test_what_a_server_says_with_its_first_answer_is_heard() -> None:
    a, b = client(), server()
    a.begin()
    b.receive(a.outgoing())
    b.send(b"OPTIONS")
    assert a.receive(b.outgoing()) == [b"OPTIONS"]


@given(st.lists(st.binary(max_size=40), max_size=6), st.integers(0, 400), st.binary(max_size=6))
@settings(max_examples=150, deadline=None)
def test_whatever_comes_only_one_error_does(pieces: list[bytes], cut: int, changed: bytes) -> None:
    asked = ASKING + b"Sec-WebSocket-Protocol: sip\r\n\r\n" + frame(1, b"hello")
    data = asked[:cut] + changed + asked[cut + len(changed) :]
    for ours in (server(), client(), welcomed()):
        ours.begin()
        try:
            for piece in (data, *pieces):
                ours.receive(piece)
        except RemoteProtocolError:
            ours.close()
        ours.outgoing()
