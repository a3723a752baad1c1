"""Phones that watch an extension: RFC 6665 and RFC 4235."""

from xml.etree import ElementTree as Xml

import pytest

from sipstrobe.sip.dialog_info import DialogState, Role, ShownDialog
from sipstrobe.sip.message import Request, Response
from sipstrobe.sip.outputs import StateWanted
from sipstrobe.sip.settings import SipSettings
from sipstrobe.sip.transport import Address, Flow, Transport
from sipstrobe.sip.watchers import (
    MAX_WATCHERS,
    MAX_WATCHERS_PER_SOURCE,
    MIN_EXPIRES,
    PACE,
    USUAL_EXPIRES,
)
from tests.sip.scene import US, Fields, Scene

CONTACT = ("Contact", "<sip:peer@192.0.2.9:5062>")
EVENT = ("Event", "dialog")
RINGING = ShownDialog("in-1", DialogState.EARLY, Role.RECIPIENT, "sip:bob@192.0.2.9")
TALKING = ShownDialog("in-1", DialogState.CONFIRMED, Role.RECIPIENT, "sip:bob@192.0.2.9")


class Desk(Scene):
    """A scene with a peer whose lamp is to show extension 1001."""

    def __init__(self) -> None:
        super().__init__(SipSettings(allow_incoming=True))

    def subscribe(
        self, *fields: tuple[str, str], cseq: int = 1, tag: str = "", call_id: str = "watch-1"
    ) -> Response:
        given: Fields = (CONTACT, *fields)
        if "Event" not in dict(fields):
            given = (EVENT, *given)
        self.hear(self.draft("SUBSCRIBE", cseq=cseq, fields=given, to_tag=tag, call_id=call_id))
        [response] = [m for m in self.sent if isinstance(m, Response)]
        self.sent.remove(response)
        return response

    def watch(self, *fields: tuple[str, str], call_id: str = "watch-1") -> str:
        """A watcher who has been told that nothing goes on; our tag."""
        response = self.subscribe(*fields, call_id=call_id)
        assert response.status == 200
        self.told(StateWanted)
        self.show()
        self.answered_notify()
        return response.to.tag

    def show(self, *dialogs: ShownDialog, extension: str = "1001") -> None:
        self.endpoint.show(extension, dialogs, now=self.now)
        self.collect()

    def answered_notify(self, status: int = 200) -> Request:
        """The one NOTIFY sent since, which is answered."""
        notify = self.request()
        assert notify.method == "NOTIFY"
        self.answer(notify, status)
        return notify


def shown(notify: Request) -> tuple[int, list[tuple[str | None, str | None]]]:
    """Version, and the dialogs by id with their states."""
    root = Xml.fromstring(notify.body)
    return int(root.attrib["version"]), [(d.get("id"), d[0].text) for d in root]


def test_who_watches_is_told_at_once_what_goes_on() -> None:
    """RFC 6665 §4.2.1.2, RFC 4235 §3."""
    desk = Desk()

    ok = desk.subscribe()

    assert (ok.status, ok.expires) == (200, USUAL_EXPIRES)
    assert str(ok.contacts[0].uri) == "sip:1001@192.0.2.1:5060"
    assert desk.told(StateWanted).extension == "1001"
    assert desk.endpoint.watched == {"1001"}
    desk.show(RINGING)
    notify = desk.answered_notify()
    assert notify.uri == "sip:peer@192.0.2.9:5062"
    assert notify.from_.tag == ok.to.tag
    assert notify.headers.first("Event") == "dialog"
    assert notify.headers.first("Subscription-State") == f"active;expires={USUAL_EXPIRES}"
    assert notify.content_type == "application/dialog-info+xml"
    assert shown(notify) == (0, [("in-1", "early")])


def test_each_change_is_told_and_what_has_ended_is_told_once_more() -> None:
    """RFC 4235 §4.1.1: versions grow by one."""
    desk = Desk()
    desk.watch()
    told: list[tuple[int, list[tuple[str | None, str | None]]]] = []
    for dialogs in [(RINGING,), (TALKING,), (), (RINGING,)]:
        desk.pass_(PACE)
        desk.show(*dialogs)
        told.append(shown(desk.answered_notify()))

    assert told == [
        (1, [("in-1", "early")]),
        (2, [("in-1", "confirmed")]),
        (3, [("in-1", "terminated")]),
        (4, [("in-1", "early")]),
    ]


def test_nothing_new_is_not_told() -> None:
    desk = Desk()
    desk.watch()
    desk.pass_(PACE)
    desk.show()
    desk.show(RINGING, extension="1002")
    assert desk.take() == []


