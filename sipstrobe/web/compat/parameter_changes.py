"""Setting parameters: several at once, each that can be."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from typing import Any, NamedTuple, cast

from sipstrobe.bus import Dispatcher
from sipstrobe.commands import ChangeSettings, ConfigurePorts, PortChange
from sipstrobe.config.patch import merge
from sipstrobe.config.settings import Settings
from sipstrobe.errors import CommandRefused, ConfigError
from sipstrobe.web.compat.settable import ClipName, PortWish, Settable
from sipstrobe.web.views import ClipsView


class Wanted(NamedTuple):
    """A parameter, as the client has named it, and what it is to be."""

    name: str
    value: str
    settable: Settable


class ParameterChanges:
    """Give the orders that come of parameters. settings: as they are."""

    def __init__(
        self, dispatcher: Dispatcher, settings: Callable[[], Settings], clips: ClipsView
    ) -> None:
        self._dispatcher = dispatcher
        self._settings = settings
        self._clips = clips

    async def make(self, wanted: Sequence[Wanted]) -> dict[str, str]:
        """Those that could not be set, with what they were to be."""
        refused: dict[str, str] = {}
        patches: dict[str, Mapping[str, Any]] = {}
        ports: dict[str, PortWish] = {}
        clips: dict[str, ClipName] = {}
        for name, value, found in wanted:
            try:
                wish = found.wish(found.kind.read(value), self._settings())
            except ValueError:
                refused[name] = value
                continue
            match wish:
                case PortWish():
                    ports[name] = wish
                case ClipName():
                    clips[name] = wish
                case _:
                    patches[name] = wish
        values = {name: value for name, value, _ in wanted}
        wrong = [*self._store(patches), *self._configure(ports), *await self._rename(clips)]
        return refused | {name: values[name] for name in wrong}

    def _store(self, patches: Mapping[str, Mapping[str, Any]]) -> list[str]:
        """All of them together, but for those with which something is wrong: those are told."""
        left, wrong = dict(patches), list[str]()
        while left:
            patch: Any = reduce(merge, left.values(), {})
            try:
                self._dispatcher.execute(ChangeSettings(patch=patch))
            except ConfigError as error:
                bad = _blamed(left, [problem.path for problem in error.problems])
            else:
                break
            wrong += bad
            for name in bad:
                del left[name]
        return wrong

    def _configure(self, wishes: Mapping[str, PortWish]) -> list[str]:
        """All of them, or none."""
        fields: dict[int, dict[str, Any]] = {}
        for wish in wishes.values():
            fields.setdefault(wish.port, {}).update(wish.fields)
        changes = tuple(PortChange(port, **said) for port, said in fields.items())
        if not changes:
            return []
        try:
            self._dispatcher.execute(ConfigurePorts(changes=changes))
        except (CommandRefused, ConfigError):
            return list(wishes)
        return []

    async def _rename(self, wishes: Mapping[str, ClipName]) -> list[str]:
        wrong: list[str] = []
        for name, wish in wishes.items():
            try:
                await self._clips.rename(wish.number, wish.name)
            except (CommandRefused, ConfigError, OSError):
                wrong.append(name)
        return wrong


def _blamed(patches: Mapping[str, Mapping[str, Any]], paths: Sequence[str]) -> list[str]:
    """Whose patches change what is at one of these pointers, else what is in the same section,
    else all."""
    sections = ["/".join(path.split("/")[:2]) for path in paths]
    for where in (paths, sections):
        bad = [
            name
            for name, patch in patches.items()
            if any(f"{place}/".startswith(f"{path}/") for place in _places(patch) for path in where)
        ]
        if bad:
            return bad
    return list(patches)


def _places(patch: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """The pointers of all that a patch changes."""
    for name, value in patch.items():
        if isinstance(value, dict):
            yield from _places(cast("dict[str, Any]", value), f"{above}/{name}")
        else:
            yield f"{above}/{name}"
