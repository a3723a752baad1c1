"""Ports and virtual inputs over HTTP: the doors of other programs, and the API (API-02, API-04)."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any, cast
from xml.etree import ElementTree

import pytest
from aiohttp import ClientSession, DigestAuthMiddleware

from sipstrobe.commands import SetOutput, SetVirtualInput, SimulateInput
from sipstrobe.config.users import Role
from sipstrobe.context import Context
from sipstrobe.events import LineState
from sipstrobe.ports.settings import Port, PortsSettings
from sipstrobe.web.compat.json_cgi import decode
from sipstrobe.web.compat.port import PortCgi, read_action
from sipstrobe.web.compat.port_management import PortManagement
from sipstrobe.web.compat.port_monitor import MAX_LISTENERS
from sipstrobe.web.compat.supervised_io import SupervisedIo
from sipstrobe.web.compat.text_cgi import WrongArgument
from sipstrobe.web.compat.virtual_input import VirtualInput
from sipstrobe.web.exchange import Principal, Request, Response, Route
from tests.support.clock import FakeClock
from tests.support.waiting import until
from tests.support.web import PASSWORDS, Device

SPACE = "{http://www.axis.com/vapix/http_cgi/virtualinput1}"
INPUT = Port(name="Port 1")
OUTPUT = Port(name="Port 2", direction="output")


class Doors:
    """The doors of one device, asked without HTTP."""

    def __init__(self, port_1: Port = INPUT, port_2: Port = OUTPUT) -> None:
        self.clock = FakeClock()
        context = Context(self.clock)
        settings = PortsSettings(port_1=port_1, port_2=port_2)
        self.device = Device.make(context, ports=settings)
        views = self.device.views()
        doors = (
            VirtualInput(context.dispatcher),
            PortCgi(context.dispatcher, context.bus, context.clock, views),
            PortManagement(context.dispatcher, views),
            SupervisedIo(context.dispatcher, views),
        )
        self._routes = {(r.method, r.path): r for door in doors for r in door.routes()}

    def route(self, method: str, path: str) -> Route:
        return self._routes[method, "/axis-cgi/" + path]

    def ask(
        self, path: str, query: str = "", body: bytes = b"", role: Role = Role.OPERATOR
    ) -> Response:
        method = "POST" if body else "GET"
        request = Request(
            method=method,
            path="/axis-cgi/" + path,
            target=f"/axis-cgi/{path}?{query}",
            body=body,
            principal=Principal("somebody", role),
        )
        response = self.route(method, path).handler(request)
        assert isinstance(response, Response)
        return response

    def text(self, path: str, query: str) -> tuple[int, str]:
        response = self.ask(path, query)
        return response.status, response.body.decode()

    def virtual(self, name: str, query: str) -> str:
        """The leaves of the answer, as path=text."""
        response = self.ask(f"virtualinput/{name}.cgi", query)
        assert (response.status, response.content_type) == (200, "text/xml; charset=utf-8")
        root = ElementTree.fromstring(response.body)
        assert root.tag == SPACE + "VirtualInputResponse"
        assert root.get("SchemaVersion") == "1.1"
        return " ".join(_leaves(root, ""))

    def call(self, path: str, method: str, params: object = None, **more: Any) -> dict[str, Any]:
        envelope: dict[str, Any] = {"apiVersion": more.pop("version", "1.0"), "method": method}
        if params is not None:
            envelope["params"] = params
        response = self.ask(path, body=json.dumps(envelope).encode(), **more)
        assert response.status == 200
        return cast("dict[str, Any]", decode(response.body))

    def ports(self, method: str, params: object = None, **more: Any) -> dict[str, Any]:
        return self.call("io/portmanagement.cgi", method, params, **more)

    def supervised(self, method: str, params: object = None) -> dict[str, Any]:
        return self.call("supervisedio.cgi", method, params, version="2.0")

    def active(self) -> list[bool]:
        return [port.active for port in self.device.ports.snapshot()]


def _leaves(element: ElementTree.Element, path: str) -> Sequence[str]:
    found: list[str] = []
    for child in element:
        here = f"{path}/{child.tag.removeprefix(SPACE)}".lstrip("/")
        found += _leaves(child, here) if len(child) else [f"{here}={child.text}"]
    return found


@pytest.fixture
def doors() -> Doors:
    return Doors()


# --- virtual inputs ----------------------------------------------------------------------------


async def test_a_camera_activates_and_deactivates_a_virtual_input(doors: Doors) -> None:
    """API-02, EXA-06: whether it has changed is told."""
    told = [
        doors.virtual(name, "schemaversion=1&port=1")
        for name in ("activate", "activate", "deactivate", "deactivate")
    ]
    assert told == [
        "Success/ActivateSuccess/StateChanged=true",
        "Success/ActivateSuccess/StateChanged=false",
        "Success/DeactivateSuccess/StateChanged=true",
        "Success/DeactivateSuccess/StateChanged=false",
    ]


async def test_a_duration_switches_it_off_again(doors: Doors) -> None:
    """GAP-32."""
    doors.virtual("activate", "schemaversion=1&port=64&duration=5")
    (shown,) = doors.device.ports.virtual_inputs()
    assert (shown.input, shown.seconds_left) == (64, 5.0)
    doors.clock.advance(5)
    assert doors.device.ports.virtual_inputs() == []


def test_the_schema_versions_are_told_to_whoever_asks(doors: Doors) -> None:
    path = "Success/GetSchemaVersionsSuccess/SchemaVersion/"
    assert doors.virtual("getschemaversions", "").split() == [
        path + "MajorVersion=1",
        path + "MinorVersion=1",
        path + "Deprecated=false",
    ]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("port=1", 10),
        ("schemaversion=1", 10),
        ("schemaversion=1&port=0", 20),
        ("schemaversion=1&port=65", 20),
        ("schemaversion=1&port=one", 20),
        ("schemaversion=1&port=", 20),
        ("schemaversion=2&port=1", 30),
        ("schemaversion=1.2&port=1", 30),
        ("schemaversion=&port=1", 30),
        ("schemaversion=1&port=1&duration=-1", 50),
        ("schemaversion=1&port=1&duration=soon", 50),
        ("schemaversion=1&port=1&duration=999999999", 50),
        ("&".join(f"a{n}=1" for n in range(20)), 10),
    ],
)
def test_what_a_camera_did_wrong_has_a_number(doors: Doors, query: str, code: int) -> None:
    told = doors.virtual("activate", query)

    assert told.startswith(f"Error/GeneralError/ErrorCode={code} ")
    assert doors.device.ports.virtual_inputs() == []


@pytest.mark.parametrize("port", ["%3Cb%3E", "%00", "%F0%9F", "%EF%BC%91"])
def test_whatever_others_say_the_answer_is_xml(doors: Doors, port: str) -> None:
    for query in (f"schemaversion=1&port={port}", f"schemaversion={port}&port=1"):
        assert doors.virtual("activate", query).startswith("Error/GeneralError/ErrorCode=")


def test_what_goes_wrong_here_is_error_40(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: SetVirtualInput) -> None:
        raise RuntimeError("broken")

    context = Context(FakeClock())
    context.dispatcher.serve(SetVirtualInput, fail)
    (route, *_) = VirtualInput(context.dispatcher).routes()
    request = Request(method="GET", path=route.path, target=route.path + "?schemaversion=1&port=1")
    response = route.handler(request)

    assert isinstance(response, Response)
    assert (response.status, b"<ErrorCode>40<" in response.body) == (200, True)
    assert "broken" in caplog.text


@pytest.mark.parametrize("name", ["activate", "deactivate", "getschemaversions"])
def test_cameras_may_post_what_they_could_get(doors: Doors, name: str) -> None:
    for method in ("GET", "POST"):
        route = doors.route(method, f"virtualinput/{name}.cgi")
        assert (route.role, route.acts) == (Role.OPERATOR, True)


async def test_a_virtual_input_is_switched_by_a_form(url: str, device: Device) -> None:
    """And what a camera posts beside its address is not looked at."""
    digest = DigestAuthMiddleware("olga", PASSWORDS["olga"])
    activate = url + "/axis-cgi/virtualinput/activate.cgi"
    sent = ((activate, "schemaversion=1&port=3"), (f"{activate}?schemaversion=1&port=4", "&" * 99))
    async with ClientSession(middlewares=(digest,)) as session:
        for path, body in sent:
            async with session.post(path, data=body) as answer:
                assert "<StateChanged>true<" in await answer.text()


async def test_ports_are_asked_and_switched_by_forms(url: str) -> None:
    r"""As camstreamerlib (npm) does it: / and \ as they are."""
    digest = DigestAuthMiddleware("victor", PASSWORDS["victor"])
    async with ClientSession(f"{url}/axis-cgi/io/", middlewares=(digest,)) as session:
        for name, form, told in (
            ("virtualinput.cgi", "action=1:/", ""),
            ("port.cgi", "checkactive=1", "port1=active\r\n"),
            ("virtualinput.cgi", "action=1:\\", ""),
            ("port.cgi", "checkactive=1", "port1=inactive\r\n"),
        ):
            async with session.post(name, data=form) as answer:
                assert (answer.status, await answer.text()) == (200, told)


# --- port.cgi and virtualinput.cgi -------------------------------------------------------------


def test_ports_are_read_by_circuit_by_meaning_and_by_direction(doors: Doors) -> None:
    """IOP-01."""
    doors = Doors(port_1=Port(normal_state="closed"))

    assert doors.text("io/port.cgi", "check=1,2") == (200, "port1=0\r\nport2=0\r\n")
    assert doors.text("io/input.cgi", "checkactive=1") == (200, "port1=active\r\n")
    assert doors.text("io/output.cgi", "checkdirection=2,1") == (
        200,
        "port2=output\r\nport1=input\r\n",
    )


def test_an_output_goes_through_a_sequence(doors: Doors) -> None:
    r"""API-04: `2:/300\500/300\`, and without a number the first output."""
    for query in ("action=2%3A%2F300%5C500%2F300%5C", "action=%2F300%5C500%2F300%5C"):
        assert doors.text("io/port.cgi", query) == (200, "")
        seen: list[bool] = []
        doors.clock.advance(0.05)
        for _ in range(12):
            seen.append(doors.active()[1])
            doors.clock.advance(0.1)
        assert seen == [True] * 3 + [False] * 5 + [True] * 3 + [False]


async def test_an_input_is_simulated_and_the_manual_trigger_pressed(doors: Doors) -> None:
    """MTR-01: port 6 is the manual trigger."""
    assert doors.text("io/virtualinput.cgi", "action=6%3A%2F2000%5C") == (200, "")
    assert doors.text("io/virtualinput.cgi", "action=%2F") == (200, "")
    assert doors.device.properties.manual_triggers() == [(1, "Manual trigger 1", True)]
    assert doors.active() == [True, False]

    doors.clock.advance(2)
    assert doors.device.properties.manual_triggers() == [(1, "Manual trigger 1", False)]
    assert doors.active() == [True, False]


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("port", ""),
        ("port", "check=1&checkactive=1"),
        ("port", "check=3"),
        ("port", "check="),
        ("port", "monitor=1,2"),
        ("port", "action=1:/"),
        ("port", "action=7:/"),
        ("port", "action=x:/"),
        ("port", "action=2:"),
        ("port", "action=2:300"),
        ("port", "action=2:/99999\\"),
        ("port", "action=2:" + "/1\\1" * 200),
        ("virtualinput", ""),
        ("virtualinput", "action=2:/"),
    ],
)
def test_a_bad_argument_is_400(doors: Doors, path: str, query: str) -> None:
    status, words = doors.text(f"io/{path}.cgi", query)

    assert (status, words.splitlines()[0]) == (400, "400 Bad Request")
    assert doors.active() == [False, False]


def test_without_an_output_there_is_nothing_to_switch() -> None:
    assert Doors(port_2=Port()).text("io/port.cgi", "action=/")[0] == 400


def test_an_action_is_read_to_its_end() -> None:
    with pytest.raises(WrongArgument):
        read_action("1:/ ")
    number, steps = read_action("/300\\")
    assert number is None
    assert [(step.active, step.ms) for step in steps] == [(True, 300), (False, 0)]


# --- monitor -----------------------------------------------------------------------------------


async def test_a_monitor_is_told_states_then_changes_then_signs_of_life(doors: Doors) -> None:
    do = doors.device.context.dispatcher.execute
    do(SimulateInput(port=1, active=True))
    response = doors.ask("io/port.cgi", "monitor=1")
    assert response.content_type == "multipart/x-mixed-replace;boundary=ioboundary"
    assert response.stream is not None
    async with aclosing(response.stream) as stream:

        async def part() -> bytes:
            return (await anext(stream)).removesuffix(b"--ioboundary\r\n")

        head = b"Content-Type: text/plain\r\n\r\n"
        assert await part() == b"--ioboundary\r\n" + head + b"1I:H\r\n\r\n"
        do(SimulateInput(port=1, active=False))
        do(SetOutput(port=2, active=True))  # of which nobody asked
        do(SimulateInput(port=1, active=True))
        assert [await part(), await part()] == [
            head + b"1I:\\\r\n\r\n",
            head + b"1I:/\r\n\r\n",
        ]
        waiting = asyncio.ensure_future(part())
        await until(lambda: doors.clock.waiting)
        doors.clock.advance(15)
        assert await waiting == head + b"\r\n"


async def test_a_monitor_is_not_told_of_what_makes_no_difference() -> None:
    """A line that is cut is active, and so is one that is shorted (IOP-04)."""
    doors = Doors(port_1=Port(supervised=True))
    stream = doors.ask("io/port.cgi", "monitor=1").stream
    assert stream is not None
    async with aclosing(stream):
        assert b"1I:L" in await anext(stream)
        for state in (LineState.CUT, LineState.SHORTED, LineState.OPEN):
            doors.device.context.dispatcher.execute(SimulateInput(port=1, state=state))
        assert b"1I:/" in await anext(stream)
        assert b"1I:\\" in await anext(stream)


async def test_outputs_are_monitored_too(doors: Doors) -> None:
    stream = doors.ask("io/port.cgi", "monitor=2").stream
    assert stream is not None
    async with aclosing(stream):
        assert b"2O:L" in await anext(stream)
        doors.device.context.dispatcher.execute(SetOutput(port=2, active=True))
        assert b"2O:/" in await anext(stream)


async def test_only_so_many_monitor_and_who_goes_makes_room(doors: Doors) -> None:
    streams = [doors.ask("io/port.cgi", "monitor=1").stream for _ in range(MAX_LISTENERS + 1)]
    begun = [stream for stream in streams if stream is not None]
    for stream in begun[:MAX_LISTENERS]:
        await anext(stream)
    with pytest.raises(StopAsyncIteration):
        await anext(begun[MAX_LISTENERS])
    assert doors.text("io/port.cgi", "monitor=1")[0] == 400

    for stream in begun:
        await stream.aclose()
    assert doors.ask("io/port.cgi", "monitor=1").status == 200


# --- portmanagement.cgi ------------------------------------------------------------------------


def test_the_ports_are_told_in_the_order_of_devices(doors: Doors) -> None:
    answer = doors.ports("getPorts", role=Role.VIEWER)

    assert answer["apiVersion"] == "1.1"
    assert answer["data"]["numberOfPorts"] == 2
    first = answer["data"]["items"][0]
    assert list(first.items()) == [
        ("port", "0"),
        ("configurable", True),
        ("usage", ""),
        ("name", "Port 1"),
        ("direction", "input"),
        ("state", "open"),
        ("normalState", "open"),
    ]


def test_ports_are_set_up_and_switched(doors: Doors) -> None:
    """IOP-01, API-04."""
    panel = {"port": "0", "normalState": "closed", "name": "Fire panel", "usage": "Alarm"}
    answer = doors.ports("setPorts", {"ports": [panel, {"port": "1", "state": "closed"}]})

    assert answer["data"] == {"ports": ["0", "1"]}
    ports = doors.device.store.current.ports
    assert ports.port_1 == Port(name="Fire panel", usage="Alarm", normal_state="closed")
    assert doors.active() == [True, True]


def test_another_normal_state_flips_both_states_of_an_output(doors: Doors) -> None:
    doors.ports("setPorts", {"ports": [{"port": "1", "state": "closed"}]})
    doors.ports("setPorts", {"ports": [{"port": "1", "normalState": "closed"}]})

    item = doors.ports("getPorts")["data"]["items"][1]
    assert (item["state"], item["normalState"]) == ("open", "closed")
    assert doors.active()[1]


def test_all_that_is_wrong_is_told_at_once_and_nothing_changed(doors: Doors) -> None:
    before = doors.device.store.current.ports
    entries = [
        {"port": "1", "name": "Door", "direction": "sideways", "normalState": "ajar"},
        {"port": "2"},
        {"name": "Nobody"},
        {"port": "0", "state": "open"},
        {"port": "0", "usage": 5},
    ]
    error = doors.ports("setPorts", {"ports": entries})["error"]

    assert (error["code"], error["details"]) == (2104, {"port": "1", "propertyName": "direction"})
    assert [(e["code"], e["details"]["propertyName"]) for e in error["errors"]] == [
        (2104, "direction"),
        (2104, "normalState"),
        (2104, "port"),
        (2103, "port"),
        (2104, "state"),
        (2104, "usage"),
    ]
    assert doors.device.store.current.ports is before


def test_a_single_error_has_no_list(doors: Doors) -> None:
    error = doors.ports("setPorts", {"ports": [{"port": "9"}]})["error"]
    assert "errors" not in error
    assert error["details"] == {"port": "9", "propertyName": "port"}


def test_a_sequence_of_states_runs_once_at_a_time(doors: Doors) -> None:
    steps = [{"state": "closed", "time": 200}, {"state": "open", "time": 100}]
    wanted = {"port": "1", "sequence": steps}
    assert doors.ports("setStateSequence", wanted, role=Role.VIEWER)["data"] == {"port": "1"}
    assert doors.active()[1]
    assert doors.ports("setStateSequence", wanted)["error"]["code"] == 2200
    doors.ports("setPorts", {"ports": [{"port": "1", "normalState": "closed"}]})
    assert "data" in doors.ports("setStateSequence", wanted)


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"port": "1"}, 2103),
        ({"port": "0", "sequence": [{"state": "open", "time": 0}]}, 2104),
        ({"port": "5", "sequence": []}, 2104),
        ({"port": "1", "sequence": []}, 2104),
        ({"port": "1", "sequence": [{"state": "half", "time": 1}]}, 2104),
        ({"port": "1", "sequence": [{"state": "open"}]}, 2103),
        ({"port": "1", "sequence": [{"state": "open", "time": 65536}]}, 2104),
    ],
)
def test_a_sequence_that_cannot_be_is_refused(doors: Doors, params: object, code: int) -> None:
    assert doors.ports("setStateSequence", params)["error"]["code"] == code


def test_viewers_set_nothing_up(doors: Doors) -> None:
    change = {"ports": [{"port": "0", "name": "Mine"}]}
    assert doors.ports("setPorts", change, role=Role.VIEWER)["error"]["code"] == 2105


@pytest.mark.parametrize(
    "params", [{}, {"ports": {}}, {"ports": ["0"]}, {"ports": [{"port": "0"}] * 257}]
)
def test_set_ports_wants_a_list_of_objects(doors: Doors, params: object) -> None:
    assert doors.ports("setPorts", params)["error"]["code"] in (2103, 2104)


# --- supervisedio.cgi --------------------------------------------------------------------------


async def test_inputs_are_supervised_and_told_to_be_cut(doors: Doors) -> None:
    """IOP-04."""
    assert doors.supervised("getNumberOfPorts")["data"] == {"inputs": 1, "outputs": 1}
    assert doors.supervised("setSupervised", [{"port": 0, "supervised": True}])["data"] == {}
    doors.device.context.dispatcher.execute(SimulateInput(port=1, state=LineState.CUT))

    (item,) = doors.supervised("getSupervised", [{"port": 0}])["data"]["items"]
    assert item == {
        "port": 0,
        "supervised": True,
        "supervisable": True,
        "state": "cut",
        "level": 0,
    }
    assert doors.ports("getPorts")["data"]["items"][0]["state"] == "open"
    items = doors.supervised("isSupervisable")["data"]["items"]
    assert items[0] == {"port": 0, "input": True, "output": False}
    assert [item["port"] for item in items] == [0, 1]
    other = doors.supervised("getSupervised")["data"]["items"][1]
    assert (other["port"], other["supervisable"]) == (1, False), "it is an output"
    whole: list[dict[str, Any]] = [{"port": 0, "supervised": False, "ranges": []}]
    assert doors.supervised("setSupervised", whole)["data"] == {}
    assert not doors.supervised("getSupervised")["data"]["items"][0]["supervised"]
    assert "cut" in doors.supervised("getSupportedStates")["data"]["states"]
    assert doors.supervised("getSupervisedRanges")["data"]["items"][0]["ranges"] == []


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("setSupervised", [{"port": 1, "supervised": True}]),
        ("setSupervised", [{"port": 0, "supervised": True, "ranges": [{"state": "cut"}]}]),
        ("getSupervised", [{"port": 2}]),
        ("setSupervised", ["0"]),
    ],
)
def test_what_cannot_be_supervised_is_an_error(doors: Doors, method: str, params: object) -> None:
    assert doors.supervised(method, params)["error"]["code"] == 2104


# --- over HTTP ---------------------------------------------------------------------------------


async def test_operators_switch_and_pages_of_others_do_not(device: Device, url: str) -> None:
    """A camera by Digest; an image of a foreign page does nothing; viewers may not."""
    activate = url + "/axis-cgi/virtualinput/activate.cgi?schemaversion=1&port=1"
    foreign = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    answers: list[int] = []
    for name, method, headers in (
        ("victor", "GET", {}),
        ("olga", "GET", foreign),
        ("olga", "GET", {}),
        ("olga", "POST", {}),
    ):
        digest = DigestAuthMiddleware(name, PASSWORDS[name])
        async with (
            ClientSession(middlewares=(digest,)) as session,
            session.request(method, activate, headers=headers) as response,
        ):
            answers.append(response.status)
            changed = "StateChanged>true" in await response.text()
            assert changed is (len(answers) == 3)
    assert answers == [401, 403, 200, 200]
    assert [i.input for i in device.ports.virtual_inputs()] == [1]


async def test_the_api_switches_and_shows_ports(device: Device, url: str) -> None:
    device.store.change_now({"ports": {"port_2": {"direction": "output"}}})
    digest = DigestAuthMiddleware("olga", PASSWORDS["olga"])
    async with ClientSession(middlewares=(digest,)) as session:
        for name, body in (
            ("set-virtual-input", {"input": 3, "active": True, "seconds": 600}),
            ("set-output", {"port": 2, "active": True}),
            ("simulate-input", {"port": 1, "state": "closed"}),
        ):
            async with session.post(f"{url}/api/v1/commands/{name}", json=body) as response:
                assert response.status == 200, await response.text()
        steps = [{"active": False, "ms": 1}]
        body = {"kind": "output", "number": 1, "steps": steps}
        async with session.post(f"{url}/api/v1/commands/run-sequence", json=body) as response:
            assert (response.status, (await response.json())["code"]) == (409, "not_an_output")
        async with session.get(url + "/api/v1/status") as response:
            status = await response.json()

    assert [(p["port"], p["state"], p["active"]) for p in status["ports"]] == [
        (1, "closed", True),
        (2, "closed", True),
    ]
    (shown,) = status["virtual_inputs"]
    assert (shown["input"], shown["active"]) == (3, True)
    assert 590 < shown["seconds_left"] <= 600
    assert [link["kind"] for link in shown["why"]] == ["command", "input"]
    assert " by olga from 127.0.0.1" in shown["why"][-1]["items"]["words"]
    assert status["ports"][1]["why"]


async def test_an_answer_of_set_ports_waits_until_it_is_stored(device: Device, url: str) -> None:
    change = {"apiVersion": "1.0", "method": "setPorts"}
    change |= {"params": {"ports": [{"port": "1", "direction": "output", "state": "closed"}]}}
    digest = DigestAuthMiddleware("olga", PASSWORDS["olga"])
    path = url + "/axis-cgi/io/portmanagement.cgi"
    async with (
        ClientSession(middlewares=(digest,)) as session,
        session.post(path, json=change) as response,
    ):
        assert (await response.json())["data"] == {"ports": ["1"]}
    assert device.store.current.ports.port_2.direction == "output"
    assert device.ports.snapshot()[1].active


async def test_operators_set_ports_up_and_administrators_their_drivers(url: str) -> None:
    """ACC-04: a driver reaches the machine below."""
    answers: list[tuple[int, str]] = []
    digest = DigestAuthMiddleware("olga", PASSWORDS["olga"])
    async with ClientSession(middlewares=(digest,)) as session:
        for change in ({"direction": "output"}, {"driver": "gpio:gpiochip0/17"}):
            body = {"port_1": change}
            async with session.patch(url + "/api/v1/settings/ports", json=body) as response:
                answers.append((response.status, (await response.json()).get("field", "")))

    assert answers == [(200, ""), (403, "/ports/port_1/driver")]
