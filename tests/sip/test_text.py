"""Text messages: RFC 3428."""

import pytest

from sipstrobe.sip.outputs import TextReceived
from sipstrobe.sip.settings import SipSettings
from sipstrobe.sip.text import MAX_TEXT_BYTES
from tests.sip.scene import Scene

PLAIN = (("Content-Type", "text/plain"),)


def open_scene() -> Scene:
    return Scene(SipSettings(allow_incoming=True))


def said(body: bytes, content_type: str = "text/plain") -> str:
    """What is told of a message with this body, which is answered 200."""
    scene = open_scene()
    scene.hear(scene.draft("MESSAGE", fields=(("Content-Type", content_type),), body=body))
    assert scene.statuses() == [200]
    return scene.told(TextReceived).text


def refused(body: bytes, content_type: str = "text/plain") -> int | str:
    scene = open_scene()
    scene.hear(scene.draft("MESSAGE", fields=(("Content-Type", content_type),), body=body))
    assert scene.news == []
    assert scene.endpoint.transactions == 0
    [status] = scene.statuses()
    return status


def test_a_message_is_read_and_answered() -> None:
    assert said("Zufahrt räumen ☎".encode()) == "Zufahrt räumen ☎"
    assert said(b"K\xf6ln", "text/plain; charset=ISO-8859-1") == "Köln"
    assert said("grüß".encode(), 'text/plain;charset="UTF-8"') == "grüß"


def test_what_cannot_be_printed_does_no_harm() -> None:
    """It is shown to people and written to logs."""
    assert said(b"a\x1b[2Jb\r\n\x00c\x7f") == "a [2Jb   c"
    assert said(b"\xff\xfeno text") == "��no text"
    assert said("right‮left".encode()) == "right left"


def test_a_message_that_comes_again_is_answered_again_and_read_once() -> None:
    """RFC 3428 §7, RFC 3261 §17.2.2."""
    scene = open_scene()
    message = scene.draft("MESSAGE", fields=PLAIN, body=b"once")

    scene.hear(message)
    scene.hear(message)
    another_way = scene.draft("MESSAGE", fields=PLAIN, body=b"once")
    scene.hear(another_way)

    assert scene.statuses() == [200, 200, 482]
    assert scene.told(TextReceived).text == "once"
    scene.pass_(33.0)
    assert scene.endpoint.idle


def test_a_message_within_a_call_is_read_as_well() -> None:
    scene = open_scene()
    scene.establish()

    scene.within("MESSAGE", cseq=2, fields=PLAIN, body=b"on my way")

    assert scene.statuses() == [200]
    assert scene.told(TextReceived).text == "on my way"


def test_a_message_without_text_is_answered_and_that_is_all() -> None:
    scene = open_scene()
    scene.hear(scene.draft("MESSAGE"))
    assert scene.statuses() == [200]
    assert scene.news == []


def test_other_kinds_of_messages_are_refused_with_what_we_read() -> None:
    """RFC 3428 §7: 415 and Accept; "is composing" of RFC 3994 among them."""
    scene = open_scene()
    fields = (("Content-Type", "application/im-iscomposing+xml"),)
    scene.hear(scene.draft("MESSAGE", fields=fields, body=b"<isComposing/>"))
    response = scene.response()
    assert (response.status, response.headers.first("Accept")) == (415, "text/plain")
    assert refused(b"x", "text/plain;charset=utf-16") == 415


def test_a_long_message_is_refused() -> None:
    """RFC 3428 §8."""
    assert said(b"x" * MAX_TEXT_BYTES) == "x" * MAX_TEXT_BYTES
    assert refused(b"x" * (MAX_TEXT_BYTES + 1)) == 513


@pytest.mark.parametrize("method", ["MESSAGE", "SUBSCRIBE"])
def test_who_takes_no_calls_takes_no_messages_and_no_watchers(method: str) -> None:
    """SIP-02."""
    scene = Scene()
    scene.hear(scene.draft(method, fields=PLAIN, body=b"x"))
    assert scene.statuses() == [403]
    assert scene.news == []
