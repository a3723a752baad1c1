"""Being registered: RFC 3261 §10."""

import pytest
from msgspec.structs import replace

from sipstrobe.errors import LocalProtocolError
from sipstrobe.sip.identity import (
    Registered,
    RegistrationFailed,
    RegistrationTrouble,
    Unregistered,
)
from sipstrobe.sip.message import Request, Response, respond
from sipstrobe.sip.settings import SipSettings
from sipstrobe.sip.transport import Address, Flow, Transport
from tests.sip.registrar import INSTANCE, US, Office, binding
from tests.sip.scene import TCP, UDP, Fields


def test_what_a_register_says() -> None:
    """RFC 3261 §10.2: the registrar in the Request-URI, the address-of-record in To and From."""
    office = Office()

    request = office.register()

    assert (request.method, request.uri) == ("REGISTER", "sip:pbx.example")
    assert str(request.to.uri) == str(request.from_.uri) == "sip:100@pbx.example"
    assert request.from_.display == "Gate"
    assert request.headers.all("Contact") == ("<sip:100@192.0.2.1:5060>;expires=3600",)
    assert request.headers.first("Expires") == "3600"
    assert request.tokens("Supported") == ("path",)


def test_a_binding_is_told_with_its_time() -> None:
    """RFC 3261 §10.2.4: that of our own contact among those which the 200 lists."""
    office = Office()
    request = office.register()

    office.answer(
        request,
        200,
        fields=(
            ("Contact", "<sip:100@198.51.100.7>;expires=60, <sip:100@192.0.2.1:5060>;expires=1800"),
        ),
    )

    news = office.told(Registered)
    assert (news.name, news.status, news.expires) == ("gate", 200, 1800)
    assert news.server == UDP.remote
    assert news.identity == US
    assert news.public is None


@pytest.mark.parametrize(
    ("granted", "earliest", "latest"), [(3600, 2880, 3240), (60, 24, 30), (1, 2, 2)]
)
def test_it_is_refreshed_before_it_expires(granted: int, earliest: float, latest: float) -> None:
    """RFC 3261 §10.2.4: early enough for one that is lost, and not all accounts at once."""
    office = Office()
    first = office.register()
    office.grant(first, expires=granted)
    office.news.clear()

    again = office.next_request(before=latest)

    assert office.now >= earliest
    assert again.call_id == first.call_id
    assert again.from_.tag == first.from_.tag
    assert again.cseq.number == first.cseq.number + 1
    office.grant(again)
    assert office.told(Registered).expires == 3600


@pytest.mark.parametrize(
    ("fields", "expires"),
    [
        ((), 3600),
        ((("Expires", "600"),), 600),
        ((("Contact", "<sip:100@192.0.2.1:5060>"), ("Expires", "600")), 600),
        ((("Contact", "<sip:100@203.0.113.9:40000>;expires=90"),), 90),
        ((("Contact", "<sip:100@192.0.2.1:5060>;expires=99999999999"),), 7 * 86400),
        ((("Contact", "<sip:100@192.0.2.1:5060>;expires=soon"),), 3600),
    ],
)
def test_registrars_that_say_less_or_something_else(fields: Fields, expires: int) -> None:
    """RFC 3261 §10.3 has them list our contact as we wrote it; not all do, nor do all routers."""
    office = Office()
    request = office.register()

    office.hear(respond(request, 200, to_tag="pbx", headers=fields))

    assert office.told(Registered).expires == expires


@pytest.mark.parametrize("ours", ["", f';+sip.instance="<{INSTANCE}>"'])
def test_the_binding_of_another_device_of_this_user_is_not_ours(ours: str) -> None:
    """A registrar that changes addresses, and does not know what a flow is."""
    office = Office()
    request = office.register(binding(outbound=True))
    other = '<sip:100@203.0.113.8:40000>;expires=3000;+sip.instance="<urn:uuid:other>"'
    contacts = f"{other}, <sip:100@203.0.113.9:40000>;expires=90{ours}"

    office.answer(request, 200, fields=(("Contact", contacts),))

    assert office.told(Registered).expires == 90


@pytest.mark.parametrize(
    "contact",
    ["<sip:101@198.51.100.7>;expires=60", "<sip:100@192.0.2.1:5060>;expires=0", "<tel:112>"],
)
def test_a_200_without_us_is_no_registration(contact: str) -> None:
    office = Office()
    request = office.register()

    office.answer(request, 200, fields=(("Contact", contact),))

    assert office.told(RegistrationFailed).trouble is RegistrationTrouble.UNUSABLE
    assert office.endpoint.deadline is None or office.endpoint.deadline < 10


