"""What is certain to follow from an action."""

import pytest

from sipstrobe.rules.actions import PublishMqtt
from sipstrobe.rules.check import Known, warnings
from sipstrobe.rules.settings import Condition, Rule


@pytest.mark.parametrize(
    ("published", "warned"),
    [
        (PublishMqtt(topic="a", payload="x"), ["loop"]),
        (PublishMqtt(topic="a", payload="{rule}"), ["loop"]),
        (PublishMqtt(topic="a", payload="y"), []),
        (PublishMqtt(topic="b", payload="x"), []),
        (PublishMqtt(topic="a", payload="x", use_prefix=True), []),
    ],
)
def test_what_is_published_comes_back_to_who_subscribes_to_it(
    published: PublishMqtt, warned: list[str]
) -> None:
    """A loop by way of the broker is none that the device would see while it runs."""
    match = {"filter": "a", "prefix": "false", "payload": "x"}
    rule = Rule(name="R", when=Condition(event="mqtt/message", match=match), action=published)

    assert [one.code for one in warnings([rule], Known())] == warned