def test_changes_in_quick_succession_are_told_as_one() -> None:
    """RFC 4235 §3.10: no more than one a second; the last state is what counts."""
    desk = Desk()
    desk.watch()
    desk.pass_(0.3)

    desk.show(RINGING)
    desk.show(TALKING)
    assert desk.take() == []

    desk.until(PACE)
    assert shown(desk.answered_notify()) == (1, [("in-1", "confirmed")])
    desk.pass_(30.0)
    assert desk.take() == []


def test_one_notify_at_a_time() -> None:
    """RFC 6665 §4.2.2: what changes before it is answered waits for the answer."""
    desk = Desk()
    desk.watch()
    desk.pass_(PACE)
    desk.show(RINGING)
    first = desk.request()
    desk.pass_(PACE)
    desk.take()  # the first again: nobody has answered yet
    desk.show(TALKING)
    assert desk.take() == []

    desk.answer(first, 200)

    assert shown(desk.answered_notify()) == (2, [("in-1", "confirmed")])


def test_a_refresh_goes_on_and_is_told_the_state() -> None:
    """RFC 6665 §4.2.1.2."""
    desk = Desk()
    tag = desk.watch()
    desk.pass_(1000.0)

    ok = desk.subscribe(("Expires", "600"), cseq=2, tag=tag)

    assert (ok.status, ok.expires) == (200, 600)
    notify = desk.answered_notify()
    assert notify.headers.first("Subscription-State") == "active;expires=600"
    assert shown(notify) == (1, [])


def test_who_stops_watching_is_told_one_last_time() -> None:
    """RFC 6665 §4.2.1.4."""
    desk = Desk()
    tag = desk.watch()

    ok = desk.subscribe(("Expires", "0"), cseq=2, tag=tag)

    assert ok.expires == 0
    notify = desk.answered_notify()
    assert notify.headers.first("Subscription-State") == "terminated;reason=timeout"
    assert desk.endpoint.watched == set()
    desk.pass_(40.0)
    assert desk.endpoint.idle


def test_who_looks_once_is_told_once() -> None:
    """RFC 6665 §4.4.3: fetching."""
    desk = Desk()
    ok = desk.subscribe(("Expires", "0"))
    assert ok.expires == 0
    desk.told(StateWanted)

    desk.show(TALKING)

    notify = desk.answered_notify()
    assert notify.headers.first("Subscription-State") == "terminated;reason=timeout"
    assert shown(notify) == (0, [("in-1", "confirmed")])
    assert desk.endpoint.watched == set()


def test_who_does_not_refresh_is_told_that_it_is_over() -> None:
    """RFC 6665 §4.2.1.4."""
    desk = Desk()
    desk.watch(("Expires", "60"))

    desk.until(60.0)

    notify = desk.answered_notify()
    assert notify.headers.first("Subscription-State") == "terminated;reason=timeout"
    desk.pass_(40.0)
    assert desk.endpoint.idle


@pytest.mark.parametrize("status", [481, 489, 404])
def test_who_does_not_know_of_it_any_more_is_told_nothing_more(status: int) -> None:
    """RFC 6665 §4.2.2."""
    desk = Desk()
    desk.watch()
    desk.pass_(PACE)
    desk.show(RINGING)
    desk.answered_notify(status)
    assert desk.endpoint.watched == set()


def test_who_never_answers_is_given_up() -> None:
    desk = Desk()
    desk.watch()
    desk.pass_(PACE)
    desk.show(RINGING)
    desk.pass_(32.0)
    assert desk.endpoint.watched == set()


def test_who_is_only_busy_is_told_the_next_change() -> None:
    desk = Desk()
    desk.watch()
    desk.pass_(PACE)
    desk.show(RINGING)
    desk.answered_notify(503)
    desk.pass_(PACE)
    desk.show(TALKING)
    assert shown(desk.answered_notify()) == (2, [("in-1", "confirmed")])


def test_when_we_go_the_watchers_are_told_to_ask_again_later() -> None:
    """RFC 6665 §4.1.3."""
    desk = Desk()
    desk.watch()

    desk.endpoint.dismiss_watchers(now=desk.now)
    desk.collect()

    assert desk.endpoint.waiting
    notify = desk.answered_notify()
    state = notify.headers.first("Subscription-State")
    assert state == "terminated;reason=probation;retry-after=5"
    assert not desk.endpoint.waiting


