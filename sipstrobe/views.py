"""The device as the page and the API see it: snapshots of the services, put together."""

from collections.abc import Callable, Mapping

from sipstrobe.services.automation import Automation
from sipstrobe.services.phone import Phone
from sipstrobe.services.properties import Properties
from sipstrobe.services.signals import Signals
from sipstrobe.services.sound import Sound
from sipstrobe.web.views import Views


def views_of(
    *,
    signals: Signals,
    sound: Sound,
    phone: Phone,
    automation: Automation,
    properties: Properties,
    problems: Callable[[], Mapping[str, str]],
) -> Views:
    """All views of one device. problems: what keeps each of its parts from working."""

    def registrations() -> list[dict[str, object]]:
        return [
            {"account": account.name, "uri": "", "state": "does not register", "problem": ""}
            for account in phone.settings.accounts
        ]

    def outputs() -> list[dict[str, object]]:
        heard = sound.snapshot()
        lights = signals.light_states
        return [
            {
                "name": heard["output"],
                "kind": "sound",
                "working": heard["working"],
                "words": heard["problem"],
                "level_db": heard["rms_db"],
            },
            *(
                {"name": name, "kind": "light", "working": not words, "words": words}
                for name, words in lights.items()
            ),
        ]

    def rules() -> list[dict[str, object]]:
        return [
            {
                "name": status.rule.name,
                "enabled": status.rule.enabled,
                "active": status.active,
                "words": status.rule.action.words,
            }
            for status in automation.snapshot()
        ]

    return Views(
        operations=signals.status,
        maintenance=lambda: signals.maintenance,
        health=lambda: signals.last_health_check,
        frame=signals.frame,
        watch_frames=signals.watch_frames,
        calls=phone.snapshot,
        registrations=registrations,
        outputs=outputs,
        services=problems,
        listening=lambda: phone.transports.addresses,
        triggers=lambda: {n: active for n, _, active in properties.manual_triggers()},
        rules=rules,
    )
