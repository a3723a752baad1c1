"""The description of the API as OpenAPI 3.1 has it, made of what each route says of itself.

Security and refusals that all routes share come from who may call them and what they take; types
become JSON Schema (2020-12) by msgspec.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, cast

import msgspec

from sipstrobe.secret import Secret
from sipstrobe.web.exchange import PROBLEM, About, Media, Merge, Route
from sipstrobe.web.sessions import COOKIE
from sipstrobe.web.told.common import ProblemTold

OPENAPI: Final = "3.1.1"
JSON_TYPE: Final = "application/json"
MERGE_TYPE: Final = "application/merge-patch+json"  # RFC 7396
SECURITY: Final[Mapping[str, Any]] = {
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": "Of the page, after a log-in. What changes something must say its Origin.",
    },
    "digest": {
        "type": "http",
        "scheme": "digest",
        "description": "RFC 7616: MD5 or SHA-256, qop=auth or none.",
    },
    "basic": {"type": "http", "scheme": "basic", "description": "RFC 7617, over TLS only."},
    "token": {"type": "http", "scheme": "bearer", "description": "An API token (RFC 6750)."},
}
_REF: Final = "#/components/schemas/"
_REFS: Final = _REF + "{name}"
_UNTOLD: Final = ("sipstrobe", "web", "told")  # modules that tell nothing apart
_ASIDE: Final = re.compile(r"\s*(->|\bRefused:).*?(?=\n\n|\Z)", re.DOTALL)
_NAME: Final = re.compile(r"\{(\w+)\}")
_GENERIC: Final = "_"  # msgspec has Result_str_ for Result[str]
_STATUS_WORDS: Final = {101: "The connection is a WebSocket from now on."}


@dataclass(slots=True)
class _Schemas:
    """The schema of each type that routes name, and what these refer to."""

    types: list[Any] = field(default_factory=list[Any])
    components: dict[str, Any] = field(default_factory=dict[str, Any])
    _made: dict[int, Mapping[str, Any]] = field(default_factory=dict[int, Mapping[str, Any]])

    def make(self, types: Iterable[Any]) -> None:
        """Of all at once, so that two types of one name are told apart."""
        self.types = list(types)  # keeps them, and so their ids
        made, components = msgspec.json.schema_components(
            self.types, schema_hook=_secret, ref_template=_REFS
        )
        names = _names(components)
        known = {
            names[name]: _said(_spelt(schema, names)) | {"title": names[name]}
            for name, schema in components.items()
        }
        self._made = {
            id(kind): _of_generic(_spelt(schema, names), known)
            for kind, schema in zip(self.types, made, strict=True)
        }
        self.components = {
            name: schema for name, schema in known.items() if not name.endswith(_GENERIC)
        }

    def of(self, kind: Any) -> Mapping[str, Any]:
        return self._made[id(kind)]

    def patch_of(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a merge patch may have in the place of such a value (RFC 7396): of an object some
        members, or null for the default; all else as a whole."""
        if "$ref" in schema:
            name = str(schema["$ref"]).rpartition("/")[2]
            found = self.components[name]
            if "properties" not in found:
                return schema
            if name + "Patch" not in self.components:
                self.components[name + "Patch"] = {}  # for what refers to itself
                self.components[name + "Patch"] = self.patch_of(found)
            return {"$ref": _REFS.format(name=name + "Patch")}
        if "properties" not in schema:
            return schema
        kept = {k: v for k, v in schema.items() if k not in ("required", "title")}
        return kept | {
            "properties": {
                name: {"anyOf": [_without_default(self.patch_of(member)), {"type": "null"}]}
                for name, member in schema["properties"].items()
            }
        }


