"""Files by FTP and SFTP, to real servers (RCP-02, RCP-03, RCP-08)."""

import asyncio
from pathlib import Path

import asyncssh
import pytest

from sipstrobe.secret import Secret
from sipstrobe.sending.failure import SendFailed
from sipstrobe.sending.message import FileMessage
from sipstrobe.sending.settings import FtpRecipient, SftpRecipient
from sipstrobe.services.senders.ftp import FtpSender
from sipstrobe.services.senders.sftp import SftpSender
from tests.services.senders.servers import (
    PASSWORD,
    USER,
    ftp_server,
    listening,
    sftp_server,
    silent,
)

RECORDING = "20300101T000000Z-call-1.wav"


def ftp(port: int, folder: str = "", **changes: object) -> FtpRecipient:
    known = {"name": "nas", "host": "127.0.0.1", "port": port, "user": USER, "folder": folder}
    return FtpRecipient(**(known | {"password": Secret(PASSWORD)} | changes))  # pyright: ignore[reportArgumentType]


def sftp(port: int, host_key: str, **changes: object) -> SftpRecipient:
    known = {"name": "nas", "host": "127.0.0.1", "port": port, "user": USER, "folder": "in"}
    secret = {"password": Secret(PASSWORD), "host_key": host_key}
    return SftpRecipient(**(known | secret | changes))  # pyright: ignore[reportArgumentType]


def text(name: str = "alarm-000001.txt", content: str = "Hello, horn") -> FileMessage:
    return FileMessage(id="1-a", at=0.0, name=name, text=content)


def recording(name: str) -> FileMessage:
    return FileMessage(id="1-a", at=0.0, name=name, recording=RECORDING)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A folder of recordings, with one in it."""
    folder = tmp_path / "recordings"
    folder.mkdir()
    (folder / RECORDING).write_bytes(bytes(range(256)) * 1000)
    return folder


@pytest.fixture
def received(tmp_path: Path) -> Path:
    folder = tmp_path / "received"
    (folder / "in").mkdir(parents=True)
    return folder


@pytest.mark.parametrize("temporary_name", [True, False])
async def test_a_file_arrives_whole_by_ftp(
    store: Path, received: Path, *, temporary_name: bool
) -> None:
    """RCP-02: in the folder, with nothing left of a temporary name."""
    sender = FtpSender(store.joinpath)
    async with ftp_server(received) as port:
        recipient = ftp(port, "in", temporary_name=temporary_name)
        await sender.send(recipient, text())
        await sender.send(recipient, recording("call-000002.wav"))

    assert (received / "in" / "alarm-000001.txt").read_text() == "Hello, horn"
    assert (received / "in" / "call-000002.wav").read_bytes() == bytes(range(256)) * 1000
    assert len(list((received / "in").iterdir())) == 2


async def test_what_is_wrong_with_an_ftp_server_is_said(store: Path, received: Path) -> None:
    """RCP-01, the test: each fault in its own words."""
    sender = FtpSender(store.joinpath)
    async with ftp_server(received) as port:
        wrong = {
            "does not accept user and password": ftp(port, password=Secret("guess")),
            "the folder nowhere is missing": ftp(port, "nowhere"),
            "refuses connections": ftp(9),
            "the name nowhere.invalid is not found": ftp(port, host="nowhere.invalid"),
        }
        for words, recipient in wrong.items():
            with pytest.raises(SendFailed, match=words) as caught:
                await sender.send(recipient, text())
            assert not caught.value.permanent
            assert "guess" not in caught.value.words


async def test_a_server_may_answer_in_any_alphabet(store: Path) -> None:
    """RFC 2640 §2 wants UTF-8; older servers say what they like."""

    async def full(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write("421 zu viele Geräte\r\n".encode("latin-1"))
        writer.close()

    async with listening(full) as port:
        with pytest.raises(SendFailed, match="421 zu viele Ger\ufffdte"):
            await FtpSender(store.joinpath).send(ftp(port), text())


async def test_a_recording_that_is_gone_is_not_tried_again(store: Path, received: Path) -> None:
    async with ftp_server(received) as port:
        (store / RECORDING).unlink()

        with pytest.raises(SendFailed, match="does not exist any more") as caught:
            await FtpSender(store.joinpath).send(ftp(port), recording("call.wav"))

    assert caught.value.permanent


@pytest.fixture(scope="module")
def keys() -> dict[str, asyncssh.SSHKey]:
    kinds = ("ecdsa-sha2-nistp256", "ssh-ed25519")
    return {k: asyncssh.generate_private_key(k) for k in kinds}  # pyright: ignore[reportUnknownMemberType]


def sha256(key: asyncssh.SSHKey) -> str:
    return key.get_fingerprint("sha256").removeprefix("SHA256:")


def md5(key: asyncssh.SSHKey) -> str:
    return key.get_fingerprint("md5").removeprefix("MD5:").replace(":", "")


async def test_a_file_arrives_by_sftp_at_a_server_whose_key_is_known(
    store: Path, received: Path, keys: dict[str, asyncssh.SSHKey]
) -> None:
    """RCP-08: by SHA-256 or MD5; of several keys ECDSA comes before ED25519."""
    sender = SftpSender(store.joinpath)
    key = keys["ecdsa-sha2-nistp256"]
    async with sftp_server(received, keys["ssh-ed25519"], key) as port:
        await sender.send(sftp(port, sha256(key)), text())
        await sender.send(sftp(port, md5(key).upper()), recording("call-000002.wav"))

    assert (received / "in" / "alarm-000001.txt").read_text() == "Hello, horn"
    assert (received / "in" / "call-000002.wav").read_bytes() == bytes(range(256)) * 1000
    assert len(list((received / "in").iterdir())) == 2


async def test_nothing_is_sent_to_an_ssh_server_with_another_key(
    store: Path, received: Path, keys: dict[str, asyncssh.SSHKey]
) -> None:
    """RCP-08: and what it shows is said, to be entered."""
    sender = SftpSender(store.joinpath)
    key = keys["ssh-ed25519"]
    async with sftp_server(received, key) as port:
        wrong = {
            f"SHA-256 {sha256(key)}": sftp(port, ""),
            f"another host key .* {sha256(key)}": sftp(port, sha256(keys["ecdsa-sha2-nistp256"])),
            "does not accept user and password": sftp(port, sha256(key), password=Secret("guess")),
            "the folder nowhere is missing": sftp(port, sha256(key), folder="nowhere"),
        }
        for words, recipient in wrong.items():
            with pytest.raises(SendFailed) as caught:
                await sender.send(recipient, text())
            assert caught.match(words.replace("+", r"\+"))

    assert not list((received / "in").iterdir())


async def test_who_hangs_is_left(store: Path) -> None:
    """The thread ends as soon as nobody waits for it."""
    import asyncio
    import threading

    from tests.support.waiting import until

    async with silent() as port:
        sending = asyncio.gather(
            FtpSender(store.joinpath).send(ftp(port), text()),
            SftpSender(store.joinpath).send(sftp(port, "0" * 32), text()),
        )
        await until(lambda: {"ftp", "sftp"} <= {t.name for t in threading.enumerate()})
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending

    await until(lambda: not {"ftp", "sftp"} & {t.name for t in threading.enumerate()})
