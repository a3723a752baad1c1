"""What of the sound is no setting and no order: the device's own table of who is heard with whom."""

from sipstrobe.audio.policy import DEFAULT
from sipstrobe.config.users import Role
from sipstrobe.web.exchange import Request, Response, Route, json

PATH = "/api/v1/sound"


class SoundDoor:
    """The routes of the sound."""

    def routes(self) -> list[Route]:
        return [Route(method="GET", path=PATH, handler=self._sound, role=Role.VIEWER)]

    def _sound(self, _: Request) -> Response:
        return json({"policy": DEFAULT})
