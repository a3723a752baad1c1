"""Settings on disk: validated as a whole, changed as a whole, and whole after any crash.

Two files: ``settings.json``, fit for git, and ``secrets.json``, mode 0600. Where a secret belongs,
settings.json has ``{"secret": id}``; secrets.json has the value of each id. An id is drawn at
random and never given another value, so secrets.json may hold more than is asked for, and the
renaming of settings.json alone decides between the old tree and the new:

1. secrets.json gets the old and the new secrets     (only if there are new ones)
2. settings.json gets the new tree                    ← from here on the change has happened
3. secrets.json gets the new secrets alone           (only if there were others)

Each of them is: write beside, fsync, rename, fsync the folder.
"""

import logging
import os
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from msgspec import Struct

from sipstrobe.config import check, overhaul, patch
from sipstrobe.config.factory import factory_tree
from sipstrobe.config.files import Files, Folder, Memory
from sipstrobe.config.reading import (
    SECRETS,
    SETTINGS,
    parse,
    read,
    secrets_text,
    text,
)
from sipstrobe.config.settings import Settings
from sipstrobe.config.state import Stored, build, follow
from sipstrobe.errors import ConfigError, Problem, StaleRevision

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Change(Struct, frozen=True):
    """A change of the settings. paths: JSON pointers of what differs, empty if nothing does."""

    before: Settings
    after: Settings
    revision: int
    paths: tuple[str, ...]


class Prepared(Struct, frozen=True, eq=False):
    """A change that is valid and waits to be stored."""

    change: Change
    before: Stored
    after: Stored


class Plan(Struct, frozen=True, eq=False):
    """A patch, and where it leads as long as nothing else changes the settings."""

    patch: object
    prepared: Prepared


@dataclass(slots=True, eq=False)
class _Watch(Generic[T]):
    select: Callable[[Settings], T]
    apply: Callable[[T], None]


