"""Whom messages and files can be sent to (RCP-01…11)."""

from collections.abc import Iterator
from typing import Annotated, Literal
from urllib.parse import urlsplit

from msgspec import Meta, Struct, field

from sipstrobe.errors import Problem
from sipstrobe.secret import Secret

MAX_RECIPIENTS = 20  # RCP-01
MAX_ADDRESSES = 20  # that one mail goes to
MQTT = "mqtt"  # the lane of publications; no recipient is called so

_LINE = r"^[^\x00-\x1f\x7f]*$(?!\n)"
Host = Annotated[
    str,
    Meta(
        pattern=r"^([A-Za-z0-9._-]{1,253}|[0-9A-Fa-f:.]{2,45})$(?!\n)",
        title="Server",
        description="Host name or address.",
    ),
]
OneLine = Annotated[str, Meta(max_length=255, pattern=_LINE)]
Port = Annotated[int, Meta(ge=1, le=65535, title="Port")]
User = Annotated[OneLine, Meta(title="User")]
Password = Annotated[Secret, Meta(title="Password")]
MailAddress = Annotated[
    str,
    Meta(
        max_length=254,
        pattern=r"^[^\x00-\x20\x7f-\U0010ffff,;:<>()\[\]\"@\\]+@[A-Za-z0-9._-]+$(?!\n)",
    ),
]
_Url = Annotated[str, Meta(max_length=2048, pattern=r"^https?://[^\x00-\x20\x7f#]+$(?!\n)")]
_Folder = Annotated[
    OneLine,
    Meta(title="Folder", description="It must exist. Empty: the one that the user begins in."),
]
_Validate = Annotated[
    bool,
    Meta(
        title="Validate certificate",
        description="Send nothing to a server whose certificate is not trusted or has another "
        "name.",
    ),
]
_TemporaryName = Annotated[
    bool,
    Meta(
        title="Temporary name",
        description="A file has its name once it is complete, and another before.",
    ),
]


def _no_password() -> Secret:
    return Secret("")


class _Recipient(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    name: Annotated[
        str,
        Meta(
            pattern=r"^[^\x00-\x1f\x7f/]{1,64}$(?!\n)",
            title="Name",
            description="Unique; no slash.",
        ),
    ]

    @property
    def kind(self) -> str:
        return str(self.__struct_config__.tag)


class HttpRecipient(_Recipient, tag="http", frozen=True, kw_only=True):
    """A web server, by HTTP or HTTPS (RCP-04, RCP-05)."""

    url: Annotated[_Url, Meta(title="URL", description="http://… or https://…")]
    user: User = ""
    password: Password = field(default_factory=_no_password)
    validate_certificate: _Validate = True
    proxy: Annotated[
        Annotated[str, Meta(max_length=2048, pattern=r"^(http://[^\x00-\x20\x7f#]+)?$(?!\n)")],
        Meta(title="Proxy", description="http://host:port; empty: none."),
    ] = ""
    proxy_user: Annotated[OneLine, Meta(title="User at the proxy")] = ""
    proxy_password: Annotated[Secret, Meta(title="Password at the proxy")] = field(
        default_factory=_no_password
    )


class MailRecipient(_Recipient, tag="mail", frozen=True, kw_only=True):
    """People, by mail (RCP-10)."""

    to: Annotated[tuple[MailAddress, ...], Meta(min_length=1, max_length=MAX_ADDRESSES, title="To")]
    sender: Annotated[MailAddress, Meta(title="From")]
    server: Host
    port: Port = 587
    encryption: Annotated[
        Literal["none", "starttls", "tls"],
        Meta(
            title="Encryption",
            description="starttls: asked for once connected, as on port 587. tls: from the first "
            "byte on, as on port 465.",
        ),
    ] = "starttls"
    validate_certificate: _Validate = True
    user: Annotated[OneLine, Meta(title="User", description="Empty: no log-in.")] = ""
    password: Password = field(default_factory=_no_password)
    pop_server: Annotated[
        str,
        Meta(
            pattern=r"^([A-Za-z0-9._-]{1,253}|[0-9A-Fa-f:.]{2,45})?$(?!\n)",
            title="POP server",
            description="Where to log in before a mail is sent, if the mail server wants that; "
            "empty: nowhere.",
        ),
    ] = ""
    pop_port: Annotated[
        Port, Meta(title="POP port", description="995 is spoken with TLS, any other without.")
    ] = 995


class TcpRecipient(_Recipient, tag="tcp", frozen=True, kw_only=True):
    """A program that takes text over TCP (RCP-11)."""

    host: Host
    port: Port


class FtpRecipient(_Recipient, tag="ftp", frozen=True, kw_only=True):
    """A folder on an FTP server (RCP-02)."""

    host: Host
    port: Port = 21
    folder: _Folder = ""
    user: User = "anonymous"
    password: Password = field(default_factory=_no_password)
    temporary_name: _TemporaryName = True
    passive: Annotated[
        bool,
        Meta(
            title="Passive mode",
            description="The device opens the connection for the data, as firewalls want it; else "
            "the server does.",
        ),
    ] = True


class SftpRecipient(_Recipient, tag="sftp", frozen=True, kw_only=True):
    """A folder on an SSH server (RCP-08)."""

    host: Host
    port: Port = 22
    folder: _Folder = ""
    user: Annotated[OneLine, Meta(min_length=1, title="User")]
    password: Password = field(default_factory=_no_password)
    host_key: Annotated[
        str,
        Meta(
            pattern=r"^([0-9A-Fa-f]{32}|[A-Za-z0-9+/]{43})?$(?!\n)",
            title="Host key",
            description="Of the server: SHA-256 as 43 characters in base64, or MD5 as 32 "
            "hexadecimal digits. Nothing is sent without; a test says what the server shows.",
        ),
    ] = ""
    temporary_name: _TemporaryName = True


class ShareRecipient(_Recipient, tag="share", frozen=True, kw_only=True):
    """A folder on a network share: SMB 2 and 3 (RCP-07)."""

    host: Host
    port: Port = 445
    share: Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f\\/:*?\"<>|]{1,80}$(?!\n)", title="Share")]
    folder: _Folder = ""
    user: Annotated[OneLine, Meta(title="User", description="As user, or DOMAIN\\user.")] = ""
    password: Password = field(default_factory=_no_password)
    temporary_name: _TemporaryName = True


