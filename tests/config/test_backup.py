"""What people have set goes into one file and comes back, whole or not at all: OPS-02, OPS-03."""

import hashlib
import io
import json
import random
import struct
import tracemalloc
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sipstrobe.audio.clip import Clip
from sipstrobe.config import backup, overhaul
from sipstrobe.config.backup import read_backup, write_backup
from sipstrobe.config.defaults import restore_defaults, restore_factory
from sipstrobe.config.state_files import unknown
from sipstrobe.config.store import Store
from sipstrobe.config.users import Role, make_user
from sipstrobe.errors import ConfigError
from sipstrobe.secret import Secret

MADE = datetime(2030, 1, 1, tzinfo=UTC)
SOUND = b"RIFF" + bytes(5000)
CLIP = Clip(
    number=50,
    name="Bell",
    file=hashlib.sha256(SOUND).hexdigest() + ".wav",
    format="wav",
    size=len(SOUND),
    seconds=1.0,
    sample_rate=48000,
    channels=1,
    loudness=-23.0,
    peak_db=-3.0,
)
PASSWORD = Secret("pass phrase ü")
NONE = Secret("")
CHANGE = {
    "device": {"name": "Hall"},
    "web": {"users": [make_user("ada", Role.ADMINISTRATOR, "correct horse")], "port": 8081},
    "sip": {"enabled": True, "port": 5070},
    "recipients": [{"kind": "http", "name": "ops", "url": "http://x.example", "password": "tulip"}],
    "clips": [CLIP],
}


@pytest.fixture
def device(tmp_path: Path) -> Store:
    return make(tmp_path / "one")


def make(folder: Path, change: object = CHANGE) -> Store:
    store = Store.open(folder)
    (folder / "clips").mkdir()
    (folder / "clips" / CLIP.file).write_bytes(SOUND)
    (folder / "speaker.json").write_bytes(b'{"calibrated": true}')
    (folder / "certificate.pem").write_text("a certificate, and its key: orchid")
    store.change_now(change)
    return store


def backed_up(folder: Path, store: Store, password: Secret = NONE) -> bytes:
    to = io.BytesIO()
    write_backup(to, folder, store.stored, password, MADE)
    return to.getvalue()


def restored(data: bytes, folder: Path, password: Secret = NONE) -> tuple[Store, tuple[str, ...]]:
    """Another device that has taken it over."""
    store = Store.open(folder)
    (folder / "backup.zip").write_bytes(data)
    (folder / "beside").mkdir()
    try:
        found = read_backup(folder / "backup.zip", folder / "beside", store.stored, password)
        overhaul.decide(folder, put=found.put, gone=["clips"], words="a backup")
    finally:
        store.close()
    return Store.open(folder), found.missing


def test_all_comes_back_on_another_device_with_its_secrets(device: Store, tmp_path: Path) -> None:
    data = backed_up(tmp_path / "one", device, PASSWORD)
    other = Store.open(tmp_path / "two")
    serial = other.current.device.serial
    other.close()

    back, missing = restored(data, tmp_path / "two", PASSWORD)

    assert missing == ()
    assert back.current.device.name == "Hall"
    assert back.current.device.serial == serial
    assert back.current.web.users[0].proves("correct horse")
    assert back.export(secrets=True).count(b"tulip") == 1
    assert (tmp_path / "two" / "clips" / CLIP.file).read_bytes() == SOUND
    assert (tmp_path / "two" / "speaker.json").read_bytes() == b'{"calibrated": true}'
    assert "orchid" in (tmp_path / "two" / "certificate.pem").read_text()
    back.close()


@pytest.mark.parametrize("password", [NONE, PASSWORD])
def test_no_secret_can_be_read_in_it(device: Store, tmp_path: Path, password: Secret) -> None:
    data = backed_up(tmp_path / "one", device, password)
    hidden = [*device.stored.secrets.values(), "orchid", "tulip"]
    assert len(hidden) > 3
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            member = archive.read(name)
            assert not [value for value in hidden if value.encode() in member], name


def test_without_secrets_the_device_keeps_its_own_and_says_what_it_has_not(
    device: Store, tmp_path: Path
) -> None:
    data = backed_up(tmp_path / "one", device)
    other = make(tmp_path / "two", {"web": {"users": [make_user("bob", Role.ADMINISTRATOR, "x")]}})
    other.close()
    for left in (tmp_path / "two" / "clips").iterdir():
        left.unlink()

    back, missing = restored(data, tmp_path / "two")

    assert [user.name for user in back.current.web.users] == ["bob"]
    assert back.current.web.port == 8081
    assert missing == ("/recipients/0/password",)
    back.close()

    device.close()
    again, missing = restored(data, tmp_path / "one")
    assert missing == ()
    assert again.export(secrets=True).count(b"tulip") == 1
    again.close()


@pytest.mark.parametrize(
    ("password", "words"), [(NONE, "give the password"), (Secret("guess"), "is wrong")]
)
def test_secrets_need_their_password(
    device: Store, tmp_path: Path, password: Secret, words: str
) -> None:
    data = backed_up(tmp_path / "one", device, PASSWORD)
    with pytest.raises(ConfigError, match=words) as refused:
        restored(data, tmp_path / "two", password)
    assert refused.value.problems[0].path == "/password"


