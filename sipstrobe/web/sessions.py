"""Who is logged in on the page: one cookie, one entry in a bounded table."""

from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass

COOKIE = "sipstrobe_session"
SESSIONS_MAX = 128  # the one unused for longest goes first
IDLE_LIFETIME = 12 * 3600.0  # seconds without a request, then log in again


@dataclass(slots=True)
class _Session:
    name: str
    proof: str
    used: float


class Sessions:
    """Tokens that only the browser knows. A restart ends all of them."""

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        self._random_bytes = random_bytes
        self._sessions: dict[str, _Session] = {}

    def open(self, name: str, proof: str, *, now: float) -> str:
        """A new token for this account.

        proof: something that changes with the password, so that a new password ends the session.
        """
        if len(self._sessions) >= SESSIONS_MAX:
            del self._sessions[min(self._sessions, key=lambda token: self._sessions[token].used)]
        token = urlsafe_b64encode(self._random_bytes(24)).decode()
        self._sessions[token] = _Session(name, proof, now)
        return token

    def find(self, token: str, *, now: float) -> tuple[str, str] | None:
        """The (name, proof) that this token was opened with."""
        session = self._sessions.get(token)
        if session is None:
            return None
        if now - session.used > IDLE_LIFETIME:
            del self._sessions[token]
            return None
        session.used = now
        return session.name, session.proof

    def close(self, token: str) -> None:
        self._sessions.pop(token, None)


def set_cookie(token: str, *, secure: bool) -> tuple[str, str]:
    """The header that gives the browser its token, or takes it away when the token is empty."""
    end = "; Secure" if secure else ""
    age = "; Max-Age=0" if not token else ""
    return "Set-Cookie", f"{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict{age}{end}"
