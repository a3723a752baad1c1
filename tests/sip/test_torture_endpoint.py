"""Torture messages at the level of the endpoint: each is answered, rings, or is passed over."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipstrobe.sip.endpoint import Endpoint
from sipstrobe.sip.message import Response
from sipstrobe.sip.outputs import IncomingCall
from sipstrobe.sip.settings import SipSettings
from sipstrobe.sip.transport import Address, Flow, Transport
from tests.sip.scene import ANSWER, OFFER, UDP, Scene
from tests.sip.torture import CALL, CASES, Case
from tests.support.link import counting

V6 = Flow(Transport.UDP, Address("2001:db8::1", 5060), Address("2001:db8::9", 5062))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_torture_message_has_the_outcome_that_the_rfc_wants(case: Case) -> None:
    """RFC 4475 §3, RFC 5118 §4."""
    scene = Scene(flow=UDP)
    scene.hear(case.data)
    sent = scene.take()
    match case.outcome:
        case "accept" if case.data.startswith(b"SIP/"):
            assert (sent, scene.news) == ([], [])
            assert scene.endpoint.counters.malformed == 0
        case "accept":
            scene.told(IncomingCall)
        case "ignore":
            assert (sent, scene.news) == ([], [])
        case int(status):
            assert [m.status for m in sent if isinstance(m, Response)] == [status]
            assert scene.news == []
    scene.pass_(100)


_SEEDS = [case.data for case in CASES] + [CALL]
_PIECES = [
    b"\r\n",
    b"\r\n\r\n",
    b";",
    b"<",
    b">",
    b'"',
    b",",
    b"=",
    b":",
    b"@",
    b" ",
    b"\0",
    b"\xff",
]
_EDITS = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.integers(0, 12),
        st.one_of(st.binary(max_size=8), st.sampled_from(_PIECES)),
    ),
    max_size=6,
)


def edited(data: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    for where, length, new in edits:
        at = int(where * len(data))
        data = data[:at] + new + data[at + length :]
    return data


@settings(max_examples=300, deadline=None)
@given(seed=st.sampled_from(_SEEDS), edits=_EDITS, flow=st.sampled_from([UDP, V6]))
def test_no_message_however_broken_does_harm(
    seed: bytes, edits: list[tuple[float, int, bytes]], flow: Flow
) -> None:
    scene = Scene(flow=flow)
    scene.endpoint.receive(edited(seed, edits), flow, now=0.0)
    scene.endpoint.outbox.clear()
    for call in scene.endpoint.calls:
        scene.endpoint.accept(call, ANSWER, now=0.0)
    scene.until(3000.0)
    assert scene.endpoint.idle


METHODS = ["INVITE", "ACK", "BYE", "CANCEL", "UPDATE", "PRACK", "INFO", "OPTIONS"]


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_requests_broken_and_whole_within_a_call_do_no_harm(data: st.DataObject) -> None:
    scene = Scene(SipSettings(end_calls_after=600))
    if data.draw(st.booleans()):
        scene.establish()
    else:
        scene.invite(fields=(("Supported", "100rel, timer"),))
        scene.endpoint.ring("in-1", now=0.0)
        scene.collect()
        (ringing,) = scene.take()
        scene.tag = ringing.to.tag
    for cseq in range(2, 2 + data.draw(st.integers(1, 6))):
        method = data.draw(st.sampled_from(METHODS))
        body = data.draw(st.sampled_from([b"", OFFER]))
        request = scene.draft(method, cseq=cseq, to_tag=scene.tag, body=body)
        raw = edited(bytes(request), data.draw(_EDITS) if data.draw(st.booleans()) else [])
        scene.endpoint.receive(raw, UDP, now=scene.now)
        scene.endpoint.outbox.clear()
        scene.now += data.draw(st.sampled_from([0.0, 0.3, 25.0]))
    scene.until(3000.0)
    assert scene.endpoint.idle


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_responses_broken_and_whole_to_a_call_of_ours_do_no_harm(data: st.DataObject) -> None:
    ours = Endpoint(SipSettings(end_calls_after=600), counting(3))
    scene = Scene()
    scene.endpoint = ours
    _, invite = scene.call()
    statuses = st.sampled_from([100, 180, 183, 200, 302, 401, 422, 486, 491, 503])
    for _ in range(data.draw(st.integers(1, 6))):
        fields = data.draw(
            st.sampled_from([(), (("Require", "100rel"), ("RSeq", "1")), (("Min-SE", "2000"),)])
        )
        tag = data.draw(st.sampled_from(["", "x", "y"]))
        other = Scene()
        made = other.answer(invite, data.draw(statuses), tag=tag, fields=fields, body=ANSWER)
        raw = edited(bytes(made), data.draw(_EDITS) if data.draw(st.booleans()) else [])
        ours.receive(raw, UDP, now=scene.now)
        ours.outbox.clear()
    scene.until(3000.0)
    assert ours.idle
