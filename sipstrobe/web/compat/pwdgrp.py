"""GET and POST /axis-cgi/pwdgrp.cgi: accounts as control programs manage them (ACC-01…05, GEN-03).

While there is no account, anybody may add the first administrator. What cannot be is told in HTTP
200 by a line that begins with "Error:".
"""

import html
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from msgspec import UNSET

from sipstrobe.config.users import ROLES, Role
from sipstrobe.errors import ConfigError
from sipstrobe.web.compat.text_cgi import read_fields, text
from sipstrobe.web.exchange import HttpProblem, Request, Response, Route
from sipstrobe.web.gate import Gate
from sipstrobe.web.origin import named_from_elsewhere, refuse_foreign_pages, refuse_led
from sipstrobe.web.users import Accounts, UserChange

logger = logging.getLogger(__name__)

PATH: Final = "/axis-cgi/pwdgrp.cgi"
VERSION: Final = "1.2"
GROUPS: Final = {
    "viewer": Role.VIEWER,
    "operator": Role.OPERATOR,
    "admin": Role.ADMINISTRATOR,
}
_PTZ: Final = "ptz"  # there is nothing to pan and tilt: whoever may do things may do that

EXISTS: Final = "this user name already exists, consult the system log file."
UNKNOWN: Final = "account user name."
INVALID: Final = "invalid password."
LOGGED: Final = "consult the system log file."
_PAGE: Final = (
    "<html><head><title>User accounts</title></head><body bgcolor=#ffffff>{}\n</body>\n\n</html>\n"
)

_Given = Mapping[str, str]
_Before = Callable[[], None]  # is called when a hash is there, and may raise


class _Refused(Exception):
    """What cannot be, in the words of this interface."""


class PasswordGroups:
    """The actions of the interface."""

    def __init__(self, accounts: Accounts, gate: Gate) -> None:
        self._accounts = accounts
        self._gate = gate
        self._actions: dict[str, Callable[[_Given, str, _Before], Awaitable[str]]] = {
            "add": self._add,
            "update": self._update,
            "remove": self._remove,
        }

    def routes(self) -> list[Route]:
        return [
            Route(
                method=method,
                path=PATH,
                handler=self._respond,
                role=Role.ADMINISTRATOR,
                acts=method == "GET",
                sets_up=True,
                unstored=lambda _: _told(f"Error: {LOGGED}"),
            )
            for method in ("GET", "POST")
        ]

    async def _respond(self, request: Request) -> Response:
        given = read_fields(request)
        action = given.get("action", "")
        if request.method == "GET" and action != "get":
            refuse_led(request)
        if request.principal is None:
            return await self._set_up(request, given)
        if action == "get":
            return text(200, self._groups())
        before = self._gate.insists(request, request.principal)
        return await _answered(self._act(action, given, request.peer, before))

    async def _act(self, action: str, given: _Given, address: str, before: _Before) -> str:
        if not action:
            raise _Refused("action operation type.")
        if action not in self._actions:
            raise _Refused(f"malformed action operation, {action:.64}.")
        return await self._actions[action](given, address, before)

    async def _set_up(self, request: Request, given: _Given) -> Response:
        """The first account. All else is 401 until there is one."""
        refuse_foreign_pages(request)
        if named_from_elsewhere(request):
            raise HttpProblem(403, "call this device by its IP address to begin")
        if given.get("action") != "add":
            return self._not_yet(request, "initial admin user must be created first.")
        if read_role(given.get("sgrp", "")) is not Role.ADMINISTRATOR:
            return self._not_yet(request, "not a valid initial admin user.")
        return await _answered(self._add(given, request.peer, lambda: self._refuse_second(request)))

    def _refuse_second(self, request: Request) -> None:
        if self._accounts.users:  # somebody was faster
            raise self._gate.challenge(request, "who are you?")

    def _not_yet(self, request: Request, words: str) -> Response:
        challenge = self._gate.challenge(request, words).headers
        return _told(f"Error: {words}", 401).with_headers(*challenge)

    # --- actions --------------------------------------------------------------------------------

    async def _add(self, given: _Given, address: str, before: _Before) -> str:
        name = _name(given)
        role = read_role(given.get("sgrp", ""))
        if role is None:
            raise _logged(f"account {name} was not added: sgrp is missing or unknown")
        await self._accounts.make(name, role, given.get("pwd", ""), address=address, before=before)
        return f"Created account {name}."

    async def _update(self, given: _Given, address: str, before: _Before) -> str:
        name = self._accounts.find(_name(given)).name
        role = read_role(given["sgrp"]) if "sgrp" in given else UNSET
        if role is None:
            raise _logged(f"account {name} was not changed: sgrp is unknown")
        wanted = UserChange(password=given.get("pwd", UNSET), role=role)
        if wanted != UserChange():
            await self._accounts.change(name, wanted, address, before)
        return f"Modified account {name}."

    async def _remove(self, given: _Given, _: str, __: _Before) -> str:
        name = _name(given)
        self._accounts.remove(name)
        return f"Removed account {name}."

    def _groups(self) -> str:
        """Who belongs to which group; digusers: all there are. None of them is ever empty, which
        programs would take for a user without a name."""
        users = self._accounts.users
        lines = {
            group: [user.name for user in users if group in groups_of(user.role)]
            for group in (*reversed(GROUPS), _PTZ)
        }
        lines["digusers"] = [user.name for user in users]
        return "".join(f'{group}="{",".join(names)}"\n' for group, names in lines.items())


def read_role(groups: str) -> Role | None:
    """What is asked for by sgrp, as in operator:viewer:ptz: the most of it; None: no such."""
    named = set(groups.split(":")) - {_PTZ}
    if not named or not named <= GROUPS.keys():
        return None
    return max((GROUPS[group] for group in named), key=ROLES.index)


def groups_of(role: Role) -> list[str]:
    """That of this role first, then those below."""
    rank = ROLES.index(role)
    groups = [group for group, least in reversed(GROUPS.items()) if ROLES.index(least) <= rank]
    return groups if role is Role.VIEWER else [*groups, _PTZ]


def _name(given: _Given) -> str:
    name = given.get("user", "")
    if not name:
        raise _Refused(UNKNOWN)
    return name


async def _answered(work: Awaitable[str]) -> Response:
    """What has come of it, and every refusal as this interface has it."""
    try:
        return _told(await work)
    except _Refused as refused:
        words = str(refused)
    except ConfigError as error:
        words = _words_of(error)
    except HttpProblem as refused:
        code = refused.more.get("code")
        if code not in ("name_taken", "unknown_user", "last_administrator"):
            raise
        known = {"name_taken": EXISTS, "unknown_user": UNKNOWN}
        words = known[code] if code in known else str(_logged(str(refused)))
    return _told(f"Error: {words}")


def _words_of(error: ConfigError) -> str:
    field = error.problems[0].path.rpartition("/")[2]
    known = {"password": INVALID, "name": UNKNOWN}
    return known[field] if field in known else str(_logged(str(error)))


def _logged(words: str) -> _Refused:
    """Of what this interface has no words for, it names the log."""
    logger.warning("pwdgrp.cgi: %.200s", words)
    return _Refused(LOGGED)


def _told(words: str, status: int = 200) -> Response:
    body = _PAGE.format(html.escape(words))
    return Response(status, body.encode(), "text/html; charset=utf-8")