def test_an_interval_that_is_too_brief_is_raised() -> None:
    """RFC 3261 §10.2.8."""
    office = Office()
    request = office.register(binding(expires=60))

    office.answer(request, 423, fields=(("Min-Expires", "600"),))
    again = office.request()
    office.grant(again, expires=600)

    assert again.headers.first("Expires") == "600"
    assert office.told(Registered).expires == 600


@pytest.mark.parametrize("least", ["60", "0", "soon", "99999999999", ""])
def test_a_minimum_that_is_none_is_not_obeyed(least: str) -> None:
    office = Office()
    request = office.register(binding(expires=60))

    office.answer(request, 423, fields=(("Min-Expires", least),))

    assert office.take() == []
    assert office.told(RegistrationFailed).status == 423


def test_a_minimum_that_rises_and_rises_is_not_obeyed_for_ever() -> None:
    office = Office()
    request = office.register(binding(expires=60))

    for least in ("90", "120"):
        office.answer(request, 423, fields=(("Min-Expires", least),))
        request = office.request()
    office.answer(request, 423, fields=(("Min-Expires", "150"),))

    assert office.told(RegistrationFailed).status == 423


@pytest.mark.parametrize(
    ("status", "trouble"),
    [
        (403, RegistrationTrouble.REFUSED),
        (404, RegistrationTrouble.REFUSED),
        (600, RegistrationTrouble.REFUSED),
        (401, RegistrationTrouble.UNAUTHORIZED),
        (407, RegistrationTrouble.UNAUTHORIZED),
        (408, RegistrationTrouble.UNREACHABLE),
        (430, RegistrationTrouble.UNREACHABLE),
        (480, RegistrationTrouble.BUSY),
        (500, RegistrationTrouble.BUSY),
        (503, RegistrationTrouble.BUSY),
    ],
)
def test_why_a_registrar_refuses(status: int, trouble: RegistrationTrouble) -> None:
    """RFC 3261 §21."""
    office = Office()
    request = office.register()

    office.answer(request, status, fields=(("Retry-After", "17"),))

    news = office.told(RegistrationFailed)
    assert (news.trouble, news.status, news.retry_after) == (trouble, status, 17)
    office.until(10_000.0)
    assert office.take() == []  # what comes next is for others to decide


def test_a_retry_after_that_makes_no_sense_is_none() -> None:
    office = Office()

    office.answer(office.register(), 503, fields=(("Retry-After", "later"),))

    assert office.told(RegistrationFailed).retry_after is None


def test_a_registrar_that_does_not_answer() -> None:
    """RFC 3261 §10.2.7: timer F."""
    office = Office()
    office.register()

    office.until(32.0)

    news = office.told(RegistrationFailed)
    assert (news.trouble, news.status) == (RegistrationTrouble.UNREACHABLE, 408)


def test_a_registrar_that_cannot_be_reached() -> None:
    office = Office()
    office.register()

    office.endpoint.send_failed(UDP, now=0.0)
    office.collect()

    news = office.told(RegistrationFailed)
    assert (news.trouble, news.status, news.words) == (
        RegistrationTrouble.UNREACHABLE,
        503,
        "nothing can be sent there",
    )


def test_another_registrar_is_asked_once() -> None:
    """RFC 3261 §8.1.3.4; the next refreshment begins at the first again."""
    office = Office()
    first = office.register()

    office.answer(first, 302, fields=(("Contact", "<sip:198.51.100.4:5070?x=y>"),))
    (send,) = office.sends
    second = office.request()
    assert second.uri == "sip:198.51.100.4:5070"
    assert send.flow == Flow(Transport.UDP, UDP.local, Address("198.51.100.4", 5070))
    office.grant(second, expires=60)

    assert office.next_request(before=30.0).uri == "sip:pbx.example"
    assert office.way == UDP


def test_registrars_that_send_us_to_and_fro() -> None:
    office = Office()
    first = office.register()

    office.answer(first, 302, fields=(("Contact", "<sip:198.51.100.4>"),))
    office.answer(office.request(), 302, fields=(("Contact", "<sip:192.0.2.9:5062>"),))

    assert office.told(RegistrationFailed).status == 302


def test_another_registrar_may_want_another_transport() -> None:
    """Via and Contact name the port at which we listen there."""
    office = Office(SipSettings(tls_port=6061))

    office.answer(office.register(), 301, fields=(("Contact", "<sip:p.example;transport=tls>"),))

    local = Address("192.0.2.1", 6061)
    assert office.sends[-1].flow == Flow(Transport.TLS, local, Address("p.example", 5061))
    assert office.request().contacts[0].uri.port == 6061


def test_a_proxy_to_use_is_no_registrar() -> None:
    """RFC 3261 §21.3.4: 305 names a proxy, which is for the settings to say."""
    office = Office()

    office.answer(office.register(), 305, fields=(("Contact", "<sip:198.51.100.4>"),))

    assert office.told(RegistrationFailed).status == 305


