"""What ports cannot be together, and what rules may say of them."""

from typing import Any

import pytest

from sipstrobe.config.store import Store
from sipstrobe.errors import ConfigError
from sipstrobe.rules.actions import SetOutput
from sipstrobe.rules.settings import Condition, Rule


def problems(**settings: Any) -> list[str]:
    """The paths of what is wrong."""
    with pytest.raises(ConfigError) as caught:
        Store.memory().prepare(settings)
    return [problem.path for problem in caught.value.problems]


GPIO = {"driver": "gpio:gpiochip0/17"}


@pytest.mark.parametrize(
    ("ports", "path"),
    [
        ({"port_1": {"mode": "monostable"}}, "/ports/port_1/pulse_ms"),
        ({"port_2": {"supervised": True, "direction": "output"}}, "/ports/port_2/supervised"),
        ({"port_1": {"supervised": True, **GPIO}}, "/ports/port_1/supervised"),
        ({"port_1": GPIO, "port_2": GPIO}, "/ports/port_2/driver"),
        ({"port_1": {"driver": "gpio:../../mem/1"}}, "/ports/port_1/driver"),
        ({"port_1": {"name": "Door\n"}}, "/ports/port_1/name"),
        ({"port_1": {"pulse_ms": 65536}}, "/ports/port_1/pulse_ms"),
        ({"port_3": {}}, "/ports/port_3"),
    ],
)
def test_what_cannot_be_is_told_at_its_field(ports: Any, path: str) -> None:
    assert problems(ports=ports) == [path]


@pytest.mark.parametrize("number", ["0", "65", "01", "x"])
def test_there_are_64_virtual_inputs_to_name(number: str) -> None:
    """GAP-32."""
    (path,) = problems(ports={"virtual_inputs": {number: "Gate"}})
    assert path.startswith("/ports/virtual_inputs")


@pytest.mark.parametrize(
    ("event", "item"), [("input/virtual", "input"), ("input/port", "port"), ("output/port", "port")]
)
def test_a_rule_waits_for_inputs_that_there_are(event: str, item: str) -> None:
    """IOP-06."""
    when = Condition(event=event, match={item: "65"})
    rule = Rule(name="R", when=when, action=SetOutput(port=1))
    assert problems(rules=[rule]) == [f"/rules/0/when/match/{item}"]
