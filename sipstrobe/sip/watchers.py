"""Phones that watch an extension, so that a lamp shows what goes on there: RFC 4235, RFC 6665."""

from collections import Counter
from collections.abc import Callable, KeysView
from typing import Final

from msgspec.structs import replace

from sipstrobe.sip.capabilities import ALLOW_EVENTS, DIALOG_EVENT, Fields, Refusal
from sipstrobe.sip.core import Core
from sipstrobe.sip.dialog import Dialog, dialog_key
from sipstrobe.sip.dialog_info import (
    DIALOG_INFO_TYPE,
    MAX_DIALOGS,
    DialogState,
    ShownDialog,
    dialog_info,
)
from sipstrobe.sip.exchange import Serving
from sipstrobe.sip.grammar import is_token
from sipstrobe.sip.layer import RETRY_AFTER
from sipstrobe.sip.message import Request
from sipstrobe.sip.outputs import StateWanted
from sipstrobe.sip.subscription import Subscription, event_of, event_value
from sipstrobe.sip.transport import Flow
from sipstrobe.sip.uri import Uri, user_of

PACE: Final = 1.0  # seconds; RFC 4235 §3.10: no document more often than that
USUAL_EXPIRES: Final = 3600  # seconds; RFC 4235 §3.4; nobody gets more
MIN_EXPIRES: Final = 60  # seconds; less is refused with 423
MAX_WATCHERS: Final = 1000
MAX_WATCHERS_PER_SOURCE: Final = 100  # a PBX asks for all its phones
MAX_EVENT_ID: Final = 64  # characters


class Watching(Subscription):
    """One watcher of one extension."""

    __slots__ = ("_closed", "_dialogs", "_entity", "_told", "_version", "extension", "source")

    def __init__(
        self,
        core: Core,
        dialog: Dialog,
        entity: Uri,
        event: str,
        closed: "Callable[[Watching], None]",
    ) -> None:
        user, flow = entity.user or "", dialog.flow
        identity = core.identity_of(user, flow)
        own = core.contact(user, flow, sips=entity.scheme == "sips", identity=identity)
        if identity is not None:
            dialog.credentials = identity.credentials
        super().__init__(core, dialog, own, event, pace=PACE)
        self.extension = user_of(entity)
        self.source = dialog.flow.remote.host
        host = f"[{entity.host}]" if ":" in entity.host else entity.host
        self._entity = f"{entity.scheme}:{entity.user}@{host}"
        self._closed = closed
        self._version = -1
        self._dialogs: tuple[ShownDialog, ...] = ()
        self._told: tuple[ShownDialog, ...] = ()

    def show(self, dialogs: tuple[ShownDialog, ...], *, now: float) -> None:
        """These go on at present."""
        if dialogs != self._dialogs or self._version < 0:
            self._dialogs = dialogs
            self.changed(now=now)

    def compose(self) -> tuple[str, bytes]:
        """What goes on; what has ended since the last time is told once more as terminated."""
        going_on = {dialog.id for dialog in self._dialogs}
        over = [replace(d, state=DialogState.TERMINATED) for d in self._told]
        self._told = self._dialogs
        self._version += 1
        shown = [*self._dialogs, *[d for d in over if d.id not in going_on]]
        return DIALOG_INFO_TYPE, dialog_info(self._entity, self._version, shown)

    def close(self) -> None:
        super().close()
        self._closed(self)


