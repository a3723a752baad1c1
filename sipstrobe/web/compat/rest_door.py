"""The door of the device-configuration framework: which part of which API a request means."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from sipstrobe.config.users import Role
from sipstrobe.errors import CommandRefused, ConfigError
from sipstrobe.web.compat import rest_documents
from sipstrobe.web.compat.rest import (
    INTERNAL,
    INVALID,
    MISSING,
    NOT_ALLOWED,
    NOT_FOUND,
    Action,
    Api,
    Collection,
    Entity,
    ImportType,
    Property,
    RestError,
    Values,
    check,
    checked_tree,
    converted,
    data_of,
    fields_of,
    invalid,
    may,
    not_allowed,
    require,
    sees,
    told,
    visible,
)
from sipstrobe.web.exchange import Request, Response, Route, json

logger = logging.getLogger(__name__)

ROOT: Final = "/config/rest/"
DISCOVER: Final = "/config/discover"
BODY_MAX_BYTES: Final = 256 * 1024  # an export of a thousand sources has 140 KB


@dataclass(frozen=True, slots=True)
class _Item:
    """One of a collection."""

    collection: Collection
    key: str

    def values(self) -> Values:
        for item in self.collection.items():
            if item[self.collection.key] == self.key:
                return item
        raise RestError(MISSING, f"Item does not exist: {self.key[:64]}")


@dataclass(frozen=True, slots=True)
class _Value:
    """A property of an entity or of an item."""

    owner: Entity | _Item
    name: str
    declared: Property


@dataclass(frozen=True, slots=True)
class _Named:
    """An entity, collection or action with the last segment of its address."""

    node: Entity | Collection | Action
    name: str


_Target = _Named | _Item | _Value


class RestDoor:
    """Serve these APIs, and the documents that tell of them."""

    def __init__(self, apis: Sequence[Api]) -> None:
        self._apis = {api.id: api for api in apis}

    def routes(self) -> list[Route]:
        def route(method: str, path: str) -> Route:
            return Route(
                method=method,
                path=path,
                handler=self._respond,
                role=Role.VIEWER,  # at the least; each property says what it takes
                body_max_bytes=0 if method in ("GET", "DELETE") else BODY_MAX_BYTES,
                unstored=lambda _: _error(RestError(INTERNAL, "Internal error")),
            )

        methods = ("GET", "PATCH", "POST", "DELETE")
        documents = (DISCOVER, f"{DISCOVER}/**")
        return [
            *(route(method, f"{ROOT}**") for method in methods),
            *(route("GET", path) for path in documents),
        ]

    def _respond(self, request: Request) -> Response:
        """Always an answer of the framework, whatever goes wrong."""
        try:
            if request.path.startswith(ROOT):
                return self._answer(request)
            return self._document(request)
        except RestError as error:
            return _error(error)
        except (ConfigError, CommandRefused) as error:
            return _error(RestError(INVALID, f"Validation error: {error}"))
        except Exception:
            logger.exception("%s %.200r failed", request.method, request.path)
            return _error(RestError(INTERNAL, "Internal error"))

    def _document(self, request: Request) -> Response:
        steps = _steps(request.path.removeprefix(DISCOVER))
        document = rest_documents.find(tuple(self._apis.values()), steps)
        if document is None:
            raise _unknown(request)
        return document

    def _answer(self, request: Request) -> Response:
        assert request.principal is not None
        role = request.principal.role
        match request.method, _steps(request.path.removeprefix(ROOT)):
            case (("GET" | "HEAD"), ["$all" | "$export"]):
                return _success(self._export(self._apis.values(), role))
            case "PATCH", ["$import"]:
                return self._import(request, role)
            case method, [name, version, *steps] if api := self._find(name, version):
                return self._call(api, method, steps, request, role)
            case _:
                raise _unknown(request)

    def _find(self, name: str, version: str) -> Api | None:
        """An API by its name and version; v1 is v1beta as long as there is no other."""
        api = self._apis.get(name)
        return api if api is not None and version in (api.path, api.major) else None

    def _call(
        self, api: Api, method: str, steps: list[str], request: Request, role: Role
    ) -> Response:
        match method, steps:
            case (("GET" | "HEAD"), ["$export"]):
                _may_see(api.root, role)
                return _success(self._export([api], role))
            case "PATCH", ["$import"] if api.restore is not None:
                return self._import(request, role, api)
            case _:
                target = _resolve(api.root, steps)
        if target is None:
            raise _unknown(request)
        match method:
            case "GET" | "HEAD":
                return _success(_get(target, role))
            case "PATCH":
                _change(target, data_of(request.body)[0], role)
                return _success()
            case "POST":
                return _post(target, data_of(request.body)[0], role)
            case "DELETE":
                _remove(target, role)
                return _success()
            case _:
                raise _unknown(request)

    def _export(self, apis: Any, role: Role) -> dict[str, Any]:
        """The data of these APIs, of those that this role may see."""
        return {api.label: told(api.root, role) for api in apis if may(role, sees(api.root))}

    def _import(self, request: Request, role: Role, only: Api | None = None) -> Response:
        """Take over what an export gave; nothing of it where a part of it cannot be."""
        data, envelope = data_of(request.body)
        how = _import_type(envelope)
        given = fields_of("$import", data)
        if only is not None and only.label not in given:
            given = {only.label: data}
        by_label = {api.label: api for api in self._apis.values()}
        checked: list[tuple[Api, Values]] = []
        for label, values in given.items():
            api = by_label.get(label)
            if api is None or api.restore is None or only not in (None, api):
                raise RestError(NOT_FOUND, f"Resource not found: {label[:64]}")
            if not may(role, Role.ADMINISTRATOR):  # what is not named may get its defaults
                raise not_allowed(Role.ADMINISTRATOR)
            checked.append((api, checked_tree(api.root, values, api.id, role)))
        for api, values in checked:
            assert api.restore is not None
            api.restore(values, how)
        return _success()


# --- addresses --------------------------------------------------------------------------------


def _steps(path: str) -> list[str]:
    return [step for step in path.split("/") if step]


def _resolve(root: Entity, steps: list[str]) -> _Target | None:
    """What an address means; None: nothing that there is."""
    target: _Target = _Named(root, "root")
    for step in steps:
        match target:
            case _Named(Entity() as entity):
                found = _below(entity, step)
            case _Named(Collection() as collection):
                found = _Item(collection, step)
            case _Item(collection) if step in collection.properties:
                found = _Value(target, step, collection.properties[step])
            case _:
                found = None
        if found is None:
            return None
        target = found
    return target


def _below(entity: Entity, step: str) -> _Target | None:
    if step in entity.properties:
        return _Value(entity, step, entity.properties[step])
    node = entity.parts.get(step) or entity.actions.get(step)
    return _Named(node, step) if node is not None else None


def _unknown(request: Request) -> RestError:
    return RestError(NOT_FOUND, f"Resource not found: {request.method} {request.path[:200]}")


# --- what is done with them -------------------------------------------------------------------


def _may_see(node: Entity | Collection, role: Role) -> None:
    if not may(role, sees(node)):
        raise not_allowed(sees(node))


def _get(target: _Target, role: Role) -> Any:
    match target:
        case _Named(node, name):
            if isinstance(node, Action):
                raise RestError(NOT_FOUND, f"Resource not found: {name} is an action, for POST")
            _may_see(node, role)
            return told(node, role)
        case _Item(collection):
            _may_see(collection, role)
            return visible(target.values(), collection.properties, role)
        case _Value(owner, name, declared):
            if not may(role, declared.sees):
                raise not_allowed(declared.sees)
            if not declared.told:
                raise RestError(NOT_ALLOWED, f"Not allowed: {name} is never told")
            values = owner.values() if isinstance(owner, _Item) else owner.read()
            return values.get(name)


def _change(target: _Target, data: Any, role: Role) -> None:
    match target:
        case _Value(owner, name, declared) if declared.given:
            if not may(role, declared.sets):
                raise not_allowed(declared.sets)
            _store(owner, {name: converted(name, data, declared)})
        case _Value(_, name):
            raise invalid(name, "cannot be set")
        case _Item(collection, key):
            _store(target, check(key, fields_of(key, data), collection.properties, role))
        case _Named(Entity(change=change) as entity, name) if change is not None:
            _store(entity, check(name, fields_of(name, data), entity.properties, role))
        case _Named(_, name):
            raise RestError(NOT_FOUND, f"Resource not found: {name} cannot be changed")


def _store(owner: Entity | _Item, values: Values) -> None:
    if isinstance(owner, _Item):
        owner.values()  # there is such an item
        owner.collection.change(owner.key, values)
    elif owner.change is not None:
        owner.change(values)


def _post(target: _Target, data: Any, role: Role) -> Response:
    match target:
        case _Named(Collection(add=add) as collection, name) if add is not None:
            if not may(role, collection.role):
                raise not_allowed(collection.role)
            values = check(name, fields_of(name, data), collection.properties, role, adding=True)
            require(name, values, collection.required)
            return _success(visible(add(values), collection.properties, role), status=201)
        case _Named(Action() as action, name):
            if not may(role, action.role):
                raise not_allowed(action.role)
            values = check(name, fields_of(name, data), action.fields, Role.ADMINISTRATOR)
            require(name, values, action.required)
            return _success(action.call(values))
        case _:
            raise RestError(NOT_FOUND, "Resource not found: nothing can be added here")


def _remove(target: _Target, role: Role) -> None:
    match target:
        case _Item(Collection(remove=remove) as collection, key) if remove is not None:
            if not may(role, collection.role):
                raise not_allowed(collection.role)
            target.values()
            remove(key)
        case _:
            raise RestError(NOT_FOUND, "Resource not found: this cannot be removed")


def _import_type(envelope: Values) -> ImportType:
    options = envelope.get("options", {})
    wanted = fields_of("options", options).get("importType", "merge")
    if wanted not in ("merge", "default"):
        raise invalid("options", "must be merge or default", "/importType")
    return wanted


# --- answers ----------------------------------------------------------------------------------


def _success(data: Any = msgspec.UNSET, *, status: int = 200) -> Response:
    answer = {"status": "success"}
    return json(answer if data is msgspec.UNSET else answer | {"data": data}, status)


def _error(error: RestError) -> Response:
    body = {"status": "error", "error": {"code": error.code, "message": str(error)}}
    return json(body, error.status)
