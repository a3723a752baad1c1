"""How an account stands, in words that a person understands."""

from sipstrobe.events import RegistrationState
from sipstrobe.sip.failover import Role, Standing
from sipstrobe.sip.identity import RegistrationTrouble

_REFUSALS = {
    403: "the server refuses this user or password",
    404: "the server does not know this user",
    405: "the server is no registrar",
    410: "the server does not know this user any more",
    604: "the server does not know this user",
}


def standing_words(standing: Standing, *, until: str, password: bool) -> str:
    """What the page shows. until: when the registration ends; password: there is one to send."""
    trouble = trouble_words(standing, password=password)
    match standing.state:
        case RegistrationState.OFF:
            return "does not register"
        case RegistrationState.TRYING:
            return "registering"
        case RegistrationState.REGISTERED if standing.role is Role.SECONDARY:
            at = f"; at the primary: {trouble}" if trouble else ""
            return f"registered with the secondary server until {until}{at}"
        case RegistrationState.REGISTERED:
            at = f"; at the secondary: {trouble}" if trouble else ""
            return f"registered until {until}{at}"
        case RegistrationState.FAILED:
            return trouble
        case RegistrationState.GIVEN_UP:
            return f"{trouble}; tried again slowly"


def trouble_words(standing: Standing, *, password: bool) -> str:
    """What the last failure means; empty if there was none."""
    status = f"{standing.status} {standing.words}".strip()
    match standing.trouble:
        case None:
            return ""
        case RegistrationTrouble.UNREACHABLE:
            return f"the server cannot be reached: {standing.words}"
        case RegistrationTrouble.UNAUTHORIZED:
            return "wrong password" if password else "the server asks for a password"
        case RegistrationTrouble.REFUSED:
            words = _REFUSALS.get(standing.status, "the server refuses the registration")
            return f"{words} ({status})"
        case RegistrationTrouble.BUSY:
            return f"the server is not able to at the moment ({status})"
        case RegistrationTrouble.UNUSABLE:
            return f"the server's answer makes no sense: {standing.words}"