def openapi(routes: Iterable[Route], version: str) -> dict[str, Any]:
    """The whole document. version: of the device's software."""
    told = [(route, about) for route in routes for about in abouts_of(route)]
    schemas = _Schemas()
    schemas.make([ProblemTold, *(kind for _, about in told for kind in _types(about))])
    paths: dict[str, dict[str, Any]] = {}
    for route, about in sorted(told, key=lambda pair: template_of(*pair)):
        operations = paths.setdefault(template_of(route, about), {})
        operations[route.method.lower()] = _operation(route, about, schemas)
    tags = sorted({tag_of(route, about) for route, about in told})
    return {
        "openapi": OPENAPI,
        "info": {
            "title": "sipstrobe",
            "version": version,
            "description": "Everything that the device can do. Errors are problems (RFC 9457).",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in tags],
        "paths": paths,
        "components": {"schemas": schemas.components, "securitySchemes": SECURITY},
    }


def abouts_of(route: Route) -> tuple[About, ...]:
    """What it says of itself."""
    if route.about is None:
        return ()
    return route.about if isinstance(route.about, tuple) else (route.about,)


def template_of(route: Route, about: About) -> str:
    """The path with the names of what varies in it."""
    return about.template or route.path


def tag_of(route: Route, about: About) -> str:
    """The heading that it stands under."""
    return about.tag or route.path.removeprefix("/api/v1/").strip("/").partition("/")[0]


def refusals(route: Route, about: About) -> dict[int, tuple[str, ...]]:
    """The statuses of all problems that it may answer with, and their codes."""
    found: set[int] = set(about.problems)
    if route.role is not None:
        found |= {401, 403}
    if about.body is not None:
        found |= {400, 408, 413}
    if about.query:
        found.add(400)
    if _NAME.search(template_of(route, about)):
        found.add(404)
    if route.method not in ("GET", "HEAD"):
        found |= {403, 500}  # of another site's page; what was done could not be stored
    return {status: tuple(about.problems.get(status, ())) for status in sorted(found)}


def secret_schema(kind: type) -> dict[str, Any]:
    """A secret goes in as a text; out comes what stands for it, which may go in again."""
    if kind is not Secret:
        raise NotImplementedError(f"{kind.__name__} is no JSON")
    return {"type": ["string", "object"], "writeOnly": True}


def _secret(kind: type) -> dict[str, Any]:
    """As above, but that OpenAPI takes what is writeOnly for what never comes out."""
    return {name: v for name, v in secret_schema(kind).items() if name != "writeOnly"}


# --- one operation ------------------------------------------------------------------------------


def _operation(route: Route, about: About, schemas: _Schemas) -> dict[str, Any]:
    template = template_of(route, about)
    words = re.sub(r"[{}]", "", template.removeprefix("/api/v1")).strip("/")
    told: dict[str, Any] = {
        "operationId": "-".join([route.method.lower(), *re.split(r"[/._]+", words)]),
        "summary": about.summary,
        "tags": [tag_of(route, about)],
        "security": [] if route.role is None else [{name: []} for name in SECURITY],
    }
    if about.words:
        told["description"] = about.words
    if route.role is not None:
        told["x-role"] = route.role.value
    if parameters := [*_path_parameters(template, about, schemas), *_query(about, schemas)]:
        told["parameters"] = parameters
    if about.body is not None:
        content = _content(about.body, schemas)
        told["requestBody"] = {"required": _is_needed(about.body), "content": content}
    told["responses"] = dict(_responses(route, about, schemas))
    if about.messages:
        told["x-messages"] = {"oneOf": [schemas.of(kind) for kind in about.messages]}
    return told


def _path_parameters(template: str, about: About, schemas: _Schemas) -> Iterator[dict[str, Any]]:
    for name in _NAME.findall(template):
        kind = about.path.get(name)
        schema: dict[str, Any] = {"type": "string", "minLength": 1}
        if kind is not None:
            schema = dict(schemas.of(kind))
        yield _parameter("path", name, schema, schema.pop("description", "")) | {"required": True}


def _query(about: About, schemas: _Schemas) -> Iterator[dict[str, Any]]:
    for query in about.query:
        schema = dict(schemas.of(query.kind))
        if query.default not in (None, ""):
            schema["default"] = msgspec.to_builtins(query.default)
        yield _parameter("query", query.name, schema, query.words)


def _parameter(place: str, name: str, schema: Mapping[str, Any], words: str) -> dict[str, Any]:
    told: dict[str, Any] = {"name": name, "in": place, "schema": schema}
    return told | {"description": words} if words else told


