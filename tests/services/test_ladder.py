"""The SIP messages of the last calls, kept for whoever asks what was said."""

from collections.abc import Callable

import pytest

from sipstrobe.services.ladder import FIRST, LAST, MESSAGE_BYTES, ROOM, Ladder
from sipstrobe.sip.transport import Address, Flow, Transport
from tests.support.clock import FakeClock

FLOW = Flow(Transport.UDP, Address("192.0.2.10", 5060), Address("192.0.2.77", 5062))


def message(line: str, call_id: str, body: str = "", name: str = "Call-ID") -> bytes:
    return f"{line}\r\nVia: SIP/2.0/UDP x\r\n{name}: {call_id}\r\n\r\n{body}".encode()


INVITE = "INVITE sip:1001@192.0.2.10 SIP/2.0"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ladder(clock: FakeClock) -> Ladder:
    return Ladder(clock)


def lines(ladder: Ladder, name: str) -> list[tuple[float, bool, bytes]]:
    return [
        (said.at, said.sent, said.data.partition(b"\r\n")[0])
        for exchange in ladder.find(name)
        for said in exchange.messages
    ]


def test_what_is_said_in_a_call_stands_in_its_order(ladder: Ladder, clock: FakeClock) -> None:
    ladder.message(message(INVITE, "a@b"), FLOW, sent=False)
    clock.advance(0.25)
    ladder.message(message("SIP/2.0 180 Ringing", "a@b"), FLOW, sent=True)
    ladder.message(message("OPTIONS sip:x SIP/2.0", "other"), FLOW, sent=False)
    ladder.named("a@b", "in-1")

    told = [
        (0.0, False, INVITE.encode()),
        (0.25, True, b"SIP/2.0 180 Ringing"),
    ]
    assert lines(ladder, "in-1") == told
    assert lines(ladder, "1") == told
    assert lines(ladder, "a@b") == told
    assert [one.kind for one in ladder.exchanges()] == ["other", "call"]
    assert [one.id for one in ladder.exchanges(call="in-1")] == ["1"]
    assert [one.id for one in ladder.exchanges(kind="other")] == ["2"]


def test_a_call_id_that_is_no_text_is_known_too(ladder: Ladder) -> None:
    """Octets that are no UTF-8 come out of the parser as half characters (RFC 4475 §3.1.2)."""
    said = message(INVITE, "b?d ").replace(b"?", b"\xd7")
    ladder.message(said, FLOW, sent=False)
    ladder.named(b"b\xd7d".decode("utf-8", "surrogateescape"), "in-1")

    assert lines(ladder, "in-1") == [(0.0, False, INVITE.encode())]


@pytest.mark.parametrize("name", ["Call-ID", "CALL-ID", "call-id", "i", "I", "Call-ID "])
def test_the_call_id_is_found_however_it_is_written(ladder: Ladder, name: str) -> None:
    """RFC 3261 §7.3.1, §7.3.3: names without regard to case, white space before the colon, and a
    compact form."""
    ladder.message(message(INVITE, "a@b", name=name), FLOW, sent=False)
    assert len(lines(ladder, "a@b")) == 1


def test_what_is_no_message_is_not_kept(ladder: Ladder) -> None:
    for data in (b"", b"\r\n\r\n", b"\0\1\0\0", b"INVITE sip:x SIP/2.0\r\n\r\nCall-ID"):
        ladder.message(data, FLOW, sent=True)
    assert ladder.exchanges() == []


def test_a_long_exchange_keeps_its_beginning_and_its_end(ladder: Ladder) -> None:
    for number in range(100):
        ladder.message(message(INVITE, "a", str(number)), FLOW, sent=False)

    [exchange] = ladder.find("a")
    kept = [int(said.data.rpartition(b"\n")[2]) for said in exchange.messages]
    assert kept == [*range(FIRST), *range(100 - LAST, 100)]
    assert exchange.skipped == 100 - FIRST - LAST
    assert ladder.size == sum(len(said.data) for said in exchange.messages)


def test_each_kind_has_room_of_its_own_and_the_oldest_goes(ladder: Ladder) -> None:
    ladder.message(message(INVITE, "first"), FLOW, sent=False)
    for number in range(1000):
        ladder.message(message("OPTIONS sip:x SIP/2.0", f"o{number}"), FLOW, sent=False)
        ladder.message(message("REGISTER sip:x SIP/2.0", f"r{number}"), FLOW, sent=True)

    assert len(ladder.exchanges(kind="other")) == ROOM["other"]
    assert len(ladder.exchanges(kind="registration")) == ROOM["registration"]
    assert len(ladder.exchanges(kind="call")) == 1

    for number in range(ROOM["call"]):
        ladder.message(message(INVITE, f"c{number}"), FLOW, sent=False)
    assert ladder.find("first") == []
    assert len(ladder.exchanges(kind="call")) == ROOM["call"]


def test_memory_has_a_bound_whatever_peers_send(clock: FakeClock) -> None:
    ladder = Ladder(clock, max_bytes=100_000)
    for number in range(500):
        big = message(INVITE, f"c{number}", "x" * 60_000)
        ladder.message(big, FLOW, sent=False)

    assert ladder.size <= 100_000
    newest = ladder.exchanges()[0].messages[0]
    assert newest.cut
    assert len(newest.data) == MESSAGE_BYTES
    held = sum(len(said.data) for one in ladder.exchanges() for said in one.messages)
    assert held == ladder.size

    for number in range(ROOM["call"]):
        ladder.message(message(INVITE, f"small {number}"), FLOW, sent=False)
    assert len(ladder.exchanges(kind="call")) == ROOM["call"], "what had to go takes no room"


def test_a_name_for_what_is_forgotten_does_nothing(ladder: Ladder) -> None:
    ladder.named("gone", "in-1")
    assert ladder.find("in-1") == ladder.find("") == []


def test_the_length_of_a_call_id_has_a_bound(ladder: Ladder) -> None:
    long = "x" * 5000
    ladder.message(message(INVITE, long), FLOW, sent=False)
    ladder.named(long, "in-1")
    [exchange] = ladder.find("in-1")
    assert len(exchange.call_id) == 256


def test_all_that_is_kept_is_bytes_that_were_there(ladder: Ladder) -> None:
    """Nothing of a message is copied."""
    data = message(INVITE, "a")
    ladder.message(data, FLOW, sent=False)
    found: Callable[[], object] = lambda: ladder.find("a")[0].messages[0].data  # noqa: E731
    assert found() is data
