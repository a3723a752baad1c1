"""What the interfaces that answer in lines of text have in common."""

from dataclasses import replace
from typing import Final
from urllib.parse import parse_qs

from sipstrobe.web.exchange import QUERY_MAX, HttpProblem, Request, Response

TEXT: Final = "text/plain; charset=utf-8"


class WrongArgument(Exception):
    """What the client did wrong, in words."""


def text(status: int, lines: str) -> Response:
    return Response(status, lines.encode(), TEXT)


def read_fields(request: Request, most: int = QUERY_MAX) -> dict[str, str]:
    """The fields of the query and of the form that was posted, whatever type it says it has; those
    of the form count, and of several with one name the first. Raises HttpProblem for too many."""
    fields: dict[str, str] = {}
    posted = request.body.decode("utf-8", "replace") if request.method == "POST" else ""
    for source in (request.target.partition("?")[2], posted.strip()):
        try:
            given = parse_qs(source, keep_blank_values=True, max_num_fields=most)
        except ValueError:
            raise HttpProblem(400, f"there may be {most} fields") from None
        fields |= {name: values[0] for name, values in given.items()}
    return fields


def with_form(request: Request) -> Request:
    """The same with what was posted in its query, where that is empty: some programs send by a form
    what others write into the address, and cameras post what nobody has asked for beside that."""
    if "?" in request.target or not request.body:
        return request
    form = request.body.decode("utf-8", "replace").strip()
    return replace(request, target=f"{request.target}?{form}")


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
