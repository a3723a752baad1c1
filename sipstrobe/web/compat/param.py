"""GET and POST /axis-cgi/param.cgi: parameters, as programs read them before all else (API-04).

They are to be read: whoever would set one is told that it cannot be set, as for any that is fixed.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from sipstrobe.config.settings import Settings
from sipstrobe.config.users import Role
from sipstrobe.web.compat.parameters import Tree, flat, parameters
from sipstrobe.web.compat.product import this_build
from sipstrobe.web.compat.pwdgrp import read_fields
from sipstrobe.web.compat.text_cgi import text
from sipstrobe.web.compat.wildcard import matches
from sipstrobe.web.exchange import Request, Response, Route
from sipstrobe.web.views import Views

PATH: Final = "/axis-cgi/param.cgi"
VERSION: Final = "1.0"
GROUPS_MAX: Final = 16  # of one request
PATTERN_MAX: Final = 128  # characters of one of them
_ARGUMENTS: Final = ("action", "usergroup", "responseformat", "responsecharset")


class ParamCgi:
    """The actions of the interface."""

    def __init__(self, settings: Callable[[], Settings], views: Views) -> None:
        self._settings = settings
        self._views = views

    def routes(self) -> list[Route]:
        return [
            Route(method=method, path=PATH, handler=self._respond, role=Role.VIEWER)
            for method in ("GET", "POST")
        ]

    async def _respond(self, request: Request) -> Response:
        given = read_fields(request)
        match given.get("action", ""):
            case "list":
                return await self._list(given.get("group", "*"))
            case "update":
                return text(200, "".join(_refusals(given)))
            case _:
                return text(200, "# Request failed: only list is possible here\n")

    async def _list(self, groups: str) -> Response:
        """What begins with one of these paths, in the order in which they are asked for."""
        wanted = groups.split(",")
        if len(wanted) > GROUPS_MAX or any(len(group) > PATTERN_MAX for group in wanted):
            words = f"group may be {GROUPS_MAX} groups of {PATTERN_MAX} characters"
            return text(400, f"400 Bad Request\n{words}\n")
        build = await asyncio.to_thread(this_build)
        tree = parameters(self._settings(), self._views, build)
        return await asyncio.to_thread(_listed, tree, wanted)  # of all clips it takes a moment


def _listed(tree: Tree, wanted: Sequence[str]) -> Response:
    known = [(name.split(".")[1:], f"{name}={value}\n") for name, value in flat(tree)]
    told: list[str] = []
    for group in wanted:
        pattern = group.removeprefix("root.").split(".")
        lines = [line for path, line in known if _is_in(path, pattern)]
        told += lines or [f"# Error: Error -1 getting param in group '{group}'\n"]
    return text(200, "".join(told))


def _is_in(path: list[str], pattern: list[str]) -> bool:
    """Whether a parameter is in a group, or is what is named itself."""
    if pattern in (["root"], ["*"]):
        return True
    return len(path) >= len(pattern) and all(map(matches, pattern, path))


def _refusals(given: Mapping[str, str]) -> Iterator[str]:
    for name, value in given.items():
        if name not in _ARGUMENTS:
            yield f"# Error: Error setting '{name:.128}' to '{value:.128}'!\n"
