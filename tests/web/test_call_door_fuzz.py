"""/vapix/call is sent whatever comes to mind: it answers, and nothing goes wrong within."""

import contextlib
import json
import logging
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sipstrobe.config.users import Role
from sipstrobe.context import Context
from sipstrobe.web.compat.call import PATH, CallDoor
from sipstrobe.web.compat.call_form import Fault, unflatten
from sipstrobe.web.exchange import HttpProblem, Principal, Request, Response
from tests.support.clock import FakeClock
from tests.support.web import Device

THINGS = ("SIPAccount", "DTMFEvent", "DTMFTrigger", "DTMFConfiguration", "SIPConfiguration")
FIELDS = (
    *("Id", "Name", "UserId", "Password", "Registrar", "PublicDomain", "Transport", "IsDefault"),
    *("SIPProxies", "Server", "MediaEncryption", "DTMFConfigurationId", "DTMFTriggerId"),
    *("DTMFEventId", "DTMFSequence", "RFC2833", "SIPPort", "CallingTimeout", "AccessList"),
    *("STUNServers", "TURNServers", "Attribute", "Value", "EncryptionProtocols", "Certificate"),
)
IDS = ("sip_account_0", "dtmf_config_default", "dtmf_event_0", "dtmf_trigger_0", "x" * 65)
SIGNS = st.sampled_from([*IDS, "1", "pbx.test", "tls", "true", "MaxCallDuration", "", "\ud800"])
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), SIGNS, st.text(max_size=8))
TREES: "st.SearchStrategy[Any]" = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    ),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from(FIELDS), TREES, max_size=6)
ORDERS = st.tuples(
    st.sampled_from(["Set", "Get", "Remove"]),
    st.sampled_from(THINGS),
    st.sampled_from(["", "s"]),
    OBJECTS,
    st.one_of(SIGNS, TREES),
)


def door(device: Device) -> CallDoor:
    def denied(_: Request, role: Role) -> HttpProblem:
        return HttpProblem(401, role)

    return CallDoor(device.context, lambda: device.store.upcoming, device.views(), denied)


def answer_of(door: CallDoor, body: bytes) -> Response:
    route = door.routes()[0]
    who = Principal("ada", Role.ADMINISTRATOR)
    answer = route.handler(Request(method="POST", path=PATH, target=PATH, body=body, principal=who))
    assert isinstance(answer, Response)
    return answer


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(ORDERS, min_size=1, max_size=8))
def test_any_orders_one_after_the_other_are_carried_out_or_refused(
    caplog: pytest.LogCaptureFixture, orders: list[tuple[str, str, str, Any, Any]]
) -> None:
    caplog.set_level(logging.ERROR)
    device = Device.make(Context(FakeClock(), random_bytes=bytes))
    calls = door(device)

    for verb, thing, several, values, name in orders:
        arguments = {thing: [values] if several else values, f"{thing}Id": name}
        body = json.dumps({f"axcall:{verb}{thing}{several}": arguments}).encode()
        assert answer_of(calls, body).status in (200, 400)
        for get in ("GetSIPConfiguration", "GetSIPAccounts", "GetDTMFConfigurations"):
            assert answer_of(calls, json.dumps({get: {}}).encode()).status == 200

    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR] == []


@given(st.text(max_size=60), st.binary(max_size=60))
@settings(max_examples=100, deadline=None)
def test_any_lines_make_a_tree_or_a_fault(text: str, data: bytes) -> None:
    for lines in (text, data.decode("latin-1"), text.replace(" ", "_").replace(":", "=1&")):
        with contextlib.suppress(Fault):  # and nothing else
            assert isinstance(unflatten(lines), dict)
