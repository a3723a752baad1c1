"""One connection as a source of messages: RFC 3261 §18.3, RFC 7118 §5."""

from msgspec.structs import replace

from sipstrobe.sip.outputs import CloseConnection, Send
from sipstrobe.sip.stream import UNFINISHED_LIMIT
from sipstrobe.sip.transport import Transport
from tests.sip.scene import TCP, Scene

CLOSED = CloseConnection(7)


def test_a_message_that_is_not_finished_in_time_ends_the_connection() -> None:
    """Whoever sends a byte now and then must not hold connections for ever."""
    scene = Scene(flow=TCP)
    question = bytes(scene.draft("OPTIONS"))
    for n, byte in enumerate(question[:29]):
        scene.until(float(n))
        scene.hear(question[n : n + 1])
        assert scene.news == [], byte

    scene.until(UNFINISHED_LIMIT - 0.001)
    assert scene.news == []
    scene.until(UNFINISHED_LIMIT)

    assert scene.news == [CLOSED]
    assert scene.endpoint.counters.malformed == 1


def test_each_message_has_its_own_time() -> None:
    """A busy connection is always in the middle of some message."""
    scene = Scene(flow=TCP)
    question = bytes(scene.draft("OPTIONS"))
    scene.hear(question[:100])
    for n in range(1, 5):
        scene.until(n * 20.0)
        scene.hear(question[100:] + question[:100])
    scene.until(80 + UNFINISHED_LIMIT - 1)
    scene.hear(question[100:])
    scene.until(500.0)

    assert scene.news == []
    assert scene.endpoint.idle
    assert scene.statuses() == [200] * 5


def test_nothing_is_left_of_a_connection_that_is_gone() -> None:
    scene = Scene(flow=TCP)
    scene.hear(b"OPTIONS sip:")
    scene.endpoint.connection_closed(7, now=0.0)
    scene.until(500.0)

    assert scene.news == []
    assert scene.endpoint.idle


def test_what_came_before_nonsense_is_answered_before_the_connection_ends() -> None:
    scene = Scene(flow=TCP)
    scene.hear(bytes(scene.draft("OPTIONS")) + b"INVITE\r\n\r\n")

    assert scene.statuses() == [200]
    assert scene.news == [CLOSED]


def test_over_websocket_each_frame_is_a_message_and_needs_no_content_length() -> None:
    """RFC 7118 §5.1."""
    scene = Scene(flow=replace(TCP, transport=Transport.WS))
    question = scene.draft("OPTIONS")
    assert "Content-Length" not in question.headers
    text = bytes(question).replace(b"Content-Length: 0\r\n", b"")
    scene.hear(text)
    scene.hear(b"nonsense")
    scene.hear(text)

    assert scene.statuses() == [200, 200]
    assert scene.news == []


def test_keep_alives_over_websocket_are_answered() -> None:
    """RFC 7118 §6, RFC 5626 §3.5.1."""
    flow = replace(TCP, transport=Transport.WSS)
    scene = Scene(flow=flow)
    scene.endpoint.receive_stream(b"\r\n\r\n", flow, now=0.0)
    scene.endpoint.receive_stream(b"\r\n", flow, now=0.0)

    assert list(scene.endpoint.outbox) == [Send(flow, b"\r\n")]
