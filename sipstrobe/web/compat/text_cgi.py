"""What the interfaces that answer in lines of text have in common."""

from typing import Final

from sipstrobe.web.exchange import Request, Response

TEXT: Final = "text/plain; charset=utf-8"


class WrongArgument(Exception):
    """What the client did wrong, in words."""


def text(status: int, lines: str) -> Response:
    return Response(status, lines.encode(), TEXT)


def refuse_other_outputs(request: Request) -> None:
    """There is one output: number 0 of device 0, or 1 as older programs count."""
    device, output = request.query("audiodeviceid"), request.query("audiooutputid")
    older = request.query("audiooutput")
    if (device is None) != (output is None):
        raise WrongArgument("audiodeviceid and audiooutputid come together")
    if device is not None and older is not None:
        raise WrongArgument("give either audiooutput or audiodeviceid")
    if (device, output) not in ((None, None), ("0", "0")) or older not in (None, "1"):
        raise WrongArgument("there is no such audio output")
