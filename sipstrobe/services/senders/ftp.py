"""Files by FTP (RCP-02, RFC 959), in passive and active mode."""

import ftplib
from functools import partial
from io import TextIOWrapper
from typing import Final, cast

from sipstrobe.sending.failure import SendFailed
from sipstrobe.sending.message import FileMessage
from sipstrobe.sending.settings import FtpRecipient
from sipstrobe.services.senders.files import BLOCK, PART, RecordingPath, open_content
from sipstrobe.services.senders.thread import STEP_LIMIT, Lifeline, in_thread, shut
from sipstrobe.services.senders.words import failure_of

_NOT_LOGGED_IN: Final = "530"


class FtpSender:
    """A connection for each file."""

    def __init__(self, path_of: RecordingPath) -> None:
        self._path_of = path_of

    async def send(self, recipient: FtpRecipient, message: FileMessage, /) -> None:
        await in_thread("ftp", partial(self._send, recipient, message))

    def _send(self, recipient: FtpRecipient, message: FileMessage, lifeline: Lifeline) -> None:
        host, port = recipient.host, recipient.port
        with open_content(message.recording, message.text, self._path_of) as content:
            ftp = _Ftp(timeout=STEP_LIMIT)
            lifeline.hold(lambda: shut(ftp.sock))
            try:
                ftp.connect(host, port)
                _log_in(ftp, recipient)
                ftp.set_pasv(recipient.passive)
                _enter(ftp, recipient.folder)
                name = message.name + (PART if recipient.temporary_name else "")
                ftp.storbinary(f"STOR {name}", content, BLOCK, lambda _: _go_on(lifeline))
                if recipient.temporary_name:
                    _rename(ftp, name, message.name)
                ftp.quit()
            except ftplib.Error as error:
                raise SendFailed(f"{host}:{port} answers {_told(error)}") from None
            except (OSError, EOFError) as error:
                raise failure_of(error, host, port) from None
            finally:
                ftp.close()


class _Ftp(ftplib.FTP):
    """Reads answers in any alphabet, where the library wants UTF-8."""

    def getresp(self) -> str:
        if self.welcome is None:  # nothing has been read yet
            cast("TextIOWrapper", self.file).reconfigure(errors="replace")
        return super().getresp()


def _log_in(ftp: ftplib.FTP, recipient: FtpRecipient) -> None:
    try:
        ftp.login(recipient.user, recipient.password.reveal())
    except ftplib.error_perm as error:
        if not str(error).startswith(_NOT_LOGGED_IN):
            raise
        raise SendFailed(f"the server does not accept user and password: {_told(error)}") from None


def _enter(ftp: ftplib.FTP, folder: str) -> None:
    if not folder:
        return
    try:
        ftp.cwd(folder)
    except ftplib.error_perm as error:
        words = f"the folder {folder} is missing, or not open to the user: {_told(error)}"
        raise SendFailed(words) from None


def _rename(ftp: ftplib.FTP, name: str, to: str) -> None:
    """In the place of a file of that name, which can only be ours, from an attempt before."""
    try:
        ftp.rename(name, to)
    except ftplib.error_perm:
        ftp.delete(to)
        ftp.rename(name, to)


def _go_on(lifeline: Lifeline) -> None:
    if lifeline.is_cut:
        raise TimeoutError


def _told(error: ftplib.Error) -> str:
    return str(error).replace("\n", " ")[:200]
