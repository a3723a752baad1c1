"""GET and POST /axis-cgi/param.cgi: parameters, as programs read them before all else (API-04).

`list` and `listdefinitions` tell them, `update` sets some of them (`settable`): each that can be,
and of each that cannot it says so. `add` and `remove` have nothing to work on here.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from sipstrobe.bus import Dispatcher
from sipstrobe.config.access import Scope
from sipstrobe.config.settings import Settings
from sipstrobe.config.users import ROLES, Role
from sipstrobe.web.compat.parameter_changes import ParameterChanges, Wanted
from sipstrobe.web.compat.parameter_xml import XML, definitions
from sipstrobe.web.compat.parameters import Tree, flat, parameters
from sipstrobe.web.compat.product import this_build
from sipstrobe.web.compat.pwdgrp import GROUPS
from sipstrobe.web.compat.settable import settable
from sipstrobe.web.compat.text_cgi import WrongArgument, read_fields, text
from sipstrobe.web.compat.wildcard import matches
from sipstrobe.web.denied import Denied
from sipstrobe.web.exchange import HttpProblem, Request, Response, Route
from sipstrobe.web.origin import refuse_led
from sipstrobe.web.views import Views

PATH: Final = "/axis-cgi/param.cgi"
PATHS: Final[Mapping[str, Role]] = {  # the others are its older names
    PATH: Role.VIEWER,
    "/axis-cgi/view/param.cgi": Role.VIEWER,
    "/axis-cgi/operator/param.cgi": Role.OPERATOR,
    "/axis-cgi/admin/param.cgi": Role.ADMINISTRATOR,
}
VERSION: Final = "1.0"
FIELDS_MAX: Final = 64  # of one request
GROUPS_MAX: Final = 16  # the same of groups
PATTERN_MAX: Final = 128  # characters of one of them
_ARGUMENTS: Final = ("action", "usergroup", "responseformat", "responsecharset")

_Listed = Sequence[tuple[str, Sequence[tuple[str, str]]]]
"""Each group that was asked for, with the names and values in it."""


class ParamCgi:
    """The actions of the interface. denied: the refusal of a request that needs this role."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        settings: Callable[[], Settings],
        views: Views,
        denied: Callable[[Request, Role], HttpProblem],
    ) -> None:
        self._settings = settings
        self._views = views
        self._denied = denied
        self._changes = ParameterChanges(dispatcher, settings, views.clips)

    def routes(self) -> list[Route]:
        return [
            Route(
                method=method,
                path=path,
                handler=self._respond,
                role=role,
                acts=method == "GET",
                unstored=lambda request: _set_but(_assigned(_read(request)).items()),
            )
            for path, role in PATHS.items()
            for method in ("GET", "POST")
        ]

    async def _respond(self, request: Request) -> Response:
        given = _read(request)
        if (wanted := given.get("usergroup")) in GROUPS:  # it wants to be asked for an account
            self._refuse_below(request, GROUPS[wanted])
        try:
            match given.get("action"):
                case "list":
                    return _as_lines(await self._listed(given))
                case "listdefinitions":
                    listed = await self._listed(given)
                    return await asyncio.to_thread(_as_xml, listed)  # of all clips it takes 5 ms
                case "update":
                    return await self._update(request, _assigned(given))
                case _:
                    words = "action may be list, listdefinitions and update here"
                    return text(200, f"# Request failed: {words}\n")
        except WrongArgument as wrong:
            return text(400, f"400 Bad Request\n{wrong}\n")

    def _refuse_below(self, request: Request, role: Role) -> None:
        who = request.principal
        if who is None or who.anonymous or ROLES.index(who.role) < ROLES.index(role):
            raise self._denied(request, role)

    # --- telling --------------------------------------------------------------------------------

    async def _listed(self, given: Mapping[str, str]) -> _Listed:
        """What begins with one of these paths, in the order in which they are asked for."""
        wanted = given.get("group", "*").split(",")
        if len(wanted) > GROUPS_MAX or any(len(group) > PATTERN_MAX for group in wanted):
            raise WrongArgument(f"group may be {GROUPS_MAX} groups of {PATTERN_MAX} characters")
        return await asyncio.to_thread(_found, await self._tree(), wanted)

    async def _tree(self) -> Tree:
        build = await asyncio.to_thread(this_build)
        return parameters(self._settings(), self._views, build)

    # --- setting --------------------------------------------------------------------------------

    async def _update(self, request: Request, given: Mapping[str, str]) -> Response:
        if request.method == "GET":
            refuse_led(request)
        known = {name: settable(name.removeprefix("root.")) for name in given}
        roles = [Role.OPERATOR, *(found.role for found in known.values() if found is not None)]
        self._refuse_unless_for(request, max(roles, key=ROLES.index))
        now = await asyncio.to_thread(dict, flat(await self._tree()))
        refused: dict[str, str] = {}
        wishes: list[Wanted] = []
        for name, value in given.items():
            present = now.get("root." + name.removeprefix("root."))
            found = known[name]
            if present is None or (found is None and present.lower() != value.lower()):
                refused[name] = value
            elif found is not None and present != value:
                wishes.append(Wanted(name, value, found))
        refused |= await self._changes.make(wishes)
        return _set_but((name, given[name]) for name in given if name in refused)

    def _refuse_unless_for(self, request: Request, role: Role) -> None:
        """Whether this account may, and its token is for it."""
        self._refuse_below(request, role)
        scope = Scope.SYSTEM if role is Role.ADMINISTRATOR else Scope.SETTINGS
        who = request.principal
        if who is not None and who.scopes is not None and scope not in who.scopes:
            raise Denied(403, f"this token is not for {scope}")


def _read(request: Request) -> Mapping[str, str]:
    return read_fields(request, FIELDS_MAX)


def _assigned(given: Mapping[str, str]) -> Mapping[str, str]:
    """The parameters that are to be set."""
    return {name: value for name, value in given.items() if name not in _ARGUMENTS}


def _found(tree: Tree, wanted: Sequence[str]) -> _Listed:
    known = [(name.split(".")[1:], name, value) for name, value in flat(tree)]
    found: list[tuple[str, list[tuple[str, str]]]] = []
    for group in wanted:
        pattern = group.removeprefix("root.").split(".")
        inside = [(name, value) for path, name, value in known if _is_in(path, pattern)]
        found.append((group, inside))
    return found


def _is_in(path: list[str], pattern: list[str]) -> bool:
    """Whether a parameter is in a group, or is what is named itself."""
    if pattern in (["root"], ["*"]):
        return True
    return len(path) >= len(pattern) and all(map(matches, pattern, path))


def _as_lines(listed: _Listed) -> Response:
    told: list[str] = []
    for group, inside in listed:
        told += [f"{name}={value}\n" for name, value in inside] or [_missing(group)]
    return text(200, "".join(told))


def _as_xml(listed: _Listed) -> Response:
    """One document of all that there is; where there is nothing of it, the words of a list."""
    found = {name: value for _, inside in listed for name, value in inside}
    if not found:
        return text(200, "".join(_missing(group) for group, _ in listed))
    return Response(200, definitions(found), XML)


def _missing(group: str) -> str:
    return f"# Error: Error -1 getting param in group '{group}'\n"


def _set_but(refused: Iterable[tuple[str, str]]) -> Response:
    """OK, or which parameters are not as they were to be."""
    lines = [
        f"# Error: Error setting '{name:.128}' to '{value:.128}'!\n" for name, value in refused
    ]
    return text(200, "".join(lines) or "OK")
