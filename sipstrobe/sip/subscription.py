"""One subscription, from the side that notifies: RFC 6665 §4.2.

What it is about, and when it has changed, is the affair of its kinds: `watchers` (RFC 4235) and
`referral` (RFC 3515).
"""

from enum import Enum, auto
from math import ceil
from typing import Final

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.sip.agenda import Entry
from sipstrobe.sip.core import Core
from sipstrobe.sip.dialog import Dialog, DialogKey
from sipstrobe.sip.grammar import is_token, parse_params
from sipstrobe.sip.message import Request, Response
from sipstrobe.sip.transaction import TIMEOUT, Failure
from sipstrobe.timers import Timers

SubscriptionKey = tuple[DialogKey, str]  # of which dialog, and the value of Event

# RFC 6665 §4.2.2 with RFC 5057 §5.1: after these, there is nobody any more to be told.
_GONE: Final = frozenset({404, 405, 408, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604})


class Timer(Enum):
    EXPIRE = auto()
    PACE = auto()  # it is too soon after the last NOTIFY


class Subscription:
    """Tell one subscriber what is new, one NOTIFY at a time and not too often.

    pace: seconds between two NOTIFY requests; what changes meanwhile is told as it is then.
    """

    __slots__ = (
        "_asking",
        "_core",
        "_ending",
        "_expires_at",
        "_may_tell_at",
        "_news",
        "_pace",
        "_timers",
        "contact",
        "dialog",
        "entry",
        "event",
    )

    def __init__(
        self, core: Core, dialog: Dialog, contact: tuple[str, str], event: str, *, pace: float = 0.0
    ) -> None:
        self.dialog = dialog
        self.event = event
        self.contact = contact
        self.entry: Entry | None = None
        self._core = core
        self._pace = pace
        self._timers: Timers[Timer] = Timers()
        self._news = False  # there is something to tell
        self._asking = False  # a NOTIFY waits for its answer
        self._ending = ""  # the reason, once it ends
        self._expires_at = 0.0
        self._may_tell_at = 0.0
        core.subscriptions[self.key] = self

    @property
    def key(self) -> SubscriptionKey:
        return (self.dialog.key, self.event)

    def compose(self) -> tuple[str, bytes]:
        """What there is to tell just now: type and body. Called once a NOTIFY."""
        raise NotImplementedError

    # --- what may happen to it -----------------------------------------------------------------

    def last(self, seconds: float, *, now: float) -> None:
        """It lasts so long from now on."""
        self._expires_at = now + seconds
        self._timers.start(Timer.EXPIRE, self._expires_at)
        self._core.layer.agenda.note(self)

    def changed(self, *, now: float, at_once: bool = False) -> None:
        """There is something new. at_once: asked for by the subscriber, so without regard to the
        pace."""
        self._news = True
        if at_once:
            self._may_tell_at = now
        self._proceed(now)

    def wind_up(self, reason: str, *, now: float) -> None:
        """The next NOTIFY is the last: RFC 6665 §4.1.3 has the reasons."""
        if not self._ending:
            self._ending = reason
            self.last(TIMEOUT, now=now)  # for whatever is still to be said

    def end(self, reason: str, *, now: float) -> None:
        """Say for the last time how things are."""
        self.wind_up(reason, now=now)
        self.changed(now=now)

    def close(self) -> None:
        """Forget it without a word."""
        self._timers.stop_all()
        self._core.layer.agenda.forget(self)
        if self._core.subscriptions.get(self.key) is self:
            del self._core.subscriptions[self.key]

    # --- time ----------------------------------------------------------------------------------

    @property
    def deadline(self) -> float | None:
        return self._timers.deadline

    def wake(self, *, now: float) -> None:
        for timer in self._timers.due(now):
            if timer is Timer.PACE:
                self._proceed(now)
            elif self._ending:
                self.close()
            else:
                self.end("timeout", now=now)
        self._core.layer.agenda.note(self)

    # --- NOTIFY --------------------------------------------------------------------------------

    def _proceed(self, now: float) -> None:
        if self._asking or not self._news:
            return  # the answer, or what is new, comes back to this
        if not self._ending and now < self._may_tell_at:
            self._timers.start(Timer.PACE, self._may_tell_at)
            self._core.layer.agenda.note(self)
            return
        self._notify(now)

    def _notify(self, now: float) -> None:
        try:
            flow = self._core.hop(self.dialog)
        except RemoteProtocolError:
            self.close()
            return
        self._news, self._asking = False, True
        self._may_tell_at = now + self._pace
        if self._ending:
            state = f"terminated;reason={self._ending}"
        else:
            state = f"active;expires={max(0, ceil(self._expires_at - now))}"
        content_type, body = self.compose()
        fields = (
            ("Event", self.event),
            ("Subscription-State", state),
            self.contact,
            ("Content-Type", content_type),
        )
        draft = self.dialog.draft("NOTIFY", fields, body)
        self._core.layer.ask(draft, flow, self._answered, now=now)

    def _answered(self, answer: Response | Failure, now: float) -> None:
        if isinstance(answer, Response) and answer.status < 200:
            return
        self._asking = False
        gone = isinstance(answer, Failure) or answer.status in _GONE
        if gone or (self._ending and not self._news):
            self.close()
        else:
            self._proceed(now)


def event_of(request: Request) -> tuple[str, str]:
    """Package and id of the Event field, both "" if there is none: RFC 6665 §8.2.1.

    Raises RemoteProtocolError (489) for what is no event.
    """
    value = request.headers.only("Event")
    if value is None:
        return "", ""
    package, semicolon, params = value.partition(";")
    package = package.strip(" \t")
    if not is_token(package):
        raise RemoteProtocolError("bad Event", status=489)
    return package, parse_params(semicolon + params).get("id", "")


def event_value(package: str, id_: str) -> str:
    """The value of Event in a NOTIFY."""
    return f"{package};id={id_}" if id_ else package
