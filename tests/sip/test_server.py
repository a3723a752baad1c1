"""Non-INVITE server transaction: RFC 3261 §17.2.2."""

from sipstrobe.sip.server import ServerTransaction, State
from sipstrobe.sip.transaction import Transmit
from tests.sip.timeline import timeline

OK = b"200"


def test_the_response_is_given_again_for_each_repetition_until_timer_j() -> None:
    tx = ServerTransaction(reliable=False)
    tx.repeated(now=0.0)  # the user has not decided: nothing to say
    tx.respond(200, OK, now=0.1)
    tx.repeated(now=0.5)

    assert tx.outbox == [Transmit(OK), Transmit(OK)]
    assert timeline(tx, until=32.0)[2:] == []
    assert not tx.terminated
    timeline(tx, until=32.2)
    assert tx.terminated


def test_on_a_reliable_transport_the_response_is_the_end() -> None:
    """RFC 3261 §17.2.2: timer J is zero."""
    tx = ServerTransaction(reliable=True)
    tx.respond(200, OK, now=0.0)
    assert tx.terminated


def test_a_provisional_response_is_given_again_as_well() -> None:
    tx = ServerTransaction(reliable=False)
    tx.respond(100, b"100", now=0.0)
    tx.repeated(now=0.5)
    assert tx.state is State.PROCEEDING
    assert tx.outbox == [Transmit(b"100"), Transmit(b"100")]


def test_there_is_only_one_final_response() -> None:
    tx = ServerTransaction(reliable=False)
    tx.respond(200, OK, now=0.0)
    tx.respond(500, b"500", now=0.0)
    tx.repeated(now=0.5)
    assert tx.outbox == [Transmit(OK), Transmit(OK)]
