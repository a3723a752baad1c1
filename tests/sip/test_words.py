"""How an account stands, for whoever looks at the page."""

import pytest

from sipstrobe.events import RegistrationState as State
from sipstrobe.sip.failover import Role, Standing
from sipstrobe.sip.identity import RegistrationTrouble as Trouble
from sipstrobe.sip.words import standing_words


def failed(trouble: Trouble, status: int = 0, words: str = "") -> Standing:
    return Standing(State.FAILED, Role.PRIMARY, status, words, trouble)


@pytest.mark.parametrize(
    ("standing", "words"),
    [
        (Standing(State.OFF), "does not register"),
        (Standing(State.TRYING), "registering"),
        (Standing(State.REGISTERED, until=1.0), "registered until 14:05"),
        (failed(Trouble.UNAUTHORIZED, 401, "Unauthorized"), "wrong password"),
        (
            failed(Trouble.REFUSED, 404, "Not Found"),
            "the server does not know this user (404 Not Found)",
        ),
        (
            failed(Trouble.REFUSED, 403, "Forbidden"),
            "the server refuses this user or password (403 Forbidden)",
        ),
        (
            failed(Trouble.REFUSED, 488, "No"),
            "the server refuses the registration (488 No)",
        ),
        (
            failed(Trouble.BUSY, 503, "Service Unavailable"),
            "the server is not able to at the moment (503 Service Unavailable)",
        ),
        (
            failed(Trouble.UNREACHABLE, 408, "no answer"),
            "the server cannot be reached: no answer",
        ),
        (
            failed(Trouble.UNUSABLE, 200, "it has no contact"),
            "the server's answer makes no sense: it has no contact",
        ),
        (
            Standing(State.GIVEN_UP, words="no answer", trouble=Trouble.UNREACHABLE),
            "the server cannot be reached: no answer; tried again slowly",
        ),
        (
            Standing(
                State.REGISTERED, Role.SECONDARY, 0, "no answer", Trouble.UNREACHABLE, until=1.0
            ),
            "registered with the secondary server until 14:05;"
            " at the primary: the server cannot be reached: no answer",
        ),
    ],
)
def test_in_words(standing: Standing, words: str) -> None:
    assert standing_words(standing, until="14:05", password=True) == words


def test_a_password_that_was_forgotten_is_not_wrong() -> None:
    standing = failed(Trouble.UNAUTHORIZED, 401)

    assert standing_words(standing, until="", password=False) == "the server asks for a password"
