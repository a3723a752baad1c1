"""Builds the outbox and whatever sends for it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sipstrobe.config.settings import Settings
from sipstrobe.context import Context
from sipstrobe.sending.message import Sender
from sipstrobe.services.outbox import OutboxService
from sipstrobe.services.recorder import Recorder
from sipstrobe.services.senders.http import HttpSender
from sipstrobe.services.senders.sip import SipSender
from sipstrobe.services.senders.tcp import TcpSender
from sipstrobe.web.describe import chain


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

    http = HttpSender()
    senders: dict[str, Sender[Any, Any]] = {
        "http": http,
        "tcp": TcpSender(),
        "sip": SipSender(context),
    }
    return OutboxService(
        context,
        state,
        senders | dict(more),
        recorder,
        device=device,
        why=chain,
        closing=[http.aclose],
    )
