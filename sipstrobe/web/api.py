"""The API of the page and of programs: status and what is measured."""

from collections.abc import Callable
from ipaddress import ip_address

from sipstrobe.config.users import Role
from sipstrobe.measure import Measures
from sipstrobe.web.exchange import Request, Response, Route, json
from sipstrobe.web.gate import Gate
from sipstrobe.web.origin import named_from_elsewhere

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
_FORWARDED = ("forwarded", "x-forwarded-for", "via")


class Api:
    """The routes below /api/v1, and /metrics."""

    def __init__(
        self,
        gate: Gate,
        measures: Measures,
        status: Callable[[], dict[str, object]],
    ) -> None:
        self._gate = gate
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
