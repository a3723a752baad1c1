"""Being reachable through address translation: RFC 5626, RFC 5627, RFC 3327, RFC 3608, RFC 3581."""

import pytest
from msgspec.structs import replace

from sipstrobe.sip.headers import Via
from sipstrobe.sip.identity import (
    Identity,
    Registered,
    RegistrationFailed,
    RegistrationTrouble,
)
from sipstrobe.sip.mappings import MAX_MAPPINGS, Mappings
from sipstrobe.sip.message import Request
from sipstrobe.sip.outputs import CloseConnection, IncomingCall, KeepAlive, KeepAliveAnswer
from sipstrobe.sip.settings import NatSettings, SipSettings
from sipstrobe.sip.transport import Address, Flow, Transport
from tests.sip.registrar import INSTANCE, US, Office, binding
from tests.sip.scene import ANSWER, OFFER, TCP, UDP

AGREED = (("Require", "outbound"), ("Supported", "outbound"))
PUBLIC = Address("203.0.113.9", 40000)
NEW_TCP = replace(TCP, connection=None)


def over_tcp(*fields: tuple[str, str]) -> Office:
    """Registered over TCP with a registrar that knows outbound."""
    office = Office(flow=TCP)
    request = office.register(binding(outbound=True), flow=NEW_TCP)
    office.grant(request, fields=AGREED + fields, flow=TCP)
    office.news.clear()
    office.sends.clear()
    return office


def pings(office: Office) -> list[bytes]:
    """The keep-alives since last asked."""
    sent = [send.data for send in office.sends if not send.data.strip()]
    office.sends.clear()
    return sent


def pass_to_keep_alive(office: Office) -> None:
    while not (office.sends or office.news):
        at = office.endpoint.deadline
        assert at is not None
        office.until(at)


# --- what is said --------------------------------------------------------------------------------


def test_an_instance_registers_a_flow() -> None:
    """RFC 5626 §4.2."""
    office = Office()

    request = office.register(binding(outbound=True))

    params = request.contacts[0].params
    assert params["+sip.instance"] == f"<{INSTANCE}>"
    assert params["reg-id"] == "1"
    assert request.tokens("Supported") == ("path", "outbound", "gruu")


def test_the_flow_is_told_of_in_calls() -> None:
    """RFC 5626 §4.3: ob, if the registrar has agreed."""
    office = Office()
    office.grant(office.register(binding(outbound=True)), fields=AGREED)

    assert (
        contact_of_call(office, office.told(Registered).identity) == "<sip:100@192.0.2.1:5060;ob>"
    )


def test_a_registrar_that_does_not_agree() -> None:
    office = Office()
    office.grant(office.register(binding(outbound=True)))

    identity = office.told(Registered).identity
    assert not identity.outbound
    assert contact_of_call(office, identity) == "<sip:100@192.0.2.1:5060>"


def test_a_proxy_that_cannot_keep_a_flow() -> None:
    """RFC 5626 §11.6: 439; it goes without."""
    office = Office()

    office.answer(office.register(binding(outbound=True)), 439)
    request = office.request()
    office.grant(request)

    assert "reg-id" not in request.contacts[0].params
    assert office.told(Registered).status == 200


def test_leaving_names_the_flow() -> None:
    """RFC 5626 §6: the registrar finds the binding by instance and reg-id."""
    office = Office()
    office.registered(binding(outbound=True))

    office.endpoint.unregister("gate", now=office.now)
    office.collect()

    params = office.request().contacts[0].params
    assert (params["reg-id"], params["expires"]) == ("1", "0")


def contact_of_call(office: Office, identity: Identity) -> str:
    office.endpoint.invite(
        office.flow, "sip:200@pbx.example", OFFER, identity=identity, timeout=60, now=office.now
    )
    office.collect()
    return office.request().headers.all("Contact")[0]


# --- GRUU, service route and path ----------------------------------------------------------------

GRUU = "sip:100@pbx.example;gr=urn:uuid:00000000"


def test_calls_name_the_address_that_the_registrar_has_given() -> None:
    """RFC 5627 §4.4."""
    office = Office()
    params = f';pub-gruu="{GRUU}";temp-gruu="sip:tgruu.7hs@pbx.example;gr"'

    office.grant(office.register(binding(outbound=True)), params=params)

    identity = office.told(Registered).identity
    assert identity.gruu == GRUU
    assert contact_of_call(office, identity) == f"<{GRUU}>"
    office.endpoint.refresh("gate", now=office.now)
    office.collect()
    assert str(office.request().contacts[0].uri) == "sip:100@192.0.2.1:5060"


