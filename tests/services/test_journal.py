"""What rules and people write into the log."""

import logging

import pytest

from sipstrobe.commands import WriteLog
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused
from sipstrobe.events import Event, LogWritten
from sipstrobe.services.journal import MAX_TEXT, Journal
from tests.support.clock import FakeClock


def _desk() -> tuple[Context, list[Event]]:
    context = Context(FakeClock())
    Journal(context)
    told: list[Event] = []
    context.bus.subscribe(LogWritten, told.append)
    return context, told


def test_a_line_is_written_and_told(caplog: pytest.LogCaptureFixture) -> None:
    """ACT-01, write to the log, with what the event said."""
    context, told = _desk()
    order = WriteLog(
        text="{rule}: {event.digit} by {call.remote_uri}",
        level="warning",
        items={"digit": "7", "remote_uri": "sip:alice@192.0.2.7"},
        rule="Door",
    )

    with caplog.at_level(logging.INFO, "sipstrobe.services.journal"):
        context.dispatcher.execute(order)

    text = "Door: 7 by sip:alice@192.0.2.7"
    assert told == [LogWritten(level="warning", text=text, rule="Door")]
    assert [(r.levelname, r.getMessage()) for r in caplog.records] == [("WARNING", text)]


def test_nobody_else_writes_a_second_line() -> None:
    context, told = _desk()

    context.dispatcher.execute(WriteLog(text="{event.text}", items={"text": "a\nERROR b"}))

    assert told == [LogWritten(level="info", text="a ERROR b", rule="")]


@pytest.mark.parametrize("text", ["", "{event.nothing}", "x" * (MAX_TEXT + 1)])
def test_nothing_and_too_much_are_refused(text: str) -> None:
    context, told = _desk()

    with pytest.raises(CommandRefused, match="characters, not 1 to"):
        context.dispatcher.execute(WriteLog(text=text))
    assert told == []
