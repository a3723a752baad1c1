"""The gallery can be listened to and looked at with any player and any browser."""

import wave
import zlib
from pathlib import Path
from struct import unpack
from xml.etree import ElementTree

import numpy as np
import pytest

from sipstrobe.cli.gallery import write_gallery
from sipstrobe.cli.pictures import HEAT, png_image, spectrogram
from sipstrobe.lightsiren.catalogue import PATTERNS
from sipstrobe.lightsiren.sounds import SOUNDS


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gallery")
    written = write_gallery(folder)
    assert sorted(written) == sorted(path for path in folder.rglob("*") if path.is_file())
    return folder


@pytest.mark.no_cover
def test_every_sound_is_a_wav_file_of_whole_rounds(gallery: Path) -> None:
    recordings = sorted((gallery / "sounds").glob("*.wav"))

    assert len(recordings) == 29
    for name, sound in SOUNDS.items():
        path = gallery / "sounds" / f"{name.lower().replace(': ', '-').replace(' ', '-')}.wav"
        with wave.open(str(path)) as file:
            assert file.getparams()[:3] == (1, 2, 48_000)
            assert file.getnframes() >= 4 * 48_000
            assert file.getnframes() % sound.period_samples == 0
            samples = np.frombuffer(file.readframes(sound.period_samples), "<i2")
        assert np.abs(samples / 32767 - sound.render()).max() <= 0.51 / 32767


def test_every_picture_is_well_formed_and_its_colours_are_those_of_the_light(gallery: Path) -> None:
    pictures = sorted(gallery.rglob("*.svg"))

    assert len(pictures) >= 29 + len(PATTERNS)
    for picture in pictures:
        assert ElementTree.parse(picture).getroot().tag.endswith("svg")
    assert "#ff0000" in (gallery / "lights" / "steady.svg").read_text()
    assert "#ff0000" not in (gallery / "lights" / "off.svg").read_text()


def test_the_page_shows_and_plays_everything(gallery: Path) -> None:
    page = (gallery / "index.html").read_text()

    for path in (*gallery.rglob("*.wav"), *gallery.rglob("*.svg")):
        assert f'src="{path.relative_to(gallery)}"' in page


def test_a_png_holds_its_pixels() -> None:
    pixels = np.arange(60, dtype=np.uint8).reshape(5, 12)

    data = png_image(pixels, HEAT)

    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert unpack(">II", data[16:24]) == (12, 5)
    begin = data.index(b"IDAT") + 4
    (size,) = unpack(">I", data[begin - 8 : begin - 4])
    lines = np.frombuffer(zlib.decompress(data[begin : begin + size]), np.uint8).reshape(5, 13)
    assert np.array_equal(lines[:, 1:], pixels)


def test_a_tone_is_one_bright_line_in_its_spectrogram() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(48_000) / 48_000).astype(np.float32)

    image = spectrogram(tone, 50, 100)

    brightest = image.argmax(axis=0)
    assert set(brightest.tolist()) <= {53, 54, 55}  # log(16 kHz / 1 kHz) / log(160) of the way down
    assert image.max() == 255
    assert (image[:40] == 0).all()
