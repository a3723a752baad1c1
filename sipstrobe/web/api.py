"""The API of the page and of programs: status, metrics, log-in, and the first account."""

from collections.abc import Callable
from ipaddress import ip_address

from sipstrobe.bus import Dispatcher
from sipstrobe.commands import ChangeSettings
from sipstrobe.config.users import Role, make_user
from sipstrobe.measure import Measures
from sipstrobe.web import accounts
from sipstrobe.web.commands import read_object
from sipstrobe.web.exchange import HttpProblem, Request, Response, Route, json
from sipstrobe.web.gate import Denied, Gate, named_from_elsewhere, refuse_foreign_pages
from sipstrobe.web.sessions import set_cookie

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
_FORWARDED = ("forwarded", "x-forwarded-for", "via")


class Api:
    """The routes below /api/v1, and /metrics."""

    def __init__(
        self,
        gate: Gate,
        dispatcher: Dispatcher,
        measures: Measures,
        status: Callable[[], dict[str, object]],
    ) -> None:
        self._gate = gate
        self._dispatcher = dispatcher
        self._measures = measures
        self._status = status

    def routes(self) -> list[Route]:
        def route(method: str, path: str, handler: Callable[[Request], Response]) -> Route:
            return Route(method=method, path=path, handler=handler, role=None)

        return [
            Route(
                method="GET",
                path="/api/v1/status",
                handler=lambda _: json(self._status()),
                role=Role.VIEWER,
            ),
            Route(
                method="GET",
                path="/api/v1/measures",
                handler=self._figures,
                role=Role.VIEWER,
            ),
            route("GET", "/metrics", self._metrics),
            route("GET", "/api/v1/session", self._session),
            route("POST", "/api/v1/login", self._log_in),
            route("POST", "/api/v1/logout", self._log_out),
            route("POST", "/api/v1/setup", self._set_up),
        ]

    def _metrics(self, request: Request) -> Response:
        """For viewers, and without an account for programs on this machine.

        What a proxy on this machine passes on comes from elsewhere.
        """
        local = request.peer and ip_address(request.peer.partition("%")[0]).is_loopback
        forwarded = any(request.header(name) for name in _FORWARDED)
        if not local or forwarded or named_from_elsewhere(request):
            self._gate.admit(request, Role.VIEWER)
        text = "\n".join(self._measures.prometheus()) + "\n"
        return Response(200, text.encode(), PROMETHEUS)

    def _figures(self, _: Request) -> Response:
        """What has been measured since the start: how often, and how it is spread."""
        return json(
            {
                name: {
                    "words": words,
                    "count": histogram.count,
                    "p50": histogram.quantile(0.5),
                    "p99": histogram.quantile(0.99),
                    "largest": histogram.largest,
                }
                for name, (words, histogram) in self._measures.histograms.items()
            }
        )

    def _session(self, request: Request) -> Response:
        """What the page must show first: set-up, log-in or the device."""
        try:
            who = self._gate.identify(request)
        except Denied:
            who = None
        return json(
            {
                "set_up": self._gate.is_set_up,
                "name": who.name if who else None,
                "role": who.role.value if who else None,
            }
        )

    def _log_in(self, request: Request) -> Response:
        name, password = _credentials(request)
        token = self._gate.log_in(request, name, password)
        return json({}).with_headers(set_cookie(token, secure=request.secure))

    def _log_out(self, request: Request) -> Response:
        refuse_foreign_pages(request)
        self._gate.log_out(request)
        return json({}).with_headers(set_cookie("", secure=request.secure))

    def _set_up(self, request: Request) -> Response:
        """Create the administrator, once: GEN-03."""
        refuse_foreign_pages(request)
        if named_from_elsewhere(request):
            raise HttpProblem(403, "open this page by the device's IP address to begin")
        if self._gate.is_set_up:
            raise HttpProblem(409, "there is an account already: log in", code="set_up")
        name, password = _credentials(request)
        user = make_user(name, Role.ADMINISTRATOR, password)
        self._dispatcher.execute(ChangeSettings(patch=accounts.added((), user)))
        token = self._gate.open_session(user, now=request.at)
        response = json({"advice": accounts.advice(password)}, 201)
        return response.with_headers(set_cookie(token, secure=request.secure))


def _credentials(request: Request) -> tuple[str, str]:
    values = read_object(request.body)
    for field in ("name", "password"):
        if not isinstance(values.get(field), str):
            raise HttpProblem(400, "must be a text", field=field)
    return values["name"], values["password"]
