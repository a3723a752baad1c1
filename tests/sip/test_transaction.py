"""All four tables: no input is fatal in any state, and no state is without a way out."""

from collections.abc import Callable
from enum import Enum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipstrobe.sip import client, client_invite, server, server_invite
from sipstrobe.sip.transaction import Transaction
from tests.sip.timeline import response, timeline

Step = Callable[[float], None]


def _server_invite(*, reliable: bool) -> tuple[Transaction, list[Step]]:
    tx = server_invite.InviteServerTransaction(lambda: b"100", reliable=reliable, now=0.0)
    answers = [_responding(tx, status) for status in (180, 200, 486)]
    return tx, [lambda now: tx.repeated(now=now), lambda now: tx.ack(now=now), *answers]


def _server(*, reliable: bool) -> tuple[Transaction, list[Step]]:
    tx = server.ServerTransaction(reliable=reliable)
    answers = [_responding(tx, status) for status in (100, 200, 500)]
    return tx, [lambda now: tx.repeated(now=now), *answers]


def _client(*, reliable: bool) -> tuple[Transaction, list[Step]]:
    tx = client.ClientTransaction(b"BYE", reliable=reliable, now=0.0)
    heard = [_receiving(tx, status) for status in (100, 200, 500)]
    return tx, [lambda now: tx.transport_failed(now=now), *heard]


def _client_invite(*, reliable: bool) -> tuple[Transaction, list[Step]]:
    tx = client_invite.InviteClientTransaction(
        b"INVITE", lambda _: b"ACK", reliable=reliable, now=0.0
    )
    heard = [_receiving(tx, status) for status in (180, 200, 486)]
    return tx, [
        lambda now: tx.transport_failed(now=now),
        lambda now: tx.cancel(now=now),
        *heard,
    ]


def _responding(
    tx: server_invite.InviteServerTransaction | server.ServerTransaction, status: int
) -> Step:
    return lambda now: tx.respond(status, b"%d" % status, now=now)


def _receiving(
    tx: client_invite.InviteClientTransaction | client.ClientTransaction, status: int
) -> Step:
    return lambda now: tx.receive(response(status), now=now)


ALL = [_server_invite, _server, _client, _client_invite]
# What RFC 3261 leaves to the transaction's user to end: an answer that our phone owes, and an
# INVITE that rings at the peer. The sessions have timers for both.
FOR_THE_USER = {
    server_invite.State.PROCEEDING,
    server.State.TRYING,
    server.State.PROCEEDING,
    client_invite.State.PROCEEDING,
}


@pytest.mark.parametrize("make", ALL)
@settings(max_examples=150, deadline=None)
@given(data=st.data(), reliable=st.booleans())
def test_any_inputs_in_any_order_lead_to_an_end(
    make: Callable[..., tuple[Transaction, list[Step]]], data: st.DataObject, reliable: bool
) -> None:
    tx, steps = make(reliable=reliable)
    now = 0.0
    chosen = data.draw(st.lists(st.tuples(st.sampled_from(steps), st.floats(0, 40)), max_size=8))
    for step, pause in chosen:
        timeline(tx, until=now + pause, now=now)
        now += pause
        step(now)

    timeline(tx, until=now + 100.0, now=now)

    assert tx.terminated or tx.state in FOR_THE_USER
    assert (tx.deadline is None) or not tx.terminated


@pytest.mark.parametrize("module", [server_invite, server, client, client_invite])
def test_every_state_can_be_reached_and_left(module: object) -> None:
    table: dict[tuple[Enum, Enum], tuple[object, Enum]] = {}
    for kind in vars(module).values():
        if isinstance(kind, type) and issubclass(kind, Transaction) and kind is not Transaction:
            table = dict(kind.table)
    states = set(vars(module)["State"])
    left = {state for state, _ in table}
    reached = {state for _, state in table.values()}
    first = next(iter(vars(module)["State"]))

    assert reached | {first} == states
    assert left == {state for state in states if state.name != "TERMINATED"}
    assert {event for _, event in table} == set(vars(module)["Input"])
