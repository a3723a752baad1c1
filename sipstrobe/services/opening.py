"""How a call comes to its media, whoever has called."""

import logging
from functools import partial

from sipstrobe.services.call_media import CallMedia, MediaFactory
from sipstrobe.services.calls import Call
from sipstrobe.services.keypad import Keypad
from sipstrobe.services.media_options import MediaOptions
from sipstrobe.services.switchboard import Switchboard
from sipstrobe.sip.transport import Flow

logger = logging.getLogger(__name__)


class Opening:
    """Opens media in which board and keypad are told what the other side says and presses."""

    def __init__(self, factory: MediaFactory, board: Switchboard, keypad: Keypad) -> None:
        self._factory, self._board, self._keypad = factory, board, keypad

    def open(self, call: Call, flow: Flow, options: MediaOptions) -> CallMedia | None:
        """None when there is no port for them; the call is as it was then."""
        call.digits = options.digits
        try:
            call.media = self._factory.open(
                flow,
                lambda: self._board.hear(call),
                options,
                on_event=partial(self._keypad.in_rtp, call),
                on_samples=partial(self._keypad.in_sound, call),
                prompt=self._keypad.waits(call),
                on_failure=partial(self._board.lose_keys, call),
            )
        except OSError as error:
            logger.warning("call %s has no port for its media: %s", call.id, error)
            return None
        return call.media
