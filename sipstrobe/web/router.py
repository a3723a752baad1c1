"""From a request to its route: which door, who may use it, and what is said when it is shut."""

import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace

from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused, ConfigError, RemoteProtocolError, StaleRevision
from sipstrobe.web.audit import actor_of
from sipstrobe.web.exchange import HttpProblem, Principal, Request, Response, Route, problem
from sipstrobe.web.gate import Gate
from sipstrobe.web.origin import refuse_embedded
from sipstrobe.web.presence import read_while_allowed, while_allowed
from sipstrobe.web.scopes import Scopes, needed

logger = logging.getLogger(__name__)

_NAMED = re.compile(r"\{\w+\}")  # a segment of a path that the description of the API names


class NotAllowed(HttpProblem):
    """RFC 9110 §15.5.6: there is such a path, and not with this method."""

    def __init__(self, method: str, methods: Iterable[str]) -> None:
        super().__init__(405, f"not with {method:.32}")
        self._methods = methods

    def response(self) -> Response:
        return super().response().with_headers(("Allow", ", ".join(sorted(self._methods))))


class Router:
    """Hand each request to the handler of its route, and always give an answer."""

    def __init__(
        self,
        context: Context,
        gate: Gate,
        routes: Iterable[Route],
        noted: Callable[[Request, int], None] = lambda _request, _status: None,
        told: Callable[[str, str], None] = lambda _address, _name: None,
    ) -> None:
        """noted: is told of what somebody has asked for that does or changes something, and with
        which status that was answered. told: from which address who is let in."""
        self._context = context
        self._noted = noted
        self._told = told
        self._gate = gate
        self._routes: dict[str, dict[str, Route]] = {}
        self._needed: dict[int, Scopes] = {}  # what a token must be for, by the id of the route
        for route in routes:
            self._needed[id(route)] = needed(route)
            methods = self._routes.setdefault(_NAMED.sub("*", route.path), {})
            methods[route.method] = route
            if route.method == "GET" and not route.acts:
                methods["HEAD"] = route  # RFC 9110 §9.3.2
        self._patterns = [(path.split("/"), path) for path in self._routes if "*" in path]
        requests = "Requests that were answered"
        self._answered = context.measures.counter("http_requests_total", requests)
        self._seconds = context.measures.histogram(
            "http_handler_seconds", "From a complete HTTP request to its response"
        )

    def body_max_bytes(self, method: str, path: str) -> int:
        """How much body a request may have; none where there is no such route."""
        route = self._methods(path).get(method)
        return route.body_max_bytes if route is not None else 0

    def is_streamed(self, method: str, path: str) -> bool:
        """Whether the body is taken as it comes; where there is no such route, it stays unread."""
        route = self._methods(path).get(method)
        return route is None or route.streamed

    def acts(self, method: str, path: str) -> bool:
        """Whether it does something, even if it is a GET."""
        route = self._methods(path).get(method)
        return method not in ("GET", "HEAD") or (route is not None and route.acts)

    async def respond(self, request: Request) -> Response:
        who: Principal | None = None
        route: Route | None = None
        try:
            if self._gate.must_prove(request):
                await self._gate.prove(request)
            route = self._route(request)
            if route.role is not None and (self._gate.is_set_up or not route.sets_up):
                who = self._gate.admit(request, route.role, self._needed[id(route)])
                request = request.by(who)
                self._told(request.peer, who.name)
                if request.content is not None:
                    insist = self._gate.insists(request, who)
                    content = read_while_allowed(request.content, insist)
                    request = replace(request, content=content)
            found = self._answer(request, route, who)
            response = await found if isinstance(found, Awaitable) else found
            if response.stream is not None and who is not None:
                response = while_allowed(response, self._gate.keeps(request, who))
        except HttpProblem as refusal:
            response = refusal.response()
        except RemoteProtocolError as error:
            response = problem(error.status, str(error))
        except CommandRefused as refused:
            status = 503 if refused.code == "not_available" else 409
            response = problem(status, str(refused), code=refused.code)
        except ConfigError as error:
            told = [{"path": p.path, "message": p.message} for p in error.problems]
            status = 409 if isinstance(error, StaleRevision) else 422
            response = problem(status, str(error), problems=told)
        except Exception:
            logger.exception("%s %.200r failed", request.method, request.path)
            response = problem(500, "this went wrong here; the log says how")
        if who is not None and route is not None and (route.acts or route.method != "GET"):
            self._noted(request, response.status)
        self._answered.add()
        self._seconds.record(self._context.clock.now() - request.at)
        return response

    def unstored(self, request: Request) -> Response:
        """What to answer when a change that was accepted could not be stored."""
        return self._methods(request.path)[request.method].unstored(request)

    def _route(self, request: Request) -> Route:
        methods = self._methods(request.path)
        route = methods.get(request.method)
        if route is None and not methods:
            raise HttpProblem(404, "there is nothing here")
        if route is None:
            raise NotAllowed(request.method, methods)
        if route.acts:
            refuse_embedded(request)
        return route

    def _answer(
        self, request: Request, route: Route, who: Principal | None
    ) -> Response | Awaitable[Response]:
        name = "somebody" if who is None else who.name
        words = f"{request.method} {request.path:.200} by {name} from {request.peer}"
        trace = self._context.trace
        with trace.input("http", words, request.at, actor_of(who, request.peer)) as cause:
            found = route.handler(request)
        return found if isinstance(found, Response) else trace.follow(cause, found)

    def _methods(self, path: str) -> dict[str, Route]:
        found = self._routes.get(path)
        if found is not None:
            return found
        segments = path.split("/")
        for pattern, name in self._patterns:
            if _fits(pattern, segments):
                return self._routes[name]
        return {}


def _fits(pattern: Sequence[str], segments: Sequence[str]) -> bool:
    """A "*" in the pattern stands for any segment, "**" at its end for one or more."""
    if pattern[-1] == "**":
        pattern = pattern[:-1]
        if len(segments) <= len(pattern):
            return False
        segments = segments[: len(pattern)]
    return len(pattern) == len(segments) and all(
        wanted in ("*", segment) for wanted, segment in zip(pattern, segments, strict=True)
    )
