"""Who talks from browsers, in JSON."""

from typing import Annotated, Literal, TypedDict

from msgspec import Meta

from sipstrobe.web.told.common import Level


class TalkerTold(TypedDict):
    """Somebody at a browser. state: of the connection."""

    id: str
    who: str
    address: str
    state: Literal["connecting", "connected", "failed", "closed", "new"]
    talking: Annotated[bool, Meta(description="Something is said just now.")]
    listening: Annotated[bool, Meta(description="The microphone is heard there.")]
    level_db: Level
    seconds: Annotated[float, Meta(description="Since the connection was asked for.")]


class TalkersTold(TypedDict):
    """All who are connected."""

    talkers: list[TalkerTold]
