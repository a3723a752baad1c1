"""The certificate of our own making: whom it is for, how long it stays, and where it is kept."""

import asyncio
import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sipstrobe.io.addresses import own_addresses
from sipstrobe.io.identity import FILE, LIFE, RENEWED_BEFORE, fingerprint, own_identity
from sipstrobe.io.x509 import is_for, names_in
from sipstrobe.services.certificates import Certificates
from sipstrobe.sip.settings import TlsSettings

DAY = datetime.timedelta(days=1)
START = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)


class Wall:
    """A calendar that a test turns."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime.datetime:
        return self.now


def kept(folder: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / FILE).read_bytes())


def public_key(certificate: x509.Certificate) -> bytes:
    key = certificate.public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


async def start(folder: Path | None, wall: Wall) -> None:
    """As at the first connection after a start of the device."""
    await Certificates(folder, wall).server()


async def test_it_is_for_our_name_and_all_our_addresses(tmp_path: Path) -> None:
    await start(tmp_path, Wall())
    names = names_in(kept(tmp_path))

    assert "127.0.0.1" in names
    assert all(is_for(address, names) for address in own_addresses())
    assert kept(tmp_path).not_valid_before_utc < START < kept(tmp_path).not_valid_after_utc


async def test_it_stays_the_same_until_shortly_before_its_end_and_the_key_even_then(
    tmp_path: Path,
) -> None:
    """Whoever has accepted it in a browser does so once."""
    wall = Wall()
    await start(tmp_path, wall)
    first = kept(tmp_path)
    wall.now = first.not_valid_after_utc - RENEWED_BEFORE - DAY
    await start(tmp_path, wall)
    assert kept(tmp_path) == first

    wall.now += 2 * DAY
    await start(tmp_path, wall)
    assert kept(tmp_path) != first
    assert public_key(kept(tmp_path)) == public_key(first)


async def test_sip_shows_the_next_one_before_the_end_while_it_runs(tmp_path: Path) -> None:
    """A device that runs for years would show one that has expired."""
    wall = Wall()
    certificates = Certificates(tmp_path, wall)
    before = await certificates.server()
    first = kept(tmp_path)
    wall.now = first.not_valid_after_utc - RENEWED_BEFORE - DAY
    assert await certificates.server() is before

    wall.now += 2 * DAY
    after = await certificates.server()

    assert after is not before
    assert kept(tmp_path).not_valid_after_utc == wall.now + LIFE
    assert public_key(kept(tmp_path)) == public_key(first)
    assert await certificates.server() is after


async def test_one_that_was_made_by_a_clock_ahead_gives_way_when_that_is_set_right(
    tmp_path: Path,
) -> None:
    """Nobody takes one that is not valid yet; a small correction is no reason."""
    wall = Wall()
    certificates = Certificates(tmp_path, wall)
    before = await certificates.server()
    wall.now = START - datetime.timedelta(hours=23)
    assert await certificates.server() is before

    wall.now = START - 5 * LIFE
    await certificates.server()

    assert kept(tmp_path).not_valid_before_utc < wall.now < kept(tmp_path).not_valid_after_utc


def test_another_address_needs_another_one(tmp_path: Path) -> None:
    made = own_identity(tmp_path, ["siren.example", "192.0.2.7"], START)

    again = own_identity(tmp_path, ["Siren.example", "192.0.2.7"], START)
    fewer = own_identity(tmp_path, ["192.0.2.7"], START)
    other = own_identity(tmp_path, ["siren.example", "192.0.2.8"], START)

    assert fingerprint(again.certificate) == fingerprint(made.certificate)
    assert fingerprint(fewer.certificate) == fingerprint(made.certificate)
    assert fingerprint(other.certificate) != fingerprint(made.certificate)
    assert names_in(kept(tmp_path)) == ("siren.example", "192.0.2.8")


def test_one_that_an_earlier_version_has_made_gives_its_key(tmp_path: Path) -> None:
    own_identity(tmp_path, ["siren.example"], START)
    before = kept(tmp_path)
    text = (tmp_path / FILE).read_text()
    (tmp_path / FILE).unlink()
    (tmp_path / "sip-certificate.pem").write_text(text.partition("\n# sha256")[2][66:])

    own_identity(tmp_path, ["siren.example"], START)

    assert public_key(kept(tmp_path)) == public_key(before)


def test_one_that_is_damaged_below_its_head_is_made_anew(tmp_path: Path) -> None:
    made = own_identity(tmp_path, ["siren.example"], START)
    text = (tmp_path / FILE).read_text()
    (tmp_path / FILE).write_text(text.replace("A", "B"))

    again = own_identity(tmp_path, ["siren.example"], START)

    assert fingerprint(again.certificate) != fingerprint(made.certificate)


def test_the_fingerprint_is_what_browsers_show(tmp_path: Path) -> None:
    made = own_identity(tmp_path, ["siren.example"], START)
    said = kept(tmp_path).fingerprint(hashes.SHA256())

    assert fingerprint(made.certificate) == ":".join(f"{byte:02X}" for byte in said)
    assert kept(tmp_path).not_valid_after_utc == START + LIFE


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\xff\xfe", b"-----BEGIN CERTIFICATE-----"])
async def test_a_file_that_is_damaged_is_made_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    await start(tmp_path, Wall())
    assert names_in(kept(tmp_path))


async def test_nobody_else_can_read_it_and_a_folder_that_cannot_be_written_is_no_obstacle(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await start(tmp_path, Wall())
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    assert "PRIVATE" not in caplog.text

    await start(tmp_path / "none", Wall())
    assert "cannot be kept" in caplog.text
    await start(None, Wall())


async def test_many_who_come_at_once_make_it_once(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path, Wall())
    made = await asyncio.gather(*(certificates.server() for _ in range(20)))
    assert len(set(map(id, made))) == 1


async def test_settings_that_change_while_it_is_made_count(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path, Wall())
    making = asyncio.ensure_future(certificates.server())
    await asyncio.sleep(0)
    assert certificates.apply(TlsSettings(versions="1.3"))
    assert (await making).in_words == "1.3"
    assert not certificates.apply(TlsSettings(versions="1.3"))
