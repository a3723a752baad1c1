"""The parameters of this device, as the tree that param.cgi lists.

Those that say what is really here, and those without which well-known programs do not begin. What
of it can be set is for `settable` to say.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sipstrobe.audio.clip import MAX_CLIPS
from sipstrobe.audio.settings import AudioSettings
from sipstrobe.config.settings import Settings
from sipstrobe.io.soundfiles import MAX_BYTES
from sipstrobe.lightsiren.chimes import FIRST_NUMBER, LAST_NUMBER
from sipstrobe.ports.settings import Port
from sipstrobe.web.compat import call, product, supervised_io
from sipstrobe.web.compat.media_clips import location_of
from sipstrobe.web.compat.port import MANUAL_TRIGGER
from sipstrobe.web.compat.product import Build
from sipstrobe.web.compat.settable import MUTE, opposite
from sipstrobe.web.views import Views

Tree = Mapping[str, "str | Tree"]

YES, NO = "yes", "no"
NOTHING_OF_IT: Final = "0.0"  # the version of what is not here, where programs read one
MAX_GROUPS: Final = MAX_CLIPS + LAST_NUMBER - FIRST_NUMBER + 1  # clips are numbered from 0
_AUDIO: Final[Tree] = {
    "DuplexMode": "full",
    "MaxTransmitters": "1",
    "NbrOfConfigs": "1",
    "A0": {"Enabled": YES, "HTTPMessageType": "singlepart", "NbrOfChannels": "1", "Source": "0"},
}


def parameters(settings: Settings, views: Views, build: Build) -> Tree:
    """All there are now."""
    ports, microphone = settings.ports.both, bool(views.microphone()["input"])
    return {
        "Audio": _AUDIO,
        "AudioSource": {"NbrOfSources": "1", "A0": _source(settings.audio, microphone)},
        "BasicDeviceInfo": {"BasicDeviceInfo": YES},
        "Brand": _brand(),
        "HTTPS": {
            "Enabled": _yes(settings.web.mode != "http"),
            "Port": str(settings.web.https_port),
        },
        "Input": {"NbrOfInputs": _count(ports, "input")},
        "IOPort": {f"I{number - 1}": _port(port) for number, port in ports.items()},
        "MediaClip": _clips(views.clips.listing()),
        "Network": {"HTTP": {"AuthenticationPolicy": "recommended", "AuthenticationWithQop": YES}},
        "Output": {"NbrOfOutputs": _count(ports, "output")},
        "Properties": _properties(settings, build, microphone),
        "System": _system(settings),
    }


def flat(tree: Tree, path: str = "root") -> Iterator[tuple[str, str]]:
    """Names and values in the order of the list: in a group first its own, then its groups."""
    groups: list[tuple[str, Tree]] = []
    for name, value in sorted(tree.items(), key=_by_name):
        if isinstance(value, str):
            yield f"{path}.{name}", value
        else:
            groups.append((name, value))
    for name, group in groups:
        yield from flat(group, f"{path}.{name}")


def _by_name(item: tuple[str, object]) -> str:
    return item[0].lower()


def _brand() -> Tree:
    return {
        "Brand": product.BRAND,
        "ProdFullName": product.FULL_NAME,
        "ProdNbr": product.MODEL,
        "ProdShortName": product.MODEL,
        "ProdType": product.KIND,
        "ProdVariant": "",
        "WebURL": "",
    }


def _properties(settings: Settings, build: Build, microphone: bool) -> Tree:
    return {
        "API": {
            "HTTP": {"AdminPath": "/", "Version": "3"},
            "Metadata": {"Metadata": NO, "Version": NOTHING_OF_IT},
            "SIP": {"SIP": YES, "Version": call.VERSION},
        },
        "ApiDiscovery": {"ApiDiscovery": YES},
        "Audio": {
            "Audio": YES,
            "DuplexMode": "full,post,get",
            "Format": "g711",
            "Decoder": {"Format": "g711,g726,axis-mulaw-128"},
            "Source": {"A0": {"Input": _yes(microphone), "Output": YES}},
        },
        "AudioClip": {
            "Format": "au,flac,mp3,opus,vorbis,wav",
            "PlayOptions": "location,repeat,volume",
            "StopClip": YES,
        },
        "EmbeddedDevelopment": {"EmbeddedDevelopment": NO, "Version": NOTHING_OF_IT},
        "Firmware": {
            "BuildDate": build.date,
            "BuildNumber": "1",
            "Version": product.FIRMWARE,
        },
        "HTTPS": {"HTTPS": YES},
        "IO": {"ManualTriggerNbr": str(MANUAL_TRIGGER)},
        "SirenAndLight": {"SirenAndLight2": YES},
        "SupervisedIO": {"SupervisedIO": YES, "Version": supervised_io.VERSION},
        "System": {
            "Architecture": build.architecture,
            "HardwareID": product.HARDWARE_ID,
            "SerialNumber": settings.device.serial,
            "Soc": build.machine,
        },
        "VirtualInput": {"VirtualInput": YES},
    }


def _clips(clips: Sequence[Mapping[str, Any]]) -> Tree:
    groups: dict[str, str | Tree] = {
        f"M{clip['number']}": {
            "Location": location_of(clip),
            "Name": clip["name"],
            "Type": "audio",
        }
        for clip in clips
    }
    return groups | {"MaxGroups": str(MAX_GROUPS), "MaxUploadSize": str(MAX_BYTES // 10**6)}


def _source(audio: AudioSettings, microphone: bool) -> Tree:
    """The microphone and the speaker, which programs take for one thing."""
    return {
        "AudioEncoding": "g711",
        "AudioSupport": _yes(microphone),
        "InputGain": _level(audio.microphone.gain_db, audio.microphone.muted),
        "InputType": "mic",
        "Name": "Audio",
        "NbrOfChannels": "1",
        "OutputGain": _level(audio.volume_db, audio.muted),
        "SampleRate": "8000",
    }


def _level(level_db: float, muted: bool) -> str:
    return MUTE if muted else f"{level_db:g}"


def _port(port: Port) -> Tree:
    active = opposite(port.normal_state)
    return {
        "Configurable": YES,
        "Direction": port.direction,
        "Usage": port.usage,
        "Input": {"Name": port.name, "Trig": active},
        "Output": {
            "Active": active,
            "Mode": port.mode,
            "Name": port.name,
            "PulseTime": str(port.pulse_ms),
        },
    }


def _system(settings: Settings) -> Tree:
    web, guess = settings.web, settings.web.brute_force
    return {
        "BoaPort": str(web.port),
        "BoaProtViewer": "anonymous" if web.anonymous_viewing else "password",
        "RootPwdSet": _yes(bool(web.users)),
        "PreventDoSAttack": {
            "ActivatePasswordThrottling": "On" if guess.enabled else "Off",
            "DoSBlockingPeriod": str(guess.block_seconds),
            "DoSPageCount": str(guess.page_failures_per_second),
            "DoSPageInterval": "1",
            "DoSSiteCount": str(guess.device_failures_per_second),
            "DoSSiteInterval": "1",
        },
    }


def _count(ports: Mapping[int, Port], direction: str) -> str:
    return str(sum(port.direction == direction for port in ports.values()))


def _yes(so: bool) -> str:
    return YES if so else NO
