"""Messages come out of a stream whole, wherever it is cut."""

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.sip.framing import PING, Framer
from tests.sip.torture import CALL

_EMPTY = b"SIP/2.0 200 OK\r\nl:0\r\n\r\n"
_FOLDED = b"OPTIONS sip:h SIP/2.0\r\nCONTENT-LENGTH \t:\r\n\t2\r\n \r\nX: y\r\n\r\nab"
_STREAM = [PING, CALL, _EMPTY, _EMPTY, PING, _FOLDED, CALL]


def _frame(chunks: list[bytes]) -> list[bytes]:
    framer = Framer()
    for chunk in chunks:
        framer.feed(chunk)
    assert framer.waiting_bytes == 0
    return list(framer.outbox)


def test_messages_and_pings_come_out_in_order() -> None:
    """RFC 3261 §18.3, RFC 5626 §3.5.1."""
    assert _frame([b"".join(_STREAM)]) == _STREAM


def test_one_byte_at_a_time_makes_no_difference() -> None:
    assert _frame([bytes([byte]) for byte in b"".join(_STREAM)]) == _STREAM


def test_no_cut_makes_a_difference() -> None:
    stream = b"".join(_STREAM)
    for cut in range(len(stream) + 1):
        assert _frame([stream[:cut], stream[cut:]]) == _STREAM


@given(st.lists(st.sampled_from([PING, CALL, _EMPTY, _FOLDED]), max_size=6), st.data())
@settings(max_examples=60)
def test_any_cuts_of_any_messages(sent: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    edges = [0, *cuts, len(stream)]

    assert _frame([stream[a:b] for a, b in pairwise(edges)]) == sent


def test_single_line_breaks_before_a_message_mean_nothing() -> None:
    """RFC 3261 §7.5."""
    assert _frame([b"\r\n", _EMPTY, b"\r\n", _EMPTY]) == [_EMPTY, _EMPTY]


def test_nothing_comes_out_before_it_is_whole() -> None:
    framer = Framer()
    framer.feed(CALL[:-1])
    assert not framer.outbox

    framer.feed(CALL[-1:] + _EMPTY[:5])

    assert list(framer.outbox) == [CALL]
    assert framer.waiting_bytes == 5


@pytest.mark.parametrize(
    "lost",
    [
        b"OPTIONS sip:h SIP/2.0\r\nVia: x\r\n\r\n",
        b"OPTIONS sip:h SIP/2.0\r\nContent-Length: -1\r\n\r\n",
        b"OPTIONS sip:h SIP/2.0\r\nContent-Length: 1 2\r\n\r\n",
        b"OPTIONS sip:h SIP/2.0\r\nContent-Length: 1\r\nl: 2\r\n\r\n",
        b"OPTIONS sip:h SIP/2.0\r\nContent-Length:\r\n\r\n",
        b"OPTIONS sip:h SIP/2.0\r\nX: y\r\n l: 5\r\n\r\n",
        b"\n\r\n",
        b"\rx",
    ],
)
def test_lost_framing_is_said_once_what_came_before_is_out(lost: bytes) -> None:
    """RFC 3261 §18.3: on a stream Content-Length is what tells messages apart."""
    framer = Framer()
    with pytest.raises(RemoteProtocolError):
        framer.feed(CALL + lost + CALL)

    assert list(framer.outbox) == [CALL]
    with pytest.raises(RemoteProtocolError):
        framer.feed(CALL)
    assert framer.waiting_bytes == 0


@pytest.mark.parametrize(
    "flood",
    [
        b"x" * 1001,
        b"OPTIONS sip:h SIP/2.0\r\nX: " + b"y" * 1000,
        b"OPTIONS sip:h SIP/2.0\r\nContent-Length: 999\r\n\r\n",
        b"OPTIONS sip:h SIP/2.0\r\nContent-Length: " + b"9" * 40 + b"\r\n\r\n",
    ],
)
def test_nobody_makes_us_keep_more_than_a_message(flood: bytes) -> None:
    framer = Framer(max_bytes=1000)
    kept = 0
    with suppress(RemoteProtocolError):
        for byte in flood:
            framer.feed(bytes([byte]))
            kept = max(kept, framer.waiting_bytes)

    assert kept <= 1000
    assert framer.waiting_bytes == 0
    assert not framer.outbox
