"""The commands that each type of things with ids has on /vapix/call: Get, Set and Remove, each for
one and for several."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final

from sipstrobe.config.users import Role
from sipstrobe.web.compat.call_form import Arguments, Values, invalid, not_found

AT_ONCE: Final = 100  # things that one command may set; there are hardly more of a type

Found = Mapping[str, Callable[[], Values]]
"""What tells of each thing, by its id."""


@dataclass(frozen=True, slots=True)
class Command:
    """What it does with its arguments, and the least role that may have it done.

    Raises Fault, ConfigError and CommandRefused.
    """

    run: Callable[[Arguments], Values]
    role: Role = Role.OPERATOR


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A type of things with ids.

    found: all there are. put: changes or makes things, and gives their ids;
    remove: those of these ids, as far as there are any. Both do all of it or nothing.
    """

    name: str
    key: str
    found: Callable[[], Found]
    put: Callable[[Sequence[Arguments]], list[str]] | None = None
    remove: Callable[[Collection[str]], None] | None = None
    plural: str = "s"

    def commands(self) -> dict[str, Command]:
        name, several = self.name, self.name + self.plural
        commands = {
            f"Get{name}": Command(self._get_one),
            f"Get{several}": Command(self._get_several),
        }
        if self.put is not None:
            commands[f"Set{name}"] = Command(self._set_one, Role.ADMINISTRATOR)
            commands[f"Set{several}"] = Command(self._set_several, Role.ADMINISTRATOR)
        if self.remove is not None:
            remove = Command(self._remove, Role.ADMINISTRATOR)
            commands |= {f"Remove{name}": remove, f"Remove{several}": remove}
        return commands

    def _get_one(self, asked: Arguments) -> Values:
        wanted = asked.text(self.key)
        one = self.found().get(wanted)
        if one is None:
            raise not_found(self.name, wanted)
        return {self.name: one()}

    def _get_several(self, asked: Arguments) -> Values:
        """Without ids all there are; ids that nothing has are passed over."""
        found = self.found()
        wanted = asked.texts(self.key) if self.key in asked else tuple(found)
        return {self.name: [found[one]() for one in dict.fromkeys(wanted) if one in found]}

    def _set_one(self, asked: Arguments) -> Values:
        assert self.put is not None
        (one,) = self.put([asked.object(self.name)])
        return {self.key: one}

    def _set_several(self, asked: Arguments) -> Values:
        assert self.put is not None
        wanted = asked.objects(self.name)
        if len(wanted) > AT_ONCE:  # each is compared with all there are
            raise invalid(f"{self.name}: at most {AT_ONCE} can be set at once")
        return {self.key: self.put(wanted)}

    def _remove(self, asked: Arguments) -> Values:
        assert self.remove is not None
        self.remove(frozenset(asked.texts(self.key)))
        return {}


def id_in(asked: Arguments, key: str) -> str:
    """The id of what is to be set; empty where it is to be made, and its id with it."""
    for name in ("Id", key):
        if name in asked:
            return asked.text(name)
    return ""


def free_id(prefix: str, taken: Collection[str]) -> str:
    """The first of prefix_0, prefix_1 … that nothing has."""
    return next(wanted for n in count() if (wanted := f"{prefix}_{n}") not in taken)
