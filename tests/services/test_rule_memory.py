"""No rule is lost, and none is done twice, because the device is started anew (EVT-03, EVT-08)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from sipstrobe import commands
from sipstrobe.commands import Command, OperationId
from sipstrobe.config.files import Memory
from sipstrobe.context import Context
from sipstrobe.events import Event, Function, LinkLost, ScheduleInterval, VirtualInputChanged
from sipstrobe.rules.actions import CheckHealth, RunLight, SetVirtualInputWhile
from sipstrobe.rules.anew import RESUME_SECONDS
from sipstrobe.rules.explain import Outcome
from sipstrobe.rules.settings import Rule
from sipstrobe.services.automation import Automation
from sipstrobe.services.rule_memory import FILE, RuleMemory
from tests.rules.bench import call, on, rule, trigger
from tests.support.clock import FakeClock

PRESSED = on("input/manual_trigger", trigger="1", active="true")
LOST = on("network/lost", interface="eth1", lost="true")
NIGHT = on("schedule/interval", schedule="Night", active="true")
ACTIVE = on("call/state", state="active")
ONCE, LIGHT = CheckHealth(), RunLight(pattern="Steady")


@dataclass(eq=False)
class Calendar(FakeClock):
    """A clock whose calendar can be set."""

    set_by: timedelta = timedelta()

    def wall(self) -> datetime:
        return super().wall() + self.set_by


class House:
    """One device after another, with the same disk and the same clock."""

    def __init__(self) -> None:
        self.clock = Calendar()
        self.files = Memory()
        self.orders: list[Command] = []
        self.stopped: list[Command] = []
        self.rules: tuple[Rule, ...] = ()
        self.context = Context(self.clock)
        self.memory = RuleMemory(self.context, self.files)
        self.automation = Automation(self.context, self.memory)

    def start(self, *rules: Rule) -> None:
        """With these rules."""
        self.context = Context(self.clock)
        self.memory = RuleMemory(self.context, self.files)
        self.automation = Automation(self.context, self.memory)
        serve = self.context.dispatcher.serve
        serve(commands.RunHealthCheck, self.orders.append)
        serve(commands.StartOperation, self._started)
        serve(commands.StopOperations, self.stopped.append)
        serve(commands.SetVirtualInput, self._set)
        self.orders.clear()
        self.stopped.clear()
        self.rules = rules
        self.automation.apply(rules)

    async def stop(self) -> None:
        self.automation.close()
        await self.memory.aclose()

    async def crash(self) -> None:
        """Nothing is closed; what is being written comes to the disk, or did before."""
        await self.memory.aclose()

    def publish(self, *events: Event) -> None:
        self.context.bus.publish(*events)

    def outcome(self, name: str) -> Outcome:
        status = self.automation.status(name)
        assert status is not None
        return status.records[-1].outcome

    def _set(self, order: commands.SetVirtualInput) -> bool:
        self.publish(VirtualInputChanged(input=order.input, active=order.active))
        return True

    def _started(self, command: commands.StartOperation) -> OperationId:
        self.orders.append(command)
        return OperationId(Function.SIGNALING_LED, len(self.orders))


def lost(value: bool, interface: str = "eth1") -> LinkLost:
    return LinkLost(interface=interface, lost=value)


@pytest.fixture
async def house() -> House:
    return House()


async def test_a_wait_goes_on_over_a_restart(house: House) -> None:
    hourly = rule("R", when=PRESSED, action=ONCE, minimum_interval=3600)
    house.start(hourly)
    house.publish(trigger(True))
    await house.crash()
    house.clock.advance(600.0)

    house.start(hourly)
    house.publish(trigger(True), trigger(False), trigger(True), trigger(False))
    assert house.outcome("R") is Outcome.TOO_SOON
    house.clock.advance(3000.0)
    house.publish(trigger(True))

    assert house.orders == [commands.RunHealthCheck()]


async def test_a_calendar_that_was_set_back_makes_nothing_happen_twice(house: House) -> None:
    hourly = rule("R", when=PRESSED, action=ONCE, minimum_interval=3600)
    house.start(hourly)
    house.publish(trigger(True))
    await house.crash()
    house.clock.set_by = timedelta(days=-3650)

    house.start(hourly)
    house.publish(trigger(True), trigger(False))
    assert house.orders == []
    house.clock.advance(3600.0)
    house.publish(trigger(True))

    assert house.orders == [commands.RunHealthCheck()]


@pytest.mark.parametrize("orderly", [True, False])
async def test_what_was_done_once_is_not_done_again(house: House, *, orderly: bool) -> None:
    """The state that it was done for is only reported again."""
    once = rule("R", LOST, action=ONCE)
    house.start(once)
    house.publish(lost(True))
    await (house.stop() if orderly else house.crash())
    house.clock.advance(60.0)

    house.start(once)
    house.clock.advance(1.0)
    house.publish(lost(True))
    assert house.orders == []
    assert house.outcome("R") is Outcome.RESUMED
    house.publish(lost(False), lost(True))

    assert house.orders == [commands.RunHealthCheck()]


async def test_what_goes_on_is_active_and_ends_as_if_nothing_had_been(house: House) -> None:
    """Its trigger, told anew as well, changes nothing about that."""
    other = on("network/lost", interface="eth2", lost="true")
    by_link = rule("R", other, when=LOST, action=LIGHT)
    house.start(by_link)
    house.publish(lost(True, "eth2"), lost(True))
    await house.crash()

    house.start(by_link)
    house.publish(lost(True, "eth2"), lost(True))
    status = house.automation.status("R")
    assert status is not None
    assert status.active
    assert house.outcome("R") is Outcome.RUNS
    assert [type(order) for order in house.orders] == [commands.StartOperation]
    house.publish(lost(False, "eth2"))

    assert [type(order) for order in house.stopped] == [commands.StopOperations]
    assert house.outcome("R") is Outcome.ENDED


async def test_news_is_not_taken_for_what_was_before(house: House) -> None:
    """Another link has been lost, beside that for which all has been done."""
    any_lost = on("network/lost", lost="true")
    by_any = rule("R", any_lost, when=any_lost, action=ONCE)
    house.start(by_any)
    house.publish(lost(True, "eth1"))
    await house.crash()

    house.start(by_any)
    house.publish(lost(True, "eth2"))

    assert house.orders == [commands.RunHealthCheck()]


async def test_a_trigger_is_told_anew_only_once(house: House) -> None:
    by_state = rule("R", when=LOST, action=ONCE)
    house.start(by_state)
    house.publish(lost(True))
    await house.crash()

    house.start(by_state)
    house.publish(lost(True), lost(False), lost(True))

    assert house.orders == [commands.RunHealthCheck()]


@pytest.mark.parametrize("once", [rule("R", LOST, action=ONCE), rule("R", when=LOST, action=ONCE)])
async def test_what_comes_later_has_come_anew(house: House, once: Rule) -> None:
    house.start(once)
    house.publish(lost(True))
    await house.stop()

    house.start(once)
    house.clock.advance(RESUME_SECONDS + 1.0)
    house.publish(lost(True))

    assert house.orders == [commands.RunHealthCheck()]


async def test_what_began_while_the_device_was_off_is_not_lost(house: House) -> None:
    once = rule("R", LOST, action=ONCE)
    house.start(once)
    await house.stop()

    house.start(once)
    house.publish(lost(True))

    assert house.orders == [commands.RunHealthCheck()]


async def test_what_a_trigger_has_begun_goes_on(house: House) -> None:
    """ACT-02: its trigger does not come again, and its conditions still hold."""
    by_call = rule("R", LOST, when=ACTIVE, action=LIGHT)
    house.start(by_call)
    house.publish(lost(True), call("active"))
    assert len(house.orders) == 1
    await house.stop()

    house.start(by_call)
    house.publish(lost(True))
    assert [type(order) for order in house.orders] == [commands.StartOperation]
    house.publish(lost(False), lost(True))

    assert len(house.orders) == 1  # its trigger has not come


async def test_what_lasts_is_begun_again_whatever_it_would_have_to_wait(house: House) -> None:
    lasting = rule("R", LOST, action=LIGHT, minimum_interval=3600)
    house.start(lasting)
    house.publish(lost(True))
    await house.stop()

    house.start(lasting)
    house.publish(lost(True))

    assert len(house.orders) == 1


async def test_what_had_ended_is_not_resumed(house: House) -> None:
    once = rule("R", LOST, action=ONCE)
    house.start(once)
    house.publish(lost(True), lost(False))
    await house.stop()
    assert house.files.contents[FILE] == b"{}"

    house.start(once)
    house.publish(lost(True))

    assert house.orders == [commands.RunHealthCheck()]


async def test_a_rule_that_was_changed_meanwhile_is_another(house: House) -> None:
    house.start(rule("R", PRESSED, action=ONCE))
    house.publish(trigger(True))
    await house.stop()

    house.start(rule("R", PRESSED, ACTIVE, action=ONCE))
    house.publish(trigger(True), call("active"))

    assert house.orders == [commands.RunHealthCheck()]


async def test_of_what_no_restart_can_repeat_nothing_is_written(
    house: House,
) -> None:
    by_call = rule("S", when=ACTIVE, action=ONCE)
    house.start(rule("R", PRESSED, action=LIGHT), by_call)
    house.publish(trigger(True), call("active"), call("idle"))
    await house.stop()

    assert house.files.contents == {}


async def test_a_rule_that_is_gone_is_forgotten(house: House) -> None:
    house.start(rule("R", PRESSED, action=ONCE))
    house.publish(trigger(True))
    house.automation.apply(())
    await house.stop()

    assert house.files.contents[FILE] == b"{}"


async def test_a_file_that_cannot_be_read_is_as_none(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.files.contents[FILE] = b'{"R": 1}'

    house.start(rule("R", PRESSED, action=ONCE))
    house.publish(trigger(True))

    assert house.orders == [commands.RunHealthCheck()]
    assert "cannot be read" in caplog.text
    await house.stop()


async def test_a_disk_that_is_full_keeps_no_rule_from_acting(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    class Full(Memory):
        def write(self, name: str, data: bytes, *, mode: int) -> None:
            raise OSError(28, "No space left on device")

    house.files = Full()
    house.start(rule("R", PRESSED, action=ONCE))
    house.publish(trigger(True), trigger(False), trigger(True))
    await house.stop()

    assert len(house.orders) == 2
    assert "is not kept" in caplog.text


async def test_a_trigger_that_is_only_reported_anew_does_not_fire_twice(house: House) -> None:
    by_state = rule("R", when=LOST, action=ONCE)
    house.start(by_state)
    house.publish(lost(True))
    await house.crash()

    house.start(by_state)
    house.publish(lost(True))
    assert house.orders == []
    assert house.outcome("R") is Outcome.NOT_FIRED
    house.publish(lost(False))
    await house.crash()
    house.start(by_state)
    house.publish(lost(True))

    assert house.orders == [commands.RunHealthCheck()]  # it had ended in between


async def test_a_trigger_that_had_ended_or_is_another_source_fires(house: House) -> None:
    by_any = rule("R", when=on("network/lost", lost="true"), action=ONCE)
    house.start(by_any)
    house.publish(lost(True), lost(False))
    await house.crash()
    house.start(by_any)
    house.publish(lost(True))
    assert len(house.orders) == 1
    await house.crash()

    house.start(by_any)
    house.publish(lost(True, "eth2"))

    assert len(house.orders) == 1


async def test_a_trigger_that_was_missed_while_the_device_was_off_fires(house: House) -> None:
    by_state = rule("R", when=LOST, action=ONCE)
    house.start(by_state)
    await house.stop()

    house.start(by_state)
    house.publish(lost(True))

    assert house.orders == [commands.RunHealthCheck()]


async def test_each_source_of_a_trigger_is_known(house: House) -> None:
    by_any = rule("R", when=on("network/lost", lost="true"), action=ONCE)
    house.start(by_any)
    house.publish(lost(True, "eth1"), lost(True, "eth2"))
    await house.crash()

    house.start(by_any)
    house.publish(lost(True, "eth3"), lost(True, "eth2"), lost(True, "eth1"))

    assert house.orders == [commands.RunHealthCheck()]  # by the third


@pytest.mark.parametrize(
    "once", [rule("R", when=PRESSED, action=ONCE), rule("R", PRESSED, action=ONCE)]
)
async def test_an_input_that_is_set_after_the_start_is_news(house: House, once: Rule) -> None:
    """What inputs were is known before: who presses at once again, because the device was started
    anew, is heard."""
    house.start(once)
    house.publish(trigger(True))
    await house.crash()

    house.start(once)
    house.publish(trigger(True))

    assert house.orders == [commands.RunHealthCheck()]


async def test_an_input_that_a_rule_sets_again_is_no_news(house: House) -> None:
    virtual = on("input/virtual", input="1", active="true")
    rules = (
        rule("A", LOST, action=SetVirtualInputWhile(input=1)),
        rule("B", virtual, action=ONCE),
        rule("C", when=virtual, action=ONCE),
    )
    house.start(*rules)
    house.publish(lost(True))
    assert len(house.orders) == 2
    await house.stop()

    house.start(*rules)
    house.publish(lost(True))

    assert house.orders == []


async def test_another_call_is_another_beginning(house: House) -> None:
    """No call outlives the device."""
    once = rule("R", ACTIVE, action=ONCE)
    by_trigger = rule("S", ACTIVE, when=PRESSED, action=LIGHT)
    house.start(once, by_trigger)
    house.publish(call("active"), trigger(True))
    await house.crash()

    house.start(once, by_trigger)
    house.publish(call("active", "c2"))

    assert house.orders == [commands.RunHealthCheck()]  # nobody has pressed for the light


@pytest.mark.parametrize("again", [True, False])
@pytest.mark.parametrize(
    "once", [rule("R", when=NIGHT, action=ONCE), rule("R", NIGHT, action=ONCE)]
)
async def test_the_interval_of_another_day_is_another(
    house: House, once: Rule, *, again: bool
) -> None:
    """SCH-01: the power came back in the next one."""
    house.start(once)
    house.publish(ScheduleInterval(schedule="Night", active=True))
    await house.crash()

    house.start(once)
    house.publish(ScheduleInterval(schedule="Night", active=True, again=again))

    assert len(house.orders) == (0 if again else 1)


async def test_an_interval_that_goes_on_fires_nothing_that_it_had_not(house: House) -> None:
    """Its beginning had come, and a condition was false then."""
    once = rule("R", PRESSED, when=NIGHT, action=ONCE)
    house.start(once)
    house.publish(ScheduleInterval(schedule="Night", active=True))
    await house.crash()

    house.start(once)
    house.publish(trigger(True), ScheduleInterval(schedule="Night", active=True, again=True))

    assert house.orders == []


async def test_what_a_rule_waited_for_before_a_change_takes_nothing_with_it(house: House) -> None:
    """The wait of the new rule is waited out."""
    by_link = rule("R", when=LOST, action=ONCE)
    by_button = rule("R", when=PRESSED, action=ONCE, minimum_interval=3600)
    house.start(by_link)
    house.publish(lost(True))
    house.automation.apply((by_button,))
    house.publish(trigger(True), trigger(False), lost(False))
    await house.crash()

    house.start(by_button)
    house.publish(trigger(True))

    assert house.orders == []
