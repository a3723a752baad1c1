"""The public address of a socket: learnt, kept, and not believed from anybody else."""

from itertools import count

import pytest

from sipstrobe.nat.binding import KEEP_ALIVE, LIMIT, Binding, Failed, Mapped, Send
from sipstrobe.nat.stun import Attr, Class, Method, build, error_code, parse, xor_address

SERVER = ("198.51.100.1", 3478)
PUBLIC = ("203.0.113.9", 61000)


class Scene:
    """A binding on a fake clock; what it does is in `seen`."""

    def __init__(self) -> None:
        serials = count(1)
        self.binding = Binding(lambda n: next(serials).to_bytes(n, "big"))
        self.now = 0.0
        self.seen: list[tuple[float, object]] = []

    def run(self, until: float) -> None:
        self.settle()
        while (at := self.binding.deadline) is not None and at <= until:
            self.now = at
            self.binding.wake(now=at)
            self.settle()
        self.now = until

    def settle(self) -> None:
        while self.binding.outbox:
            self.seen.append((round(self.now, 3), self.binding.outbox.popleft()))

    @property
    def request(self) -> bytes:
        """The last request."""
        return next(out.data for _, out in reversed(self.seen) if isinstance(out, Send))

    def answer(self, address: tuple[str, int] = PUBLIC, source: tuple[str, int] = SERVER) -> None:
        key = parse(self.request).transaction_id
        attributes = [(Attr.XOR_MAPPED_ADDRESS, xor_address(address, key))]
        data = build(Method.BINDING, Class.SUCCESS, key, attributes)
        self.binding.receive(data, source, now=self.now)
        self.settle()

    def told(self) -> list[tuple[float, object]]:
        return [(at, out) for at, out in self.seen if not isinstance(out, Send)]

    def sent(self) -> list[float]:
        return [at for at, out in self.seen if isinstance(out, Send)]


@pytest.fixture
def scene() -> Scene:
    made = Scene()
    made.binding.ask(SERVER, now=0.0)
    made.settle()
    return made


def test_the_server_says_what_it_sees(scene: Scene) -> None:
    """RFC 8489 §6.3.3: XOR-MAPPED-ADDRESS."""
    scene.run(0.03)
    scene.answer()
    scene.run(100)

    assert scene.told() == [(0.03, Mapped(PUBLIC, 0.03))]
    assert scene.sent() == [0]
    request = parse(scene.request)
    assert (request.method, request.kind) == (Method.BINDING, Class.REQUEST)


def test_a_silent_server_is_asked_again_and_given_up(scene: Scene) -> None:
    """RFC 8489 §6.2.1: each time after twice as long; the caller is not kept waiting."""
    scene.run(100)

    assert scene.sent() == [0, 0.2, 0.6, 1.4]
    assert scene.told() == [(LIMIT, Failed("198.51.100.1:3478 does not answer"))]


def test_a_server_that_refuses_is_quoted(scene: Scene) -> None:
    key = parse(scene.request).transaction_id
    refusal = [(Attr.ERROR_CODE, error_code(401, "Unauthorized"))]

    scene.binding.receive(build(1, Class.ERROR, key, refusal), SERVER, now=0.1)
    scene.run(10)

    assert [out for _, out in scene.told()] == [
        Failed("198.51.100.1:3478 refused: 401 Unauthorized")
    ]


@pytest.mark.parametrize("source", [("192.0.2.66", 3478), ("198.51.100.1", 3479)])
def test_nobody_else_tells_us_who_we_are(scene: Scene, source: tuple[str, int]) -> None:
    scene.answer(source=source)

    assert scene.told() == []
    scene.answer()
    assert len(scene.told()) == 1


def test_an_answer_to_something_else_teaches_nothing(scene: Scene) -> None:
    other = build(1, Class.SUCCESS, bytes(12), [(Attr.SOFTWARE, b"x")])

    for data in (b"", b"\0" * 30, other, scene.request):
        scene.binding.receive(data, SERVER, now=0.0)

    assert scene.told() == []


def test_a_server_that_names_no_address(scene: Scene) -> None:
    key = parse(scene.request).transaction_id

    scene.binding.receive(build(1, Class.SUCCESS, key), SERVER, now=0.1)
    scene.settle()

    assert [out for _, out in scene.told()] == [Failed("198.51.100.1:3478 names no address")]


def test_the_mapping_is_kept_and_its_change_is_news(scene: Scene) -> None:
    """RFC 6263: silence in a held call must not close the way in."""
    scene.answer()
    scene.binding.keep(now=scene.now)
    scene.run(KEEP_ALIVE)
    scene.answer()
    scene.run(2 * KEEP_ALIVE)
    scene.answer(("203.0.113.9", 61001))
    scene.run(2 * KEEP_ALIVE + 1)

    assert scene.sent() == [0, 15, 30]
    assert [out for _, out in scene.told()] == [
        Mapped(PUBLIC, 0.0),
        Mapped(("203.0.113.9", 61001), 0.0),
    ]