def rewritten(data: bytes, change: dict[str, bytes | None]) -> bytes:
    """The same archive with other members; None: without it."""
    to = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(to, "w") as new:
        for name in old.namelist():
            if (content := change.get(name, old.read(name))) is not None:
                new.writestr(name, content)
        for name in change.keys() - set(old.namelist()):
            new.writestr(name, change[name] or b"")
    return to.getvalue()


def manifest_of(data: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return json.loads(archive.read("manifest.json"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"settings.json": b"{}"}, "not as it was written"),
        ({f"clips/{CLIP.file}": b"other"}, "not as it was written"),
        ({f"clips/{CLIP.file}": None}, "not whole"),
        ({"manifest.json": None}, "no backup of such a device"),
        ({"manifest.json": b"[]"}, "no backup of such a device"),
        ({"../evil": b"x"}, "not whole"),
        ({"secrets.bin": b"x"}, "not whole"),
    ],
)
def test_what_is_not_whole_changes_nothing(
    device: Store, tmp_path: Path, change: dict[str, bytes | None], words: str
) -> None:
    data = backed_up(tmp_path / "one", device)
    if "secrets.bin" in change:
        change = {"secrets.bin": None}
        data = backed_up(tmp_path / "one", device, PASSWORD)
    with pytest.raises(ConfigError, match=words):
        restored(rewritten(data, change), tmp_path / "two", PASSWORD)

    other = Store.open(tmp_path / "two")
    assert other.current.device.name == "sipstrobe"
    other.close()


def test_a_member_that_belongs_to_nothing_is_refused(device: Store, tmp_path: Path) -> None:
    """Nothing gets out of the folder, nor in the place of what is ours."""
    data = backed_up(tmp_path / "one", device)
    manifest = manifest_of(data)
    manifest["members"]["../evil"] = hashlib.sha256(b"x").hexdigest()
    evil = rewritten(data, {"../evil": b"x", "manifest.json": json.dumps(manifest).encode()})
    with pytest.raises(ConfigError, match="belongs to nothing"):
        restored(evil, tmp_path / "two")
    assert not (tmp_path / "evil").exists()


def test_one_without_settings_is_refused(device: Store, tmp_path: Path) -> None:
    data = backed_up(tmp_path / "one", device)
    manifest = manifest_of(data)
    manifest["members"] = {}
    empty = io.BytesIO()
    with zipfile.ZipFile(empty, "w") as archive:
        archive.writestr("manifest.json", json.dumps(manifest))
    with pytest.raises(ConfigError, match="not whole"):
        restored(empty.getvalue(), tmp_path / "two")


def test_one_whose_directory_is_shifted_is_refused(device: Store, tmp_path: Path) -> None:
    """By its own directory it begins before the file does."""
    data = bytearray(backed_up(tmp_path / "one", device))
    end = data.rindex(b"PK\5\6")
    [at] = struct.unpack_from("<L", data, end + 16)  # where the directory is: APPNOTE.TXT 4.3.16
    struct.pack_into("<L", data, end + 16, at + len(data))
    with pytest.raises(ConfigError, match="damaged"):
        restored(bytes(data), tmp_path / "two")


def test_the_manifest_cannot_be_exchanged_where_secrets_are_in_it(
    device: Store, tmp_path: Path
) -> None:
    data = backed_up(tmp_path / "one", device, PASSWORD)
    manifest = manifest_of(data) | {"name": "Cellar"}
    other = rewritten(data, {"manifest.json": json.dumps(manifest).encode()})
    with pytest.raises(ConfigError, match="has been changed"):
        restored(other, tmp_path / "two", PASSWORD)


def test_settings_that_cannot_be_are_told_with_all_that_is_wrong(
    device: Store, tmp_path: Path
) -> None:
    data = backed_up(tmp_path / "one", device)
    tree = json.loads(zipfile.ZipFile(io.BytesIO(data)).read("settings.json"))
    tree["settings"]["sip"]["port"] = 99999
    tree["settings"]["device"]["name"] = ""
    changed = json.dumps(tree).encode()
    manifest = manifest_of(data)
    manifest["members"]["settings.json"] = hashlib.sha256(changed).hexdigest()
    members: dict[str, bytes | None] = {
        "settings.json": changed,
        "manifest.json": json.dumps(manifest).encode(),
    }
    with pytest.raises(ConfigError) as refused:
        restored(rewritten(data, members), tmp_path / "two")
    assert {p.path for p in refused.value.problems} == {"/sip/port", "/device/name"}


def test_one_of_an_older_version_gets_the_defaults_of_what_is_new(
    device: Store, tmp_path: Path
) -> None:
    data = backed_up(tmp_path / "one", device)
    tree = json.loads(zipfile.ZipFile(io.BytesIO(data)).read("settings.json"))
    for section in ("home", "ports", "certificates", "lights"):
        del tree["settings"][section]
    del tree["settings"]["web"]["mode"]
    changed = json.dumps(tree).encode()
    manifest = manifest_of(data)
    manifest["members"]["settings.json"] = hashlib.sha256(changed).hexdigest()
    members: dict[str, bytes | None] = {
        "settings.json": changed,
        "manifest.json": json.dumps(manifest).encode(),
    }
    back, _ = restored(rewritten(data, members), tmp_path / "two")
    assert back.current.device.name == "Hall"
    back.close()


