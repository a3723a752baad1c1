"""INVITE server transaction: RFC 3261 §17.2.1, RFC 6026 §7.1."""

import pytest

from sipstrobe.sip.server_invite import InviteServerTransaction, State
from sipstrobe.sip.transaction import AckTimeout, Transmit
from tests.sip.timeline import instants, timeline

TRYING, RINGING, OK, BUSY_HERE = b"100", b"180", b"200", b"486"


def begin(*, reliable: bool = False) -> InviteServerTransaction:
    return InviteServerTransaction(lambda: TRYING, reliable=reliable, now=0.0)


def test_a_rejection_is_repeated_until_timer_h_gives_up() -> None:
    """RFC 3261 §17.2.1: timer G runs T1, 2*T1 … up to T2; timer H ends it at 64*T1."""
    tx = begin()
    tx.respond(486, BUSY_HERE, now=0.0)

    seen = timeline(tx, until=60.0)

    assert instants(seen, Transmit(BUSY_HERE)) == [
        *(0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5)
    ]
    assert seen[-1] == (32.0, AckTimeout.TIMER_H)
    assert tx.terminated


def test_a_reliable_transport_needs_no_repetition() -> None:
    tx = begin(reliable=True)
    tx.respond(486, BUSY_HERE, now=0.0)

    assert timeline(tx, until=60.0) == [(0.0, Transmit(BUSY_HERE)), (32.0, AckTimeout.TIMER_H)]


def test_ack_ends_the_repetition_and_timer_i_absorbs_further_ones() -> None:
    tx = begin()
    tx.respond(486, BUSY_HERE, now=0.0)
    assert timeline(tx, until=0.6) == [(0.0, Transmit(BUSY_HERE)), (0.5, Transmit(BUSY_HERE))]

    tx.ack(now=0.6)
    tx.ack(now=1.0)
    tx.repeated(now=1.0)

    assert tx.state is State.CONFIRMED
    assert timeline(tx, until=60.0) == []
    assert tx.terminated


def test_on_a_reliable_transport_ack_is_the_end() -> None:
    """RFC 3261 §17.2.1: timer I is zero."""
    tx = begin(reliable=True)
    tx.respond(486, BUSY_HERE, now=0.0)
    tx.ack(now=0.1)
    assert tx.terminated


def test_trying_goes_out_when_the_user_takes_longer_than_200_ms() -> None:
    assert timeline(begin(), until=10.0) == [(0.2, Transmit(TRYING))]


def test_trying_is_spared_when_the_user_answers_in_time() -> None:
    tx = begin()
    tx.respond(180, RINGING, now=0.1)
    assert timeline(tx, until=10.0) == [(0.0, Transmit(RINGING))]


def test_a_repeated_invite_gets_the_last_provisional_response_again() -> None:
    tx = begin()
    tx.repeated(now=0.1)
    tx.respond(180, RINGING, now=0.2)
    tx.repeated(now=0.5)
    assert tx.outbox == [Transmit(TRYING), Transmit(RINGING), Transmit(RINGING)]


def test_after_a_2xx_a_repeated_invite_is_absorbed_for_as_long_as_timer_l_runs() -> None:
    """RFC 6026 §7.1: the user repeats the 2xx, and the transaction starts nothing anew."""
    tx = begin()
    tx.respond(200, OK, now=0.0)
    tx.repeated(now=1.0)
    tx.respond(200, OK, now=1.5)
    tx.ack(now=2.0)

    assert tx.state is State.ACCEPTED
    assert tx.outbox == [Transmit(OK), Transmit(OK)]
    assert timeline(tx, until=31.9)[2:] == []
    assert not tx.terminated
    timeline(tx, until=32.0)
    assert tx.terminated


@pytest.mark.parametrize("status", [100, 180, 200, 486])
def test_after_a_rejection_nothing_else_can_be_answered(status: int) -> None:
    tx = begin()
    tx.respond(486, BUSY_HERE, now=0.0)
    tx.respond(status, b"late", now=0.1)
    assert tx.outbox == [Transmit(BUSY_HERE)]
