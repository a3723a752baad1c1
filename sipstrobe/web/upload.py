"""A file that is sent to us, as it comes: as the body of a request, or as the file of a form."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import PurePath
from urllib.parse import unquote

from sipstrobe.audio.clip import MAX_NAME
from sipstrobe.errors import RemoteProtocolError
from sipstrobe.web.exchange import Request
from sipstrobe.web.multipart import PARTS_MAX, delimiter_of, is_form, part_of

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
HEAD_MAX = 8192  # bytes of a part's head
FIELD_MAX = 1024  # bytes of a field beside the file


@dataclass(frozen=True, slots=True)
class Upload:
    """name: what it is to be called, as far as the request says, else its file's name without
    extension; may be empty."""

    name: str
    content: AsyncIterator[bytes]


async def upload_of(request: Request) -> Upload:
    """The file in a request to a streamed route: its name is in the query, or in the form.

    Raises RemoteProtocolError for a form that is none or has no file, also while it comes.
    """
    assert request.content is not None
    name = (request.query("name") or "").strip()
    content_type = request.header("content-type")
    if not is_form(content_type):
        return Upload(name, request.content)
    form = _Form(request.content, delimiter_of(content_type))
    named: dict[str, str] = {}
    for _ in range(PARTS_MAX):
        field, filename = await form.begin_part()
        if filename:
            named_by_people = name or named.get("name", "").strip()
            return Upload(named_by_people or _named_by_file(filename), form.content())
        named[field] = await form.text()
    raise RemoteProtocolError("form has too many parts before its file")


def _named_by_file(filename: str) -> str:
    """What is left of a path and an extension (RFC 7578 §4.2), as far as it may be a name."""
    stem = PurePath(unquote(filename).replace("\\", "/")).stem
    return _UNPRINTABLE.sub(" ", stem)[:MAX_NAME].strip()


class _Form:
    """Reads one part after the other; never more than a piece and a delimiter is in memory."""

    def __init__(self, pieces: AsyncIterator[bytes], delimiter: bytes) -> None:
        self._pieces = pieces
        self._delimiter = delimiter
        self._waiting = bytearray(b"\r\n")  # the first delimiter may be without a line before it

    async def begin_part(self) -> tuple[str, str]:
        """Go to the next part: the names of the field and, if it is one, of the file."""
        async for _ in self.content():
            pass  # the preamble, or what nobody wanted of the part before
        del self._waiting[: len(self._delimiter)]
        while b"\r\n\r\n" not in self._waiting and not self._waiting.startswith(b"--"):
            if len(self._waiting) > HEAD_MAX:
                raise RemoteProtocolError("part of a form is malformed")
            await self._read()
        if self._waiting.startswith(b"--"):
            raise RemoteProtocolError("form has no file")
        end = self._waiting.index(b"\r\n\r\n") + 4
        part = part_of(bytes(self._waiting[:end]))
        del self._waiting[:end]
        return part.name, part.filename

    async def text(self) -> str:
        """The content of a field that is no file."""
        value = bytearray()
        async for piece in self.content():
            value += piece
            if len(value) > FIELD_MAX:
                raise RemoteProtocolError(f"a field of a form may have {FIELD_MAX} bytes")
        return value.decode("utf-8", "replace")

    async def content(self) -> AsyncIterator[bytes]:
        """What there is up to the next delimiter."""
        waiting, keep = self._waiting, len(self._delimiter) - 1
        while (at := waiting.find(self._delimiter)) < 0:
            if len(waiting) > keep:
                piece = bytes(waiting[:-keep])
                del waiting[:-keep]
                yield piece
            await self._read()
        if at:
            piece = bytes(waiting[:at])
            del waiting[:at]
            yield piece

    async def _read(self) -> None:
        piece = await anext(self._pieces, b"")
        if not piece:
            raise RemoteProtocolError("form does not end")
        self._waiting += piece