@pytest.mark.parametrize("contact", [(), (("Contact", "<mailto:a@b>"),)])
def test_another_registrar_that_is_none(contact: Fields) -> None:
    office = Office()
    request = office.register()

    office.hear(respond(request, 302, to_tag="pbx", headers=contact))

    assert office.told(RegistrationFailed).status == 302


def test_proxies_stand_in_the_route() -> None:
    """RFC 3261 §8.1.2: in their order; the flow leads to the first."""
    office = Office()
    proxies = ("<sip:a.example;lr>", "<sip:b.example:5070;lr>")

    request = office.register(binding(replace(US, route=proxies)))

    assert request.headers.all("Route") == proxies
    assert request.uri == "sip:pbx.example"


# --- refreshing and changing ---------------------------------------------------------------------


def test_refreshing_does_not_wait_for_an_answer_that_may_never_come() -> None:
    """The network has changed: the REGISTER under way is given up."""
    office = Office()
    lost = office.register()

    office.pass_(3.0)
    office.take()
    office.endpoint.refresh("gate", now=office.now)
    office.collect()
    request = office.request()
    assert request.cseq.number == lost.cseq.number + 1
    office.grant(lost)
    assert office.news == []
    office.grant(request)
    assert office.told(Registered)


def test_another_address_of_ours_replaces_the_former() -> None:
    """RFC 3261 §10.2.2, in one request: no call finds the former in between."""
    office = Office()
    office.registered()
    moved = replace(UDP, local=Address("198.51.100.20", 5060))

    request = office.register(flow=moved)

    assert request.headers.all("Contact") == (
        "<sip:100@198.51.100.20:5060>;expires=3600",
        "<sip:100@192.0.2.1:5060>;expires=0",
    )
    office.grant(request)
    office.endpoint.refresh("gate", now=office.now)
    office.collect()
    assert len(office.request().contacts) == 1


def test_only_so_many_former_addresses_are_removed() -> None:
    office = Office()
    requests = [
        office.register(flow=replace(UDP, local=Address(f"198.51.100.{n}", 5060)))
        for n in range(20)
    ]
    assert len(requests[-1].contacts) == 5


def test_another_identity_under_the_same_name() -> None:
    office = Office()
    office.registered()

    request = office.register(binding(replace(US, uri="sip:200@pbx.example", display="Yard")))

    assert str(request.to) == "<sip:200@pbx.example>"
    assert request.from_.display == "Yard"
    assert request.contacts[0].uri.user == "200"


@pytest.mark.parametrize(
    ("uri", "registrar", "route"),
    [
        ("tel:112", "sip:pbx.example", ()),
        ("sip:100@pbx.example", "pbx.example", ()),
        ("sip:100@pbx.example", "sip:pbx.example", ("<mailto:a@b>",)),
        ("sip:100@pbx.example", "sip:pbx.example", ("<",)),
    ],
)
def test_only_sip_uris_can_be_registered(uri: str, registrar: str, route: tuple[str, ...]) -> None:
    office = Office()
    wanted = replace(binding(replace(US, uri=uri, route=route)), registrar=registrar)

    with pytest.raises(LocalProtocolError):
        office.endpoint.register("gate", wanted, UDP, now=0.0)


# --- leaving -------------------------------------------------------------------------------------


def test_leaving_removes_the_binding() -> None:
    """RFC 3261 §10.2.2."""
    office = Office()
    office.registered()

    office.endpoint.unregister("gate", now=office.now)
    office.collect()
    request = office.request()
    office.answer(request, 200, fields=())

    assert request.headers.first("Expires") == "0"
    assert request.headers.all("Contact") == ("<sip:100@192.0.2.1:5060>;expires=0",)
    assert office.told(Unregistered).status == 200
    office.pass_(60.0)
    assert office.endpoint.idle


def test_leaving_goes_where_the_binding_was_made() -> None:
    office = Office()
    office.answer(office.register(), 302, fields=(("Contact", "<sip:198.51.100.4:5070>"),))
    office.grant(office.request())

    office.endpoint.unregister("gate", now=office.now)
    office.collect()

    assert office.sends[-1].flow.remote == Address("198.51.100.4", 5070)
    request = office.request()
    assert (request.uri, request.headers.first("Expires")) == ("sip:198.51.100.4:5070", "0")


def test_a_registrar_may_ask_for_the_password_once_more() -> None:
    office = Office()
    office.registered()

    office.endpoint.unregister("gate", now=office.now)
    office.collect()
    office.challenge(office.request())
    request = office.request()
    office.answer(request, 200)

    assert request.headers.first("Expires") == "0"
    assert request.auth("Authorization")
    assert office.told(Unregistered).status == 200