def _responses(route: Route, about: About, schemas: _Schemas) -> Iterator[tuple[str, Any]]:
    for status in about.status:
        words = _STATUS_WORDS.get(status, HTTPStatus(status).phrase)
        told: dict[str, Any] = {"description": words}
        if about.answer is not None:
            told["content"] = _content(about.answer, schemas)
        yield str(status), told
    problem = {PROBLEM: {"schema": schemas.of(ProblemTold)}}
    for status, codes in refusals(route, about).items():
        words = HTTPStatus(status).phrase
        if codes:
            words += f"; code: {', '.join(codes)}"
        yield str(status), {"description": words, "content": problem}


def _content(kind: Any, schemas: _Schemas) -> dict[str, Any]:
    if isinstance(kind, Media):
        media_type = kind.type.partition(";")[0]
        told = {"description": kind.words}
        if media_type != JSON_TYPE:  # of what is JSON all the same, any value
            told["type"] = "string"
            if not media_type.startswith("text/"):
                told["format"] = "binary"
        return {media_type: {"schema": told}}
    if isinstance(kind, Merge):
        patch = {"schema": schemas.patch_of(schemas.of(kind.kind))}
        return {MERGE_TYPE: patch, JSON_TYPE: patch}
    return {JSON_TYPE: {"schema": schemas.of(kind)}}


def _names(components: Iterable[str]) -> dict[str, str]:
    """What each type is called. Of types that share a name msgspec tells all modules, and many
    generators of clients read the last part alone: as many are told as tell them apart."""
    alike: dict[str, list[list[str]]] = {}
    for name in components:
        steps = name.split(".")
        modules = [step for step in steps[:-1] if step not in _UNTOLD]
        alike.setdefault(steps[-1], []).append([name, *modules])
    found: dict[str, str] = {}
    for last, entries in alike.items():
        depth = 0
        while len({tuple(modules[:depth]) for _, *modules in entries}) < len(entries):
            depth += 1
        for name, *modules in entries:
            found[name] = "".join(step.title() for step in modules[:depth]) + last
    return found


def _spelt(schema: Any, names: Mapping[str, str]) -> Any:
    """With these names, and as generators of clients can read it: many know no `false` in the place
    of a schema, which after a list of fixed length goes without saying, and no list of anything."""
    if isinstance(schema, list):
        return [_spelt(entry, names) for entry in cast("list[Any]", schema)]
    if isinstance(schema, str) and schema.startswith(_REF):
        return _REF + names[schema.removeprefix(_REF)]
    if not isinstance(schema, dict):
        return schema
    told = {key: _spelt(value, names) for key, value in cast("dict[str, Any]", schema).items()}
    if told.get("items") is False and told.get("maxItems") == len(told["prefixItems"]):
        del told["items"]
    if told.get("type") == "array" and not told.keys() & {"items", "prefixItems"}:
        told["items"] = {}
    return told


def _of_generic(schema: Mapping[str, Any], known: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a generic type is with its parameter, such as Result[str], has no name that is worth
    having and stands where it is used."""
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    if not name.endswith(_GENERIC):
        return schema
    return {k: v for k, v in known[name].items() if k != "title"}


def _said(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Of an order's docstring what it does: results and refusals are told elsewhere."""
    words = _ASIDE.sub("", schema.get("description", ""))
    return {**schema, "description": words} if words else dict(schema)


def _is_needed(body: Any) -> bool:
    """Nothing at all counts as an empty object (`orders.read_object`)."""
    if isinstance(body, Merge):
        return False
    if isinstance(body, Media):
        return True
    try:
        msgspec.convert({}, body)
    except msgspec.ValidationError:
        return True
    return False


def _types(about: About) -> Iterator[Any]:
    for kind in (about.body, about.answer):
        if isinstance(kind, Merge):
            yield kind.kind
        elif kind is not None and not isinstance(kind, Media):
            yield kind
    yield from about.path.values()
    yield from (query.kind for query in about.query)
    yield from about.messages


def _without_default(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name != "default"}
