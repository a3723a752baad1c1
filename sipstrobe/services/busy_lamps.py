"""What the lamps of phones show that watch an extension: its calls, and its alarm (RFC 4235).

Listens to: CallState, OperationChanged. While nobody watches, an event costs one look.
"""

from collections.abc import Iterator
from functools import lru_cache

from sipstrobe.context import Context
from sipstrobe.events import CallState, CallStatus, Direction, OperationChanged, OperationPhase
from sipstrobe.machine import Driver
from sipstrobe.rules.extensions import Directory
from sipstrobe.services.calls import Call
from sipstrobe.services.switchboard import Switchboard
from sipstrobe.sip.dialog_info import DialogState, Role, ShownDialog
from sipstrobe.sip.endpoint import Endpoint
from sipstrobe.sip.outputs import Output, StateWanted
from sipstrobe.sip.settings import SipSettings
from sipstrobe.sip.watchers import MAX_WATCHERS

ALARM = "alarm"  # id of the dialog that stands for a running profile
_STATES = {
    CallStatus.CALLING: DialogState.TRYING,
    CallStatus.RINGING: DialogState.EARLY,
    CallStatus.PIN: DialogState.CONFIRMED,
    CallStatus.ACTIVE: DialogState.CONFIRMED,
}


class BusyLamps:
    """Tells the endpoint what goes on at the extensions that somebody watches."""

    def __init__(
        self, context: Context, driver: Driver[Output], endpoint: Endpoint, board: Switchboard
    ) -> None:
        self._users: dict[str, set[str]] = {}  # the user IDs of accounts, by their name
        self._find = Directory().find
        self._driver = driver
        self._endpoint = endpoint
        self._board = board
        self._profiles: dict[tuple[str, int], str] = {}  # running, by function and operation
        context.bus.subscribe(CallState, self._hear_call)
        context.bus.subscribe(OperationChanged, self._hear_operation)

    def apply(self, wanted: SipSettings) -> None:
        """Who calls under which name from now on."""
        self._users = {}
        for account in wanted.accounts:
            self._users.setdefault(account.name, set()).add(account.user_id)

    def apply_extensions(self, extensions: Directory) -> None:
        """What extensions do from now on."""
        self._find = lru_cache(MAX_WATCHERS)(extensions.find)
        for extension in list(self._endpoint.watched):
            self._show(extension)

    def wanted(self, news: StateWanted) -> None:
        """Somebody begins to watch."""
        self._show(news.extension)

    def _hear_call(self, event: CallState) -> None:
        watched = self._endpoint.watched
        if not watched:
            return
        if event.direction is Direction.INCOMING:
            concerned = {event.extension}
        else:
            concerned = self._users.get(event.account, set())
        for extension in watched & concerned:
            self._show(extension)

    def _hear_operation(self, event: OperationChanged) -> None:
        if not event.profile:
            return
        key = (event.function.value, event.operation)
        if event.phase is OperationPhase.ENDED:
            self._profiles.pop(key, None)
        else:
            self._profiles[key] = event.profile
        for extension in list(self._endpoint.watched):
            if self._profile_of(extension) == event.profile:
                self._show(extension)

    def _show(self, extension: str) -> None:
        shown = tuple(self._dialogs(extension))
        self._driver.feed(self._endpoint.show, extension, shown)

    def _dialogs(self, extension: str) -> Iterator[ShownDialog]:
        """The alarm first: that is what the lamp is for."""
        if self._profile_of(extension) in self._profiles.values():
            yield ShownDialog(ALARM, DialogState.CONFIRMED, Role.INITIATOR)
        for call in self._board.calls.values():
            state = _STATES.get(call.state)
            if state is not None and self._is_at(call, extension):
                role = Role.RECIPIENT if call.direction is Direction.INCOMING else Role.INITIATOR
                yield ShownDialog(call.id, state, role, call.remote_uri)

    def _is_at(self, call: Call, extension: str) -> bool:
        if call.direction is Direction.INCOMING:
            return call.extension == extension
        return extension in self._users.get(call.account, ())

    def _profile_of(self, extension: str) -> str | None:
        """The profile that the role of an extension runs."""
        found = self._find(extension)
        return found.profile or None if found is not None else None
