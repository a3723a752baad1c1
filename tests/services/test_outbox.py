"""What is ordered to be sent: kept, sent, given up, and told (ACT-01, RCP-01…11)."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sipstrobe.commands import PublishMqtt, SendMessage, TestRecipient
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused
from sipstrobe.events import MqttClientChanged, OutboxChanged, RecordingChanged, SendResult
from sipstrobe.sending.failure import SendFailed
from sipstrobe.sending.message import MailMessage, Message, MqttMessage, TextMessage
from sipstrobe.sending.outbox import DAY, MAX_LANE_ITEMS
from sipstrobe.sending.settings import MailRecipient, Recipient, TcpRecipient
from sipstrobe.services.outbox import MAX_TESTS, OutboxService
from sipstrobe.web.describe import chain
from tests.support.leap import LeapClock
from tests.support.waiting import turns, until

PLC = TcpRecipient(name="plc", host="plc.test", port=7)
DEAD = TcpRecipient(name="dead", host="dead.test", port=7)
OPS = MailRecipient(name="ops", to=("a@b.test",), sender="c@d.test", server="mx.test")


@dataclass
class Post:
    """A sender that does as it is told. faults: what goes wrong with a recipient, by name."""

    sent: list[Message] = field(default_factory=list[Message])
    faults: dict[str, SendFailed | Exception] = field(default_factory=dict[str, Any])
    attempts: list[str] = field(default_factory=list[str])
    hangs: set[str] = field(default_factory=set[str])
    broken_off: list[str] = field(default_factory=list[str])

    async def send(self, recipient: Recipient | None, message: Message, /) -> None:
        name = recipient.name if recipient is not None else "mqtt"
        self.attempts.append(name)
        if name in self.hangs:
            try:
                await asyncio.Event().wait()
            finally:
                self.broken_off.append(name)
        await asyncio.sleep(0)
        if name in self.faults:
            raise self.faults[name]
        self.sent.append(message)


@dataclass(frozen=True)
class Named:
    name: str


class Tapes:
    def __init__(self, *names: str) -> None:
        self.names = names

    async def recordings(self) -> Sequence[Named]:
        return [Named(name) for name in self.names]


class Sending:
    """One device's outbox, and what was told of it."""

    def __init__(self, folder: Path, post: Post, tapes: Tapes) -> None:
        self.context = Context(LeapClock())
        self.clock = self.context.clock
        self.post = post
        self.outbox = OutboxService(
            self.context,
            folder,
            {"tcp": post, "mail": post, "mqtt": post},
            tapes,
            device=lambda: ("Hall", "AABBCCDDEEFF"),
            why=chain,
        )
        self.results: list[SendResult] = []
        self.stands: list[OutboxChanged] = []
        self.context.bus.subscribe(SendResult, self.results.append)
        self.context.bus.subscribe(OutboxChanged, self.stands.append)

    def send(self, recipient: str, text: str = "x", **fields: object) -> str:
        order = SendMessage(recipient=recipient, text=text, **fields)  # pyright: ignore[reportArgumentType]
        return str(self.context.dispatcher.execute(order))

    def refused(self, order: SendMessage | PublishMqtt | TestRecipient) -> str:
        with pytest.raises(CommandRefused) as caught:
            self.context.dispatcher.execute(order)
        return caught.value.code

    def leap(self, seconds: float) -> None:
        assert isinstance(self.clock, LeapClock)
        self.clock.leap(seconds)

    @property
    def texts(self) -> list[str]:
        return [m.text for m in self.post.sent if isinstance(m, TextMessage)]

    @property
    def waiting(self) -> list[dict[str, Any]]:
        return self.outbox.messages()["waiting"]


@asynccontextmanager
async def sending(
    folder: Path,
    post: Post | None = None,
    recipients: Sequence[Recipient] = (PLC, DEAD, OPS),
    tapes: Tapes | None = None,
) -> AsyncGenerator[Sending]:
    made = Sending(folder, post or Post(), tapes or Tapes())
    await made.outbox.start()
    made.outbox.apply(recipients)
    try:
        yield made
    finally:
        await made.outbox.aclose()


