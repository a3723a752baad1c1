"""`sipstrobe api`: every request that the device answers, as a page or as OpenAPI; so docs/api.md
is made."""

import argparse
import asyncio
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Union, cast, get_args, get_origin

import msgspec

from sipstrobe import __version__
from sipstrobe.clock import LoopClock
from sipstrobe.config.store import Store
from sipstrobe.context import Context
from sipstrobe.web.exchange import About, Media, Merge, Route
from sipstrobe.web.openapi import abouts_of, openapi, tag_of, template_of
from sipstrobe.web.server import WebServer
from sipstrobe.web.views import Views

HEAD = """# API

Every request that the device answers by itself, and who may make it. This page is what `sipstrobe
api` prints, from what each route says of itself, so it is complete; with all types and limits it is
OpenAPI 3.1: `sipstrobe api --openapi`, or `GET /api/v1/openapi.json`. How to come in, and what the
answers mean, is in [http](http.md).

Problems that are not named with each: 400 says which `field` is wrong, 401 and 403 who may, 404
that there is no such thing, 413 and 408 that a body is too long or does not come, 500 that a change
could not be stored.
"""
_PLAIN: Final[dict[Any, str]] = {Any: "any", NoneType: "null", ...: "…"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--openapi", action="store_true", help="all of it, as OpenAPI 3.1 (JSON)")
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> int:
    routes = asyncio.run(_routes())
    if options.openapi:
        print(msgspec.json.format(msgspec.json.encode(openapi(routes, __version__))).decode())
    else:
        print(page(routes), end="")
    return 0


def page(routes: Sequence[Route]) -> str:
    """The whole page, in Markdown."""
    rows = sorted(
        (tag_of(route, about), template_of(route, about), _row(route, about))
        for route in routes
        for about in abouts_of(route)
    )
    sections = groupby(rows, key=itemgetter(0))
    return HEAD + "".join(_section(tag, [row for _, _, row in found]) for tag, found in sections)


class _Nothing:
    """In the place of a device: of routes only what they say of themselves is asked."""

    def __getattr__(self, _: str) -> "_Nothing":
        return self

    def __call__(self, *_: object, **__: object) -> "_Nothing":
        return self


async def _routes() -> Sequence[Route]:
    context = Context(LoopClock(asyncio.get_running_loop()))
    server = WebServer(context, Store.memory(), cast(Views, _Nothing()))
    try:
        return server.routes
    finally:
        await server.aclose()


def _section(tag: str, rows: list[str]) -> str:
    head = ["| request | role | what | takes | gives |", "|---|---|---|---|---|"]
    return "\n".join([f"\n## {tag}\n", *head, *rows]) + "\n"


def _row(route: Route, about: About) -> str:
    asked = "&".join(f"{query.name}=" for query in about.query)
    request = f"{route.method} {template_of(route, about)}{'?' if asked else ''}{asked}"
    role = "–" if route.role is None else route.role.value
    what = "; ".join([about.summary, *_refusals(about)])
    takes = "" if about.body is None else f"`{_name(about.body)}`"
    return f"| `{request}` | {role} | {what} | {takes} | {_given(about)} |"


def _refusals(about: About) -> Iterator[str]:
    for status, codes in sorted(about.problems.items()):
        yield " ".join([str(status), ", ".join(f"`{code}`" for code in codes)]).strip()


def _given(about: About) -> str:
    statuses = "/".join(str(status) for status in about.status)
    if about.answer is None:
        return statuses
    name = f"`{_name(about.answer)}`"
    return name if about.status == (200,) else f"{statuses} {name}"


def _name(kind: Any) -> str:
    """What a type is called in the description, or its media type."""
    if isinstance(kind, Media):
        return kind.type.partition(";")[0]
    if isinstance(kind, Merge):
        return f"{_name(kind.kind)}, some of it"
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _name(inner[0])
    if origin in (Union, UnionType):
        return " or ".join(map(_name, inner))
    if origin is not None:
        return f"{_name(origin)}[{', '.join(map(_name, inner))}]"
    return _PLAIN.get(kind, getattr(kind, "__name__", str(kind)))