def test_one_of_a_newer_version_is_refused_in_words(device: Store, tmp_path: Path) -> None:
    data = backed_up(tmp_path / "one", device)
    manifest = manifest_of(data) | {"version": 2, "program": "9.9"}
    newer = rewritten(data, {"manifest.json": json.dumps(manifest).encode()})
    with pytest.raises(ConfigError, match=r"sipstrobe 9\.9, which is newer"):
        restored(newer, tmp_path / "two")


def test_whatever_is_sent_is_refused_in_words(device: Store, tmp_path: Path) -> None:
    """Bytes from outside raise ConfigError and nothing else."""
    whole = backed_up(tmp_path / "one", device)
    file, chance, refused = tmp_path / "b.zip", random.Random(7), 0
    for number in range(150):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            # Half of it in the directory at the end, where most of the meaning is.
            data[chance.choice([chance.randrange(len(data)), -chance.randint(1, 500)])] ^= 1 << (
                chance.randrange(8)
            )
        file.write_bytes(data[: chance.choice([len(data), chance.randrange(len(data))])])
        beside = tmp_path / f"beside{number}"
        beside.mkdir()
        try:
            read_backup(file, beside, device.stored, NONE)
        except ConfigError:
            refused += 1
    assert refused > 100


def test_how_much_is_taken_has_a_bound(tmp_path: Path) -> None:
    to = io.BytesIO()
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", b" " * (backup.MANIFEST_MAX + 1))
    with pytest.raises(ConfigError, match="too long"):
        restored(to.getvalue(), tmp_path / "two")


def test_no_more_is_unpacked_than_there_may_be_whatever_a_member_says_of_itself(
    device: Store, tmp_path: Path
) -> None:
    """A megabyte can become a gigabyte: of one that says it is short, that is never made."""
    to = io.BytesIO()
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", bytes(32 << 20))
    short = to.getvalue().replace((32 << 20).to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    tracemalloc.start()
    with pytest.raises(ConfigError, match="damaged"):
        read_backup(io.BytesIO(short), tmp_path, device.stored, NONE)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert most < 8 << 20


@pytest.mark.parametrize("way", ["many", "larger", "commented"])
def test_how_many_members_there_are_is_known_before_they_are_read(
    device: Store, tmp_path: Path, way: str
) -> None:
    """Each of a million takes half a kilobyte of memory, and none needs to be there."""
    data = backed_up(tmp_path / "one", device)
    end = data[-22:]
    changed = {
        "many": data[:-22] + end[:12] + (backup.DIRECTORY_MAX + 1).to_bytes(4, "little") + end[16:],
        "larger": data[:-22] + b"PK\6\7" + bytes(16) + end,
        "commented": data[:-2] + b"\4\0" + b"more",
    }[way]

    with pytest.raises(ConfigError, match=r"more than a backup may|does not end"):
        restored(changed, tmp_path / "two")


# --- the ways back ------------------------------------------------------------------------------


def test_a_restore_keeps_what_is_needed_to_reach_the_device(device: Store, tmp_path: Path) -> None:
    """OPS-02: almost all to default."""
    folder = tmp_path / "one"
    serial = device.current.device.serial
    (folder / "recordings").mkdir()
    (folder / "recordings" / "x.wav").write_bytes(b"x")
    restore_defaults(folder, device.stored)
    device.close()

    after = Store.open(folder)
    assert (after.current.web.port, after.current.device.serial) == (8081, serial)
    assert (after.current.web.users, after.current.clips, after.current.recipients) == ((), (), ())
    assert after.current.device.name == "sipstrobe"
    assert not after.current.sip.enabled
    assert after.current.maintenance.active
    assert not (folder / "clips").exists()
    assert (folder / "recordings" / "x.wav").exists()
    assert (folder / "certificate.pem").exists()
    assert after.stored.secrets == {}
    after.close()


def test_a_factory_default_leaves_nothing_but_the_serial_number(
    device: Store, tmp_path: Path
) -> None:
    """OPS-03, MNT-01; what is not ours is not touched."""
    folder = tmp_path / "one"
    serial = device.current.device.serial
    for name in ("calls.db", "calls.db-wal", "system.log", "system.log.1", "outbox.broken"):
        (folder / name).write_bytes(b"x")
    (folder / "letter.txt").write_text("not ours")
    restore_factory(folder, serial)
    device.close()

    after = Store.open(folder)
    assert after.current.device.serial == serial
    assert (after.revision, after.current.web.users, after.current.web.port) == (1, (), 8080)
    assert after.current.maintenance.active
    assert after.current.rules  # those of a new device
    assert sorted(path.name for path in folder.iterdir()) == [
        "letter.txt",
        "secrets.json",
        "settings.json",
    ]
    assert unknown(folder) == ["letter.txt"]
    after.close()