async def test_a_message_is_sent_and_its_result_told(tmp_path: Path) -> None:
    async with sending(tmp_path) as device:
        name = device.send("plc", "{rule}: {event.digit}", items={"digit": "5"}, rule="Door")
        await until(lambda: device.results)

        assert device.texts == ["Door: 5"]
        assert device.results == [
            SendResult(
                item=name, recipient="plc", kind="tcp", sent=True, words="", attempts=1, rule="Door"
            )
        ]
        assert device.outbox.messages()["results"][0]["id"] == name


async def test_a_dead_receiver_delays_nobody(tmp_path: Path) -> None:
    """Nor does one that takes no end."""
    post = Post(faults={"dead": SendFailed("dead.test:7 refuses connections")}, hangs={"ops"})
    async with sending(tmp_path, post) as device:
        for n in range(3):
            device.send("dead", str(n))
            device.send("ops", str(n))
            device.send("plc", str(n))
        await until(lambda: len(device.texts) == 3)

        assert device.texts == ["0", "1", "2"]
        assert device.outbox.snapshot()["failing"] == ["dead"]
        assert len(device.waiting) == 6
        first = next(m for m in device.waiting if m["recipient"] == "dead")
        assert first["failure"] == "dead.test:7 refuses connections"
        assert first["attempts"] == 1
        assert first["retry"]


async def test_it_is_tried_again_and_in_order(tmp_path: Path) -> None:
    post = Post(faults={"dead": SendFailed("no")})
    async with sending(tmp_path, post) as device:
        for n in range(3):
            device.send("dead", str(n))
        await until(lambda: device.waiting[0]["attempts"] == 1)
        del post.faults["dead"]
        device.leap(3.0)
        await until(lambda: len(device.results) == 3)

    assert device.texts == ["0", "1", "2"]
    assert [r.attempts for r in device.results] == [2, 1, 1]


async def test_what_cannot_be_sent_within_a_day_is_given_up_with_its_reason(
    tmp_path: Path,
) -> None:
    post = Post(faults={"dead": SendFailed("no way")})
    async with sending(tmp_path, post) as device:
        device.send("dead")
        await until(lambda: device.waiting[0]["attempts"] == 1)
        device.leap(DAY)
        await until(lambda: device.results)

    assert not device.results[0].sent
    assert device.results[0].words == "too old, and could not be sent before: no way"


async def test_a_restart_loses_nothing(tmp_path: Path) -> None:
    """With the same ids, in the same order, and the causes of then."""
    post = Post(faults={"dead": SendFailed("no")})
    async with sending(tmp_path, post) as device:
        with device.context.trace.input("http", "POST by ada", device.clock.now()):
            names = [device.send("dead", str(n), rule="Door") for n in range(3)]
        await until(lambda: device.waiting[0]["attempts"] == 1)
        why = device.waiting[0]["why"]

    async with sending(tmp_path) as device:
        assert [m["id"] for m in device.waiting] == names
        assert device.waiting[0]["attempts"] == 1
        assert device.waiting[0]["why"] == why
        assert [link["name"] for link in why] == ["send-message", "http"]
        await until(lambda: len(device.results) == 3)
        fresh = device.send("plc")

    assert [m.id for m in device.post.sent[:3]] == names
    assert [r.rule for r in device.results[:3]] == ["Door"] * 3
    assert int(fresh.partition("-")[0]) == 4  # RCP-03: the numbers go on
    async with sending(tmp_path) as device:
        assert [r["id"] for r in device.outbox.messages()["results"][-3:]] == names[::-1]


async def test_what_was_being_sent_at_the_end_is_sent_anew(tmp_path: Path) -> None:
    """At least once; the id tells the receiver of a repetition."""
    post = Post(hangs={"plc"})
    async with sending(tmp_path, post) as device:
        name = device.send("plc")
        await until(lambda: post.attempts)
    assert post.broken_off == ["plc"]

    async with sending(tmp_path) as device:
        await until(lambda: device.results)

    assert device.post.sent[0].id == name