def test_so_do_answers_to_calls_from_that_registrar_and_to_no_others() -> None:
    office = Office()
    office.registered(binding(outbound=True), params=f';pub-gruu="{GRUU}"')
    stranger = replace(UDP, remote=Address("203.0.113.66", 5060))

    contacts: list[str] = []
    for flow in (UDP, stranger):
        office.flow = flow
        office.hear(
            office.draft("INVITE", body=OFFER, uri="sip:100@192.0.2.1", call_id=flow.remote.host)
        )
        office.endpoint.accept(office.told(IncomingCall).call, ANSWER, now=office.now)
        office.collect()
        contacts += office.response().headers.all("Contact")

    assert contacts == [f"<{GRUU}>", "<sip:100@192.0.2.1:5060>"]


def test_later_requests_take_the_service_route() -> None:
    """RFC 3608 §6.1; RFC 3327: the path is shown."""
    office = Office()
    fields = (
        ("Service-Route", "<sip:in.example;lr>, <sip:home.example;lr>"),
        ("Path", "<sip:edge.example;lr>"),
    )

    office.grant(office.register(), fields=fields)
    news = office.told(Registered)
    office.endpoint.invite(
        UDP, "sip:200@pbx.example", OFFER, identity=news.identity, timeout=60, now=0.0
    )
    office.collect()
    invite = office.request()

    assert news.path == ("<sip:edge.example;lr>",)
    assert invite.headers.all("Route") == ("<sip:in.example;lr>", "<sip:home.example;lr>")
    assert invite.uri == "sip:200@pbx.example"


@pytest.mark.parametrize(
    ("service_route", "route"),
    [
        ("<sip:home.example;lr>", ("<sip:edge.example;lr>", "<sip:home.example;lr>")),
        ("<sip:EDGE.example;lr>", ("<sip:EDGE.example;lr>",)),
        ("", ("<sip:edge.example;lr>",)),
    ],
)
def test_our_own_proxies_come_before_the_service_route(
    service_route: str, route: tuple[str, ...]
) -> None:
    """RFC 3608 §6.1; a registrar behind the proxy may name it as well."""
    office = Office()
    fields = (("Service-Route", service_route),) if service_route else ()

    office.grant(
        office.register(binding(replace(US, route=("<sip:edge.example;lr>",)))),
        fields=fields,
    )

    assert office.told(Registered).identity.route == route


def test_a_strict_router_gets_its_own_address_as_request_uri() -> None:
    """RFC 3261 §8.1.2, §16.12: a proxy without ;lr."""
    office = Office()
    identity = replace(US, route=("<sip:old.example>", "<sip:b.example;lr>"))

    office.endpoint.invite(
        UDP, "sip:200@pbx.example", OFFER, identity=identity, timeout=60, now=0.0
    )
    office.collect()
    invite = office.request()

    assert invite.uri == "sip:old.example"
    assert invite.headers.all("Route") == ("<sip:b.example;lr>", "<sip:200@pbx.example>")


def test_a_secure_identity_is_reached_securely() -> None:
    """RFC 3261 §8.1.1.8: a sips address in From or Request-URI wants one in Contact."""
    secure = Flow(Transport.TLS, Address("192.0.2.1", 5061), UDP.remote, connection=3)
    office = Office(flow=secure)

    request = office.register(binding(replace(US, uri="sips:100@pbx.example")))

    assert str(request.contacts[0].uri).startswith("sips:100@192.0.2.1:5061")


# --- keep-alives ---------------------------------------------------------------------------------


def test_a_connection_is_pinged_and_the_answer_keeps_it() -> None:
    """RFC 5626 §4.4.1: every 96 to 120 seconds; the pong within 10."""
    office = over_tcp()

    pauses: set[float] = set()
    for _ in range(3):
        before = office.now
        pass_to_keep_alive(office)
        pauses.add(office.now - before)
        assert pings(office) == [b"\r\n\r\n"]
        office.endpoint.receive_stream(b"\r\n", TCP, now=office.now)
        office.collect()
        assert pings(office) == []  # two pongs are not a ping
    assert office.news == []
    assert len(pauses) == 3  # at random
    assert 96 <= min(pauses) < max(pauses) <= 120


def test_a_flow_timer_shortens_the_pauses() -> None:
    """RFC 5626 §4.4: 80 to 100 % of it."""
    office = over_tcp(("Flow-Timer", "40"))

    pass_to_keep_alive(office)

    assert 32 <= office.now <= 40


def test_a_flow_timer_has_a_least_value() -> None:
    office = over_tcp(("Flow-Timer", "0"))

    pass_to_keep_alive(office)

    assert office.now >= 8