class Watchers:
    """All watchers of all extensions, and what the extensions look like to them."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._at: dict[str, dict[Watching, None]] = {}  # by extension
        self._from: Counter[str] = Counter()  # how many, by where they are
        self._number = 0

    @property
    def extensions(self) -> KeysView[str]:
        """Those that somebody watches, as they change."""
        return self._at.keys()

    def show(self, extension: str, dialogs: tuple[ShownDialog, ...], *, now: float) -> None:
        """This goes on at an extension now."""
        shown = dialogs[:MAX_DIALOGS]
        for watching in list(self._at.get(extension, ())):
            watching.show(shown, now=now)

    def end_all(self, *, now: float) -> None:
        """We go, and may come back: RFC 6665 §4.1.3."""
        for watching in [watching for there in self._at.values() for watching in there]:
            watching.end(f"probation;retry-after={RETRY_AFTER}", now=now)

    def _enter(self, watching: Watching) -> None:
        self._at.setdefault(watching.extension, {})[watching] = None
        self._from[watching.source] += 1
        self._number += 1

    def _leave(self, watching: Watching) -> None:
        there = self._at.get(watching.extension, {})
        if watching not in there:
            return  # it has left
        del there[watching]
        if not there:
            del self._at[watching.extension]
        self._number -= 1
        self._from[watching.source] -= 1
        if not self._from[watching.source]:
            del self._from[watching.source]

    # --- SUBSCRIBE outside of a dialog ---------------------------------------------------------

    def refusal(self, request: Request, flow: Flow) -> Refusal | None:
        """Why nobody can watch this way. Raises RemoteProtocolError."""
        package, id_ = event_of(request)
        if package != DIALOG_EVENT or len(id_) > MAX_EVENT_ID or (id_ and not is_token(id_)):
            return Refusal(489, ALLOW_EVENTS)
        if not request.request_uri.user:
            return Refusal(404)
        if not _reads_dialog_info(request):
            return Refusal(406, (("Accept", DIALOG_INFO_TYPE),))
        if (brief := _too_brief(request)) is not None:
            return brief
        self._core.hop(Dialog.as_uas(request, "", flow))  # refused if nothing can be sent there
        of_source = self._from[flow.remote.host]
        if self._number >= MAX_WATCHERS or of_source >= MAX_WATCHERS_PER_SOURCE:
            return Refusal(503, (("Retry-After", str(MIN_EXPIRES)),))
        return None

    def take(self, serving: Serving, request: Request, flow: Flow, *, now: float) -> None:
        """A new watcher; or with Expires: 0 somebody who looks once (RFC 6665 §4.4.3)."""
        dialog = Dialog.as_uas(request, self._core.layer.new_tag(), flow)
        event = event_value(*event_of(request))
        watching = Watching(self._core, dialog, request.request_uri, event, self._leave)
        self._enter(watching)
        serving.tag = dialog.local_tag
        self._accept(watching, serving, request, now)
        self._core.outbox.append(StateWanted(watching.extension))

    # --- SUBSCRIBE within one ------------------------------------------------------------------

    def find(self, request: Request) -> Subscription | None:
        """The subscription that a request within a dialog is about."""
        event = event_value(*event_of(request))
        return self._core.subscriptions.get((dialog_key(request), event))

    def refresh(
        self, found: Subscription, serving: Serving, request: Request, flow: Flow, *, now: float
    ) -> None:
        """Go on, or stop (RFC 6665 §4.2.1.4)."""
        if (brief := _too_brief(request)) is not None:
            serving.respond(brief.status, headers=brief.fields, now=now)
            return
        found.dialog.flow = flow
        found.dialog.refresh_target(request)
        self._accept(found, serving, request, now)
        found.changed(now=now, at_once=True)

    def _accept(
        self, subscription: Subscription, serving: Serving, request: Request, now: float
    ) -> None:
        expires = _expires(request)
        headers: Fields = (subscription.contact, ("Expires", str(expires)))
        serving.respond(200, headers=headers, now=now)
        if expires:
            subscription.last(expires, now=now)
        else:
            subscription.wind_up("timeout", now=now)


def _expires(request: Request) -> int:
    return USUAL_EXPIRES if request.expires is None else min(request.expires, USUAL_EXPIRES)


def _too_brief(request: Request) -> Refusal | None:
    if 0 < _expires(request) < MIN_EXPIRES:
        return Refusal(423, (("Min-Expires", str(MIN_EXPIRES)),))
    return None


def _reads_dialog_info(request: Request) -> bool:
    if "Accept" not in request.headers:
        return True
    usual = {DIALOG_INFO_TYPE, "application/*", "*/*"}
    return not usual.isdisjoint(request.media_types("Accept"))
