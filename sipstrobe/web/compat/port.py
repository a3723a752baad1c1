"""/axis-cgi/io/: ports as cameras and video management systems know them (API-04, IOP-01).

`port.cgi` reads, switches and monitors ports, which it counts from 1; `input.cgi` and `output.cgi`
are its older names. `virtualinput.cgi` simulates inputs, and presses the manual trigger as port 6.
"""

import re
from collections.abc import Callable, Iterable
from typing import Final, NoReturn

from sipstrobe.bus import Bus, Dispatcher
from sipstrobe.clock import Clock
from sipstrobe.commands import MAX_STEPS, Command, RunSequence, Step
from sipstrobe.config.users import Role
from sipstrobe.errors import CommandRefused
from sipstrobe.web.compat.port_management import circuit
from sipstrobe.web.compat.port_monitor import BOUNDARY, PortMonitor
from sipstrobe.web.compat.text_cgi import WrongArgument, text, with_form
from sipstrobe.web.exchange import HttpProblem, Request, Response, Route
from sipstrobe.web.views import PortView, Views

PORT: Final = "/axis-cgi/io/port.cgi"
ALIASES: Final = ("/axis-cgi/io/input.cgi", "/axis-cgi/io/output.cgi")
VIRTUAL: Final = "/axis-cgi/io/virtualinput.cgi"
MANUAL_TRIGGER: Final = 6  # the port of virtualinput.cgi that is the first manual trigger
_QUESTIONS: Final = ("check", "checkactive", "checkdirection", "action", "monitor")
_STEP = re.compile(r"([/\\])([0-9]{1,5})?")


class PortCgi:
    """The routes of ports and of simulated inputs."""

    def __init__(self, dispatcher: Dispatcher, bus: Bus, clock: Clock, views: Views) -> None:
        self._dispatcher = dispatcher
        self._views = views
        self._monitor = PortMonitor(bus, clock, views.ports)
        self._answers: dict[str, Callable[[str], Response]] = {
            "check": self._check,
            "checkactive": self._check_active,
            "checkdirection": self._check_direction,
            "action": self._act,
            "monitor": self._follow,
        }

    def routes(self) -> list[Route]:
        handlers = {
            **dict.fromkeys((PORT, *ALIASES), self._respond),
            VIRTUAL: self._simulate,
        }
        return [
            Route(
                method=method,
                path=path,
                handler=_answering(handler),
                role=Role.VIEWER,
                acts=method == "GET",
            )
            for path, handler in handlers.items()
            for method in ("GET", "POST")
        ]

    def _respond(self, request: Request) -> Response:
        asked = {name: value for name in _QUESTIONS if (value := request.query(name)) is not None}
        if len(asked) != 1:
            raise WrongArgument("give one of " + ", ".join(_QUESTIONS))
        ((name, value),) = asked.items()
        return self._answers[name](value)

    # --- reading --------------------------------------------------------------------------------

    def _check(self, asked: str) -> Response:
        """1: the circuit is closed, 0: it is open."""
        return _lines(self._named(asked), lambda port: str(int(circuit(port) == "closed")))

    def _check_active(self, asked: str) -> Response:
        return _lines(self._named(asked), lambda port: "active" if port.active else "inactive")

    def _check_direction(self, asked: str) -> Response:
        return _lines(self._named(asked), lambda port: port.direction)

    def _follow(self, asked: str) -> Response:
        ports = self._named(asked)
        if len({port.direction for port in ports}) > 1:
            raise WrongArgument("inputs and outputs cannot be monitored together")
        stream = self._monitor.open([port.port for port in ports])
        kind = f"multipart/x-mixed-replace;boundary={BOUNDARY}"
        return Response(200, content_type=kind, stream=stream)

    def _named(self, asked: str) -> list[PortView]:
        """The ports of a list like 1,2."""
        ports = {str(port.port): port for port in self._views.ports()}
        named = dict.fromkeys(asked.split(","))
        for number in named:
            if number not in ports:
                raise WrongArgument(f"there is no port {number[:16]!r}")
        return [ports[number] for number in named]

    # --- acting ---------------------------------------------------------------------------------

    def _act(self, action: str) -> Response:
        """Switch an output; without a number, the first there is."""
        number, steps = read_action(action)
        if number is None:
            outputs = (port.port for port in self._views.ports() if port.direction == "output")
            number = next(outputs, None)
            if number is None:
                raise WrongArgument("there is no output")
        return self._execute(RunSequence(kind="output", number=number, steps=steps))

    def _simulate(self, request: Request) -> Response:
        """Have an input as if it were so, or press the manual trigger."""
        action = request.query("action")
        if action is None:
            raise WrongArgument("action is missing")
        number, steps = read_action(action)
        if number == MANUAL_TRIGGER:
            return self._execute(RunSequence(kind="trigger", number=1, steps=steps))
        return self._execute(RunSequence(kind="input", number=number or 1, steps=steps))

    def _execute(self, command: Command) -> Response:
        self._dispatcher.execute(command)
        return text(200, "")


def read_action(action: str) -> tuple[int | None, tuple[Step, ...]]:
    r"""`2:/300\500/` as its port, None without one, and the states with their milliseconds.

    Raises WrongArgument.
    """
    port, colon, states = action.rpartition(":")
    number = None
    if colon:
        if not re.fullmatch(r"[0-9]{1,4}", port):
            raise WrongArgument(f"{port[:16]!r} is no port")
        number = int(port)
    steps: list[Step] = []
    at = 0
    while at < len(states):
        match = _STEP.match(states, at)
        if match is None or len(steps) == MAX_STEPS:
            _refuse_action()
        steps.append(Step(match[1] == "/", int(match[2] or 0)))
        at = match.end()
    if not steps:
        _refuse_action()
    return number, tuple(steps)


def _refuse_action() -> NoReturn:
    words = r"action must be like 1:/300\500/300\ : / active, \ inactive, milliseconds in between"
    raise WrongArgument(words)


def _lines(ports: Iterable[PortView], value: Callable[[PortView], str]) -> Response:
    return text(200, "".join(f"port{port.port}={value(port)}\r\n" for port in ports))


def _answering(handler: Callable[[Request], Response]) -> Callable[[Request], Response]:
    def handle(request: Request) -> Response:
        try:
            return handler(with_form(request))
        except (WrongArgument, CommandRefused, HttpProblem) as wrong:
            return text(400, f"400 Bad Request\n{wrong}\n")

    return handle
