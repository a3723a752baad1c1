"""Settings on disk: read, changed as a whole, watched; and what is wrong with them, told."""

import json
import logging
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sipstrobe.config.demo import demo
from sipstrobe.config.files import Memory
from sipstrobe.config.settings import Settings
from sipstrobe.config.store import Store
from sipstrobe.config.users import Role, make_user
from sipstrobe.errors import ConfigError, StaleRevision


def problems_of(folder: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        Store.open(folder)
    return str(caught.value)


def test_a_new_folder_gets_a_new_device(tmp_path: Path) -> None:
    with_serial = Store.open(tmp_path / "state", lambda n: bytes(range(0xA0, 0xA0 + n)))

    assert with_serial.current.device.serial == "A0A1A2A3A4A5"
    assert with_serial.revision == 1
    with_serial.close()
    assert Store.open(tmp_path / "state").current == with_serial.current  # drawn once


def test_a_change_is_there_after_a_restart(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    change = store.change_now({"sip": {"port": 5070}})
    assert (change.before.sip.port, change.after.sip.port) == (5060, 5070)
    assert (change.revision, change.paths) == (2, ("/sip/port",))
    store.close()

    again = Store.open(tmp_path)
    assert (again.current.sip.port, again.revision) == (5070, 2)


def test_a_change_that_changes_nothing_is_no_change(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    before = (tmp_path / "settings.json").stat().st_mtime_ns

    change = store.change_now({"sip": {"port": 5060}})

    assert (change.paths, store.revision) == ((), 1)
    assert (tmp_path / "settings.json").stat().st_mtime_ns == before


def test_a_wrong_change_leaves_everything_as_it_was() -> None:
    store = Store.memory()
    before = store.current

    with pytest.raises(ConfigError):
        store.change_now({"sip": {"port": 5070}, "web": {"port": 0}})

    assert store.current is before
    assert store.revision == 1


def test_null_brings_back_the_default() -> None:
    """RFC 7396: null removes; what is not there has its default."""
    store = Store.memory()
    store.change_now({"sip": {"port": 5070, "enabled": True}})
    store.change_now({"sip": {"port": None}})

    assert (store.current.sip.port, store.current.sip.enabled) == (5060, True)


def test_a_stale_revision_is_refused() -> None:
    store = Store.memory()
    seen = store.revision
    store.change_now({"sip": {"port": 5070}}, revision=seen)

    with pytest.raises(StaleRevision, match="revision 2"):
        store.change_now({"sip": {"port": 5080}}, revision=seen)
    assert store.current.sip.port == 5070


def test_values_are_read_and_put_by_pointer() -> None:
    store = Store.memory()
    store.carry_out(store.prepare_put("/sip/accounts/0/name", "Hall"))

    assert store.get("/sip/accounts/0/name") == "Hall"
    with pytest.raises(ConfigError, match="/sip/prot"):
        store.prepare_put("/sip/prot", 1)


def test_the_settings_are_fit_for_git(tmp_path: Path) -> None:
    """One value a line, always in the same order, and a line at the end."""
    store = Store.open(tmp_path)
    store.change_now({"web": {"port": 8081}, "sip": {"port": 5070}})
    first = (tmp_path / "settings.json").read_text()
    store.change_now({"sip": {"port": 5071}})
    second = (tmp_path / "settings.json").read_text()

    changed = [b for a, b in zip(first.splitlines(), second.splitlines(), strict=True) if a != b]
    assert changed == ['  "revision": 3,', '      "port": 5071,']
    assert first.endswith("}\n")


# --- watching ----------------------------------------------------------------------------------


def test_a_watcher_is_called_at_once_and_when_its_part_differs() -> None:
    store = Store.memory()
    seen: list[int] = []
    stop = store.watch(lambda s: s.sip.port, seen.append)

    store.change_now({"web": {"port": 8081}})
    store.change_now({"sip": {"port": 5070}})
    stop()
    store.change_now({"sip": {"port": 5071}})

    assert seen == [5060, 5070]


def test_a_watcher_that_fails_hurts_no_other(caplog: pytest.LogCaptureFixture) -> None:
    store = Store.memory()
    seen: list[int] = []

    def fail(port: int) -> None:
        if port != 5060:
            raise RuntimeError("port taken")

    store.watch(lambda s: s.sip.port, fail)
    store.watch(lambda s: s.sip.port, seen.append)
    with caplog.at_level(logging.CRITICAL, logger="sipstrobe.config.store"):
        store.change_now({"sip": {"port": 5070}})

    assert seen == [5060, 5070]


def test_a_change_made_by_a_watcher_is_told_after_the_one_it_saw() -> None:
    store = Store.memory()
    told: list[tuple[str, int]] = []

    def follow(port: int) -> None:
        told.append(("first", port))
        if port == 5070:
            store.change_now({"sip": {"port": 5071}})

    store.watch(lambda s: s.sip.port, follow)
    store.watch(lambda s: s.sip.port, lambda port: told.append(("second", port)))
    store.change_now({"sip": {"port": 5070}})

    assert told[2:] == [("first", 5070), ("second", 5070), ("first", 5071), ("second", 5071)]


# --- in three steps ----------------------------------------------------------------------------


def test_nothing_is_seen_before_it_is_stored() -> None:
    store = Store.memory()
    prepared = store.prepare({"sip": {"port": 5070}})
    assert store.current.sip.port == 5060
    store.write(prepared)
    assert store.current.sip.port == 5060
    store.commit(prepared)
    assert store.current.sip.port == 5070


def test_changes_prepared_ahead_build_on_one_another() -> None:
    store = Store.memory()
    one = store.prepare({"sip": {"port": 5070}})
    two = store.prepare({"web": {"port": 8081}})
    with pytest.raises(StaleRevision):
        store.prepare({"web": {"port": 8082}}, revision=store.revision)

    for prepared in (one, two):
        store.carry_out(prepared)

    assert (store.current.sip.port, store.current.web.port, store.revision) == (5070, 8081, 3)


def test_what_was_planned_is_what_comes_of_it() -> None:
    store = Store.memory()
    plan = store.plan({"sip": {"port": 5070}})()
    assert store.current.sip.port == 5060

    assert store.prepare(plan, revision=1) is plan.prepared
    store.carry_out(plan.prepared)

    assert (store.current.sip.port, store.revision) == (5070, 2)


def test_a_plan_takes_in_what_has_changed_since() -> None:
    store = Store.memory()
    plan = store.plan({"sip": {"port": 5070}})()
    stale = store.plan({"sip": {"port": 5071}}, revision=1)()
    store.change_now({"sip": {"max_calls": 7}})

    with pytest.raises(StaleRevision):
        store.prepare(stale, revision=1)
    store.carry_out(store.prepare(plan))

    assert (store.current.sip.port, store.current.sip.max_calls) == (5070, 7)


def test_what_cannot_be_is_known_when_it_is_planned() -> None:
    store = Store.memory()
    work_out = store.plan({"sip": {"port": 80}})
    with pytest.raises(ConfigError):
        work_out()
    with pytest.raises(StaleRevision):
        store.plan({}, revision=2)


def test_what_could_not_be_stored_is_forgotten_with_all_that_builds_on_it() -> None:
    class Full(Memory):
        def write(self, name: str, data: bytes, *, mode: int) -> None:
            if self.contents:
                raise OSError("no space left on device")
            super().write(name, data, mode=mode)

    store = Store.load(Full(), lambda n: bytes(n))
    one = store.prepare({"sip": {"port": 5070}})
    store.prepare({"web": {"port": 8081}})
    with pytest.raises(OSError, match="no space"):
        store.carry_out(one)

    assert store.current.sip.port == 5060
    assert store.prepare({}).change.after == store.current


# --- secrets -----------------------------------------------------------------------------------


def test_secrets_are_kept_apart(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Never in settings.json, an export, a repr or a log; on disk for the owner alone."""
    caplog.set_level(logging.DEBUG)
    store = Store.open(tmp_path)
    root = make_user("root", Role.ADMINISTRATOR, "secret")
    change = store.change_now({"web": {"users": [root]}})
    hidden = root.ha1_md5.reveal()

    shown = (tmp_path / "settings.json").read_text()
    for text in (shown, repr(change), repr(store.tree), store.export().decode(), caplog.text):
        assert hidden not in text
    assert hidden in (tmp_path / "secrets.json").read_text()
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600
    assert hidden in store.export(secrets=True).decode()
    store.close()
    assert Store.open(tmp_path).current.web.users == (root,)


def test_a_problem_does_not_show_a_secret() -> None:
    user = {"name": "?", "role": "king", "ha1_md5": "hunter2", "ha1_sha256": ["hunter2"]}
    with pytest.raises(ConfigError) as caught:
        Store.memory().prepare({"web": {"users": [user]}})

    assert "hunter2" not in str(caught.value)
    assert "/web/users/0/ha1_sha256: must be a text" in str(caught.value)


def test_secrets_out_of_use_are_removed_from_the_disk(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    store.change_now({"web": {"users": [make_user("root", Role.ADMINISTRATOR, "old")]}})
    old = store.current.web.users[0].ha1_md5.reveal()
    store.change_now({"web": {"users": [make_user("root", Role.ADMINISTRATOR, "new")]}})

    assert old not in (tmp_path / "secrets.json").read_text()
    assert json.loads((tmp_path / "secrets.json").read_text())["secrets"].keys() == {
        user[digest]["secret"]
        for user in store.get("/web/users")
        for digest in ("ha1_md5", "ha1_sha256")
    }


def test_what_is_shown_can_be_sent_back() -> None:
    """A client that reads users, changes one and sends all keeps their passwords."""
    store = Store.memory()
    store.change_now({"web": {"users": [make_user("root", Role.ADMINISTRATOR, "secret")]}})
    users = json.loads(json.dumps(store.get("/web/users")))
    users[0]["name"] = "admin"

    store.change_now({"web": {"users": users}})

    assert store.current.web.users[0].name == "admin"
    assert store.get("/web/users/0/ha1_md5") == users[0]["ha1_md5"]


def test_a_reference_to_no_secret_is_a_problem() -> None:
    user = {"name": "root", "role": "administrator"}
    lost = {**user, "ha1_md5": {"secret": "0123"}, "ha1_sha256": {"secret": "4567"}}
    with pytest.raises(ConfigError, match=r"/web/users/0/ha1_md5: .*enter it again"):
        Store.memory().prepare({"web": {"users": [lost]}})


# --- export and import -------------------------------------------------------------------------


def test_another_device_takes_over_what_one_exports() -> None:
    one, other = Store.memory(), Store.memory()
    serial = other.current.device.serial
    one.change_now(demo())
    one.change_now({"web": {"users": [make_user("root", Role.ADMINISTRATOR, "secret")]}})

    other.carry_out(other.prepare_import(one.export(secrets=True)))

    assert other.current.rules == one.current.rules
    assert other.current.web.users == one.current.web.users
    assert other.current.device.serial == serial  # which is its own


def test_an_import_is_taken_as_a_whole_or_not_at_all() -> None:
    store = Store.memory()
    for data in (b"", b"[]", b'{"format": 1}', b'{"format": 1, "settings": {"sip": {"port": 1}}}'):
        with pytest.raises(ConfigError):
            store.prepare_import(data)
    assert store.revision == 1


# --- what is wrong with the files --------------------------------------------------------------


def test_an_old_file_gets_the_defaults_of_new_fields(tmp_path: Path) -> None:
    old = {"format": 1, "revision": 7, "settings": {"sip": {"port": 5070}}}
    (tmp_path / "settings.json").write_text(json.dumps(old))

    store = Store.open(tmp_path)

    assert (store.current.sip.port, store.revision) == (5070, 7)
    assert store.current.web == Settings().web


def test_a_broken_file_is_named_with_its_line_and_left_alone(tmp_path: Path) -> None:
    """Never a silent return to the factory's settings."""
    Store.open(tmp_path).close()
    path = tmp_path / "settings.json"
    broken = path.read_text().replace('"port": 5060,', '"port": 5060')
    path.write_text(broken)

    line = broken.splitlines().index('      "port": 5060') + 2
    assert f"settings.json, line {line}, column" in problems_of(tmp_path)
    assert path.read_text() == broken


def test_a_wrong_value_is_named_with_its_line(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    path = tmp_path / "settings.json"
    wrong = path.read_text().replace('"port": 5060', '"port": 80')
    path.write_text(wrong)

    line = wrong.splitlines().index('      "port": 80,') + 1
    assert problems_of(tmp_path) == (
        f"/sip/port: must be a whole number from 1024 to 65535 (settings.json, line {line})"
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "settings.json, line 1"),
        (b"{\n\xff}", "settings.json, line 2: not UTF-8"),
        (b"[]", "settings.json, line 1: must be an object"),
        (b'{"format": 2}', "format 2 is not the format 1"),
        (b'{"format": 1, "revision": 0, "settings": {}}', "/revision"),
        (b'{"format": 1, "revision": 1}', "must be an object"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"format": ' + b"9" * 5000 + b"}", "settings.json: Exceeds the limit"),
        (b'{"format": 1, "revision": "\\ud800"}', "settings.json: half a character"),
    ],
)
def test_a_file_that_is_none_of_ours_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "settings.json").write_bytes(content)
    assert words in problems_of(tmp_path)


def test_settings_that_have_vanished_are_missed(tmp_path: Path) -> None:
    """Where there are secrets, there were settings: this is no new device."""
    store = Store.open(tmp_path)
    store.change_now({"web": {"users": [make_user("root", Role.ADMINISTRATOR, "secret")]}})
    store.close()
    (tmp_path / "settings.json").unlink()

    assert "settings.json is missing" in problems_of(tmp_path)


def test_secrets_that_have_vanished_are_missed(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    store.change_now({"web": {"users": [make_user("root", Role.ADMINISTRATOR, "secret")]}})
    store.close()
    (tmp_path / "secrets.json").unlink()

    assert "/web/users/0/ha1_md5: this secret is not stored here" in problems_of(tmp_path)


def test_a_folder_is_held_by_one_process(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    code = """
import sys
from pathlib import Path
from sipstrobe.config.files import Folder
Folder(Path(sys.argv[1])).hold()
"""
    hold = [sys.executable, "-c", code, str(tmp_path)]

    assert b"in use by a running device" in subprocess.run(hold, capture_output=True).stderr
    store.close()
    assert subprocess.run(hold).returncode == 0


@pytest.mark.parametrize("wanted", [{"device": {"name": "\ud800"}}, {"rules": [{"\udfff": 1}]}])
def test_half_a_character_is_a_problem(wanted: object) -> None:
    """JSON can say "\\ud800"; Unicode cannot."""
    with pytest.raises(ConfigError, match="half a character"):
        Store.memory().prepare(wanted)