def test_a_connection_without_pong_has_failed() -> None:
    """RFC 5626 §4.4.1."""
    office = over_tcp()
    pass_to_keep_alive(office)
    pinged = office.now

    office.until(pinged + 9.9)
    assert office.news == []
    office.until(pinged + 10.0)

    failed, close = office.news
    assert isinstance(failed, RegistrationFailed)
    assert failed.trouble is RegistrationTrouble.UNREACHABLE
    assert failed.words == "keep-alives are not answered any more"
    assert close == CloseConnection(7)
    office.endpoint.connection_closed(7, now=office.now)
    office.collect()
    assert len(office.news) == 2


def test_whatever_is_heard_shows_that_the_connection_works() -> None:
    office = over_tcp()
    pass_to_keep_alive(office)

    office.hear(office.draft("OPTIONS"))
    office.take()
    office.pass_(11.0)

    assert office.news == []


def test_a_registrar_that_did_not_agree_gets_an_empty_line() -> None:
    """RFC 3261 §7.5 has it ignored, by whoever reads it; translators take it for traffic."""
    office = Office()
    office.registered()
    office.sends.clear()

    office.pass_(100.0)

    assert 3 <= len(pings(office)) <= 5
    assert office.news == []


def test_over_udp_stun_is_asked_for() -> None:
    """RFC 5626 §4.4.2: every 24 to 29 seconds."""
    office = Office()
    office.registered(binding(outbound=True), fields=AGREED)
    office.sends.clear()

    pass_to_keep_alive(office)

    assert 23.2 <= office.now <= 29
    assert office.told(KeepAlive).flow == UDP
    office.endpoint.receive(b"\x01\x01" + bytes(18), UDP, now=office.now)
    office.collect()
    assert office.told(KeepAliveAnswer) == KeepAliveAnswer(UDP, b"\x01\x01" + bytes(18))
    office.endpoint.mapped(UDP, UDP.local, now=office.now)
    office.pass_(20.0)
    assert office.news == []


def test_stun_is_repeated_until_the_flow_has_failed() -> None:
    """RFC 8489 §6.2.1: seven times; one answer is enough."""
    office = Office()
    office.registered(binding(outbound=True), fields=AGREED)
    pass_to_keep_alive(office)
    asked = office.now

    instants: list[float] = []
    while office.news == [KeepAlive(UDP)]:
        instants.append(round(office.now - asked, 1))
        office.news.clear()
        pass_to_keep_alive(office)

    assert instants == [0, 0.5, 1.5, 3.5, 5.5, 7.5, 9.5]
    assert round(office.now - asked, 1) == 10.0
    assert office.told(RegistrationFailed).words == "keep-alives are not answered any more"


def test_stun_that_nobody_asked_for_is_nonsense() -> None:
    office = Office()
    office.registered(binding(outbound=True), fields=AGREED)

    office.endpoint.receive(b"\x01\x01" + bytes(18), UDP, now=office.now)

    assert office.endpoint.counters.malformed == 1
    assert not office.endpoint.outbox


def test_a_keep_alive_that_shows_another_address_registers_anew() -> None:
    """RFC 5626 §4.4.2: the translator has been restarted; nobody finds us at the former."""
    office = Office()
    office.registered(binding(outbound=True), fields=AGREED)

    office.endpoint.mapped(UDP, PUBLIC, now=office.now)
    office.collect()

    assert str(office.request().contacts[0].uri) == "sip:100@203.0.113.9:40000"


def test_keep_alives_end_with_the_last_who_needs_them() -> None:
    office = Office()
    for name in ("gate", "yard"):
        office.registered(name=name)
    for name in ("gate", "yard"):
        office.pass_(30.0)
        assert pings(office)
        office.endpoint.unregister(name, now=office.now)
        office.collect()
        office.answer(office.request(), 200)
        office.pass_(60.0)
    office.sends.clear()

    office.pass_(100.0)

    assert pings(office) == []
    assert office.endpoint.idle


def test_a_failed_flow_is_told_to_all_who_use_it() -> None:
    office = Office()
    for name in ("gate", "yard"):
        office.registered(name=name)

    office.endpoint.send_failed(UDP, now=office.now)
    office.collect()

    failed = [news.name for news in office.news if isinstance(news, RegistrationFailed)]
    assert failed == ["gate", "yard"]


# --- the public address --------------------------------------------------------------------------


def behind_nat(settings: SipSettings | None = None) -> tuple[Office, Request]:
    """Registered, the registrar having seen another address; the result is what came next."""
    office = Office(settings)
    office.grant(office.register(), seen=PUBLIC)
    return office, office.request()


def test_the_address_that_the_registrar_sees_is_registered_at_once() -> None:
    """RFC 3581 §4: received and rport of the response; the first contact leads nowhere."""
    office, request = behind_nat()

    assert (request.via.host, request.via.port) == ("203.0.113.9", 40000)
    assert request.headers.all("Contact") == (
        "<sip:100@203.0.113.9:40000>;expires=3600",
        "<sip:100@192.0.2.1:5060>;expires=0",
    )
    assert office.news == []
    office.grant(request, seen=PUBLIC)
    assert office.told(Registered).public == PUBLIC
    assert office.take() == []