async def test_a_full_lane_refuses_what_is_new(tmp_path: Path) -> None:
    """And that is a result like any other."""
    post = Post(hangs={"plc"})
    async with sending(tmp_path, post) as device:
        for n in range(MAX_LANE_ITEMS):
            device.send("plc", str(n))

        assert device.refused(SendMessage(recipient="plc", text="more")) == "outbox_full"

        assert device.results[-1].words == f"{MAX_LANE_ITEMS} messages to 'plc' wait already"
        assert device.results[-1].attempts == 0
        assert len(device.waiting) == MAX_LANE_ITEMS


async def test_people_may_remove_what_waits(tmp_path: Path) -> None:
    """Even while it is being sent."""
    post = Post(hangs={"plc"})
    async with sending(tmp_path, post) as device:
        first, second = device.send("plc", "1"), device.send("plc", "2")
        await until(lambda: post.attempts)

        assert device.outbox.remove(first)
        assert device.outbox.remove(second)
        assert not device.outbox.remove("nothing")
        await until(lambda: post.broken_off)

        assert [(r.item, r.words) for r in device.results] == [
            (first, "removed by hand"),
            (second, "removed by hand"),
        ]
        assert device.waiting == []


async def test_a_recipient_that_is_gone_or_repaired(tmp_path: Path) -> None:
    post = Post(faults={"dead": SendFailed("no"), "plc": SendFailed("no")})
    async with sending(tmp_path, post) as device:
        device.send("dead")
        device.send("plc")
        await until(lambda: len(device.outbox.snapshot()["failing"]) == 2)
        post.faults.clear()

        device.outbox.apply([TcpRecipient(name="plc", host="new.test", port=7)])
        await until(lambda: len(device.results) == 2)

    told = {r.recipient: (r.sent, r.words) for r in device.results}
    assert told == {
        "plc": (True, ""),
        "dead": (False, "there is no such recipient any more"),
    }


async def test_what_waits_for_a_recipient_that_becomes_another_kind_is_given_up(
    tmp_path: Path,
) -> None:
    """A text makes no mail: neither while the device runs nor when it is told at its next start."""
    mail = MailRecipient(name="plc", to=OPS.to, sender=OPS.sender, server=OPS.server)
    post = Post(faults={"plc": SendFailed("no")})
    async with sending(tmp_path, post) as device:
        device.send("plc")
        device.outbox.apply([mail])
        assert [r.words for r in device.results] == ["the recipient is of the kind mail now"]
        device.outbox.apply([PLC])
        device.send("plc")

    async with sending(tmp_path, post, [mail]) as device:
        assert [r.words for r in device.results] == ["the recipient is of the kind mail now"]
        assert device.waiting == []


async def test_half_a_character_of_a_caller_keeps_nothing_from_the_disk(tmp_path: Path) -> None:
    """RFC 3261 §7.3.1 has UTF-8; what callers, servers and causes say besides is still written."""
    post = Post(faults={"plc": SendFailed("no such \udcfc")})
    async with sending(tmp_path, post) as device:
        with device.context.trace.input("sip", "INVITE \udcfc", device.clock.now()):
            device.send("plc", "{event.from} rings", items={"from": "M\udcfcller"})
        await until(lambda: bool(device.waiting[0]["failure"]))
        assert device.waiting[0]["failure"] == "no such ?"

    post.faults.clear()
    async with sending(tmp_path, post) as device:
        await until(lambda: device.texts == ["M?ller rings"])


async def test_an_error_inside_a_sender_is_a_failure_like_others(tmp_path: Path) -> None:
    post = Post(faults={"plc": ZeroDivisionError()})
    async with sending(tmp_path, post) as device:
        device.send("plc")
        await until(lambda: device.waiting[0]["failure"])
        assert device.waiting[0]["failure"] == "an error inside the device; see its log"


async def test_how_it_stands_is_told_at_most_four_times_a_second(tmp_path: Path) -> None:
    post = Post(hangs={"plc"}, faults={"dead": SendFailed("no")})
    async with sending(tmp_path, post) as device:
        for _ in range(20):
            device.send("plc")
        device.send("dead")
        await until(lambda: device.outbox.snapshot()["failing"])
        device.leap(0.3)
        await until(lambda: device.stands)

        assert device.stands == [OutboxChanged(waiting=21, failing="dead")]


