"""Who is logged in on the page: one cookie, one entry in a bounded table.

Only memory has them, so that a restart ends them all: what is on the disk, others may read.
"""

from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sipstrobe.config.users import User
from sipstrobe.web.exchange import Request

COOKIE: Final = "sipstrobe_session"
SECURE_COOKIE: Final = "__Host-sipstrobe_session"  # over TLS: no other host, no page over HTTP
SESSIONS_MAX: Final = 128  # the one unused for longest goes first
SESSIONS_PER_ACCOUNT: Final = 16  # so that no account crowds out the others
IDLE_LIFETIME: Final = 12 * 3600.0  # seconds without a request, then log in again
LIFETIME: Final = 7 * 24 * 3600.0  # seconds, however much it is used


@dataclass(slots=True)
class Session:
    """user: the account as it was when this began. weak: what there is to say of its password.
    secure: whether it began over TLS."""

    user: User
    weak: str
    secure: bool
    opened: float
    used: float


class Sessions:
    """Tokens that only the browser knows."""

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        self._random_bytes = random_bytes
        self._sessions: dict[str, Session] = {}

    def open(self, user: User, weak: str = "", *, secure: bool = False, now: float) -> str:
        """A new token for this account. secure: for use over TLS, and for nothing else."""
        own = [token for token, s in self._sessions.items() if s.user.name == user.name]
        if len(own) >= SESSIONS_PER_ACCOUNT:
            self._drop_oldest(own)
        elif len(self._sessions) >= SESSIONS_MAX:
            self._drop_oldest(list(self._sessions))
        token = urlsafe_b64encode(self._random_bytes(24)).decode()
        self._sessions[token] = Session(user, weak, secure, opened=now, used=now)
        return token

    def find(self, token: str, *, secure: bool = False, now: float) -> Session | None:
        """What a token stands for that came over TLS or not; what came in the open, others may
        know, and it opens nothing over TLS."""
        session = self._sessions.get(token)
        if session is None or session.secure is not secure:
            return None
        if now - session.used > IDLE_LIFETIME or now - session.opened > LIFETIME:
            del self._sessions[token]
            return None
        session.used = now
        return session

    def is_open(self, token: str) -> bool:
        return token in self._sessions

    def close(self, token: str) -> Session | None:
        """End it; what it was."""
        return self._sessions.pop(token, None)

    def close_all(self, name: str) -> None:
        """End those of an account, wherever they are."""
        kept = {token: s for token, s in self._sessions.items() if s.user.name != name}
        self._sessions = kept

    def _drop_oldest(self, tokens: list[str]) -> None:
        del self._sessions[min(tokens, key=lambda token: self._sessions[token].used)]


def token_of(request: Request) -> str:
    """What the browser shows; over TLS only what it was given over TLS."""
    return request.cookie(SECURE_COOKIE if request.secure else COOKIE)


def set_cookie(token: str, *, secure: bool) -> tuple[str, str]:
    """The header that gives the browser its token, or takes it away when the token is empty."""
    name = SECURE_COOKIE if secure else COOKIE
    end = "; Secure" if secure else ""
    age = "; Max-Age=0" if not token else ""
    return "Set-Cookie", f"{name}={token}; Path=/; HttpOnly; SameSite=Strict{age}{end}"
