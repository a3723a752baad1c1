"""Everything that leaves the device for recipients: kept on the disk until it is sent or given up.

Serves: SendMessage, TestRecipient, PublishMqtt. Publishes: SendResult, OutboxChanged,
ServiceStateChanged. Each recipient has one attempt at a time, in a task of its own, so that one who
is slow or dead delays nobody else.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

from msgspec import Struct, structs

from sipstrobe.clock import Handle
from sipstrobe.commands.sending import PublishMqtt, SendMessage, TestRecipient
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused
from sipstrobe.events import MqttClientChanged, OutboxChanged, RecordingChanged, SendResult
from sipstrobe.sending.compose import Stamp, compose, publication, trial, values_of
from sipstrobe.sending.failure import SendFailed
from sipstrobe.sending.message import AnyMessage, Message, Sender
from sipstrobe.sending.outbox import DAY, Ended, Failed, Item, Outbox, Output, Try
from sipstrobe.sending.record import MAX_RESULTS, Result, Stored
from sipstrobe.sending.settings import FILE_KINDS, MQTT, Recipient
from sipstrobe.services.outbox_journal import Journal
from sipstrobe.trace import Cause, Input

logger = logging.getLogger(__name__)

ATTEMPT_LIMIT: Final = 60.0  # seconds
FILE_ATTEMPT_LIMIT: Final = 600.0
CALL_LIFETIME: Final = 600.0  # seconds after which nobody need be called any more
TEST_LIMIT: Final = 20.0  # seconds
MAX_TESTS: Final = 4  # at a time
TELL_AFTER: Final = 0.25  # seconds that changes of the outbox are told together
NEWEST: Final = "newest"
NO_CALENDAR: Final = 1_600_000_000.0  # seconds since 1970; the clock of who says less is not set
_INNER: Final = "an error inside the device; see its log"

Link = dict[str, Any]
Why = Callable[[Cause], Sequence[Link]]
"""A chain of causes as people read it; `at` is monotonic."""


class Recordings(Protocol):
    """Where recordings are."""

    async def recordings(self) -> Sequence["_Named"]: ...


class _Named(Protocol):
    @property
    def name(self) -> str: ...


class Trial(Struct, frozen=True):
    """What came of a test. words: what exactly has failed; empty when it worked."""

    worked: bool
    words: str
    seconds: float


@dataclass(slots=True, eq=False)
class _Entry:
    """A message that waits, with what is kept of it."""

    item: Item
    stored: Stored
    cause: Cause | None


class OutboxService:
    """See above. `start` comes before everything else."""

    def __init__(
        self,
        context: Context,
        folder: Path,
        senders: Mapping[str, Sender[Any, Any]],
        recordings: Recordings,
        *,
        device: Callable[[], tuple[str, str]],
        why: Why,
        closing: Sequence[Callable[[], Awaitable[None]]] = (),
    ) -> None:
        """senders: by kind; device: its name and serial number; closing: what senders want called
        in the end."""
        self._context = context
        self._senders = dict(senders)
        self._recordings = recordings
        self._device = device
        self._why = why
        self._closing = closing
        self._machine = Outbox(lambda: context.random_bytes(1)[0] / 255)
        self._driver = context.driver(self._machine, self._deliver, name="outbox")
        self._journal = Journal(context, folder)
        self._recipients: dict[str, Recipient] = {}
        self._entries: dict[str, _Entry] = {}
        self._results: deque[Result] = deque(maxlen=MAX_RESULTS)
        self._left: list[Stored] = []  # by an earlier run, until the recipients are known
        self._serial = 0
        self._running: dict[str, asyncio.Task[None]] = {}  # attempts and tests, by message
        self._tests = 0
        self._making: set[str] = set()  # recordings
        self._newest = ""  # the recording that has ended last
        self._telling: Handle | None = None
        self._told = (0, "")
        context.bus.subscribe(RecordingChanged, self._note_recording)
        context.bus.subscribe(MqttClientChanged, self._note_broker)
        context.dispatcher.serve(SendMessage, self._send)
        context.dispatcher.serve(PublishMqtt, self._publish)
        context.dispatcher.serve(TestRecipient, self._serve_test)

    # --- life ------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Find what earlier runs have left; it is sent as soon as the recipients are known."""
        left = await self._journal.load()
        self._serial, self._left = left.serial, left.messages
        self._results.extend(left.results)
        try:
            found = await self._recordings.recordings()
        except OSError as error:
            logger.warning("which recording is the newest is not known: %s", error)
        else:
            self._newest = self._newest or next((r.name for r in found), "")

    def apply(self, recipients: Sequence[Recipient]) -> None:
        """These are the recipients from now on."""
        before = self._recipients
        self._recipients = {recipient.name: recipient for recipient in recipients}
        changed = [n for n, r in self._recipients.items() if n in before and before[n] != r]
        lanes = [*self._recipients, *([MQTT] if MQTT in self._senders else [])]
        self._driver.feed(self._machine.apply, lanes, changed)
        left, self._left = self._left, []
        if left:
            logger.info("%d messages of an earlier run are to be sent", len(left))
            with self._context.trace.input("outbox", "restart", self._context.clock.now()):
                self._driver.feed(self._machine.restore, [self._restored(one) for one in left])
        for entry in [*self._entries.values()]:
            now_there = self._recipients.get(entry.item.lane)
            if now_there is not None and now_there.kind != entry.stored.kind:
                words = f"the recipient is of the kind {now_there.kind} now"
                self._driver.feed(self._machine.remove, entry.item.id, words)
        self._tell_soon()

    async def aclose(self) -> None:
        """Break off what is being sent, which is sent anew after the next start."""
        self._driver.close()
        if self._telling is not None:
            self._telling.cancel()
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for close in self._closing:
            await close()
        await self._journal.aclose()

    # --- what there is ---------------------------------------------------------------------------

    def snapshot(self) -> dict[str, Any]:
        """How the outbox stands, in short."""
        return {
            "waiting": len(self._machine),
            "failing": self._machine.failing,
            "results": len(self._results),
        }

    def messages(self) -> dict[str, Any]:
        """What waits, and what has become of the last messages, the newest first; plain values."""
        waiting = [self._waiting(self._entries[item.id]) for item in self._machine.items]
        return {"waiting": waiting, "results": [_told(r) for r in reversed(self._results)]}

    def why(self, message: str) -> tuple[Cause | None, Cause | None] | None:
        """Because of what a message that waits was ordered, and None; None: it does not wait."""
        entry = self._entries.get(message)
        return None if entry is None else (entry.cause, None)

    def remove(self, message: str) -> bool:
        """It is not to be sent any more. False: there is no such message."""
        return self._driver.feed(self._machine.remove, message, "removed by hand")

    async def test(self, name: str) -> Trial:
        """Send a test message to a recipient, past the outbox. Raises CommandRefused."""
        recipient = self._recipient(name)
        return await self._try_out(recipient, self._admit_test())

    # --- orders ----------------------------------------------------------------------------------

    def _send(self, order: SendMessage) -> str:
        recipient = self._recipient(order.recipient)
        if order.recording:
            order = replace(order, recording=self._recording(order))
        stamp = self._stamp()
        message = compose(recipient, order, stamp, self._values(order, stamp))
        return self._take(stamp, recipient.name, recipient.kind, message, order.rule)

    def _publish(self, order: PublishMqtt) -> str:
        if MQTT not in self._senders:
            raise CommandRefused("no_mqtt", "there is no MQTT client here")
        stamp = self._stamp()
        message = publication(order, stamp, self._values(order, stamp))
        return self._take(stamp, MQTT, MQTT, message, order.rule)

    def _serve_test(self, order: TestRecipient) -> str:
        recipient = self._recipient(order.recipient)
        stamp = self._admit_test()
        tell = partial(self._tell_test, recipient, stamp)
        self._run(stamp.id, self._context.trace.current, tell)
        return stamp.id

    def _take(self, stamp: Stamp, lane: str, kind: str, message: AnyMessage, rule: str) -> str:
        cause = self._context.trace.current
        why = [] if cause is None else self._dated(self._why(cause))
        stored = Stored(
            serial=stamp.serial, lane=lane, kind=kind, message=message, rule=rule, why=why
        )
        entry = self._entry(stored, age=0.0, cause=cause)
        if words := self._machine.refusal(lane, entry.item.size_bytes):
            self._ended(entry, sent=False, words=words)
            raise CommandRefused("outbox_full", words)
        self._entries[stamp.id] = entry
        self._journal.write(stored)
        self._driver.feed(self._machine.add, entry.item)
        self._tell_soon()
        return stamp.id

    def _recipient(self, name: str) -> Recipient:
        recipient = self._recipients.get(name)
        if recipient is None:
            raise CommandRefused("unknown_recipient", f"there is no recipient {name[:64]!r}")
        return recipient

    def _recording(self, order: SendMessage) -> str:
        """The one that is meant: of the event that the rule acted upon, if it is of one."""
        wanted = order.recording
        if wanted == NEWEST:
            wanted = order.items.get("recording", "")
            wanted = self._newest if not wanted or wanted in self._making else wanted
        if not wanted or wanted in self._making:
            raise CommandRefused("no_recording", "there is no recording that has ended")
        return wanted

    def _note_recording(self, event: RecordingChanged) -> None:
        if event.active:
            self._making.add(event.recording)
        else:
            self._making.discard(event.recording)
            self._newest = event.recording

    def _note_broker(self, event: MqttClientChanged) -> None:
        """It is there again: publications wait no longer."""
        if event.connected:
            self._driver.feed(self._machine.retry, MQTT)

    # --- messages --------------------------------------------------------------------------------

    def _stamp(self) -> Stamp:
        self._serial += 1
        token = self._context.random_bytes(8).hex()
        return Stamp(f"{self._serial}-{token}", self._serial, self._wall())

    def _values(self, order: SendMessage | PublishMqtt, stamp: Stamp) -> dict[str, str]:
        name, serial = self._device()
        time = _iso(stamp.at)
        return values_of(order, stamp, time=time, name=name, serial=serial)

    def _entry(self, stored: Stored, *, age: float, cause: Cause | None) -> _Entry:
        lifetime = CALL_LIFETIME if stored.kind == "sip" else DAY
        item = Item(
            id=stored.message.id,
            lane=stored.lane,
            size_bytes=stored.message.size_bytes,
            expires=self._context.clock.now() + lifetime - age,
            attempts=stored.attempts,
            failure=stored.failure,
        )
        return _Entry(item, stored, cause)

    def _restored(self, stored: Stored) -> Item:
        ordered = stored.message.at
        age = max(0.0, self._wall() - ordered) if ordered > NO_CALENDAR else 0.0
        words = f"left by an earlier run: {stored.rule or stored.message.about}"
        trace = self._context.trace
        cause = trace.link(Input("outbox", words), self._context.clock.now())
        entry = self._entries[stored.message.id] = self._entry(stored, age=age, cause=cause)
        return entry.item

    def _dated(self, chain: Sequence[Link]) -> list[Link]:
        """With the calendar in place of monotonic time, which means nothing to later runs."""
        ahead = self._wall() - self._context.clock.now()
        return [link | {"at": _iso(float(link["at"]) + ahead)} for link in chain]

    def _wall(self) -> float:
        return self._context.clock.wall().timestamp()

    # --- what the machine wants ------------------------------------------------------------------

    def _deliver(self, output: Output) -> None:
        entry = self._entries[output.item.id]
        match output:
            case Try(item):
                self._run(item.id, entry.cause, partial(self._attempt, entry))
            case Failed(item):
                logger.warning("%s: not sent to %s: %s", item.id, item.lane, item.failure)
                self._journal.write(_as_it_stands(entry))
                self._tell_soon()
            case Ended(item, sent, words):
                del self._entries[item.id]
                if item.id in self._running:
                    self._running[item.id].cancel()
                with self._context.trace.because(entry.cause):
                    self._ended(entry, sent=sent, words=words)

    def _ended(self, entry: _Entry, *, sent: bool, words: str) -> None:
        item, stored = entry.item, entry.stored
        if sent:
            logger.info("%s: sent to %s", item.id, item.lane)
        else:
            logger.warning("%s: not sent to %s, given up: %s", item.id, item.lane, words)
        result = Result(
            id=item.id,
            recipient=item.lane,
            kind=stored.kind,
            about=stored.message.about[:100],
            sent=sent,
            words=words,
            attempts=item.attempts,
            rule=stored.rule,
            ordered=stored.message.at,
            ended=self._wall(),
            why=stored.why,
        )
        self._results.append(result)
        self._journal.write(result)
        self._tell_result(item.id, item.lane, stored.kind, words, item.attempts, stored.rule)
        self._tell_soon()

    def _run(self, name: str, cause: Cause | None, work: Callable[[], Awaitable[None]]) -> None:
        async def follow() -> None:
            await self._context.trace.follow(cause, work())

        def done(task: asyncio.Task[None]) -> None:
            if self._running.get(name) is task:
                del self._running[name]

        task = asyncio.get_running_loop().create_task(follow())
        self._running[name] = task
        task.add_done_callback(done)

    async def _attempt(self, entry: _Entry) -> None:
        item, stored = entry.item, entry.stored
        limit = FILE_ATTEMPT_LIMIT if stored.kind in FILE_KINDS else ATTEMPT_LIMIT
        recipient = self._recipients.get(item.lane)
        machine, feed = self._machine, self._driver.feed
        failure = await self._outcome(stored.kind, recipient, stored.message, limit)
        self._running.pop(item.id, None)  # from here on nothing breaks it off
        if failure is None:
            feed(machine.sent, item.id)
        else:
            feed(machine.failed, item.id, failure.words, permanent=failure.permanent)

    async def _outcome(
        self, kind: str, recipient: Recipient | None, message: Message, limit: float
    ) -> SendFailed | None:
        """What has gone wrong; None: it is sent."""
        try:
            async with asyncio.timeout(limit):
                await self._senders[kind].send(recipient, message)
        except SendFailed as failure:
            return failure
        except TimeoutError:
            return SendFailed(f"not done within {limit:g} s")
        except Exception:  # a broken sender must not keep a lane for ever
            logger.exception("sending by %s failed", kind)
            return SendFailed(_INNER)
        return None

    # --- tests -----------------------------------------------------------------------------------

    def _admit_test(self) -> Stamp:
        if self._tests >= MAX_TESTS:
            raise CommandRefused("too_many_tests", f"{MAX_TESTS} tests run already")
        self._tests += 1
        return self._stamp()

    async def _try_out(self, recipient: Recipient, stamp: Stamp) -> Trial:
        clock = self._context.clock
        began = clock.now()
        order = SendMessage(recipient=recipient.name)
        try:
            message = trial(recipient, stamp, self._values(order, stamp))
            failure = await self._outcome(recipient.kind, recipient, message, TEST_LIMIT)
        finally:
            self._tests -= 1
        words = "" if failure is None else failure.words
        logger.info("test of %s: %s", recipient.name, words or "sent")
        return Trial(failure is None, words, round(clock.now() - began, 3))

    async def _tell_test(self, recipient: Recipient, stamp: Stamp) -> None:
        tried = await self._try_out(recipient, stamp)
        self._tell_result(stamp.id, recipient.name, recipient.kind, tried.words, 1, "")

    # --- telling ---------------------------------------------------------------------------------

    def _tell_result(
        self, item: str, lane: str, kind: str, words: str, attempts: int, rule: str
    ) -> None:
        self._context.bus.publish(
            SendResult(
                item=item,
                recipient=lane,
                kind=kind,
                sent=not words,
                words=words,
                attempts=attempts,
                rule=rule,
            )
        )

    def _tell_soon(self) -> None:
        if self._telling is None:
            clock = self._context.clock
            self._telling = clock.call_at(clock.now() + TELL_AFTER, self._tell)

    def _tell(self) -> None:
        self._telling = None
        stands = (len(self._machine), ", ".join(self._machine.failing))
        if stands != self._told:
            self._told = stands
            with self._context.trace.input("outbox", "changed", self._context.clock.now()):
                self._context.bus.publish(OutboxChanged(waiting=stands[0], failing=stands[1]))

    def _waiting(self, entry: _Entry) -> dict[str, Any]:
        item, stored = entry.item, entry.stored
        retry_at = self._machine.retry_at(item)
        ahead = self._wall() - self._context.clock.now()
        return {
            "id": item.id,
            "recipient": item.lane,
            "kind": stored.kind,
            "about": stored.message.about[:100],
            "rule": stored.rule,
            "ordered": _iso(stored.message.at),
            "attempts": item.attempts,
            "failure": item.failure,
            "retry": None if retry_at is None else _iso(retry_at + ahead),
            "given_up": _iso(item.expires + ahead),
            "why": stored.why,
        }


def _as_it_stands(entry: _Entry) -> Stored:
    item = entry.item
    return structs.replace(entry.stored, attempts=item.attempts, failure=item.failure)


def _told(result: Result) -> dict[str, Any]:
    return {
        "id": result.id,
        "recipient": result.recipient,
        "kind": result.kind,
        "about": result.about,
        "rule": result.rule,
        "sent": result.sent,
        "words": result.words,
        "attempts": result.attempts,
        "ordered": _iso(result.ordered),
        "ended": _iso(result.ended),
        "why": result.why,
    }


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