async def test_a_recording_that_has_ended_goes_along(tmp_path: Path) -> None:
    """The one that fired the rule, else the last; never one that is being made."""
    async with sending(tmp_path, tapes=Tapes("b.wav", "a.wav")) as device:

        def mailed(**items: str) -> str:
            device.send("ops", recording="newest", items=items)
            return items.get("recording", "")

        def tape(name: str, *, active: bool) -> None:
            device.context.bus.publish(RecordingChanged(recording=name, active=active))

        mailed()
        tape("c.wav", active=True)
        mailed(recording="c.wav")
        tape("c.wav", active=False)
        mailed()
        mailed(recording="a.wav")
        await until(lambda: len(device.results) == 4)

    mails = [m.recording for m in device.post.sent if isinstance(m, MailMessage)]
    assert mails == ["b.wav", "b.wav", "c.wav", "a.wav"]


async def test_orders_that_cannot_be(tmp_path: Path) -> None:
    async with sending(tmp_path) as device:
        assert device.refused(SendMessage(recipient="nobody")) == "unknown_recipient"
        assert device.refused(SendMessage(recipient="plc", subject="x")) == "not_for_this_kind"
        mail = SendMessage(recipient="ops", recording="newest")
        assert device.refused(mail) == "no_recording"
        assert device.refused(PublishMqtt(topic="#")) == "topic"
        assert device.refused(TestRecipient(recipient="nobody")) == "unknown_recipient"


async def test_publications_wait_for_their_broker(tmp_path: Path) -> None:
    """And are sent as soon as it is there again, not when the next attempt would be due."""
    post = Post(faults={"mqtt": SendFailed("not connected")})
    async with sending(tmp_path, post) as device:
        device.context.dispatcher.execute(PublishMqtt(topic="a/b", payload="{device.name}"))
        await until(lambda: device.waiting[0]["attempts"] == 1)
        post.faults.clear()

        device.context.bus.publish(MqttClientChanged(active=True, connected=True))
        await until(lambda: device.results)

    message = post.sent[0]
    assert isinstance(message, MqttMessage)
    assert (message.topic, message.payload) == ("a/b", "Hall")


async def test_a_test_says_what_has_failed(tmp_path: Path) -> None:
    """RCP-01: past the outbox, and what waits does not matter."""
    post = Post(faults={"dead": SendFailed("the name dead.test is not found")})
    async with sending(tmp_path, post) as device:
        good, bad = await device.outbox.test("plc"), await device.outbox.test("dead")
        assert (good.worked, good.words) == (True, "")
        assert (bad.worked, bad.words) == (False, "the name dead.test is not found")
        assert device.waiting == []

        name = device.context.dispatcher.execute(TestRecipient(recipient="dead"))
        await until(lambda: device.results)
        assert device.results[0].item == name
        assert device.results[0].words == "the name dead.test is not found"


async def test_few_tests_run_at_a_time_and_none_for_ever(tmp_path: Path) -> None:
    post = Post(hangs={"plc"})
    async with sending(tmp_path, post) as device:
        for _ in range(MAX_TESTS):
            device.context.dispatcher.execute(TestRecipient(recipient="plc"))
        assert device.refused(TestRecipient(recipient="plc")) == "too_many_tests"
        await until(lambda: len(post.attempts) == MAX_TESTS)

        device.leap(21.0)
        await until(lambda: len(device.results) == MAX_TESTS)

    assert {r.words for r in device.results} == {"not done within 20 s"}


async def test_a_disk_that_cannot_be_written_holds_up_nothing(tmp_path: Path) -> None:
    """It is told; messages are sent, and forgotten if the device ends before."""
    (tmp_path / "outbox.db").mkdir()
    async with sending(tmp_path) as device:
        device.send("plc")
        await until(lambda: device.results)
        await turns()

    assert device.results[0].sent
