"""Files to a network share (RCP-07): SMB 2 and 3."""

import logging
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from typing import Any, Final

from sipstrobe.sending.failure import SendFailed
from sipstrobe.sending.message import FileMessage
from sipstrobe.sending.settings import ShareRecipient
from sipstrobe.services.senders.files import BLOCK, PART, RecordingPath, open_content
from sipstrobe.services.senders.thread import Lifeline, in_thread, shut
from sipstrobe.services.senders.words import failure_of

CONNECT_LIMIT: Final = 10  # seconds
_NO_SHARE: Final = (0xC00000CC, 0xC0000225)  # [MS-ERREF] §2.3.1: network name, not found (DFS)
_NOT_FOUND: Final = (0xC0000034, 0xC000003A)  # object name, object path
_DENIED: Final = (0xC0000022, 0xC00000A2)  # access denied, write protected


class ShareSender:
    """A connection for each file."""

    def __init__(self, path_of: RecordingPath) -> None:
        self._path_of = path_of
        logging.getLogger("smbprotocol").setLevel(logging.ERROR)  # it tells of each step
        logging.getLogger("smbclient").setLevel(logging.ERROR)

    async def send(self, recipient: ShareRecipient, message: FileMessage, /) -> None:
        await in_thread("share", partial(self._send, recipient, message))

    def _send(self, recipient: ShareRecipient, message: FileMessage, lifeline: Lifeline) -> None:
        smbclient = _library("smbclient")
        connections: dict[str, Any] = {}
        lifeline.hold(lambda: _shut(connections))
        way: dict[str, Any] = {"port": recipient.port, "connection_cache": connections}
        try:
            with _told(recipient):
                lifeline.connect(recipient.host, recipient.port).close()  # says best what is wrong
                smbclient.register_session(
                    recipient.host,
                    username=recipient.user or None,
                    password=recipient.password.reveal(),
                    connection_timeout=CONNECT_LIMIT,
                    **way,
                )
                self._put(recipient, message, way)
        finally:
            smbclient.reset_connection_cache(fail_on_error=False, connection_cache=connections)

    def _put(self, recipient: ShareRecipient, message: FileMessage, way: dict[str, Any]) -> None:
        smbclient = _library("smbclient")
        inner = recipient.folder.replace("/", "\\").strip("\\")
        folder = f"\\\\{recipient.host}\\{recipient.share}" + (f"\\{inner}" if inner else "")
        final = f"{folder}\\{message.name}"
        name = final + PART if recipient.temporary_name else final
        with (
            open_content(message.recording, message.text, self._path_of) as content,
            smbclient.open_file(name, mode="wb", buffering=0, **way) as file,
        ):
            while block := content.read(BLOCK):
                file.write(block)
        if recipient.temporary_name:
            smbclient.replace(name, final, **way)


def _library(name: str) -> Any:
    """Which says of its types little that a checker could use."""
    return import_module(name)


@contextmanager
def _told(recipient: ShareRecipient) -> Generator[None]:
    """What the library says, in words of ours."""
    exceptions = _library("smbprotocol.exceptions")
    host, port = recipient.host, recipient.port
    try:
        yield
    except exceptions.LogonFailure:
        raise SendFailed("the server does not accept user and password") from None
    except exceptions.BadNetworkName:
        raise SendFailed(f"there is no share {recipient.share} on {host}") from None
    except exceptions.SMBOSError as error:
        raise SendFailed(_of_file(error, recipient)) from None
    except exceptions.SMBAuthenticationError as error:
        raise SendFailed(f"the server does not accept the log-in: {_line(error)}") from None
    except exceptions.SMBResponseException as error:
        raise SendFailed(f"{host}:{port} answers: {_line(error)}") from None
    except OSError as error:
        raise failure_of(error, host, port) from None
    except (exceptions.SMBException, ValueError) as error:
        raise SendFailed(f"no SMB with {host}:{port}: {_line(error)}") from None


def _of_file(error: OSError, recipient: ShareRecipient) -> str:
    status, where = getattr(error, "ntstatus", 0), f"{recipient.share}/{recipient.folder}"
    if status in _NO_SHARE:
        return f"there is no share {recipient.share} on {recipient.host}"
    if status in _NOT_FOUND:
        return f"the folder {recipient.folder} is missing"
    if status in _DENIED:
        return f"the user may not write to {where}".rstrip("/")
    return f"{where}: {error.strerror or _line(error)}"


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _shut(connections: dict[str, Any]) -> None:
    """Without the library's locks, which whoever hangs holds."""
    for connection in list(connections.values()):
        shut(getattr(connection.transport, "_sock", None))
