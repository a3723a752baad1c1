"""Transfers: RFC 3515, 3892, 4488."""

import pytest

from sipstrobe.sip.identity import Identity
from sipstrobe.sip.message import Request
from sipstrobe.sip.outputs import CallEnded, TransferAsked
from sipstrobe.sip.settings import SipSettings
from tests.sip.scene import Scene

TO_CAROL = ("Refer-To", "<sip:carol@192.0.2.33>")
WILLING = SipSettings(follow_transfers=True, calling_timeout=60)


def in_call() -> tuple[Scene, str]:
    scene = Scene(WILLING)
    return scene, scene.establish()


def report(scene: Scene, call: str, status: int) -> None:
    scene.endpoint.report_transfer(call, status, now=scene.now)
    scene.collect()


def told(notify: Request) -> tuple[str | None, bytes]:
    assert notify.method == "NOTIFY"
    assert notify.content_type == "message/sipfrag"
    return notify.headers.first("Subscription-State"), notify.body


def test_a_transfer_is_accepted_and_reported_until_its_end() -> None:
    """RFC 3515 §2.4: 202, a NOTIFY at once, and one for the final response."""
    scene, call = in_call()

    scene.within("REFER", cseq=7, fields=(TO_CAROL, ("Referred-By", "<sip:peer@192.0.2.9>")))

    accepted, first = scene.take()
    assert getattr(accepted, "status", 0) == 202
    assert isinstance(first, Request)
    assert first.headers.first("Event") == "refer;id=7"
    assert told(first) == ("active;expires=92", b"SIP/2.0 100 Trying\r\n")
    wanted = scene.told(TransferAsked)
    assert wanted == TransferAsked(
        call, "sip:carol@192.0.2.33", (("Referred-By", "<sip:peer@192.0.2.9>"),)
    )
    scene.answer(first, 200)

    report(scene, call, 200)

    last = scene.request()
    assert told(last) == ("terminated;reason=noresource", b"SIP/2.0 200 OK\r\n")
    assert (first.cseq.number, last.cseq.number) == (1, 2)
    scene.answer(last, 200)
    assert scene.endpoint.calls == (call,)  # it is for the other side to take leave


def test_a_result_that_comes_before_the_first_word_is_heard_waits_for_its_turn() -> None:
    scene, call = in_call()
    scene.within("REFER", cseq=2, fields=(TO_CAROL,))
    _, first = scene.take()
    assert isinstance(first, Request)

    report(scene, call, 486)
    assert scene.take() == []
    scene.answer(first, 200)

    assert told(scene.request())[1] == b"SIP/2.0 486 Busy Here\r\n"


def test_who_takes_leave_at_once_is_told_the_result_nevertheless() -> None:
    """RFC 5057 §5.4: the usage of the transfer outlives that of the call."""
    scene, call = in_call()
    scene.within("REFER", cseq=2, fields=(TO_CAROL,))
    _, first = scene.take()
    assert isinstance(first, Request)
    scene.answer(first, 200)
    scene.news.clear()
    scene.within("BYE", cseq=3)
    scene.told(CallEnded)
    scene.take()

    report(scene, call, 200)

    scene.answer(scene.request(), 481)
    scene.pass_(40.0)
    assert scene.endpoint.idle


def test_by_default_nobody_sends_us_elsewhere() -> None:
    """RFC 3515 §2.4.2: 603 declines out of courtesy."""
    scene = Scene()
    scene.establish()
    scene.within("REFER", cseq=2, fields=(TO_CAROL,))
    assert scene.statuses() == [603]
    assert scene.news == []


def test_a_stranger_never_sends_us_elsewhere() -> None:
    scene = Scene(WILLING)
    scene.hear(scene.draft("REFER", fields=(TO_CAROL,)))
    assert scene.statuses() == [403]


def test_a_call_that_is_not_answered_yet_is_not_transferred() -> None:
    scene = Scene(WILLING)
    scene.invite()
    scene.endpoint.ring("in-1", now=0.0)
    scene.collect()
    ringing = scene.response()
    scene.news.clear()
    scene.within("REFER", cseq=2, fields=(TO_CAROL,), tag=ringing.to.tag)
    assert scene.statuses() == [603]