class Store:
    """The current settings, and the way to change them.

    A change is prepared (validated, at once), written (which takes time and may happen in another
    thread) and committed (seen by everybody). Several may be prepared ahead; each builds on the
    one before, and they are written and committed in this order.
    """

    def __init__(
        self, files: Files, stored: Stored, random_bytes: Callable[[int], bytes] = os.urandom
    ) -> None:
        self._files = files
        self._stored = stored
        self._random_bytes = random_bytes
        self._ahead: deque[Prepared] = deque()
        self._watches: list[_Watch[Any]] = []
        self._news: deque[Change] = deque()

    @classmethod
    def open(cls, folder: Path, random_bytes: Callable[[int], bytes] = os.urandom) -> "Store":
        """Hold the folder and read its settings; a new folder gets those of a new device.

        Raises ConfigError, with file and line, if they cannot be read, or if another process holds
        the folder.
        """
        files = Folder(folder)
        files.hold()
        try:
            overhaul.carry_out(folder)
            return cls.load(files, random_bytes)
        except BaseException:
            files.close()
            raise

    @classmethod
    def memory(cls, settings: Settings | None = None) -> "Store":
        """A store that keeps nothing, for tests and trials."""
        store = cls.load(Memory(), os.urandom)
        if settings is not None:
            store.change_now(check.plain(settings))
        return store

    @classmethod
    def load(cls, files: Files, random_bytes: Callable[[int], bytes]) -> "Store":
        stored = read(files)
        if stored is None:
            new = factory_tree(random_bytes(6).hex().upper())
            stored = build(new, {}, lambda: random_bytes(8).hex(), revision=1)
            _put(files, SETTINGS, text(stored.tree, stored.revision), mode=0o644)
        return cls(files, stored, random_bytes)

    def close(self) -> None:
        """Let others have the folder."""
        self._files.close()

    # --- looking -------------------------------------------------------------------------------

    @property
    def current(self) -> Settings:
        return self._stored.settings

    @property
    def upcoming(self) -> Settings:
        """As they will be once all changes that were asked for are stored."""
        return self._newest.settings

    @property
    def revision(self) -> int:
        return self._stored.revision

    @property
    def tree(self) -> Any:
        """The current settings as JSON, with references in place of secrets; not to be changed."""
        return self._stored.tree

    @property
    def stored(self) -> Stored:
        """The current settings in all their forms, for a backup of them."""
        return self._stored

    def get(self, pointer: str) -> Any:
        """The JSON value at a pointer. Raises ConfigError where there is none."""
        return patch.get(self._stored.tree, pointer)

    def watch(
        self, select: Callable[[Settings], T], apply: Callable[[T], None]
    ) -> Callable[[], None]:
        """Call apply with the selected part, now and whenever it differs; the result ends that."""
        watch = _Watch(select, apply)
        self._watches.append(watch)
        apply(select(self.current))

        def unsubscribe() -> None:
            if watch in self._watches:
                self._watches.remove(watch)

        return unsubscribe

    def export(self, *, secrets: bool = False) -> bytes:
        """The settings as a file for another device; with the secrets in clear only if asked."""
        stored = self._stored
        tree = check.revealed(stored.settings) if secrets else stored.tree
        return text(tree, stored.revision)

    # --- changing ------------------------------------------------------------------------------

    def prepare(self, wanted: object, *, revision: int | None = None) -> Prepared:
        """Merge a patch (RFC 7396) into the settings; it may hold typed settings, or be a `Plan`.

        Raises ConfigError with all problems, StaleRevision if `revision` is not the newest.
        """
        self._insist(revision)
        if isinstance(wanted, Plan):
            if wanted.prepared.before is self._newest:
                self._ahead.append(wanted.prepared)
                return wanted.prepared
            wanted = wanted.patch
        return self._prepare(_merging(wanted))

    def plan(self, wanted: object, *, revision: int | None = None) -> Callable[[], Plan]:
        """What works out, in any thread, where a patch leads that takes the loop too long.

        Raises StaleRevision, and the result ConfigError.
        """
        self._insist(revision)
        before = self._newest
        return lambda: Plan(wanted, self._work_out(before, _merging(wanted)))

    def prepare_put(self, pointer: str, value: object) -> Prepared:
        """Put one value in its place ("/sip/port")."""
        return self._prepare(lambda tree: patch.put(tree, pointer, check.plain(value)))

    def prepare_import(self, data: bytes) -> Prepared:
        """Replace all settings by exported ones; the serial number stays this device's own."""
        imported = parse(data, "the file").get("settings")
        if not isinstance(imported, dict):
            raise ConfigError([Problem("/settings", "must be an object")])
        serial = {"device": {"serial": self._newest.settings.device.serial}}
        return self._prepare(lambda _: patch.merge(imported, serial))

    def write(self, prepared: Prepared) -> None:
        """Store the oldest prepared change; blocks, and may be called in any thread.

        Raises OSError, after which the change has to be given up.
        """
        before, after = prepared.before, prepared.after
        if after.revision == before.revision:
            return
        old, new = before.secrets, after.secrets
        if not new.keys() <= old.keys():
            _put(self._files, SECRETS, secrets_text(old | new), mode=0o600)
        _put(self._files, SETTINGS, text(after.tree, after.revision), mode=0o644)
        if new.keys() != old.keys():
            try:
                _put(self._files, SECRETS, secrets_text(new), mode=0o600)
            except OSError as error:
                logger.warning("%s still holds secrets that are out of use: %s", SECRETS, error)

    def commit(self, prepared: Prepared) -> Change:
        """Let everybody see the oldest prepared change, which has been written."""
        assert prepared is self._ahead[0], "changes are committed in the order of preparation"
        self._ahead.popleft()
        self._stored = prepared.after
        if prepared.change.paths:
            self._tell(prepared.change)
        return prepared.change

    def give_up(self) -> None:
        """Forget all changes that are prepared and not committed."""
        self._ahead.clear()

    def change_now(self, wanted: object, *, revision: int | None = None) -> Change:
        """Prepare, write and commit in one go: for start-up and the command line."""
        return self.carry_out(self.prepare(wanted, revision=revision))

    def carry_out(self, prepared: Prepared) -> Change:
        """Write and commit in one go."""
        try:
            self.write(prepared)
        except OSError:
            self.give_up()
            raise
        return self.commit(prepared)

    @property
    def _newest(self) -> Stored:
        return self._ahead[-1].after if self._ahead else self._stored

    def _insist(self, revision: int | None) -> None:
        if revision is not None and revision != self._newest.revision:
            words = f"the settings are at revision {self._newest.revision} by now"
            raise StaleRevision([Problem("", words)])

    def _prepare(self, edit: Callable[[Any], Any]) -> Prepared:
        prepared = self._work_out(self._newest, edit)
        self._ahead.append(prepared)
        return prepared

    def _work_out(self, before: Stored, edit: Callable[[Any], Any]) -> Prepared:
        """Raises ConfigError."""
        try:
            after = follow(before, edit(before.tree), lambda: self._random_bytes(8).hex())
        except RecursionError:
            raise ConfigError([Problem("", "is nested too deeply")]) from None
        except UnicodeEncodeError:
            raise ConfigError([Problem("", "has half a character (a lone surrogate)")]) from None
        paths = patch.differences(before.tree, after.tree)
        change = Change(before.settings, after.settings, after.revision, paths)
        return Prepared(change, before, after)

    def _tell(self, change: Change) -> None:
        """Call the watches; a change that one of them makes is told after this one."""
        self._news.append(change)
        if len(self._news) > 1:
            return
        while self._news:
            change = self._news[0]
            for watch in tuple(self._watches):
                wanted = watch.select(change.after)
                if wanted != watch.select(change.before):
                    try:
                        watch.apply(wanted)
                    except Exception:
                        logger.exception("a change of the settings was not taken up everywhere")
            self._news.popleft()


def _merging(wanted: object) -> Callable[[Any], Any]:
    return lambda tree: patch.merge(tree, check.plain(wanted))


def _put(files: Files, name: str, data: bytes, *, mode: int) -> None:
    beside = name + ".new"
    files.write(beside, data, mode=mode)
    files.replace(name, beside)
