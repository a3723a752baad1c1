"""Files by SFTP (RCP-08): SSH with a host key that is known beforehand."""

import asyncio
import logging
import socket
from typing import Any, Final

import asyncssh
from asyncssh import SFTPClient, SSHKey

from sipstrobe.sending.failure import SendFailed
from sipstrobe.sending.message import FileMessage
from sipstrobe.sending.settings import SftpRecipient
from sipstrobe.services.senders.files import BLOCK, PART, RecordingPath, open_content
from sipstrobe.services.senders.thread import Lifeline, in_thread
from sipstrobe.services.senders.words import failure_of

logging.getLogger("asyncssh").setLevel(logging.WARNING)  # its INFO is about each step

CONNECT_LIMIT: Final = 10.0  # seconds
LOGIN_LIMIT: Final = 20.0
TRANSFER_LIMIT: Final = 590.0
HOST_KEYS: Final = (  # RCP-08: the first of these that the server has is the one to check
    "rsa-sha2-512",
    "rsa-sha2-256",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-ed25519",
    "ssh-dss",
)


class SftpSender:
    """A connection for each file, on a loop of its own: keys and ciphers take the loop's time."""

    def __init__(self, path_of: RecordingPath) -> None:
        self._path_of = path_of

    async def send(self, recipient: SftpRecipient, message: FileMessage, /) -> None:
        def work(lifeline: Lifeline) -> None:
            host, port = recipient.host, recipient.port
            try:
                opened = lifeline.connect(host, port)  # here, since a loop waits for its threads
            except OSError as error:
                raise failure_of(error, host, port) from None
            with opened:
                asyncio.run(self._send(recipient, message, lifeline, opened))

        await in_thread("sftp", work)

    async def _send(
        self,
        recipient: SftpRecipient,
        message: FileMessage,
        lifeline: Lifeline,
        opened: socket.socket,
    ) -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        lifeline.hold(lambda: _cancel(loop, task))
        host, port = recipient.host, recipient.port
        seen: list[SSHKey] = []
        try:
            async with asyncio.timeout(TRANSFER_LIMIT):
                await self._transfer(recipient, message, seen, opened)
        except asyncssh.PermissionDenied:
            raise SendFailed("the server does not accept user and password") from None
        except asyncssh.HostKeyNotVerifiable as error:
            raise SendFailed(_of_key(recipient, seen) or str(error)) from None
        except asyncssh.SFTPError as error:
            raise SendFailed(f"{host}:{port} answers: {error.reason}") from None
        except asyncssh.ConnectionLost:
            raise failure_of(ConnectionResetError(), host, port) from None
        except asyncssh.Error as error:
            raise SendFailed(f"no SSH with {host}:{port}: {error.reason}") from None
        except asyncio.CancelledError:
            raise failure_of(TimeoutError(), host, port) from None
        except OSError as error:
            raise failure_of(error, host, port) from None

    async def _transfer(
        self,
        recipient: SftpRecipient,
        message: FileMessage,
        seen: list[SSHKey],
        opened: socket.socket,
    ) -> None:
        class Client(asyncssh.SSHClient):
            def validate_host_public_key(
                self, host: str, addr: str, port: int, key: SSHKey
            ) -> bool:
                seen.append(key)
                return recipient.host_key in _fingerprints(key)

        connection = await asyncssh.connect(
            recipient.host,
            recipient.port,
            sock=opened,
            config=None,
            client_factory=Client,
            username=recipient.user,
            password=recipient.password.reveal(),
            client_keys=None,
            agent_path=None,
            known_hosts=([], [], []),
            server_host_key_algs=HOST_KEYS,
            preferred_auth="password,keyboard-interactive",
            connect_timeout=CONNECT_LIMIT,
            login_timeout=LOGIN_LIMIT,
        )
        async with connection, connection.start_sftp_client() as sftp:
            await self._put(sftp, recipient, message)

    async def _put(self, sftp: SFTPClient, recipient: SftpRecipient, message: FileMessage) -> None:
        folder = recipient.folder.rstrip("/") + "/" if recipient.folder else ""
        if folder and not await sftp.isdir(recipient.folder):
            words = f"the folder {recipient.folder} is missing, or not open to the user"
            raise SendFailed(words)
        final = folder + message.name
        name = final + PART if recipient.temporary_name else final
        with open_content(message.recording, message.text, self._path_of) as content:
            async with sftp.open(name, "wb") as file:
                while block := content.read(BLOCK):
                    await file.write(block)
        if recipient.temporary_name:
            await _rename(sftp, name, final)


async def _rename(sftp: SFTPClient, name: str, to: str) -> None:
    """In the place of a file of that name, which can only be ours, from an attempt before."""
    try:
        await sftp.posix_rename(name, to)
    except asyncssh.SFTPOpUnsupported:
        if await sftp.exists(to):
            await sftp.remove(to)
        await sftp.rename(name, to)


def _fingerprints(key: SSHKey) -> tuple[str, ...]:
    """As they may stand in the settings: SHA-256 in base64, MD5 in digits of either case."""
    sha256 = key.get_fingerprint("sha256").removeprefix("SHA256:")
    md5 = key.get_fingerprint("md5").removeprefix("MD5:").replace(":", "")
    return sha256, md5.lower(), md5.upper()


def _of_key(recipient: SftpRecipient, seen: list[SSHKey]) -> str:
    if not seen:
        return ""
    sha256 = _fingerprints(seen[0])[0]
    kind = seen[0].algorithm.decode()
    if not recipient.host_key:
        return f"the server shows a {kind} host key with SHA-256 {sha256}: enter it to trust it"
    return f"the server shows another host key than the one in the settings: {kind} {sha256}"


def _cancel(loop: asyncio.AbstractEventLoop, task: "asyncio.Task[Any]") -> None:
    try:
        loop.call_soon_threadsafe(task.cancel)
    except RuntimeError:  # it has ended by itself
        return
