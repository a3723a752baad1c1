"""From a JSON tree to typed settings, or to the list of everything that is wrong with it.

msgspec stops at the first error. When it finds one, we go down ourselves: each field of a Struct
and each entry of an array is tried alone, so that a form can mark them all at once. Nobody needs
thousands of them, which would take minutes to find: PROBLEMS_MAX are told.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import islice
from types import NoneType, UnionType
from typing import Annotated, Any, Final, TypeVar, Union, cast, get_args, get_origin

import msgspec
from msgspec import inspect

from sipstrobe.config.patch import pointer
from sipstrobe.errors import ConfigError, Problem
from sipstrobe.secret import Secret

PROBLEMS_MAX: Final = 100  # that are told of one tree
KINDS_MAX: Final = 1024  # types whose words are kept: to find them takes some milliseconds

T = TypeVar("T")

Secrets = Mapping[str, str]
"""The values of stored secrets by their id."""


def encode(settings: object, draw_id: Callable[[], str]) -> tuple[Any, dict[str, str]]:
    """The JSON tree of typed settings, and its secrets by id.

    A secret appears in the tree as a reference, {"secret": id}; one without an id gets one.
    """
    secrets: dict[str, str] = {}

    def enc_hook(value: Any) -> Any:
        if isinstance(value, Secret) and value and not value.id:
            value.id = draw_id()
        reference = _reference(value)
        if value:
            secrets[value.id] = value.reveal()
        return reference

    return msgspec.json.decode(msgspec.json.encode(settings, enc_hook=enc_hook)), secrets


def plain(value: object) -> Any:
    """The JSON tree of a patch, which may hold typed settings; stored secrets as references."""
    return msgspec.json.decode(msgspec.json.encode(value, enc_hook=_reference))


def revealed(settings: object) -> Any:
    """The JSON tree of typed settings with the secrets in clear."""
    return msgspec.json.decode(msgspec.json.encode(settings, enc_hook=_reveal))


def decode(kind: type[T], tree: Any, secrets: Secrets) -> T:
    """Typed settings from a JSON tree. Raises ConfigError with every problem of form, as far as
    there are not more than PROBLEMS_MAX."""

    def dec_hook(wanted: type, value: Any) -> Any:
        assert wanted is Secret
        return _secret(value, secrets)

    try:
        return msgspec.convert(tree, kind, dec_hook=dec_hook)
    except msgspec.ValidationError as error:
        found = list(islice(_Finder(dec_hook).problems(kind, tree, ""), PROBLEMS_MAX))
        raise ConfigError(found or [Problem("", str(error))]) from None


def _reference(value: Any) -> Any:
    if not isinstance(value, Secret):
        raise NotImplementedError(f"{type(value).__name__} is no JSON")
    return {"secret": value.id} if value.id else value.reveal()


def _reveal(value: Any) -> Any:
    if not isinstance(value, Secret):
        raise NotImplementedError(f"{type(value).__name__} is no JSON")
    return value.reveal()


def _secret(value: Any, secrets: Secrets) -> Secret:
    match value:
        case str():
            return Secret(value)
        case {"secret": str(name)} if len(cast("dict[str, Any]", value)) == 1:
            if name not in secrets:
                raise ValueError("this secret is not stored here: enter it again")
            return Secret(secrets[name], id=name)
        case _:
            raise ValueError("must be a text")


class _Finder:
    """Find all problems of a tree by trying its parts one by one."""

    def __init__(self, dec_hook: Any) -> None:
        self._dec_hook = dec_hook

    def problems(self, kind: Any, value: Any, path: str) -> Iterator[Problem]:
        wrong = self._wrong(kind, value)
        if wrong is None:
            return
        alone = True
        if not _is_too_long(kind, value):
            for problem in self._inside(_bare(kind, value), value, path):
                alone = False
                yield problem
        if alone:
            yield Problem(path, _said(kind, wrong))

    def _inside(self, kind: Any, value: Any, path: str) -> Iterator[Problem]:
        args = get_args(kind)
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and isinstance(value, dict):
            yield from self._fields(kind, cast("dict[str, Any]", value), path)
        elif get_origin(kind) is tuple and args[1:] == (...,) and isinstance(value, list):
            for i, entry in enumerate(cast("list[Any]", value)):
                yield from self.problems(args[0], entry, path + pointer(i))
        elif get_origin(kind) is dict and isinstance(value, dict):
            for name, entry in cast("dict[str, Any]", value).items():
                if wrong := self._wrong(args[0], name):
                    words = f"as a name, it {_said(args[0], wrong)}"
                    yield Problem(path + pointer(name), words)
                yield from self.problems(args[1], entry, path + pointer(name))

    def _fields(
        self, kind: type[msgspec.Struct], value: dict[str, Any], path: str
    ) -> Iterator[Problem]:
        known = {field.encode_name: field for field in msgspec.structs.fields(kind)}
        for name in value:
            if name not in known and name != kind.__struct_config__.tag_field:
                yield Problem(path + pointer(name), "there is no such setting")
        for name, field in known.items():
            if name in value:
                yield from self.problems(field.type, value[name], path + pointer(name))
            elif field.required:
                yield Problem(path + pointer(name), "is missing")

    def _wrong(self, kind: Any, value: Any) -> msgspec.ValidationError | None:
        """What is wrong with the value as a whole, or with something in it."""
        try:
            msgspec.convert(value, kind, dec_hook=self._dec_hook)
        except msgspec.ValidationError as error:
            return error
        return None


def _said(kind: Any, wrong: msgspec.ValidationError) -> str:
    return words(kind) or str(wrong).partition(" - at ")[0]


def _is_too_long(kind: Any, value: Any) -> bool:
    """Whether there are so many entries that what is wrong with each need not be known."""
    if not isinstance(value, list | dict):
        return False
    most = _most(kind)
    return most is not None and len(cast("list[Any]", value)) > most


@lru_cache(maxsize=KINDS_MAX)
def _most(kind: Any) -> int | None:
    """How many entries it may have."""
    told = inspect.type_info(kind)
    while isinstance(told, inspect.Metadata):
        told = told.type
    return told.max_length if isinstance(told, inspect.VarTupleType | inspect.DictType) else None


def _bare(kind: Any, value: Any) -> Any:
    """The kind without annotations and alternatives: of a union, the Struct that the tag names."""
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) not in (Union, UnionType):
        return kind
    others = [k for k in get_args(kind) if k is not NoneType]
    if len(others) == 1:
        return _bare(others[0], value)
    if isinstance(value, dict):
        for struct in others:
            if not (isinstance(struct, type) and issubclass(struct, msgspec.Struct)):
                continue
            config = struct.__struct_config__
            if cast("dict[Any, Any]", value).get(config.tag_field) == config.tag:
                return struct
    return kind


@lru_cache(maxsize=KINDS_MAX)
def words(kind: Any) -> str:
    """What a value of this kind must be, for people; empty where there are no better words."""
    return _words(inspect.type_info(kind))


def _words(kind: inspect.Type) -> str:
    match kind:
        case inspect.Metadata(type=inner):
            return _words(inner)
        case inspect.UnionType(types=types):
            inner = [t for t in types if not isinstance(t, inspect.NoneType)]
            if tags := [str(t.tag) for t in inner if isinstance(t, inspect.StructType)]:
                return _one_of(tags)
            said = _words(inner[0]) if len(inner) == 1 else ""
            return said and said + ", or null"
        case inspect.IntType():
            return "must be a whole number" + _range(kind)
        case inspect.FloatType():
            return "must be a number" + _range(kind)
        case inspect.BoolType():
            return "must be true or false"
        case inspect.StrType():
            return _text(kind)
        case inspect.LiteralType(values=values):
            return _one_of(values)
        case inspect.EnumType(cls=cls):
            return _one_of(member.value for member in cls)
        case inspect.VarTupleType():
            return "must be a list" + _length(kind, "entries")
        case inspect.DictType():
            return "must be an object" + _length(kind, "entries")
        case inspect.StructType():
            return "must be an object"
        case _:
            return ""


def _one_of(values: Iterable[object]) -> str:
    return "must be one of " + ", ".join(str(v) for v in values)


def _range(kind: inspect.IntType | inspect.FloatType) -> str:
    match kind.ge, kind.le, kind.gt:
        case None, None, None:
            return ""
        case low, None, None:
            return f" of at least {low}"
        case None, high, None:
            return f" of at most {high}"
        case None, None, low:
            return f" above {low}"
        case None, high, low:
            return f" above {low}, at most {high}"
        case low, high, _:
            return f" from {low} to {high}"


def _length(kind: inspect.StrType | inspect.VarTupleType | inspect.DictType, unit: str) -> str:
    match kind.min_length, kind.max_length:
        case None | 0, None:
            return ""
        case None | 0, high:
            return f" of at most {high} {unit}"
        case low, None:
            return f" of at least {low} {unit}"
        case low, high if low == high:
            return f" of {low} {unit}"
        case low, high:
            return f" of {low} to {high} {unit}"


def _text(kind: inspect.StrType) -> str:
    if (kind.min_length, kind.max_length, kind.pattern) == (1, None, None):
        return "must not be empty"
    shape = f" that matches {kind.pattern}" if kind.pattern else ""
    return "must be a text" + _length(kind, "characters") + shape
