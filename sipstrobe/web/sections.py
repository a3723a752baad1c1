"""The sections of the settings as others see them: what each may be, and who may change what."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Final, cast

import msgspec
from msgspec import Meta

from sipstrobe.config.patch import pointer
from sipstrobe.config.settings import Settings, WebSettings
from sipstrobe.web.exchange import HttpProblem
from sipstrobe.web.openapi import secret_schema

DOORS: Final[Mapping[str, str]] = {  # what is changed elsewhere -> where
    "/clips": "/api/v1/clips",
    "/certificates": "/api/v1/certificates",
    "/web/users": "/api/v1/users",
    "/web/tokens": "/api/v1/tokens",
}
UNSEEN: Final = ("users", "tokens")  # of the web: who has an account is for administrators
SYSTEM: Final = (  # what reaches the machine below (ACC-04), or whom passwords are sent to
    "/device",
    "/recipients",
    "/audio/output",
    "/audio/greeting",
    "/audio/microphone/input",
    "/audio/clip_quota_mb",
    "/audio/recording_quota_mb",
    "/audio/record_continuously",
    "/ports/port_1/driver",
    "/ports/port_2/driver",
    "/home/commands",
    "/lights/outputs",
    "/mqtt",
    "/sip/port",
    "/sip/rtp_start_port",
    "/sip/tls_port",
    "/sip/websocket_port",
    "/sip/secure_websocket_port",
    "/sip/tls",
    "/sip/nat",
    "/web",
)


def _face(kind: type, name: str, unseen: tuple[str, ...] = ()) -> type[msgspec.Struct]:
    """The same struct without some of its fields, and without the defaults of those that are
    structs, in which secrets may be."""
    return msgspec.defstruct(
        name,
        [
            (field.name, field.type, field.default)
            if field.default is not msgspec.NODEFAULT
            else (field.name, field.type)
            for field in msgspec.structs.fields(kind)
            if field.name not in unseen
        ],
        namespace={"__doc__": kind.__doc__},
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
    )


WebFace: Final = _face(WebSettings, "WebSettings", UNSEEN)
SECTIONS: Final[Mapping[str, Any]] = {
    field.name: Annotated[WebFace, Meta(title="Page")] if field.name == "web" else field.type
    for field in msgspec.structs.fields(Settings)
}
LISTS: Final = frozenset(  # are replaced whole
    field.name for field in msgspec.structs.fields(Settings) if isinstance(field.default, tuple)
)
Whole: Final = msgspec.defstruct(
    "Settings",
    list(SECTIONS.items()),
    namespace={"__doc__": "Everything that can be set."},
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
)


def seen(name: str, tree: Any) -> Any:
    """A section without what is not to be seen here."""
    if name != "web":
        return tree
    fields = cast("dict[str, Any]", tree)
    return {field: value for field, value in fields.items() if field not in UNSEEN}


@cache
def schema_of(name: str) -> Mapping[str, Any]:
    """Titles, descriptions, limits and defaults of a section as JSON Schema has them; of all where
    the name is empty."""
    kind = SECTIONS[name] if name else Whole
    return msgspec.json.schema(kind, schema_hook=secret_schema)


def for_administrators(name: str) -> list[str]:
    """The pointers of what nobody else may change in a section, or of all."""
    below = f"/{name}" if name else ""
    return [path for path in SYSTEM if f"{path}/".startswith(f"{below}/")]


def refuse_system(patch: Any) -> None:
    """Raise HttpProblem 403 for what is for administrators."""
    for path in _touched(patch):
        for system in SYSTEM:
            if _meet(path, system):
                raise HttpProblem(403, f"{system} is for administrators", field=system)


def refuse_elsewhere(patch: Any) -> None:
    """Raise HttpProblem 409 for what has a door of its own."""
    for path in _touched(patch):
        for there, door in DOORS.items():
            if _meet(path, there):
                words = f"{there} is changed by {door}"
                raise HttpProblem(409, words, code="elsewhere", field=there)


def _meet(path: str, other: str) -> bool:
    """Whether one of them is the other, or below it."""
    return f"{path}/".startswith(f"{other}/") or f"{other}/".startswith(f"{path}/")


def _touched(patch: Any) -> Iterator[str]:
    """The pointers of what a merge patch puts in the place of something."""
    waiting: list[tuple[str, Any]] = [("", patch)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict):
            members = cast("dict[str, Any]", value).items()
            waiting += ((path + pointer(key), member) for key, member in members)
        else:
            yield path
