"""What a route says of itself, and reads by that."""

from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta

from sipstrobe.config.settings import WebSettings
from sipstrobe.context import Context
from sipstrobe.web.exchange import HttpProblem, Query, Request, Response, Route
from sipstrobe.web.gate import Gate
from sipstrobe.web.router import Router

LIMIT = Query[int]("limit", Annotated[int, Meta(ge=1, le=100)], 50, "How many.")
KIND = Query[str | None]("kind", Literal["light", "sound"], None, "Of which kind.")
TEXT = Query[str]("text", Annotated[str, Meta(max_length=3)], "", "What is in it.")


def asked(query: str) -> Request:
    return Request(method="GET", path="/x", target=f"/x?{query}")


def test_a_parameter_is_read_as_it_was_described() -> None:
    assert LIMIT.of(asked("limit=7")) == 7
    assert LIMIT.of(asked("")) == 50
    assert KIND.of(asked("kind=light")) == "light"
    assert KIND.of(asked("limit=7")) is None


@pytest.mark.parametrize(
    ("query", "given", "words"),
    [
        (LIMIT, "limit=0", "must be a number from 1 to 100"),
        (LIMIT, "limit=many", "must be a number from 1 to 100"),
        (LIMIT, f"limit={'9' * 5000}", "must be a number from 1 to 100"),
        (KIND, "kind=smell", "must be one of light, sound"),
        (TEXT, "text=long", "may have 3 characters"),
    ],
)
def test_a_parameter_that_cannot_be_is_refused_with_its_name_and_what_it_may_be(
    query: Query[Any], given: str, words: str
) -> None:
    with pytest.raises(HttpProblem, match=words) as refused:
        query.of(asked(given))

    assert (refused.value.status, refused.value.more) == (400, {"field": query.name})


async def test_the_names_of_segments_do_not_part_the_methods_of_a_path(context: Context) -> None:
    """RFC 9110 §15.5.6: 405 where a path is known, with the methods that it has."""

    def answer(request: Request) -> Response:
        return Response(200, request.method.encode())

    routes = [
        Route(method="GET", path="/things/{id}", handler=answer, role=None),
        Route(method="DELETE", path="/things/{number}", handler=answer, role=None),
    ]
    router = Router(context, Gate(WebSettings, bytes), routes)

    def ask(method: str) -> Request:
        return Request(method=method, path="/things/7", target="/things/7")

    assert (await router.respond(ask("GET"))).body == b"GET"
    assert (await router.respond(ask("DELETE"))).body == b"DELETE"
    refused = await router.respond(ask("PUT"))
    assert (refused.status, dict(refused.headers)["Allow"]) == (405, "DELETE, GET, HEAD")
