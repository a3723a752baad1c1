"""Because of what things began and ended."""

from pathlib import Path

from sipstrobe.context import Context
from sipstrobe.events import Event, Function, OperationChanged, OperationPhase, SendResult
from sipstrobe.services.reasons import MAX_KEPT, Reasons
from sipstrobe.trace import Cause, Input
from tests.rules.bench import change
from tests.services.test_outbox import Post, sending
from tests.support.clock import FakeClock
from tests.support.waiting import until


def _operation(number: int, phase: OperationPhase) -> OperationChanged:
    return OperationChanged(
        function=Function.SIGNALING_LED,
        operation=number,
        phase=phase,
        pattern="Steady",
        priority=3,
        profile="",
    )


class Desk:
    def __init__(self, **asked: object) -> None:
        self.context = Context(FakeClock())
        self.reasons = Reasons(self.context, asked)  # pyright: ignore[reportArgumentType]

    def publish(self, words: str, *events: Event) -> None:
        with self.context.trace.input("datagram", words, 0.0):
            self.context.bus.publish(*events)


def _roots(causes: list[Cause]) -> list[str]:
    return [str(cause.root.what.words) for cause in causes if isinstance(cause.root.what, Input)]


def test_what_began_and_what_ended_it_are_told_apart() -> None:
    desk = Desk()
    desk.publish("INVITE", change("accepted_by_device", "c1"))
    assert _roots(desk.reasons.why("call", "c1")) == ["INVITE"]

    desk.publish("BYE", change("terminated", "c1"))

    assert _roots(desk.reasons.why("call", "c1")) == ["INVITE", "BYE"]
    assert desk.reasons.why("call", "c2") == []


def test_a_light_is_known_after_it_went_out() -> None:
    desk = Desk()
    desk.publish("INVITE", _operation(4, OperationPhase.SHOWN))
    desk.publish("BYE", _operation(4, OperationPhase.ENDED))

    assert _roots(desk.reasons.why("operation", "SignalingLED/4")) == ["INVITE", "BYE"]


def test_a_message_is_known_by_its_result() -> None:
    desk = Desk()
    result = SendResult(
        item="m1", recipient="r", kind="http", sent=True, words="", attempts=1, rule="R"
    )
    desk.publish("INFO", result)

    assert _roots(desk.reasons.why("message", "m1")) == ["INFO"]


def test_who_keeps_sounds_is_asked_about_them() -> None:
    began, ended = Cause(1, 0.0, Input("datagram", "a")), Cause(2, 1.0, Input("datagram", "b"))
    desk = Desk(sound={"clip 1": (began, ended), "siren": (began, None)}.get)

    assert desk.reasons.why("sound", "clip 1") == [began, ended]
    assert desk.reasons.why("sound", "siren") == [began]
    assert desk.reasons.why("sound", "clip 2") == []


def test_what_is_kept_is_bounded() -> None:
    desk = Desk()
    for number in range(MAX_KEPT + 1):
        desk.publish("x", change("terminated", f"c{number}"))

    assert desk.reasons.why("call", "c0") == []
    assert desk.reasons.why("call", "c1")


async def test_a_message_that_waits_knows_what_ordered_it(tmp_path: Path) -> None:
    """Through the outbox and its tasks, to the result."""
    post = Post(hangs={"plc"})
    async with sending(tmp_path, post) as desk:
        reasons = Reasons(desk.context, {"message": desk.outbox.why})
        with desk.context.trace.input("datagram", "INFO", 0.0):
            message = desk.send("plc")
        [began] = reasons.why("message", message)
        assert _roots([began]) == ["INFO"]

        desk.outbox.remove(message)
        await until(lambda: bool(desk.results))

        assert desk.outbox.why(message) is None
        assert reasons.why("message", message)
