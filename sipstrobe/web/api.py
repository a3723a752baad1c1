"""The API of the page and of programs: status and what is measured."""

from collections.abc import Callable
from ipaddress import ip_address
from typing import Annotated, TypedDict

from msgspec import Meta

from sipstrobe.config.users import Role
from sipstrobe.measure import Measures
from sipstrobe.web.exchange import About, Media, Request, Response, Route, json, look
from sipstrobe.web.gate import Gate
from sipstrobe.web.origin import named_from_elsewhere
from sipstrobe.web.told.status import StatusTold

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
_FORWARDED = ("forwarded", "x-forwarded-for", "via")


Seconds = Annotated[float, Meta(description="Seconds.")]


class Measured(TypedDict):
    """What was measured, and how it is spread: half of it, and 99 of 100, took no longer."""

    words: str
    count: int
    p50: Seconds
    p99: Seconds
    largest: Seconds


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
        metrics = About(
            summary="Measures as Prometheus reads them",
            words="For viewers; none from this machine itself, but for what a proxy passes on.",
            answer=Media(PROMETHEUS),
            problems={401: (), 403: ()},
        )
        return [
            look(
                "/api/v1/status",
                lambda _: json(self._status()),
                About(summary="Everything as it is now", answer=StatusTold),
            ),
            look(
                "/api/v1/measures",
                self._figures,
                About(summary="What was measured since the start", answer=dict[str, Measured]),
            ),
            Route(method="GET", path="/metrics", handler=self._metrics, role=None, about=metrics),
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
