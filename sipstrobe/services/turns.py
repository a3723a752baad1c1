"""Whose voice is heard when there are several calls; the others wait silently for their turn.

Calls wait from when they are answered, or are heard before that. What the speaker plays follows.
"""

import logging
from collections.abc import Callable, Collection
from itertools import count
from typing import Literal

from msgspec.structs import replace

from sipstrobe.audio.source import AddSource, HearSource, RemoveSource, SourceKind
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused
from sipstrobe.priority import Claim, arbitrate
from sipstrobe.services.calls import Call

logger = logging.getLogger(__name__)

Policy = Literal["mix", "first", "newest", "busy"]  # as in sip.settings


def heard(claims: Collection[Claim[str]], policy: Policy) -> set[str]:
    """Whose turn it is. The higher rank comes first under every policy that has turns."""
    match policy:
        case "mix" | "busy":
            return {claim.owner for claim in claims}
        case "first":
            wanting = arbitrate(claims)
        case "newest":
            wanting = arbitrate(replace(claim, order=-claim.order) for claim in claims)
    return {claim.owner for claim in wanting[:1]}


class Turns:
    """The calls that want to be heard, and which of them the speaker is told to play."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._policy: Policy = "mix"
        self._claims: dict[str, Claim[str]] = {}
        self._listed: dict[str, bool] = {}  # with the speaker, and whether heard there
        self._orders = count()
        self._heard: set[str] = set()
        self.on_turn: list[Callable[[str], None]] = []  # told of a call that is heard from now on

    def apply(self, policy: Policy) -> None:
        """From now on, for the calls that run as well."""
        self._policy = policy
        self._decide()

    def enter(self, call: Call) -> None:
        """The call wants to be heard from now on."""
        if call.id not in self._claims:
            self._claims[call.id] = Claim(call.id, call.rank, next(self._orders))
            self._decide()

    def speak(self, call: Call) -> None:
        """The other side has begun to speak: its sound goes to the speaker, heard or not."""
        assert call.media is not None
        now = call.id in heard(self._claims.values(), self._policy)
        ring = call.media.stream.ring
        order = AddSource(
            owner=call.id,
            kind=call.voice,
            ring=ring,
            rank=call.rank,
            heard=now,
            relayable=call.voice is SourceKind.PAGE,
        )
        try:
            self._context.dispatcher.execute(order)
            self._listed[call.id] = now
        except CommandRefused as refusal:
            logger.warning("call %s is not heard: %s", call.id, refusal)

    def leave(self, call: Call) -> None:
        """The call is over; whose turn it is now is heard."""
        if self._listed.pop(call.id, None) is not None:
            self._context.dispatcher.execute(RemoveSource(owner=call.id))
        if self._claims.pop(call.id, None) is not None:
            self._decide()

    def _decide(self) -> None:
        wanted = heard(self._claims.values(), self._policy)
        for call, was in self._listed.items():
            if (now := call in wanted) is not was:
                self._listed[call] = now
                self._context.dispatcher.execute(HearSource(owner=call, heard=now))
        begun, self._heard = wanted - self._heard, wanted
        for call in begun:
            for told in self.on_turn:
                told(call)
