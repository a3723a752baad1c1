"""A server with a substitute is looked after twice a second (RFC 3261 §11)."""

from sipstrobe.secret import Secret
from sipstrobe.sip.identity import Credential, Identity
from sipstrobe.sip.message import Request, Response, respond
from sipstrobe.sip.outputs import ServerSilent
from sipstrobe.sip.probe import EVERY, SILENCE
from sipstrobe.sip.transport import Address, Flow, Transport
from tests.sip.scene import PEER, TCP, UDP, US, Scene

WHO = Identity("sip:1001@pbx.test", credentials=(Credential("1001", Secret("pw")),))
URI = "sip:pbx.test"


def watching(flow: Flow = UDP, *names: str) -> Scene:
    scene = Scene(flow=flow)
    for name in names or ("a",):
        scene.endpoint.probe(name, flow, WHO, URI, now=scene.now)
    scene.collect()
    return scene


def answer(scene: Scene, status: int = 200) -> None:
    """Answer all that was asked."""
    for request in scene.take():
        assert isinstance(request, Request)
        scene.hear(respond_to(request, status))


def respond_to(request: Request, status: int) -> Response:
    return respond(request, status, to_tag="server")


def test_a_server_that_answers_is_asked_again_and_again() -> None:
    scene = watching()
    asked: list[float] = []

    while scene.now < 10:
        if scene.sent:
            asked.append(scene.now)
        answer(scene, status=404 if scene.now > 5 else 200)  # any answer is one
        scene.pass_(0.05)

    assert [round(at, 1) for at in asked] == [n * EVERY for n in range(20)]
    assert scene.news == []


def test_silence_is_told_within_the_limit() -> None:
    scene = watching()
    answer(scene)
    scene.pass_(EVERY + SILENCE + EVERY)

    assert scene.told(ServerSilent) == ServerSilent(("a",))
    asked = [m for m in scene.take() if isinstance(m, Request)]
    assert {m.method for m in asked} == {"OPTIONS"}
    scene.pass_(100.0)
    assert scene.take() == []
    assert scene.endpoint.idle


def test_one_answer_among_lost_ones_is_enough() -> None:
    scene = watching()
    answer(scene)
    for _ in range(20):
        scene.pass_(SILENCE - 0.25)
        scene.hear(respond_to(next(m for m in scene.take() if isinstance(m, Request)), 200))

    assert scene.news == []


def test_a_server_that_never_answers_is_not_judged() -> None:
    """Some do not know OPTIONS, or are told not to answer it."""
    scene = watching()

    scene.pass_(100.0)

    assert scene.news == []
    assert len({m.cseq.number for m in scene.take() if isinstance(m, Request)}) == 1


def test_a_lost_connection_is_told_at_once() -> None:
    scene = watching(TCP)
    answer(scene)
    scene.pass_(EVERY)

    scene.endpoint.connection_closed(7, now=scene.now)
    scene.collect()

    assert scene.told(ServerSilent) == ServerSilent(("a",))


def test_a_thousand_accounts_on_one_server_are_one_probe() -> None:
    names = tuple(str(n) for n in range(1000))
    scene = watching(UDP, *names)
    assert len(scene.sent) == 1

    answer(scene)
    scene.pass_(EVERY + SILENCE + EVERY)

    assert scene.told(ServerSilent).names == names


def test_the_last_to_leave_ends_it() -> None:
    other = Flow(Transport.UDP, US, Address(PEER.host, 5099))
    scene = watching(UDP, "a", "b")
    answer(scene)

    scene.endpoint.probe("a", other, WHO, URI, now=scene.now)  # a has moved to another server
    scene.collect()
    answer(scene)
    scene.endpoint.stop_probing("a", now=scene.now)
    scene.endpoint.stop_probing("b", now=scene.now)
    scene.pass_(100.0)

    assert scene.take() == []
    assert scene.news == []
    assert scene.endpoint.idle


def test_a_probe_carries_no_password() -> None:
    scene = watching()
    [asked] = scene.take()
    assert isinstance(asked, Request)

    scene.hear(respond_to(asked, 401))

    assert scene.take() == []
    assert str(asked.from_.uri) == "sip:1001@pbx.test"
    assert asked.uri == URI
