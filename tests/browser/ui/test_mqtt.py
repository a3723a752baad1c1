"""MQTT in the interface: the broker, what is heard and said there, Home Assistant (MQT-01…14)."""

import pytest
from playwright.async_api import Page, expect
from pytest_asyncio import fixture

from sipstrobe.context import Context
from sipstrobe.events import MqttMessageReceived, MqttStateChanged, ServiceStateChanged
from sipstrobe.mqtt.settings import Subscription
from sipstrobe.rules.actions import RunProfile
from sipstrobe.rules.settings import Condition, Rule
from tests.browser.ui.conftest import Axe, enter, go
from tests.support.waiting import until
from tests.support.web import Device
from tests.web.conftest import PROFILES

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]

ALARM = Subscription(filter="site/alarm", kind="stateful")
BUTTONS = Subscription(filter="buttons/+")
RULE = Rule(
    name="Alarm",
    conditions=(Condition(event="mqtt/state", match={"filter": "site/alarm", "active": "true"}),),
    action=RunProfile(profile="Evacuate"),
)
WRONG = "wrong user or password"


@fixture(loop_scope="module")
async def device(context: Context) -> Device:
    subscriptions = (ALARM, BUTTONS)
    return Device.make(
        context,
        in_background=True,
        profiles=PROFILES,
        rules=(RULE,),
        mqtt={"subscriptions": subscriptions},
    )


def at_broker(device: Device, *, connected: bool, words: str = "") -> None:
    device.mqtt |= {"active": True, "connected": connected, "words": words}
    device.mqtt["broker"] = "ssl://broker.example"
    if words:
        event = ServiceStateChanged(service="mqtt", working=False, problem=words)
        device.context.bus.publish(event)


async def test_the_broker_is_named_and_what_keeps_us_from_it_is_told(
    page: Page, device: Device, axe: Axe
) -> None:
    """MQT-01…04: nothing typed is lost where the device refuses it."""
    await go(page, "/mqtt")
    broker = page.get_by_role("form", name="Broker")
    state = page.locator(".mqtt-words")
    await expect(state).to_have_text("Off The device talks to no broker.")
    await broker.get_by_label("Protocol").select_option("TLS (SSL)")
    await expect(broker.get_by_role("group", name="TLS")).to_be_visible()
    await broker.get_by_label("Host", exact=True).fill("broker.example")
    await broker.get_by_label("Password", exact=True).fill("open sesame")
    await broker.get_by_label("Client certificate", exact=True).fill("of\nours")
    await broker.get_by_label("Private key", exact=True).fill("several\nlines")
    await broker.get_by_text("More settings").click()
    await broker.get_by_label("Device topic prefix").fill("$home")
    await broker.get_by_role("button", name="Save and connect").click()
    await expect(broker.locator("[data-field='/topic_prefix'] .error")).to_have_text(
        "must not begin with $: that is the broker's own"
    )
    await axe(page)
    await broker.get_by_label("Device topic prefix").fill("home/strobe")
    await broker.get_by_label("Device topic prefix").press("Enter")
    await until(lambda: device.store.current.mqtt.active)
    mqtt = device.store.current.mqtt
    assert (mqtt.host, mqtt.protocol, mqtt.port) == ("broker.example", "ssl", None)
    assert (mqtt.password.reveal(), mqtt.topic_prefix) == ("open sesame", "home/strobe")

    assert (mqtt.tls.certificate, mqtt.tls.private_key.reveal()) == ("of\nours", "several\nlines")

    at_broker(device, connected=False, words=WRONG)
    await expect(state).to_have_text(f"Not connected ssl://broker.example · {WRONG}")
    await expect(page.get_by_text("It is tried again by itself")).to_be_visible()
    await expect(page.get_by_text("may be blocked")).to_have_count(0)
    at_broker(device, connected=True)
    await expect(state).to_have_text("Connected ssl://broker.example")
    await expect(page.get_by_text(f": {WRONG}")).to_be_visible()

    at_broker(device, connected=False, words="the broker does not answer")
    await expect(page.get_by_text("Port 8883 may be blocked")).to_be_visible()  # PRB-06
    await axe(page)
    await page.get_by_role("button", name="TLS on port 443").press("Enter")
    await expect(page.get_by_text("may be blocked")).to_have_count(0)
    await until(lambda: device.store.current.mqtt.port == 443)
    assert device.store.current.mqtt.alpn == "mqtt"


