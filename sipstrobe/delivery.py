"""Builds the outbox and whatever sends for it."""

import asyncio
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from sipstrobe.config.settings import Settings
from sipstrobe.context import Context
from sipstrobe.sending.message import Message, Sender
from sipstrobe.services.outbox import OutboxService
from sipstrobe.services.recorder import Recorder
from sipstrobe.services.senders.sip import SipSender
from sipstrobe.services.senders.tcp import TcpSender
from sipstrobe.web.describe import chain

_SENDERS: Final = "sipstrobe.services.senders."
_LATER: Final = {
    "mail": "MailSender",
    "ftp": "FtpSender",
    "sftp": "SftpSender",
    "share": "ShareSender",
}
"""By kind, in the module of that name; they are given where recordings are."""


class OnFirstUse:
    """A sender whose library is loaded, in another thread, when something is to be sent."""

    def __init__(self, kind: str, name: str, *given: object) -> None:
        self._kind, self._name, self._given = kind, name, given
        self._sender: Any = None

    async def send(self, recipient: Any, message: Message, /) -> None:
        if self._sender is None:
            module = await asyncio.to_thread(import_module, _SENDERS + self._kind)
            if self._sender is None:  # another has come before
                self._sender = getattr(module, self._name)(*self._given)
        await self._sender.send(recipient, message)

    async def aclose(self) -> None:
        """Of a sender that keeps something open."""
        if self._sender is not None:
            await self._sender.aclose()


def outbox_of(
    context: Context,
    state: Path,
    settings: Callable[[], Settings],
    recorder: Recorder,
    more: Mapping[str, Sender[Any, Any]],
) -> OutboxService:
    """more: senders by kind that others have made, such as that of MQTT."""

    def device() -> tuple[str, str]:
        found = settings().device
        return found.name, found.serial

    http = OnFirstUse("http", "HttpSender")
    later = {kind: OnFirstUse(kind, name, recorder.path) for kind, name in _LATER.items()}
    senders = {"http": http, "tcp": TcpSender(), "sip": SipSender(context)}
    return OutboxService(
        context,
        state,
        senders | later | dict(more),
        recorder,
        device=device,
        why=chain,
        closing=[http.aclose],
    )
