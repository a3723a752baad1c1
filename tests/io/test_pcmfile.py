"""Decoded sound is played from the disk."""

import os
from pathlib import Path

import numpy as np
import pytest

from sipstrobe.errors import MediaError
from sipstrobe.io.pcmfile import HEAD, PcmFile

COUNT = 4 * HEAD


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "sound.f32").write_bytes(np.arange(COUNT, dtype=np.float32).tobytes())
    return tmp_path / "sound.f32"


def test_any_part_can_be_read_in_any_order(path: Path) -> None:
    file = PcmFile(path, COUNT)

    for start, n in ((0, 960), (HEAD - 10, 20), (HEAD, 960), (COUNT - 5, 5), (3, 1), (0, COUNT)):
        assert file.read(start, n).tolist() == list(range(start, start + n))


def test_a_file_that_is_cut_short_while_it_plays_goes_on_in_silence(path: Path) -> None:
    file = PcmFile(path, COUNT)
    os.truncate(path, 4 * (HEAD + 100))

    assert file.read(HEAD + 98, 4).tolist() == [HEAD + 98, HEAD + 99, 0, 0]
    assert file.read(COUNT - 2, 2).tolist() == [0, 0]


def test_one_that_is_deleted_is_played_to_its_end(path: Path) -> None:
    file = PcmFile(path, COUNT)
    path.unlink()

    assert file.read(COUNT - 1, 1).tolist() == [COUNT - 1]


@pytest.mark.parametrize("count", [COUNT - 1, COUNT + 1])
def test_a_file_of_another_length_is_not_taken(path: Path, count: int) -> None:
    with pytest.raises(MediaError, match="bytes and not"):
        PcmFile(path, count)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="cannot be read"):
        PcmFile(tmp_path / "nothing", 1)
