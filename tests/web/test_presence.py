"""What lasts longer than its request ends with the right to it."""

import gc
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sipstrobe.context import Context
from sipstrobe.web.exchange import Request, Response
from sipstrobe.web.live import LISTENERS_PER_ACCOUNT, Listener, Live
from sipstrobe.web.presence import LOOK_AGAIN, Presence, while_allowed
from sipstrobe.web.server import LIVE_PATH, WebServer
from sipstrobe.web.sessions import LIFETIME
from tests.support.clock import FakeClock
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


async def _sent(first: bytes, meanwhile: Callable[[], Awaitable[Any]]) -> AsyncIterator[bytes]:
    yield first
    await meanwhile()
    yield b" "


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("PATCH", "/settings/audio", {"muted": True}), ("POST", "/rules/check", {})],
)
async def test_what_is_still_being_sent_is_not_taken_of_whoever_has_lost_the_right_to_it(
    context: Context, method: str, path: str, body: object
) -> None:
    """A slow body is on its way for minutes; of a backup that is restored, for half an hour."""
    device = Device.make(context)
    server = WebServer(context, device.store, device.views(), cost=CHEAP)
    ada, olga = Visitor(server), Visitor(server)
    await ada.log_in("ada")
    await olga.log_in("olga")
    asked = olga.request(method, "/api/v1" + path, body)
    assert asked.content is not None
    whole = b"".join([piece async for piece in asked.content])

    def demoted() -> Awaitable[Any]:
        return ada.ask("PATCH", "/users/olga", {"role": "viewer"})

    answer = await server.respond(replace(asked, content=_sent(whole, demoted)))

    assert answer.status == 401
    assert not device.store.current.audio.muted
    await server.aclose()


async def test_a_session_and_a_token_are_kept_until_their_time_is_over() -> None:
    clock = FakeClock(time=1000.0)
    device = Device.make(Context(clock))
    server = WebServer(device.context, device.store, device.views(), cost=CHEAP)
    ada = Visitor(server)
    ada.at = clock.now()
    await ada.log_in("ada")
    until = clock.wall() + timedelta(hours=30)
    wanted = {"name": "Wall", "scopes": ["read"], "expires": until.isoformat()}
    program = Visitor(server, token=(await ada.ask("POST", "/tokens", wanted))[1]["token"])
    kept = [_kept(server, visitor.request("GET", LIVE_PATH)) for visitor in (ada, program)]

    for hours in (11, 22, 29):  # what is looked at is in use
        clock.advance_to(1000.0 + hours * 3600.0)
        assert [still() for still in kept] == [True, True]
    clock.advance_to(1000.0 + 30 * 3600.0)
    assert [still() for still in kept] == [True, False]
    clock.advance(LIFETIME)
    assert [still() for still in kept] == [False, False]
    await server.aclose()


def _kept(server: WebServer, request: Request) -> Callable[[], bool]:
    who = server.gate.identify(request)
    assert who is not None
    return server.gate.keeps(request, who)


async def test_whose_time_is_over_is_found_though_nothing_is_changed() -> None:
    clock = FakeClock()
    context = Context(clock)
    device = Device.make(context)
    live = Live(context, device.views(), dict)
    presence, allowed = Presence(clock), [True]
    feed = live.listen()
    presence.add(feed, lambda: allowed[0])

    clock.advance(LOOK_AGAIN)
    assert await anext(feed), "it goes on"
    allowed[0] = False
    clock.advance(LOOK_AGAIN)
    assert await anext(feed, "") == ""
    presence.close()
    live.close()


async def test_no_account_keeps_the_others_from_listening(context: Context) -> None:
    device = Device.make(context)
    server = WebServer(context, device.store, device.views(), cost=CHEAP)
    ada, victor = Visitor(server), Visitor(server)
    await ada.log_in("ada")
    await victor.log_in("victor")
    feeds = [
        await server.listen(victor.request("GET", LIVE_PATH))
        for _ in range(LISTENERS_PER_ACCOUNT + 1)
    ]

    assert [isinstance(feed, Listener) for feed in feeds] == [True] * LISTENERS_PER_ACCOUNT + [
        False
    ]
    assert isinstance(await server.listen(ada.request("GET", LIVE_PATH)), Listener)
    await server.aclose()


async def test_a_feed_whose_reader_has_gone_is_forgotten(context: Context) -> None:
    device = Device.make(context)
    server = WebServer(context, device.store, device.views(), cost=CHEAP)
    ada = Visitor(server)
    await ada.log_in("ada")
    presence, asked = Presence(context.clock), list[str]()
    listener = await server.listen(ada.request("GET", LIVE_PATH))
    assert not isinstance(listener, Response)
    presence.add(listener, lambda: bool(asked.append("still?")))

    listener.close()
    del listener
    gc.collect()
    presence.review()

    assert asked == []
    await server.aclose()