def test_leaving_while_registering_removes_what_may_have_been_made() -> None:
    office = Office()
    office.register()

    office.endpoint.unregister("gate", now=office.now)
    office.collect()

    assert office.request().headers.first("Expires") == "0"
    office.endpoint.unregister("gate", now=office.now)  # has been said
    office.collect()
    assert office.take() == []


def test_leaving_a_registrar_that_is_gone() -> None:
    office = Office()
    office.registered()

    office.endpoint.unregister("gate", now=office.now)
    office.pass_(32.0)

    assert (office.told(Unregistered).status, office.endpoint.waiting) == (0, False)


def test_leaving_without_having_been_there() -> None:
    office = Office()
    office.answer(office.register(), 403)
    office.news.clear()

    office.endpoint.unregister("gate", now=office.now)
    office.endpoint.unregister("nobody", now=office.now)
    office.collect()

    assert office.take() == []
    assert office.told(Unregistered).status == 0


def test_a_refresh_that_failed_leaves_a_binding_that_is_to_be_removed() -> None:
    """The registrar would send calls to a device that has been switched off."""
    office = Office()
    office.registered()
    office.endpoint.refresh("gate", now=office.now)
    office.collect()
    office.answer(office.request(), 503)
    office.news.clear()

    office.endpoint.unregister("gate", now=office.now)
    office.collect()

    assert office.request().headers.first("Expires") == "0"


def test_a_name_can_be_used_again_at_once() -> None:
    office = Office()
    office.registered()
    office.endpoint.unregister("gate", now=office.now)
    office.collect()
    office.take()

    office.grant(office.register())

    assert office.told(Registered).name == "gate"


# --- what others may do to us --------------------------------------------------------------------


@pytest.mark.parametrize("route", ["<<<", "<tel:112>", "<sip:p;lr>, <mailto:a@b>"])
def test_nonsense_in_a_200_counts_as_not_said(route: str) -> None:
    office = Office()
    fields = (
        ("Service-Route", route),
        ("Path", "<sip:p;lr>, <"),
        ("Flow-Timer", "-1"),
    )

    office.grant(office.register(binding(outbound=True)), fields=fields, params=';pub-gruu="x y"')

    news = office.told(Registered)
    assert (news.service_route, news.path, news.identity) == ((), (), US)


def test_a_service_route_without_end_is_none() -> None:
    office = Office()
    route = ", ".join(f"<sip:p{n}.example;lr>" for n in range(17))

    office.grant(office.register(), fields=(("Service-Route", route),))

    assert office.told(Registered).service_route == ()


def test_a_thousand_bindings_share_one_timer() -> None:
    """Each costs a line of the agenda, and its keep-alive nothing."""
    office = Office()
    for n in range(1000):
        request = office.register(binding(replace(US, uri=f"sip:{n}@pbx.example")), name=str(n))
        office.grant(request)
    assert len(office.news) == 1000
    office.pass_(60.0)
    office.sends.clear()

    office.pass_(290.0)

    assert 10 <= len(office.sends) <= 13  # keep-alives of one flow, one in 24 to 29 s
    for n in range(1000):
        office.endpoint.unregister(str(n), now=office.now)
    office.collect()
    for request in office.take():
        assert isinstance(request, Request)
        office.answer(request, 200)
    office.pass_(60.0)
    assert office.endpoint.idle


def test_over_a_connection_answers_lead_the_next_request() -> None:
    """RFC 3261 §18.1.1: the connection is used again, a new one when it is gone."""
    office = Office(flow=TCP)
    request = office.register(flow=replace(TCP, connection=None))
    office.grant(request, flow=TCP)
    office.endpoint.refresh("gate", now=office.now)
    office.collect()
    assert office.sends[-1].flow == TCP
    office.grant(office.request(), flow=TCP)
    office.news.clear()

    office.endpoint.connection_closed(7, now=office.now)
    office.collect()

    news = office.told(RegistrationFailed)
    assert (news.trouble, news.words) == (
        RegistrationTrouble.UNREACHABLE,
        "the connection is lost",
    )
    office.endpoint.refresh("gate", now=office.now)
    office.collect()
    assert office.sends[-1].flow == replace(TCP, connection=None)


def test_a_lost_connection_is_told_once() -> None:
    """A REGISTER under way says so itself."""
    office = Office(flow=TCP)
    office.grant(office.register(flow=replace(TCP, connection=None)), flow=TCP)
    office.endpoint.refresh("gate", now=office.now)
    office.collect()
    office.news.clear()

    office.endpoint.connection_closed(7, now=office.now)
    office.collect()

    assert office.told(RegistrationFailed).status == 503


def test_a_response_that_was_not_asked_for_registers_nobody() -> None:
    office = Office()
    request = office.register()
    office.grant(request)
    office.news.clear()

    office.grant(request)
    forged = Response(200, "OK", request.headers)
    office.hear(forged)

    assert office.news == []
