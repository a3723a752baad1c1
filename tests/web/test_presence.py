"""What lasts longer than its request ends with the right to it."""

import gc
from collections.abc import AsyncGenerator

from sipstrobe.context import Context
from sipstrobe.web.exchange import Response
from sipstrobe.web.presence import Presence, while_allowed
from sipstrobe.web.server import LIVE_PATH, WebServer
from tests.support.visitor import Visitor
from tests.support.web import CHEAP, Device


async def test_a_stream_ends_with_the_right_to_it() -> None:
    allowed, ended = [True], list[str]()

    async def sound() -> AsyncGenerator[bytes]:
        try:
            while True:
                yield b"sound"
        finally:
            ended.append("closed")

    stream = while_allowed(Response(stream=sound()), lambda: allowed[0]).stream
    assert stream is not None

    assert await anext(stream) == b"sound"
    allowed[0] = False
    assert await anext(stream, None) is None
    assert ended == ["closed"]


def test_what_is_no_stream_is_left_as_it_is() -> None:
    answer = Response(200, b"{}")

    assert while_allowed(answer, lambda: False) is answer


async def test_whoever_listens_to_the_microphone_is_cut_off_with_the_account(
    context: Context,
) -> None:
    device = Device.make(context)
    device.microphone["input"] = "default"
    server = WebServer(context, device.store, device.views(), cost=CHEAP)
    ada, olga = Visitor(server), Visitor(server)
    await ada.log_in("ada")
    await olga.log_in("olga")
    asked = olga.request("GET", "/api/v1/microphone/listen")
    stream = (await server.respond(asked)).stream
    assert stream is not None
    await anext(stream)

    await ada.ask("PATCH", "/users/olga", {"role": "viewer"})

    assert [piece async for piece in stream] == []
    assert device.listening == 0
    await server.aclose()


async def test_a_feed_whose_reader_has_gone_is_forgotten(context: Context) -> None:
    device = Device.make(context)
    server = WebServer(context, device.store, device.views(), cost=CHEAP)
    ada = Visitor(server)
    await ada.log_in("ada")
    presence, asked = Presence(), list[str]()
    listener = await server.listen(ada.request("GET", LIVE_PATH))
    assert not isinstance(listener, Response)
    presence.add(listener, lambda: bool(asked.append("still?")))

    listener.close()
    del listener
    gc.collect()
    presence.review()

    assert asked == []
    await server.aclose()