def test_one_transfer_at_a_time() -> None:
    scene, call = in_call()
    scene.within("REFER", cseq=2, fields=(TO_CAROL,))
    scene.take()
    scene.within("REFER", cseq=3, fields=(TO_CAROL,))
    assert scene.statuses() == [491]
    assert len(scene.news) == 1

    report(scene, call, 404)
    scene.within("REFER", cseq=4, fields=(TO_CAROL,))
    assert 202 in scene.statuses()


def test_who_does_not_want_to_know_is_not_told() -> None:
    """RFC 4488 §4."""
    scene, call = in_call()
    quiet = (("Refer-Sub", "false"), ("Require", "norefersub"))
    scene.within("REFER", cseq=2, fields=(TO_CAROL, *quiet))
    response = scene.response()
    assert (response.status, response.headers.first("Refer-Sub")) == (202, "false")
    report(scene, call, 200)
    assert scene.take() == []


def test_the_peer_may_stop_listening() -> None:
    """RFC 3515 §2.4.4: an implicit subscription ends like any other."""
    scene, _ = in_call()
    scene.within("REFER", cseq=2, fields=(TO_CAROL,))
    _, first = scene.take()
    assert isinstance(first, Request)
    scene.answer(first, 200)

    contact = ("Contact", "<sip:peer@192.0.2.9:5062>")
    fields = (contact, ("Event", "refer;id=2"), ("Expires", "0"))
    scene.within("SUBSCRIBE", cseq=3, fields=fields)

    ok, last = scene.take()
    assert getattr(ok, "status", 0) == 200
    assert isinstance(last, Request)
    assert told(last)[0] == "terminated;reason=timeout"


def test_a_report_that_never_comes_is_not_waited_for() -> None:
    scene, _ = in_call()
    scene.within("REFER", cseq=2, fields=(TO_CAROL,))
    _, first = scene.take()
    assert isinstance(first, Request)
    scene.answer(first, 200)

    scene.pass_(92.0)

    assert told(scene.request())[0] == "terminated;reason=timeout"


def test_a_call_that_is_to_be_replaced_is_named_to_whom_we_call() -> None:
    """RFC 3891 §3, as RFC 5589 §7 has it in an attended transfer."""
    scene, call = in_call()
    to = (
        "<sip:carol@192.0.2.33:5070;transport=tcp;method=INVITE?"
        "Replaces=12%40host%3Bto-tag%3Da1%3Bfrom-tag%3Db2&Subject=ignored>"
    )
    scene.within("REFER", cseq=2, fields=(("Refer-To", to),))
    assert scene.told(TransferAsked) == TransferAsked(
        call,
        "sip:carol@192.0.2.33:5070;transport=tcp",
        (("Replaces", "12@host;to-tag=a1;from-tag=b2"), ("Require", "replaces")),
    )


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ((), 400),
        ((TO_CAROL, TO_CAROL), 400),
        ((("Refer-To", "rubbish"),), 400),
        ((("Refer-To", "<tel:+49301234>"),), 416),
        ((("Refer-To", "<sip:carol@192.0.2.33;method=BYE>"),), 603),
        ((("Refer-To", "<sip:c@h?Replaces=x%0D%0AVia%3A%20y>"),), 400),
        ((("Refer-To", "<sip:c@h?Replaces=12>"),), 400),
        ((TO_CAROL, ("Referred-By", "nobody")), 400),
    ],
)
def test_what_cannot_be_followed(fields: tuple[tuple[str, str], ...], status: int) -> None:
    """RFC 3515 §2.4.2: exactly one Refer-To."""
    scene, _ = in_call()
    scene.within("REFER", cseq=2, fields=fields)
    assert scene.statuses() == [status]
    assert scene.news == []


def test_what_a_transfer_wants_said_is_said_in_the_invite() -> None:
    """RFC 3891 §3, RFC 3892 §2.2."""
    scene = Scene()
    replaces = (("Replaces", "12@host;to-tag=a1;from-tag=b2"), ("Require", "replaces"))
    scene.endpoint.invite(
        scene.flow,
        "sip:carol@192.0.2.33",
        b"v=0",
        identity=Identity("sip:us@192.0.2.1"),
        fields=replaces,
        timeout=60.0,
        now=0.0,
    )
    scene.collect()
    invite = scene.request()
    assert [invite.headers.first(name) for name, _ in replaces] == [value for _, value in replaces]
