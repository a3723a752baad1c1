"""Mail (RCP-10): SMTP (RFC 5321), with or without TLS, if need be after a log-in by POP."""

import mimetypes
import smtplib
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import formatdate
from functools import partial
from typing import Final

from sipstrobe.io.tls_client import client_context
from sipstrobe.sending.failure import SendFailed
from sipstrobe.sending.message import MailMessage
from sipstrobe.sending.settings import MailRecipient
from sipstrobe.services.senders.files import RecordingPath, open_content
from sipstrobe.services.senders.thread import STEP_LIMIT, Lifeline, in_thread, shut
from sipstrobe.services.senders.words import failure_of

MAX_ATTACHMENT: Final = 20 * 2**20  # bytes; more is what hardly any server takes
POP_TLS_PORT: Final = 995
_PERMANENT: Final = 500  # from here on, an answer is final (RFC 5321 §4.2.1)


class MailSender:
    """A connection for each mail."""

    def __init__(self, path_of: RecordingPath) -> None:
        self._path_of = path_of

    async def send(self, recipient: MailRecipient, message: MailMessage, /) -> None:
        await in_thread("mail", partial(self._send, recipient, message))

    def _send(self, recipient: MailRecipient, message: MailMessage, lifeline: Lifeline) -> None:
        written = self._written(recipient, message)
        host, port = recipient.server, recipient.port
        if recipient.pop_server:
            _log_in_by_pop(recipient, lifeline)
        try:
            with _connected(recipient, lifeline) as server:
                _log_in(server, recipient)
                refused = server.sendmail(recipient.sender, recipient.to, written)
        except smtplib.SMTPRecipientsRefused as error:
            raise _refused(error.recipients) from None
        except smtplib.SMTPDataError as error:
            words = f"the server does not take the mail: {_answer(error)}"
            raise SendFailed(words, permanent=error.smtp_code >= _PERMANENT) from None
        except smtplib.SMTPSenderRefused as error:
            words = f"the server does not let {recipient.sender} send: {_answer(error)}"
            raise SendFailed(words) from None
        except smtplib.SMTPResponseException as error:
            raise SendFailed(f"{host}:{port} answers {_answer(error)}") from None
        except smtplib.SMTPServerDisconnected:
            raise failure_of(ConnectionResetError(), host, port) from None
        except OSError as error:  # SMTPException is one as well
            raise failure_of(error, host, port) from None
        if refused:
            raise _refused(refused)

    def _written(self, recipient: MailRecipient, message: MailMessage) -> bytes:
        mail = EmailMessage(SMTP_POLICY)
        mail["From"] = recipient.sender
        mail["To"] = ", ".join(recipient.to)
        mail["Subject"] = message.subject
        mail["Date"] = formatdate(message.at)
        mail["Message-ID"] = f"<{message.id}@{recipient.sender.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834 §5: holidays are not answered
        mail.set_content(message.body, cte="quoted-printable")  # whatever lies between
        if message.recording:
            with open_content(message.recording, "", self._path_of) as file:
                data = file.read(MAX_ATTACHMENT + 1)
            if len(data) > MAX_ATTACHMENT:
                words = f"{message.recording} is larger than {MAX_ATTACHMENT >> 20} MiB"
                raise SendFailed(words, permanent=True)
            kind = mimetypes.guess_type(message.recording)[0] or "application/octet-stream"
            main, _, sub = kind.partition("/")
            mail.add_attachment(data, maintype=main, subtype=sub, filename=message.recording)
        return bytes(mail)


def _connected(recipient: MailRecipient, lifeline: Lifeline) -> smtplib.SMTP:
    """A server that has said its name, over TLS if that is wanted."""
    server = smtplib.SMTP(timeout=STEP_LIMIT)
    server.sock = lifeline.connect(recipient.server, recipient.port)
    lifeline.hold(lambda: shut(server.sock))  # which is another once TLS is spoken
    try:
        _greet(server, recipient)
    except BaseException:
        server.close()
        raise
    return server


def _greet(server: smtplib.SMTP, recipient: MailRecipient) -> None:
    host = recipient.server
    context = client_context(verify=recipient.validate_certificate)
    assert server.sock is not None
    if recipient.encryption == "tls":
        server.sock = context.wrap_socket(server.sock, server_hostname=host)
    code, words = server.getreply()
    if code != 220:
        raise smtplib.SMTPConnectError(code, words)
    server.ehlo_or_helo_if_needed()
    if recipient.encryption != "starttls":
        return
    if not server.has_extn("starttls"):
        raise SendFailed(f"{host} has no STARTTLS")
    code, words = server.docmd("STARTTLS")
    if code != 220:
        raise smtplib.SMTPResponseException(code, words)
    server.sock = context.wrap_socket(server.sock, server_hostname=host)
    server.file = None  # nothing that was said in the clear counts (RFC 3207 §4.2)
    server.helo_resp = server.ehlo_resp = None
    server.esmtp_features = {}
    server.does_esmtp = False
    server.ehlo_or_helo_if_needed()


def _log_in(server: smtplib.SMTP, recipient: MailRecipient) -> None:
    if not recipient.user:
        return
    try:
        server.login(recipient.user, recipient.password.reveal())
    except UnicodeEncodeError:
        words = "a log-in by SMTP takes no letters but A to Z in user and password"
        raise SendFailed(words) from None
    except smtplib.SMTPAuthenticationError as error:
        words = f"the server does not accept user and password: {_answer(error)}"
        raise SendFailed(words) from None
    except smtplib.SMTPException as error:
        words = f"{recipient.server} offers no log-in that is known here: {error}"
        raise SendFailed(words) from None


def _log_in_by_pop(recipient: MailRecipient, lifeline: Lifeline) -> None:
    """POP before SMTP: the server then knows the address that we send from."""
    import poplib

    host, port = recipient.pop_server, recipient.pop_port
    try:
        if port == POP_TLS_PORT:
            context = client_context(verify=recipient.validate_certificate)
            pop: poplib.POP3 = poplib.POP3_SSL(host, port, timeout=STEP_LIMIT, context=context)
        else:
            pop = poplib.POP3(host, port, timeout=STEP_LIMIT)
    except (OSError, poplib.error_proto) as error:
        raise _by_pop(error, host, port) from None
    lifeline.hold(lambda: shut(pop.sock))
    try:
        pop.user(recipient.user)
        pop.pass_(recipient.password.reveal())
        pop.quit()
    except poplib.error_proto as error:
        words = f"POP server: it does not accept user and password: {error}"[:300]
        raise SendFailed(words) from None
    except OSError as error:
        raise _by_pop(error, host, port) from None
    finally:
        pop.close()


def _by_pop(error: Exception, host: str, port: int) -> SendFailed:
    told = failure_of(error, host, port).words if isinstance(error, OSError) else str(error)
    return SendFailed(f"POP server: {told}")


def _refused(addresses: "dict[str, tuple[int, bytes]]") -> SendFailed:
    told = "; ".join(
        f"{address}: {code} {_text(words)}" for address, (code, words) in addresses.items()
    )
    final = all(code >= _PERMANENT for code, _ in addresses.values())
    return SendFailed(f"the server does not take mail for {told}"[:400], permanent=final)


def _answer(error: smtplib.SMTPResponseException) -> str:
    return f"{error.smtp_code} {_text(error.smtp_error)}"


def _text(words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return text.replace("\n", " ")[:200]