def test_calls_name_the_public_address_too() -> None:
    office, request = behind_nat()
    office.grant(request, seen=PUBLIC)

    assert contact_of_call(office, US) == "<sip:100@203.0.113.9:40000>"
    office.hear(office.draft("INVITE", body=OFFER, uri="sip:100@203.0.113.9:40000"))
    call = office.endpoint.calls[-1]
    office.endpoint.accept(call, ANSWER, now=office.now)
    office.collect()
    assert office.response().headers.first("Contact") == "<sip:100@203.0.113.9:40000>"


def test_a_request_that_has_come_as_far_as_it_may_is_for_our_public_address() -> None:
    """RFC 3261 §8.1.1.6: Max-Forwards 0 is no fault at the last hop."""
    office, request = behind_nat()
    office.grant(request, seen=PUBLIC)

    statuses: list[int] = []
    for host in ("203.0.113.9", "192.0.2.1", "198.51.100.7"):
        last = (("Max-Forwards", "0"),)
        office.hear(office.draft("OPTIONS", uri=f"sip:100@{host}", fields=last, call_id=host))
        statuses.append(office.response().status)

    assert statuses == [200, 200, 483]


def test_the_two_switches() -> None:
    """AMB-03: Via and Contact each name our own address when theirs is off."""
    nat = NatSettings(via_rewrite=False, contact_rewrite=True)
    _, request = behind_nat(SipSettings(nat=nat))
    assert (request.via.host, request.contacts[0].uri.host) == ("192.0.2.1", "203.0.113.9")

    office = Office(SipSettings(nat=NatSettings(via_rewrite=True, contact_rewrite=False)))
    office.grant(office.register(), seen=PUBLIC)
    assert office.told(Registered).public == PUBLIC
    office.endpoint.refresh("gate", now=office.now)
    office.collect()
    request = office.request()
    assert (request.via.host, request.contacts[0].uri.host) == ("203.0.113.9", "192.0.2.1")


def test_turning_a_switch_registers_anew() -> None:
    office, request = behind_nat()
    office.grant(request, seen=PUBLIC)

    office.endpoint.apply(SipSettings(nat=NatSettings(contact_rewrite=False)), now=office.now)
    office.collect()

    assert office.request().contacts[0].uri.host == "192.0.2.1"


def test_a_translator_with_another_port_each_time_does_not_keep_us_busy() -> None:
    office, request = behind_nat()

    office.grant(request, seen=replace(PUBLIC, port=40001))

    assert office.take() == []
    assert office.told(Registered).public == replace(PUBLIC, port=40001)


def test_an_address_that_is_not_translated_any_more_is_forgotten() -> None:
    office, request = behind_nat()
    office.grant(request, seen=UDP.local)

    assert office.take() == []
    assert office.told(Registered).public is None
    assert contact_of_call(office, US) == "<sip:100@192.0.2.1:5060>"


def test_the_passing_port_of_a_connection_is_not_an_address() -> None:
    """Others connect to the port at which we listen, unless only the connection leads in."""
    office = Office(flow=TCP)
    request = office.register(flow=NEW_TCP)

    office.grant(request, seen=replace(TCP.local, port=51234), flow=TCP)

    assert office.take() == []
    assert office.told(Registered).public is None


@pytest.mark.parametrize(
    "params", ["received=evil.example;rport=1", "received=;rport=0", "rport=x", "received=1.2"]
)
def test_an_address_that_is_none_is_not_taken(params: str) -> None:
    mappings = Mappings()

    mappings.learn(UDP, Via.parse(f"SIP/2.0/UDP 192.0.2.1:5060;{params};branch=z9hG4bK1"))

    assert len(mappings) == 0


def test_an_ipv6_address_with_its_link_is_our_own() -> None:
    """RFC 4007 §11: the peer does not know what we call the link."""
    mappings = Mappings()
    flow = Flow(Transport.UDP, Address("fe80::1%2", 5060), Address("fe80::9%2", 5060))

    mappings.learn(flow, Via.parse("SIP/2.0/UDP [fe80::1]:5060;received=fe80::1;rport=5060"))

    assert len(mappings) == 0


def test_what_is_remembered_of_peers_has_an_end() -> None:
    mappings = Mappings()
    for n in range(MAX_MAPPINGS + 10):
        mappings.note(replace(UDP, remote=Address(f"h{n}", 5060)), PUBLIC)
    assert len(mappings) == MAX_MAPPINGS
