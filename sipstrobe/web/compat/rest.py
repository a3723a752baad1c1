"""The device-configuration framework: APIs as trees of entities, below /config/rest.

An API is declared as values: entities, collections of items with a key, their properties and
actions, each with the role that it takes. What is declared is what is served, and what the
documents below /config/discover say (`rest_documents`). Data goes in as {"data": …}; out comes
{"status": "success", "data": …}, or an error with a number.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, cast

import msgspec

from sipstrobe.config.check import words as words_of
from sipstrobe.config.users import Role

INTERNAL, NOT_FOUND, MISSING, INVALID, EXISTS, NOT_ALLOWED = 0, 1, 2, 5, 6, 2001
_STATUS: Final = {INTERNAL: 500, NOT_FOUND: 404, MISSING: 404, INVALID: 400, EXISTS: 409}
_STATUS_ALLOWED: Final = 403
NO_DATA: Final = "There is no 'data' field in the request body"
_ROLES: Final = list(Role)

Values = Mapping[str, Any]
"""Properties by name."""


class RestError(Exception):
    """What is answered in place of data: a number that programs know, and words."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.status = _STATUS.get(code, _STATUS_ALLOWED if code == NOT_ALLOWED else 400)


def invalid(name: str, words: str, path: str = "") -> RestError:
    """What was to be set, and what is wrong with it; path: of the field within."""
    where = f" (path: {path})" if path else ""
    return RestError(
        INVALID, f"Validation error: Trying to set '{name}' with invalid data: {words}{where}"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """One value of an entity. kind: its type as msgspec has it, with limits and enumerations.

    told: whether it is ever read back, as a key is not. given: whether it may be set; `added` are
    those that may be given when an item is added and not changed later.
    """

    words: str
    kind: Any
    told: bool = True
    given: bool = True
    added: bool = False
    sees: Role = Role.ADMINISTRATOR
    sets: Role = Role.ADMINISTRATOR


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something to do: `call` takes the fields of the request and gives the data of the answer."""

    words: str
    call: Callable[[Values], Any]
    fields: Mapping[str, Property] = field(default_factory=dict[str, Property])
    required: tuple[str, ...] = ()
    role: Role = Role.ADMINISTRATOR


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """Items by their key. `items` tells all that may be told of each, `change` and `remove` take
    the key of an item that there is, `add` gives the new item; None: it cannot be done. most: so
    many items can there be."""

    words: str
    key: str
    properties: Mapping[str, Property]
    items: Callable[[], Iterable[Values]]
    change: Callable[[str, Values], None]
    add: Callable[[Values], Values] | None = None
    remove: Callable[[str], None] | None = None
    required: tuple[str, ...] = ()
    role: Role = Role.ADMINISTRATOR  # to add and to remove
    most: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """Something that there is once: its properties, and what is below it."""

    words: str
    properties: Mapping[str, Property] = field(default_factory=dict[str, Property])
    parts: Mapping[str, "Entity | Collection"] = field(
        default_factory=dict[str, "Entity | Collection"]
    )
    actions: Mapping[str, Action] = field(default_factory=dict[str, Action])
    read: Callable[[], Values] = dict
    change: Callable[[Values], None] | None = None


ImportType = Literal["merge", "default"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """One API. restore: takes what an export gave, checked, with how it goes together with what
    there is: "merge" leaves what is not named, "default" gives that its defaults."""

    id: str
    version: str  # such as 1.0.0-beta.3
    name: str
    words: str
    root: Entity
    restore: Callable[[Values, ImportType], None] | None = None

    @property
    def major(self) -> str:
        return "v" + self.version.partition(".")[0]

    @property
    def state(self) -> str:
        """released, alpha or beta."""
        return self.version.partition("-")[2].partition(".")[0] or "released"

    @property
    def path(self) -> str:
        """The version as it stands in addresses: v1, v1beta."""
        return self.major + (self.state if self.state != "released" else "")

    @property
    def label(self) -> str:
        """What it is called among the data of all APIs."""
        return f"{self.id}.{self.major}"


def may(role: Role, needed: Role) -> bool:
    return _ROLES.index(role) >= _ROLES.index(needed)


# --- reading ----------------------------------------------------------------------------------


def told(node: Entity | Collection, role: Role) -> Any:
    """All that this role may see of an entity with all below it, or of a collection."""
    if isinstance(node, Collection):
        return [visible(item, node.properties, role) for item in node.items()]
    data = visible(node.read(), node.properties, role) if node.properties else {}
    for name, part in node.parts.items():
        if may(role, sees(part)):
            data[name] = told(part, role)
    return data


def visible(values: Values, properties: Mapping[str, Property], role: Role) -> dict[str, Any]:
    return {
        name: values[name]
        for name, declared in properties.items()
        if declared.told and name in values and may(role, declared.sees)
    }


def sees(node: Entity | Collection) -> Role:
    """The least role that sees anything of it."""
    roles = [p.sees for p in node.properties.values() if p.told]
    if isinstance(node, Entity):
        roles += [sees(part) for part in node.parts.values()]
    return min(roles, key=_ROLES.index, default=Role.ADMINISTRATOR)


# --- what is to be set ------------------------------------------------------------------------


def data_of(body: bytes) -> tuple[Any, Values]:
    """The data of a request and what stands beside it. Raises RestError."""
    try:
        envelope = msgspec.json.decode(body or b"{}")
    except (msgspec.DecodeError, RecursionError, ValueError):
        raise RestError(INVALID, "Validation error: the request body is not JSON") from None
    if not isinstance(envelope, dict) or "data" not in envelope:
        raise RestError(INVALID, NO_DATA)
    envelope = cast("dict[str, Any]", envelope)
    return envelope["data"], envelope


def fields_of(name: str, data: Any) -> Values:
    if not isinstance(data, dict):
        raise invalid(name, "must be an object")
    return cast("dict[str, Any]", data)


def check(
    name: str,
    values: Values,
    properties: Mapping[str, Property],
    role: Role,
    *,
    adding: bool = False,
) -> Values:
    """The values, each of its kind. Raises RestError that names the field, also where there is
    nothing to be set: who may set none of the properties is refused whatever is sent."""
    needed = _sets(properties, adding=adding)
    if not may(role, needed):
        raise not_allowed(needed)
    checked: dict[str, Any] = {}
    for key, value in values.items():
        declared = properties.get(key)
        if declared is None:
            known = ", ".join(properties)
            raise invalid(name, f"there is no such field; there are {known}", f"/{key[:64]}")
        if not (declared.given or (adding and declared.added)):
            raise invalid(name, "cannot be set", f"/{key}")
        if not may(role, declared.sets):
            raise not_allowed(declared.sets)
        checked[key] = converted(name, value, declared, f"/{key}")
    return checked


def _sets(properties: Mapping[str, Property], *, adding: bool) -> Role:
    """The least role that may set any of these."""
    roles = [p.sets for p in properties.values() if p.given or (adding and p.added)]
    return min(roles, key=_ROLES.index, default=Role.ADMINISTRATOR)


def converted(name: str, value: Any, declared: Property, path: str = "") -> Any:
    try:
        return msgspec.convert(value, declared.kind)
    except msgspec.ValidationError as error:
        words = words_of(declared.kind) or str(error).partition(" - at ")[0]
        raise invalid(name, words, path) from None


def require(name: str, values: Values, required: Iterable[str]) -> None:
    for key in required:
        if key not in values:
            raise invalid(name, "is missing", f"/{key}")


def not_allowed(needed: Role) -> RestError:
    return RestError(NOT_ALLOWED, f"Not allowed: this needs the role {needed.value}")


def checked_tree(node: Entity, data: Any, name: str, role: Role) -> Values:
    """What an export of this entity gave, with all below it; what is only told is passed over."""
    checked: dict[str, Any] = {}
    given: dict[str, Any] = {}
    for key, value in fields_of(name, data).items():
        part = node.parts.get(key)
        match part:
            case Entity():
                checked[key] = checked_tree(part, value, key, role)
            case Collection():
                checked[key] = _checked_items(part, value, key, role)
            case None if _is_told_only(node.properties.get(key)):
                pass
            case None:
                given[key] = value
    return {**check(name, given, node.properties, role), **checked}


def _checked_items(part: Collection, data: Any, name: str, role: Role) -> list[Values]:
    if not isinstance(data, list):
        raise invalid(name, "must be a list")
    given_items = cast("list[Any]", data)
    if len(given_items) > part.most:  # so many are not looked at
        raise invalid(name, f"must have at most {part.most} items")
    items: list[Values] = []
    for n, item in enumerate(given_items):
        values = fields_of(f"{name}/{n}", item)
        given = {k: v for k, v in values.items() if not _is_told_only(part.properties.get(k))}
        checked = dict(check(f"{name}/{n}", given, part.properties, role, adding=True))
        if part.key in values:
            key = converted(name, values[part.key], part.properties[part.key], f"/{n}/{part.key}")
            checked[part.key] = key
        items.append(checked)
    return items


def _is_told_only(declared: Property | None) -> bool:
    return declared is not None and not declared.given and not declared.added
