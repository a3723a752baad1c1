"""However a call stands and however it ends: CallEnded is said once, and nothing is left."""

from collections.abc import Callable

import pytest

from sipstrobe.sip.message import Request, Response
from sipstrobe.sip.outputs import CallEnded
from sipstrobe.sip.settings import SipSettings
from tests.sip.scene import ANSWER, OFFER, Scene

Step = Callable[[Scene], None]
LIMITS = SipSettings(ringing_timeout=60, end_calls_after=600)
CAN = (("Supported", "100rel, timer"), ("Session-Expires", "300;refresher=uas"))


# --- how a call can stand --------------------------------------------------------------------


def arrived(scene: Scene) -> None:
    scene.invite()


def ringing(scene: Scene) -> None:
    scene.invite()
    scene.endpoint.ring("in-1", now=scene.now)


def ringing_reliably(scene: Scene) -> None:
    scene.invite(fields=CAN)
    scene.endpoint.ring("in-1", body=ANSWER, now=scene.now)


def accepted_before_prack(scene: Scene) -> None:
    ringing_reliably(scene)
    scene.endpoint.accept("in-1", ANSWER, now=scene.now)


def answered(scene: Scene) -> None:
    scene.invite()
    scene.endpoint.accept("in-1", ANSWER, now=scene.now)


def answered_with_our_offer(scene: Scene) -> None:
    scene.invite(body=b"")
    scene.endpoint.accept("in-1", OFFER, now=scene.now)


def confirmed(scene: Scene) -> None:
    scene.establish(fields=CAN)


def asked_to_change(scene: Scene) -> None:
    scene.establish()
    scene.within("INVITE", cseq=2, body=OFFER)


def asked_to_update(scene: Scene) -> None:
    scene.establish()
    scene.within("UPDATE", cseq=2, body=OFFER)


def changed(scene: Scene) -> None:
    asked_to_change(scene)
    scene.endpoint.answer_offer("in-1", ANSWER, now=scene.now)


def asking_to_change(scene: Scene) -> None:
    scene.establish()
    scene.endpoint.reinvite("in-1", OFFER, now=scene.now)


def in_glare(scene: Scene) -> None:
    scene.establish()
    scene.endpoint.reinvite("in-1", OFFER, now=scene.now)
    scene.collect()
    (invite,) = scene.take()
    assert isinstance(invite, Request)
    scene.answer(invite, 491)


def calling(scene: Scene) -> None:
    scene.call()


def calling_and_heard(scene: Scene) -> None:
    scene.answer(scene.call()[1], 100)


def calling_and_ringing(scene: Scene) -> None:
    reliably = (("Require", "100rel"), ("RSeq", "7"))
    scene.answer(scene.call()[1], 180, fields=reliably)


def reached(scene: Scene) -> None:
    scene.reach()


STATES = [
    arrived,
    ringing,
    ringing_reliably,
    accepted_before_prack,
    answered,
    answered_with_our_offer,
    confirmed,
    asked_to_change,
    asked_to_update,
    changed,
    asking_to_change,
    in_glare,
    calling,
    calling_and_heard,
    calling_and_ringing,
    reached,
]


# --- how it can end --------------------------------------------------------------------------


def silence(scene: Scene) -> None:
    pass


def hung_up_here(scene: Scene) -> None:
    for call in scene.endpoint.calls:
        scene.endpoint.hang_up(call, now=scene.now)
        scene.endpoint.hang_up(call, now=scene.now)


def bye(scene: Scene) -> None:
    """From the peer, in whatever dialog there is."""
    if scene.tag:
        scene.within("BYE", cseq=50)
    for message in scene.taken:
        if isinstance(message, Response):
            scene.within("BYE", cseq=50, tag=message.to.tag)
        elif message.method == "INVITE":
            fields = (("Call-ID", message.call_id),)
            scene.within("BYE", cseq=50, tag=message.from_.tag, fields=fields)


def cancel(scene: Scene) -> None:
    scene.hear(scene.draft("CANCEL", branch="z9hG4bKpeer1"))


def unreachable(scene: Scene) -> None:
    scene.endpoint.send_failed(scene.flow, now=scene.now)


def refused(scene: Scene) -> None:
    """Each request of ours gets a refusal, this one and those that follow."""
    for message in scene.taken:
        if isinstance(message, Request) and message.method != "ACK":
            scene.answer(message, 500)


ENDS = [silence, hung_up_here, bye, cancel, unreachable, refused]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("state", STATES)
def test_every_call_ends_once_and_for_all(state: Step, end: Step) -> None:
    scene = Scene(LIMITS)
    state(scene)
    scene.collect()
    scene.taken = list(scene.sent)
    end(scene)
    scene.collect()
    scene.until(4000.0)

    assert [type(news) for news in scene.news].count(CallEnded) == 1
    assert isinstance(scene.news[-1], CallEnded)
    assert scene.endpoint.calls == ()
    assert scene.endpoint.idle


@pytest.mark.parametrize("first", ENDS[1:])
@pytest.mark.parametrize("second", ENDS[1:])
@pytest.mark.parametrize(
    "state", [answered, asking_to_change, calling_and_ringing, ringing_reliably]
)
def test_two_ends_at_once_are_one(state: Step, first: Step, second: Step) -> None:
    scene = Scene(LIMITS)
    state(scene)
    scene.collect()
    scene.taken = list(scene.sent)
    first(scene)
    second(scene)
    scene.collect()
    scene.until(4000.0)
    assert [type(news) for news in scene.news].count(CallEnded) == 1
    assert scene.endpoint.idle
