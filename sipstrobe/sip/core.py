"""What all calls of the endpoint share: transactions, dialogs, settings, and the outbox."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from sipstrobe.sip.dialog import Dialog, DialogKey
from sipstrobe.sip.layer import Layer
from sipstrobe.sip.outputs import Output
from sipstrobe.sip.settings import SipSettings
from sipstrobe.sip.transport import Flow, Transport

if TYPE_CHECKING:
    from sipstrobe.sip.modify import ModifiableSession


class Core:
    """The tables in which a call is found, and what it needs to speak."""

    def __init__(
        self,
        settings: SipSettings,
        random_bytes: Callable[[int], bytes],
        *,
        max_transactions: int,
    ) -> None:
        self.outbox: deque[Output] = deque()
        self.layer = Layer(self.outbox, random_bytes, max_transactions=max_transactions)
        self.settings = settings
        self.sessions: dict[str, ModifiableSession] = {}  # every one that is not over for the wire
        self.dialogs: dict[DialogKey, tuple[ModifiableSession, Dialog]] = {}

    def enter(self, session: "ModifiableSession", dialog: Dialog) -> None:
        self.dialogs[dialog.key] = (session, dialog)

    def leave(self, dialog: Dialog) -> None:
        self.dialogs.pop(dialog.key, None)

    def hop(self, dialog: Dialog) -> Flow:
        """The next hop within a dialog; a connection that is gone is not used any more.

        Raises RemoteProtocolError when the peer has named a place that cannot be reached.
        """
        connection = dialog.flow.connection
        if connection is not None and connection not in self.layer.connections:
            dialog.flow = replace(dialog.flow, connection=None)
        return dialog.hop()


def contact_of(user: str, flow: Flow) -> tuple[str, str]:
    """The Contact field under which this end can be reached by a peer of that flow."""
    at = f"{user}@{flow.local}" if user else str(flow.local)
    transport = ";transport=tcp" if flow.transport is Transport.TCP else ""
    return ("Contact", f"<sip:{at}{transport}>")
