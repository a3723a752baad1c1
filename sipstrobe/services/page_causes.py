"""What follows from a page that came by multicast, and so must not go out by multicast again."""

from typing import Final

from sipstrobe.events import PageStateChanged
from sipstrobe.trace import Cause, Input

PAGE_INPUT: Final = "page"  # the kind of input of all that follows from who speaks


def follows_from_page(cause: Cause | None) -> bool:
    """Whether a page has led to it, or what the page has done here: its light, its sound, its end,
    and the clips that were played because of it."""
    links = [] if cause is None else cause.chain()
    return any(
        isinstance(what, PageStateChanged) or (isinstance(what, Input) and what.kind == PAGE_INPUT)
        for what in [link.what for link in links]
    )
