"""What the device-configuration framework says of its APIs: list, definition, OpenAPI, a page.

All of it is made of the declarations, so nothing can be served that is not told here, and nothing
be told that is not served.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from sipstrobe import __version__
from sipstrobe.config.users import Role
from sipstrobe.web.compat.rest import Action, Api, Collection, Entity, Property, may, sees
from sipstrobe.web.exchange import Response, json

FRAMEWORK: Final = "1.0.0"
_DISCOVER: Final = "/config/discover"
_ROLES: Final = {Role.VIEWER: "viewer", Role.OPERATOR: "operator", Role.ADMINISTRATOR: "admin"}


def find(apis: Sequence[Api], steps: Sequence[str]) -> Response | None:
    """The document at this place below /config/discover; None: there is none."""
    by_id = {api.id: api for api in apis}
    match steps:
        case []:
            return json(
                {
                    "apis": _listed(apis),
                    "device": {"rest_openapi": f"{_DISCOVER}/openapi.json"},
                    "framework_version": FRAMEWORK,
                }
            )
        case ["openapi.json"]:
            return json(openapi(apis))
        case ["apis"]:
            return json(_listed(apis))
        case ["apis", name] if name in by_id:
            return json(_listed([by_id[name]]))
        case ["apis", name, version, *rest] if name in by_id and version == by_id[name].major:
            return _of_one(by_id[name], rest)
        case _:
            return None


def _of_one(api: Api, steps: Sequence[str]) -> Response | None:
    match steps:
        case []:
            return json(_entry(api))
        case ["model.json"]:
            return json(model(api))
        case ["openapi.json"]:
            return json(openapi([api]))
        case ["doc.md"]:
            return Response(200, page(api).encode(), "text/markdown; charset=utf-8")
        case _:
            return None


def _listed(apis: Sequence[Api]) -> dict[str, Any]:
    return {api.id: {api.major: _entry(api)} for api in apis}


def _entry(api: Api) -> dict[str, Any]:
    place = f"{_DISCOVER}/apis/{api.id}/{api.major}"
    return {
        "doc": f"{place}/doc.md",
        "model": f"{place}/model.json",
        "rest_api": _rest(api),
        "rest_openapi": f"{place}/openapi.json",
        "state": api.state,
        "version": api.version,
    }


def _rest(api: Api) -> str:
    return f"/config/rest/{api.id}/{api.path}"


def schema_of(declared: Property) -> dict[str, Any]:
    """The type of a property as JSON Schema; enumerations of texts say that they are texts."""
    schema = dict(msgspec.json.schema(declared.kind))
    if "enum" in schema and all(isinstance(value, str) for value in schema["enum"]):
        schema = {"type": "string"} | schema
    return schema


def roles(needed: Role) -> list[str]:
    return [word for role, word in reversed(_ROLES.items()) if may(role, needed)]


# --- model.json: the definition ---------------------------------------------------------------


def model(api: Api) -> dict[str, Any]:
    return {
        "id": api.id,
        "version": api.version,
        "name": api.name,
        "state": api.state,
        "short_description": api.words,
        "description": api.words,
        "export_import": api.restore is not None,
        "root_entity": _entity(api.root),
    }


def _entity(node: Entity | Collection) -> dict[str, Any]:
    told: dict[str, Any] = {
        "short_description": node.words,
        "collection": "map" if isinstance(node, Collection) else "singleton",
        "properties": {name: _property(p) for name, p in node.properties.items()},
        "operations": _operations(node),
    }
    if isinstance(node, Collection):
        return told | {"key_property": node.key}
    return told | {
        "entities": {name: _entity(part) for name, part in node.parts.items()},
        "actions": {name: _action(action) for name, action in node.actions.items()},
    }


def _operations(node: Entity | Collection) -> dict[str, Any]:
    settable = [name for name, p in node.properties.items() if p.given]
    told: dict[str, Any] = {"get": {"roles": roles(sees(node))}, "set": {"fields": settable}}
    if isinstance(node, Entity):
        return told
    addable = [name for name, p in node.properties.items() if p.given or p.added]
    optional = [name for name in addable if name not in node.required]
    if node.add is not None:
        fields = {"required": list(node.required), "optional": optional}
        told["add"] = {"roles": roles(node.role), "fields": fields}
    if node.remove is not None:
        told["remove"] = {"roles": roles(node.role)}
    return told


def _property(declared: Property) -> dict[str, Any]:
    operations: dict[str, Any] = {}
    if declared.told:
        operations["get"] = {"roles": roles(declared.sees)}
    if declared.given:
        operations["set"] = {"roles": roles(declared.sets)}
    return {
        "short_description": declared.words,
        "data_type": schema_of(declared),
        "nullable": False,
        "export_import": declared.told and declared.given,
        "operations": operations,
    }


def _action(action: Action) -> dict[str, Any]:
    return {
        "short_description": action.words,
        "request_data_type": _object(action.fields, action.required),
        "operations": {"trigger": {"roles": roles(action.role)}},
    }


def _object(properties: Mapping[str, Property], required: Sequence[str] = ()) -> dict[str, Any]:
    told: dict[str, Any] = {
        name: schema_of(p) | {"description": p.words} for name, p in properties.items()
    }
    schema: dict[str, Any] = {"type": "object", "properties": told}
    return schema | {"required": list(required)} if required else schema


# --- openapi.json -----------------------------------------------------------------------------


def openapi(apis: Sequence[Api]) -> dict[str, Any]:
    """OpenAPI 3.0 of these APIs together."""
    paths: dict[str, Any] = {}
    for api in apis:
        _add_paths(paths, _rest(api), api.root, api)
    one = apis[0] if len(apis) == 1 else None
    return {
        "openapi": "3.0.3",
        "info": {
            "title": one.name if one else "sipstrobe",
            "description": one.words if one else "All APIs of the device.",
            "version": one.version if one else __version__,
        },
        "paths": paths,
        "components": {"securitySchemes": {"digest": {"type": "http", "scheme": "digest"}}},
        "security": [{"digest": []}],
    }


def _add_paths(paths: dict[str, Any], place: str, node: Entity | Collection, api: Api) -> None:
    seen = {name: p for name, p in node.properties.items() if p.told}
    settable = {name: p for name, p in node.properties.items() if p.given}
    if isinstance(node, Entity):
        told: Any = _object(seen) if not node.parts else {"type": "object"}
        paths[place] = {"get": _operation(api, node.words, answer=told)}
        if node.change is not None:
            paths[place]["patch"] = _operation(api, node.words, body=_object(settable))
        for name, part in node.parts.items():
            _add_paths(paths, f"{place}/{name}", part, api)
        for name, action in node.actions.items():
            body = _object(action.fields, action.required)
            paths[f"{place}/{name}"] = {"post": _operation(api, action.words, body=body, answer={})}
        _add_values(paths, place, node.properties, api)
        return
    items = {"type": "array", "items": _object(seen)}
    paths[place] = {"get": _operation(api, node.words, answer=items)}
    if node.add is not None:
        addable = {name: p for name, p in node.properties.items() if p.given or p.added}
        body = _object(addable, node.required)
        post = _operation(api, node.words, body=body, answer=_object(seen), status="201")
        paths[place]["post"] = post
    key = node.properties[node.key]
    parameter = {"name": node.key, "in": "path", "required": True, "schema": schema_of(key)}
    item = f"{place}/{{{node.key}}}"
    paths[item] = {
        "parameters": [parameter],
        "get": _operation(api, node.words, answer=_object(seen)),
        "patch": _operation(api, node.words, body=_object(settable)),
    }
    if node.remove is not None:
        paths[item]["delete"] = _operation(api, node.words)
    _add_values(paths, item, node.properties, api, parameter)


def _add_values(
    paths: dict[str, Any],
    place: str,
    properties: Mapping[str, Property],
    api: Api,
    parameter: Mapping[str, Any] | None = None,
) -> None:
    for name, declared in properties.items():
        value = paths[f"{place}/{name}"] = dict[str, Any]()
        if parameter is not None:
            value["parameters"] = [parameter]
        if declared.told:
            value["get"] = _operation(api, declared.words, answer=schema_of(declared))
        if declared.given:
            value["patch"] = _operation(api, declared.words, body=schema_of(declared))


def _operation(
    api: Api, words: str, *, body: Any = None, answer: Any = None, status: str = "200"
) -> dict[str, Any]:
    success: dict[str, Any] = {"status": {"type": "string", "enum": ["success"]}}
    if answer is not None:
        success["data"] = answer
    told: dict[str, Any] = {
        "summary": words,
        "tags": [api.id],
        "responses": {
            status: {"description": "Success", "content": _json(success)},
            "default": {"description": "Error", "content": _json(_ERROR)},
        },
    }
    if body is not None:
        told["requestBody"] = {"required": True, "content": _json({"data": body}, ["data"])}
    return told


_ERROR: Final = {
    "status": {"type": "string", "enum": ["error"]},
    "error": {
        "type": "object",
        "properties": {"code": {"type": "integer"}, "message": {"type": "string"}},
    },
}


def _json(properties: Mapping[str, Any], required: Sequence[str] = ()) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "properties": dict(properties)}
    if required:
        schema["required"] = list(required)
    return {"application/json": {"schema": schema}}


# --- doc.md -----------------------------------------------------------------------------------


def page(api: Api) -> str:
    """The API for people, as Markdown."""
    lines = [f"# {api.name}", "", api.words, "", f"Version {api.version}, at `{_rest(api)}`.", ""]
    lines += ["| path | who | what |", "|---|---|---|", *_rows("", api.root)]
    return "\n".join(lines) + "\n"


def _rows(place: str, node: Entity | Collection) -> list[str]:
    rows = [_row(place or "/", f"see {_ROLES[sees(node)]}", node.words)]
    inner = place + (f"/{{{node.key}}}" if isinstance(node, Collection) else "")
    for name, declared in node.properties.items():
        see = f"see {_ROLES[declared.sees]}" if declared.told else ""
        change = f"set {_ROLES[declared.sets]}" if declared.given else ""
        who = ", ".join(word for word in (see, change) if word)
        rows.append(_row(f"{inner}/{name}", who, declared.words))
    if isinstance(node, Entity):
        for name, part in node.parts.items():
            rows += _rows(f"{place}/{name}", part)
        for name, action in node.actions.items():
            rows.append(_row(f"{place}/{name}", f"do {_ROLES[action.role]}", action.words))
    return rows


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
