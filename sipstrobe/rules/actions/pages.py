"""Actions that speak to multicast groups."""

from collections.abc import Mapping
from typing import Annotated, cast

from msgspec import Meta

from sipstrobe import commands
from sipstrobe.commands import MAX_REPEAT, Command, PageCodec
from sipstrobe.rules.actions.base import RuleAction
from sipstrobe.rules.actions.sound import ClipName


class PageAction(RuleAction, frozen=True, kw_only=True):
    """What both have in common."""

    clip: ClipName
    address: Annotated[
        str,
        Meta(
            pattern=r"^[0-9A-Fa-f:.]{2,45}$(?!\n)",
            title="Group",
            description="224.0.0.0 to 239.255.255.255, or of IPv6 ff00::/8.",
        ),
    ]
    port: Annotated[int, Meta(ge=1024, le=65534, title="Port", description="Of RTP.")] = 5004
    codec: Annotated[
        PageCodec | None, Meta(title="Codec", description="Empty: the common one.")
    ] = None
    ttl: Annotated[
        int,
        Meta(
            ge=1,
            le=255,
            title="TTL",
            description="How many networks it may cross; 1: no router lets it pass.",
        ),
    ] = 1
    interface: Annotated[
        str,
        Meta(
            pattern=r"^[^\x00/\s]{0,15}$(?!\n)",
            title="Interface",
            description="That it goes out of, such as eth0; empty: the one that the system"
            " chooses.",
        ),
    ] = ""

    def _page(self, repeat: int | None) -> Command:
        return commands.PageOut(
            clip=self.clip,
            address=self.address,
            port=self.port,
            codec=self.codec,
            ttl=self.ttl,
            interface=self.interface,
            repeat=repeat,
        )


class PageClip(PageAction, tag="page_clip", frozen=True, kw_only=True):
    """Say a clip to a multicast group, to its end."""

    words = "Page a clip to a multicast group"
    repeat: Annotated[
        int,
        Meta(ge=0, le=MAX_REPEAT, title="Repeat", description="How often again; 0: it goes once."),
    ] = 0

    def command(self, items: Mapping[str, str]) -> Command:
        return self._page(self.repeat)


class PageWhile(PageAction, tag="page_while", frozen=True, kw_only=True):
    """Say a clip to a multicast group again and again while the rule is active."""

    words = "Page a clip to a multicast group while the rule is active"
    lasting = True

    def command(self, items: Mapping[str, str]) -> Command:
        return self._page(None)

    def undo(self, result: object) -> Command:
        return commands.StopPageOut(page=cast("int", result))