async def test_what_is_heard_is_seen_and_chosen(
    page: Page, url: str, device: Device, axe: Axe
) -> None:
    """MQT-14, AMB-11: what came last, without a reload; a state needs a topic of its own."""
    await go(page, "/mqtt/subscriptions")
    alarm = page.get_by_role("listitem", name="site/alarm")
    buttons = page.get_by_role("listitem", name="buttons/+")
    await expect(alarm.locator(".mqtt-came")).to_contain_text("Nothing has come yet.")
    said = MqttStateChanged(filter="site/alarm", prefix=False, active=True, payload="On")
    pushed = MqttMessageReceived(
        filter="buttons/+", prefix=False, topic="buttons/door", payload="pressed"
    )
    with device.context.trace.input("mqtt", "messages", device.context.clock.now()):
        device.context.bus.publish(said)
        device.context.bus.publish(pushed)
    await expect(alarm.locator(".mqtt-came")).to_contain_text("On")
    await expect(alarm.locator(".badge")).to_have_text("Active")
    await expect(buttons.locator(".mqtt-came")).to_contain_text("buttons/door")
    await expect(alarm.get_by_role("link", name="Alarm")).to_be_visible()
    await axe(page)

    await page.get_by_role("button", name="Subscribe").click()
    dialog = page.get_by_role("dialog", name="New subscription")
    await dialog.get_by_label("Topic", exact=True).fill("doors/+")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.locator("[data-field='/filter'] .error")).to_have_text(
        "must have no wildcards where the last message holds"
    )
    await axe(page)
    await dialog.get_by_label("Kind").select_option("Stateless: each message is a trigger")
    await dialog.get_by_label("Topic", exact=True).press("Enter")
    await expect(page.get_by_role("listitem", name="doors/+")).to_be_visible()
    assert device.store.current.mqtt.subscriptions[2] == Subscription(filter="doors/+")

    await enter(page, url, "/mqtt/subscriptions", name="olga")
    await expect(alarm.locator(".badge")).to_have_text("Active")
    await expect(page.get_by_role("button", name="Subscribe")).to_have_count(0)
    await go(page, "/mqtt/connection")
    await expect(page.get_by_label("Host", exact=True)).to_be_disabled()


async def test_what_is_published_is_shown_before_it_is_saved(
    page: Page, device: Device, axe: Axe
) -> None:
    """MQT-13, and Home Assistant with its warning."""
    await go(page, "/mqtt/publications")
    form = page.get_by_role("form", name="What the device says")
    await form.get_by_label("Publish an event").select_option(
        "A virtual input is active · onvif:Device/axis:IO/VirtualInput"
    )
    await form.get_by_text("A virtual input is active", exact=True).click()
    shown = form.locator(".mqtt-preview li")
    await expect(shown.locator("code")).to_contain_text("/IO/VirtualInput/$source/port/1")
    await expect(shown.locator("pre")).to_contain_text('"data":{"active":"1"}')
    await form.get_by_text("More settings").click()
    await form.locator("label", has_text="Include topic namespaces").click()
    await expect(shown.locator("code")).to_contain_text("/event/Device/IO/VirtualInput/")
    await axe(page)
    save = form.get_by_role("button", name="Save")
    await save.click()
    await expect(save).to_have_count(0)  # saved: who goes on is not asked back
    [condition] = device.store.current.mqtt.publications.conditions
    assert (condition.retain, condition.qos) == ("property", 0)

    await go(page, "/mqtt/home")
    await page.locator("label", has_text="Commands over MQTT").click()
    await expect(page.get_by_text("The broker has to know its clients")).to_be_visible()
    await page.get_by_role("button", name="Save").click()
    await until(lambda: device.store.current.home.commands)
    await axe(page)
