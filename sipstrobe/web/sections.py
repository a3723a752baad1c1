"""The sections of the settings as others see them: what each may be, and who may change what."""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Final, cast

import msgspec
from msgspec import Meta

from sipstrobe.config.patch import steps_of
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
    for path in SYSTEM:
        if _touches(patch, path):
            raise HttpProblem(403, f"{path} is for administrators", field=path)


def refuse_borrowed(patch: Any, tree: Any) -> None:
    """Raise HttpProblem 403 for what stands for a secret that is for administrators: in a place
    that is not, it would be shown to whom others like. tree: all settings as they are."""
    wanted = _references(patch)
    for path in (*SYSTEM, *DOORS) if wanted else ():
        if not wanted.isdisjoint(_references(_at(tree, path))):
            raise HttpProblem(403, f"a secret of {path} is for administrators", field=path)


def refuse_elsewhere(patch: Any) -> None:
    """Raise HttpProblem 409 for what has a door of its own."""
    for path, door in DOORS.items():
        if _touches(patch, path):
            raise HttpProblem(409, f"{path} is changed by {door}", code="elsewhere", field=path)


def _touches(patch: Any, path: str) -> bool:
    """Whether a merge patch puts something in the place of what a pointer names, of something in
    it, or of all that it is in."""
    here = patch
    for step in steps_of(path):
        if not isinstance(here, dict):
            return True
        fields = cast("dict[str, Any]", here)
        if step not in fields:
            return False
        here = fields[step]
    waiting = [here]
    while waiting:
        value = waiting.pop()
        if not isinstance(value, dict):
            return True
        waiting += cast("dict[str, Any]", value).values()
    return False  # objects without members put nothing anywhere


def _references(value: Any) -> set[str]:
    """The ids of all secrets in it (`config.check`)."""
    found: set[str] = set()
    waiting = [value]
    while waiting:
        here = waiting.pop()
        if isinstance(here, dict):
            fields = cast("dict[str, Any]", here)
            if isinstance(name := fields.get("secret"), str):
                found.add(name)
            waiting += fields.values()
        elif isinstance(here, list):
            waiting += cast("list[Any]", here)
    return found


def _at(tree: Any, path: str) -> Any:
    """What a pointer names; None: there is nothing."""
    here = tree
    for step in steps_of(path):
        here = cast("dict[str, Any]", here).get(step) if isinstance(here, dict) else None
    return here
