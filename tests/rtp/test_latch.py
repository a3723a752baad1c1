"""Symmetric RTP: who may send to us and where we send."""

from sipstrobe.rtp.latch import Latch

NEGOTIATED = ("10.0.0.9", 4000)
TRUE = ("203.0.113.5", 61000)
OUTSIDER = ("198.51.100.6", 5555)


def latch() -> Latch:
    made = Latch()
    made.expect(NEGOTIATED)
    return made


def test_the_negotiated_address_is_used_from_the_first_packet() -> None:
    stream = latch()

    assert stream.address == NEGOTIATED
    assert stream.admit(NEGOTIATED, 1)
    assert not stream.admit(OUTSIDER, 2)
    assert not stream.admit(OUTSIDER, 3)
    assert stream.address == NEGOTIATED
    assert stream.refused == 2


def test_a_peer_behind_a_nat_is_learnt_from_two_packets_in_sequence() -> None:
    stream = latch()

    assert not stream.admit(TRUE, 0xFFFF)
    assert stream.admit(TRUE, 0)
    assert stream.address == TRUE


def test_packets_out_of_sequence_teach_nothing() -> None:
    stream = latch()

    assert [stream.admit(TRUE, n) for n in (1, 5, 9, 2)] == [False] * 4
    assert stream.address == NEGOTIATED


def test_once_learnt_no_outsider_takes_the_stream() -> None:
    stream = latch()
    stream.admit(TRUE, 1)
    stream.admit(TRUE, 2)

    assert not any(stream.admit(OUTSIDER, n) for n in range(100))
    assert stream.admit(TRUE, 3)
    assert stream.address == TRUE


def test_the_negotiated_address_has_the_last_word() -> None:
    stream = latch()
    stream.admit(OUTSIDER, 1)
    stream.admit(OUTSIDER, 2)

    assert stream.admit(NEGOTIATED, 50)
    assert not stream.admit(OUTSIDER, 3)
    assert stream.address == NEGOTIATED


def test_an_exchange_with_the_same_address_keeps_what_was_learnt() -> None:
    stream = latch()
    stream.admit(TRUE, 1)
    stream.admit(TRUE, 2)

    stream.expect(NEGOTIATED)

    assert stream.address == TRUE
    assert stream.admit(TRUE, 3)
    assert not stream.admit(OUTSIDER, 4)
    assert not stream.admit(OUTSIDER, 5)


def test_an_exchange_with_another_address_begins_anew() -> None:
    stream = latch()
    stream.admit(NEGOTIATED, 1)

    stream.expect(TRUE)

    assert stream.address == TRUE
    assert stream.admit(TRUE, 9)
    assert not stream.admit(NEGOTIATED, 2)


def test_without_a_usable_address_the_first_sender_is_answered() -> None:
    """SDP named a host that nobody has looked up."""
    stream = Latch()
    stream.expect(None)

    assert stream.address is None
    stream.admit(TRUE, 1)
    assert stream.admit(TRUE, 2)
    assert stream.address == TRUE
