"""Our caller and our callee, which asks for a password, on a link that loses messages."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipstrobe.secret import Secret
from sipstrobe.sip.challenge import Callers
from sipstrobe.sip.identity import Credential, Identity
from sipstrobe.sip.outputs import CallAccepted, CallConfirmed, CallEnded, Ended, IncomingCall
from sipstrobe.sip.transport import Transport
from tests.sip.test_endpoint import LONG, OFFER, answering, endings, losing, over
from tests.support.link import Link

CALLERS = Callers("gate", {"guard": Secret("swordfish")})


def call(link: Link, password: str = "swordfish") -> str:
    link.b.handler = answering
    link.b.endpoint.ask_callers(lambda request, flow: CALLERS)
    identity = Identity("sip:guard@192.0.2.1", "", (Credential("guard", Secret(password)),))
    name = link.a.endpoint.invite(
        link.flow(link.a),
        f"sip:1001@192.0.2.2;transport={link.transport.lower()}",
        OFFER,
        identity=identity,
        timeout=60.0,
        now=link.now,
    )
    link.settle()
    return name


@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP])
def test_who_knows_the_password_is_let_in(transport: Transport) -> None:
    """RFC 3261 §22: INVITE, 401, ACK, INVITE with credentials."""
    link = Link(transport=transport)

    name = call(link)
    link.run(5.0)

    assert len(link.b.told(IncomingCall)) == 1
    assert len(link.a.told(CallAccepted)) == len(link.b.told(CallConfirmed)) == 1
    sent = [data.split(b" ")[0] for _, side, data in link.wire if side is link.a]
    assert sent[:3] == [b"INVITE", b"ACK", b"INVITE"]
    link.a.endpoint.hang_up(name, now=link.now)
    link.run(LONG)
    assert (endings(link.a), endings(link.b)) == ([Ended.LOCAL_BYE], [Ended.REMOTE_BYE])
    assert over(link)


def test_who_does_not_is_not() -> None:
    link = Link()

    call(link, "guess")
    link.run(LONG)

    (ended,) = link.a.told(CallEnded)
    assert isinstance(ended, CallEnded)
    assert (ended.how, ended.status) == (Ended.REJECTED, 401)
    assert link.b.told(IncomingCall) == []
    invites = [data for _, _, data in link.wire if data.startswith(b"INVITE")]
    assert len(invites) == 2
    assert over(link)


@pytest.mark.parametrize("lost", range(11))
def test_any_one_message_can_be_lost(lost: int) -> None:
    link = Link(losing(lost))

    name = call(link)
    link.run(10.0)

    assert len(link.a.told(CallAccepted)) == len(link.b.told(CallConfirmed)) == 1
    link.a.endpoint.hang_up(name, now=link.now)
    link.run(LONG)
    assert (endings(link.a), endings(link.b)) == ([Ended.LOCAL_BYE], [Ended.REMOTE_BYE])
    assert over(link)


FATES = st.lists(
    st.lists(st.sampled_from([0.0, 0.01, 0.3, 0.7, 2.0]), max_size=3), min_size=1, max_size=40
)


@settings(max_examples=60, deadline=None)
@given(FATES, st.sampled_from(["swordfish", "guess"]))
def test_whatever_happens_on_the_way_both_come_to_an_end(
    fates: list[list[float]], password: str
) -> None:
    """Messages are lost, repeated and overtaken; nobody comes in without the password."""

    def fate(n: int) -> Sequence[float]:
        return fates[n] if n < len(fates) else (0.01,)

    link = Link(fate)
    name = call(link, password)
    link.run(100.0)
    link.a.endpoint.hang_up(name, now=link.now)
    link.run(LONG)

    assert len(endings(link.a)) == 1
    assert len(endings(link.b)) == len(link.b.told(IncomingCall))
    assert password == "swordfish" or link.b.told(IncomingCall) == []
    assert over(link)
