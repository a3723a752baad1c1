"""GET /axis-cgi/usergroup.cgi: a program asks whether its password is right, and what it may do."""

from typing import Final

from sipstrobe.web.compat.pwdgrp import groups_of
from sipstrobe.web.compat.text_cgi import text
from sipstrobe.web.exchange import Request, Response, Route
from sipstrobe.web.gate import Gate

PATH: Final = "/axis-cgi/usergroup.cgi"


class UserGroup:
    """The only answer: the name, and the groups in the line below."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def routes(self) -> list[Route]:
        return [Route(method="GET", path=PATH, handler=self._respond, role=None)]

    def _respond(self, request: Request) -> Response:
        who = self._gate.identify(request)
        if who is None:  # also where those may look who have no account: it is asked who they are
            raise self._gate.challenge(request, "who are you?")
        return text(200, f"{who.name}\n{' '.join(groups_of(who.role))}\n")
