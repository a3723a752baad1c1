"""Whatever registrars, networks and owners do: nobody takes itself for registered who is not.

AMB-05: a registration never gives up silently.
"""

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sipstrobe.sip.identity import RegistrationFailed, Unregistered
from sipstrobe.sip.message import Request, Response, respond
from sipstrobe.sip.transport import Address
from tests.sip.registrar import Office, binding
from tests.sip.scene import TCP, UDP

FLOWS = {
    "register": UDP,
    "register from another address": replace(UDP, local=Address("198.51.100.20", 5060)),
    "register over a connection": replace(TCP, connection=None),
}
OTHERS = ("refresh", "unregister", "close", "fail", "pong", "mapped")
STATUSES = (100, 200, 302, 401, 403, 407, 408, 423, 439, 480, 503)
FIELDS = (
    ("Contact", "<sip:100@192.0.2.1:5060>;expires=60"),
    ("Require", "outbound"),
    ("Flow-Timer", "30"),
    ("WWW-Authenticate", 'Digest realm="r", nonce="n", stale=true'),
    ("Proxy-Authenticate", 'Digest realm="p", nonce="m", qop="auth"'),
    ("Min-Expires", "7200"),
)
STEPS = st.one_of(
    st.sampled_from((*FLOWS, *OTHERS)),
    st.sampled_from((0.5, 12.0, 33.0, 3600.0)),  # seconds
    st.tuples(st.sampled_from(STATUSES), st.booleans()),  # an answer, perhaps by a connection
)


class Story:
    """What was asked for, and what has been told."""

    def __init__(self) -> None:
        self.office = Office()
        self.used = self.wanted = False
        self.asked: Request | None = None  # the last REGISTER

    def take(self, step: str | float | tuple[int, bool]) -> None:
        office = self.office
        match step:
            case str():
                self._order(step)
            case float() | int():
                office.pass_(step)
            case (status, by_connection):
                if self.asked is not None:
                    answer: Response = respond(self.asked, status, to_tag="pbx", headers=FIELDS)
                    office.hear(answer, TCP if by_connection else UDP)
        office.collect()
        requests = [m for m in office.take() if isinstance(m, Request)]
        self.asked = requests[-1] if requests else self.asked

    def _order(self, order: str) -> None:
        endpoint, now = self.office.endpoint, self.office.now
        match order:
            case "refresh":
                endpoint.refresh("gate", now=now)
            case "unregister":
                endpoint.unregister("gate", now=now)
                self.wanted = False
            case "close":
                endpoint.connection_closed(7, now=now)
            case "fail":
                endpoint.send_failed(UDP, now=now)
            case "pong":
                endpoint.receive_stream(b"\r\n", TCP, now=now)
            case "mapped":
                endpoint.mapped(UDP, Address("203.0.113.9", 40000), now=now)
            case _:
                endpoint.register("gate", binding(outbound=True), FLOWS[order], now=now)
                self.used = self.wanted = True


@settings(max_examples=150, deadline=None)
@given(st.lists(STEPS, max_size=25))
def test_who_is_left_alone_learns_that_it_is_not_registered(
    steps: list[str | float | tuple[int, bool]],
) -> None:
    """Nobody answers any more: each story ends, and with the word for how it ends."""
    story = Story()
    for step in steps:
        story.take(step)

    story.office.pass_(2 * 86_400.0)

    told = [n for n in story.office.news if isinstance(n, RegistrationFailed | Unregistered)]
    if story.used:
        assert isinstance(told[-1], RegistrationFailed if story.wanted else Unregistered)
    assert story.office.endpoint.transactions == 0
    assert story.office.endpoint.deadline is None
