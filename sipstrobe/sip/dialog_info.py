"""What goes on at an extension, as XML for the lamp of a phone: RFC 4235 §4."""

from collections.abc import Iterable
from enum import Enum
from typing import Final

from msgspec import Struct

DIALOG_INFO_TYPE: Final = "application/dialog-info+xml"
MAX_DIALOGS: Final = 16  # in one document; a lamp is lit by the first
_ENTITIES: Final = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"))
_NAMESPACE: Final = "urn:ietf:params:xml:ns:dialog-info"


class DialogState(Enum):
    """The states of RFC 4235 §3.7.1 that can be told apart from outside."""

    TRYING = "trying"
    EARLY = "early"
    CONFIRMED = "confirmed"
    TERMINATED = "terminated"


class Role(Enum):
    INITIATOR = "initiator"
    RECIPIENT = "recipient"


class ShownDialog(Struct, frozen=True):
    """One dialog as watchers see it. id: ours, the same as long as it lasts; remote: a URI, "" if
    nobody is at the other end.

    Call-ID and tags are not told: with them, a watcher could take the call over (RFC 4235 §6).
    """

    id: str
    state: DialogState
    role: Role
    remote: str = ""


def dialog_info(entity: str, version: int, dialogs: Iterable[ShownDialog]) -> bytes:
    """The full state of an entity, which is a URI; version: 0 for the first of a subscription."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<dialog-info xmlns="{_NAMESPACE}" version="{version}" state="full"'
        f' entity="{_text(entity)}">',
        *[_dialog(dialog) for dialog in dialogs],
        "</dialog-info>",
        "",
    ]
    return "\r\n".join(lines).encode()


def _dialog(dialog: ShownDialog) -> str:
    remote = _text(dialog.remote)
    identity = remote and f"<remote><identity>{remote}</identity></remote>"
    return (
        f'<dialog id="{_text(dialog.id)}" direction="{dialog.role.value}">'
        f"<state>{dialog.state.value}</state>{identity}</dialog>"
    )


def _text(value: str) -> str:
    """For text and attributes; what XML 1.0 cannot hold is left out."""
    text = "".join([c for c in value if c.isprintable()])
    for sign, entity in _ENTITIES:
        text = text.replace(sign, entity)
    return text
