"""Session timers: both sides show at intervals that the call still exists. RFC 4028, as values."""

from typing import Literal

from msgspec import Struct

from sipstrobe.sip.headers import SessionExpires
from sipstrobe.sip.message import Request, Response
from sipstrobe.sip.settings import MIN_SESSION_EXPIRES

LONGEST = 86_400  # seconds; whoever grants more is looked after every day nevertheless

Choice = Literal["automatic", "local", "remote"]
Fields = tuple[tuple[str, str], ...]


class SessionTimer(Struct, frozen=True):
    """The interval in force, in seconds, and whether it is for us to refresh the session."""

    interval: int
    local: bool

    @property
    def refresh_after(self) -> float:
        """RFC 4028 §7.2: half of the interval."""
        return self.interval / 2

    @property
    def expires_after(self) -> float:
        """RFC 4028 §10: who does not refresh says BYE a little before the end."""
        return self.interval - min(32.0, self.interval / 3)


def too_brief(request: Request) -> bool:
    """Whether the interval that a request asks for is below our minimum: answer 422 (§9)."""
    asked = request.session_expires
    return (
        asked is not None
        and asked.seconds < MIN_SESSION_EXPIRES
        and "timer" in request.tokens("Supported")
    )


def ask(seconds: int, refresher: Literal["", "uac", "uas"], least: int) -> Fields:
    """What an INVITE or UPDATE of ours says; least: what a 422 has told us (§7.1, §7.4)."""
    asked = SessionExpires(max(seconds, least), refresher)
    fields = (("Session-Expires", str(asked)),)
    return (*fields, ("Min-SE", str(least))) if least > MIN_SESSION_EXPIRES else fields


def initial_refresher(choice: Choice) -> Literal["", "uac", "uas"]:
    """Whom the INVITE that begins a call proposes; §7.1 leaves it open unless there is a wish."""
    match choice:
        case "automatic":
            return ""
        case "local":
            return "uac"
        case "remote":
            return "uas"


def accept(request: Request, seconds: int, choice: Choice) -> tuple[SessionTimer, Fields]:
    """What we decide when we answer a request with 2xx, and the fields that say so (§9).

    A peer that knows no session timers cannot be made to refresh, so we do.
    """
    able = "timer" in request.tokens("Supported") or "timer" in request.tokens("Require")
    asked = request.session_expires
    interval = max(seconds, request.min_se or 0)
    if asked is not None:
        interval = max(min(asked.seconds, interval), request.min_se or 0, MIN_SESSION_EXPIRES)
    if not able:
        refresher = "uas"
    elif asked is not None and asked.refresher:
        refresher = asked.refresher
    else:
        refresher = "uas" if choice == "local" else "uac"
    fields: Fields = (("Session-Expires", str(SessionExpires(interval, refresher))),)
    if refresher == "uac":
        fields += (("Require", "timer"),)  # §9: the caller must know that it has a duty
    return SessionTimer(interval, local=refresher == "uas"), fields


def conclude(response: Response, asked_seconds: int) -> SessionTimer:
    """What holds after a 2xx to a request of ours (§7.2).

    A peer that says nothing of session timers will not refresh, so we do.
    """
    granted = response.session_expires
    if granted is None:
        return SessionTimer(min(asked_seconds, LONGEST), local=True)
    interval = min(max(granted.seconds, MIN_SESSION_EXPIRES), LONGEST)
    return SessionTimer(interval, local=granted.refresher != "uas")
