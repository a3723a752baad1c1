"""What a token must be for (`config.access.Scope`), route by route.

It follows from the role and the method; where it does not, the path stands in one of these lists.
"""

from typing import Final

from sipstrobe.config.access import Scope
from sipstrobe.config.users import Role
from sipstrobe.web.exchange import Route

Scopes = frozenset[Scope]

READ: Final = Scopes({Scope.READ})
COMMANDS: Final = Scopes({Scope.COMMANDS})
SETTINGS: Final = Scopes({Scope.SETTINGS})
SYSTEM: Final = Scopes({Scope.SYSTEM})
BOTH: Final = COMMANDS | SETTINGS

ORDERS: Final = (  # what is done now and is over then; as paths begin
    "/api/v1/calls",
    "/api/v1/commands/",
    "/api/v1/listen-in",
    "/api/v1/profiles/preview",
    "/api/v1/recipients/",
    "/api/v1/talk",
    "/axis-cgi/audio/",
    "/axis-cgi/io/input.cgi",
    "/axis-cgi/io/output.cgi",
    "/axis-cgi/io/port.cgi",
    "/axis-cgi/io/virtualinput.cgi",
    "/axis-cgi/playclip.cgi",
    "/axis-cgi/stopclip.cgi",
    "/axis-cgi/virtualinput/",
)
ORDERS_ON_CLIPS: Final = ("/play", "/stop")  # as they end
MIXED: Final = ("/vapix/",)  # orders and settings, also by GET
QUESTIONS: Final = (  # whose answer needs a body, and which change nothing
    "/api/v1/mqtt/preview",
    "/api/v1/multicast/sdp",
    "/api/v1/profiles/check",
    "/api/v1/rules/check",
    "/api/v1/rules/simulate",
    "/api/v1/schedules/preview",
    "/axis-cgi/operator/param.cgi",
    "/axis-cgi/param.cgi",
    "/axis-cgi/view/param.cgi",
)


def needed(route: Route) -> Scopes:
    """What a token must be for to call it. Doors that other programs know put orders and settings
    under methods of their own within a POST, so that it must be for both."""
    if route.role is Role.ADMINISTRATOR:
        return SYSTEM
    if route.path in QUESTIONS:
        return READ
    if route.path.startswith(MIXED):
        return BOTH
    if route.method == "GET":
        return COMMANDS if route.acts else READ
    if route.path.startswith(ORDERS) or route.path.endswith(ORDERS_ON_CLIPS):
        return COMMANDS
    if route.method == "POST" and not route.path.startswith("/api/v1/"):
        return BOTH
    return SETTINGS
