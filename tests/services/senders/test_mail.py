"""Mail to a real server (RCP-10)."""

import asyncio
import ssl
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from sipstrobe.secret import Secret
from sipstrobe.sending.failure import SendFailed
from sipstrobe.sending.message import MailMessage
from sipstrobe.sending.settings import MailRecipient
from sipstrobe.services.senders.mail import MAX_ATTACHMENT, MailSender
from tests.services.senders.servers import PASSWORD, USER, Inbox, listening, mail_server
from tests.support.authority import Authority

pytestmark = [  # of aiosmtpd's own
    pytest.mark.filterwarnings("ignore:Session.login_data"),
    pytest.mark.filterwarnings("ignore:Requiring AUTH"),
]
RECORDING = "20300101T000000Z-call-1.wav"


def recipient(port: int, **changes: object) -> MailRecipient:
    known: dict[str, object] = {
        "name": "ops",
        "to": ("ops@example.org", "night@example.org"),
        "sender": "horn@example.org",
        "server": "127.0.0.1",
        "port": port,
        "encryption": "none",
    }
    return MailRecipient(**(known | changes))  # pyright: ignore[reportArgumentType]


def mail(**changes: object) -> MailMessage:
    known = {"id": "7-abc", "at": 1_900_000_000.0, "subject": "Überall Alarm", "body": "Grüße\n.\n"}
    return MailMessage(**(known | changes))  # pyright: ignore[reportArgumentType]


async def test_a_mail_arrives_with_its_recording(tmp_path: Path) -> None:
    """RFC 5322 §3.6.4: with an id that stays the same if it has to be sent again."""
    inbox = Inbox()
    (tmp_path / RECORDING).write_bytes(b"RIFF" + bytes(5000))
    sender = MailSender(tmp_path.joinpath)
    async with mail_server(inbox, log_in=True) as port:
        known = recipient(port, user=USER, password=Secret(PASSWORD))
        await sender.send(known, mail(recording=RECORDING))

    envelope = inbox.mails[0]
    assert envelope.rcpt_tos == ["ops@example.org", "night@example.org"]
    assert isinstance(envelope.content, bytes)
    found = message_from_bytes(envelope.content, policy=default)
    assert found["Subject"] == "Überall Alarm"
    assert found["Message-ID"] == "<7-abc@example.org>"
    assert found["Auto-Submitted"] == "auto-generated"
    body, attachment = found.iter_parts()
    assert body.get_content().replace("\r\n", "\n") == "Grüße\n.\n"
    assert attachment.get_filename() == RECORDING
    assert attachment.get_content() == b"RIFF" + bytes(5000)


async def test_what_is_wrong_with_a_mail_server_is_said(tmp_path: Path) -> None:
    sender = MailSender(tmp_path.joinpath)
    async with mail_server(Inbox(), log_in=True) as port:
        wrong = {
            "does not accept user and password": recipient(
                port, user=USER, password=Secret("guess")
            ),
            "takes no letters but A to Z": recipient(port, user=USER, password=Secret("guesß")),
            "does not let horn@example.org send": recipient(port),
            "has no STARTTLS": recipient(port, encryption="starttls"),
            "no TLS with": recipient(port, encryption="tls"),
            "POP server: .* refuses connections": recipient(
                port, pop_server="127.0.0.1", pop_port=9, user=USER
            ),
        }
        for words, known in wrong.items():
            with pytest.raises(SendFailed, match=words) as caught:
                await sender.send(known, mail())
            assert not caught.value.permanent
            assert "guess" not in caught.value.words


async def test_who_is_not_known_is_not_tried_again(tmp_path: Path) -> None:
    """RFC 5321 §4.2.1: 5yz is final; the others have had their mail."""
    inbox = Inbox(refuse={"night@example.org": "550 no such user"})
    async with mail_server(inbox) as port:
        with pytest.raises(SendFailed, match=r"night@example.org: 550 no such user") as caught:
            await MailSender(tmp_path.joinpath).send(recipient(port), mail())

    assert caught.value.permanent
    assert inbox.mails[0].rcpt_tos == ["ops@example.org"]


async def test_a_recording_that_no_server_takes_is_not_sent(tmp_path: Path) -> None:
    with (tmp_path / RECORDING).open("wb") as file:
        file.truncate(MAX_ATTACHMENT + 1)

    with pytest.raises(SendFailed, match="larger than 20 MiB") as caught:
        await MailSender(tmp_path.joinpath).send(recipient(9), mail(recording=RECORDING))

    assert caught.value.permanent


@pytest.mark.parametrize("encryption", ["starttls", "tls"])
async def test_a_server_must_prove_who_it_is(tmp_path: Path, encryption: str) -> None:
    """RCP-10: unless people have said that it need not."""
    certificate = Authority().sign("127.0.0.1").write(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate[0], certificate[1])
    inbox = Inbox()
    sender = MailSender(tmp_path.joinpath)
    at_once = encryption == "tls"
    async with mail_server(inbox, tls=context, at_once=at_once) as port:
        known = recipient(port, encryption=encryption)
        with pytest.raises(SendFailed, match=r"the certificate of .* is not accepted: .*issuer"):
            await sender.send(known, mail())
        assert inbox.mails == []
        await sender.send(
            recipient(port, encryption=encryption, validate_certificate=False), mail()
        )

    assert len(inbox.mails) == 1


async def test_a_log_in_by_pop_comes_before_the_mail(tmp_path: Path) -> None:
    """RCP-10: with the same user and password (RFC 1939 §7)."""
    said: list[bytes] = []

    async def pop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"+OK\r\n")
        while line := await reader.readline():
            said.append(line)
            writer.write(b"-ERR no\r\n" if line == b"PASS guess\r\n" else b"+OK\r\n")
        writer.close()

    inbox = Inbox()
    sender = MailSender(tmp_path.joinpath)
    ways = {"pop_server": "127.0.0.1", "user": USER}
    async with listening(pop) as pop_port, mail_server(inbox, log_in=True) as port:
        known = recipient(port, pop_port=pop_port, password=Secret(PASSWORD), **ways)
        await sender.send(known, mail())
        wrong = recipient(port, pop_port=pop_port, password=Secret("guess"), **ways)
        with pytest.raises(SendFailed, match="POP server: it does not accept"):
            await sender.send(wrong, mail())

    assert said[:3] == [b"USER horn\r\n", b"PASS open sesame\r\n", b"QUIT\r\n"]
    assert len(inbox.mails) == 1