class SipRecipient(_Recipient, tag="sip", frozen=True, kw_only=True):
    """Somebody who is called (RCP-09)."""

    uri: Annotated[OneLine, Meta(min_length=1, title="Address")]
    account: Annotated[
        Annotated[str, Meta(min_length=1, max_length=64)] | None,
        Meta(title="From account", description="Null: the default one."),
    ] = None


Recipient = (
    HttpRecipient
    | MailRecipient
    | TcpRecipient
    | FtpRecipient
    | SftpRecipient
    | ShareRecipient
    | SipRecipient
)
FILE_KINDS = ("ftp", "sftp", "share")

Recipients = Annotated[
    tuple[Recipient, ...],
    Meta(
        max_length=MAX_RECIPIENTS,
        title="Recipients",
        description="Whom rules can send messages and files to.",
    ),
]


def problems(recipients: tuple[Recipient, ...]) -> list[Problem]:
    """What single fields cannot say about themselves; paths are relative to the recipients."""
    return list(_problems(recipients))


def _problems(recipients: tuple[Recipient, ...]) -> Iterator[Problem]:
    names: set[str] = set()
    for i, recipient in enumerate(recipients):
        if recipient.name in names:
            yield Problem(f"/{i}/name", f"there is a recipient {recipient.name!r} already")
        elif recipient.name == MQTT:
            yield Problem(f"/{i}/name", f"{MQTT!r} is the broker of the MQTT settings")
        names.add(recipient.name)
        if isinstance(recipient, HttpRecipient):
            yield from _url_problem(recipient.url, f"/{i}/url")
            yield from _url_problem(recipient.proxy, f"/{i}/proxy") if recipient.proxy else ()


def _url_problem(url: str, path: str) -> Iterator[Problem]:
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        yield Problem(path, "must be a URL with a host, and a port from 1 to 65535 if any")
        return
    if not usable:
        yield Problem(path, "must be a URL with a host, and a port from 1 to 65535 if any")
    elif parts.username is not None:
        yield Problem(path, "user and password have fields of their own")
