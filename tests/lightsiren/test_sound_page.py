"""The table of the clips of every device in the documentation is what they are."""

from pathlib import Path

from sipstrobe.lightsiren.chimes import FACTORY_CLIPS

PAGE = Path(__file__).parents[2] / "docs" / "sound.md"


def test_the_page_lists_every_clip_with_its_number_and_loudness() -> None:
    page = PAGE.read_text(encoding="utf-8").splitlines()

    wanted = [
        f"| {clip.number} | {name} | −{-clip.loudness:.1f} LUFS |"
        for name, clip in FACTORY_CLIPS.items()
    ]
    assert [line for line in page if line.endswith(" LUFS |")] == wanted