def test_the_id_of_a_subscription_comes_back() -> None:
    """RFC 6665 §4.5.2."""
    desk = Desk()
    response = desk.subscribe(("Event", "dialog ; id=ab.12"))
    desk.told(StateWanted)
    desk.show()
    assert desk.answered_notify().headers.first("Event") == "dialog;id=ab.12"

    other = desk.subscribe(("Event", "dialog;id=cd"), cseq=2, tag=response.to.tag)
    assert other.status == 481


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "event", ["presence", "message-summary", "", "a b", "dialog;id=" + "x" * 65]
)
def test_other_events_are_refused_with_those_that_there_are(event: str) -> None:
    """RFC 6665 §4.2.1.1."""
    desk = Desk()
    refused = desk.subscribe(("Event", event))
    assert refused.status == 489
    assert desk.news == []


def test_the_refusal_of_an_event_names_ours() -> None:
    desk = Desk()
    assert desk.subscribe(("Event", "presence")).tokens("Allow-Events") == ("dialog",)


def test_too_short_an_interval_is_refused_with_the_least() -> None:
    """RFC 6665 §4.2.1.1."""
    desk = Desk()
    refused = desk.subscribe(("Expires", "59"))
    assert (refused.status, refused.headers.first("Min-Expires")) == (423, str(MIN_EXPIRES))
    tag = desk.watch()
    assert desk.subscribe(("Expires", "1"), cseq=2, tag=tag).status == 423
    assert desk.endpoint.watched == {"1001"}


def test_nobody_watches_for_longer_than_an_hour() -> None:
    assert Desk().subscribe(("Expires", "86400")).expires == USUAL_EXPIRES


def test_who_cannot_read_the_document_is_refused() -> None:
    desk = Desk()
    refused = desk.subscribe(("Accept", "application/pidf+xml"))
    assert refused.status == 406
    assert desk.subscribe(("Accept", "application/*")).status == 200


def test_the_device_itself_is_no_extension() -> None:
    desk = Desk()
    desk.hear(desk.draft("SUBSCRIBE", uri="sip:192.0.2.1", fields=(CONTACT, EVENT)))
    assert desk.statuses() == [404]


def test_where_nothing_can_be_sent_nobody_watches() -> None:
    desk = Desk()
    there = ("Contact", "<sip:peer@192.0.2.9;transport=sctp>")
    desk.hear(desk.draft("SUBSCRIBE", fields=(there, EVENT)))
    assert desk.statuses() == [416]
    assert desk.endpoint.watched == set()


def test_a_subscription_that_is_not_known_is_answered_481() -> None:
    desk = Desk()
    assert desk.subscribe(tag="gone").status == 481


def test_a_refresh_out_of_order_is_answered_500() -> None:
    """RFC 3261 §12.2.2."""
    desk = Desk()
    tag = desk.watch()
    assert desk.subscribe(cseq=5, tag=tag).status == 200
    desk.answered_notify()
    assert desk.subscribe(cseq=4, tag=tag).status == 500


def test_watchers_have_bounds_for_each_source_and_for_all() -> None:
    desk = Desk()
    sources = -(-MAX_WATCHERS // MAX_WATCHERS_PER_SOURCE)
    told: list[int | str] = []
    for source in range(sources + 1):
        flow = Flow(Transport.UDP, US, Address(f"192.0.2.{20 + source}", 5062))
        for n in range(MAX_WATCHERS_PER_SOURCE + 1):
            name = f"watch-{source}-{n}"
            desk.hear(desk.draft("SUBSCRIBE", fields=(CONTACT, EVENT), call_id=name), flow)
        told.append(desk.statuses().count(200))

    assert told == [MAX_WATCHERS_PER_SOURCE] * sources + [0]


@pytest.mark.parametrize("contact", ["<tel:+4312345>", "*"])
def test_a_refresh_from_where_nothing_can_be_sent_is_refused_and_leaves_nothing(
    contact: str,
) -> None:
    desk = Desk()
    tag = desk.watch()
    desk.pass_(40.0)
    before = desk.endpoint.transactions

    desk.hear(
        desk.draft(
            "SUBSCRIBE", cseq=2, fields=(("Contact", contact), EVENT), to_tag=tag, call_id="watch-1"
        )
    )

    assert desk.response().status == 400
    desk.pass_(40.0)
    assert desk.endpoint.transactions == before
    desk.show(RINGING)
    assert desk.answered_notify().uri == "sip:peer@192.0.2.9:5062"  # the subscription goes on


def test_who_leaves_makes_room() -> None:
    desk = Desk()
    tags = [desk.watch(call_id=f"watch-{n}") for n in range(MAX_WATCHERS_PER_SOURCE)]
    assert desk.subscribe(call_id="one-more").status == 503

    desk.subscribe(("Expires", "0"), cseq=2, tag=tags[0], call_id="watch-0")
    desk.answered_notify()

    desk.watch(call_id="one-more")
    assert desk.endpoint.watched == {"1001"}
