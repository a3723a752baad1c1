"""POST /axis-cgi/siren_and_light.cgi: light and siren as door controllers and cameras call them."""

from collections.abc import Callable, Collection, Iterable
from math import ceil
from typing import Any, cast

from sipstrobe.audio.clip import CLIP_PATTERN, Clip
from sipstrobe.bus import Dispatcher
from sipstrobe.clock import Clock
from sipstrobe.commands import (
    ChangeSettings,
    Command,
    OperationId,
    RunHealthCheck,
    SetMaintenance,
    StartOperation,
    StartProfile,
    StopAll,
    StopOperations,
    StopProfile,
)
from sipstrobe.config.clips import patterns
from sipstrobe.config.users import Role
from sipstrobe.errors import CommandRefused, ConfigError
from sipstrobe.events import Function
from sipstrobe.lightsiren.catalogue import PATTERNS, Pattern
from sipstrobe.lightsiren.colors import COLORS
from sipstrobe.lightsiren.settings import (
    DEFAULT_INTENSITY,
    DEFAULT_PRIORITY,
    INTENSITIES,
    MAX_PROFILES,
    PRIORITIES,
    LightPart,
    Profile,
    SirenPart,
)
from sipstrobe.lightsiren.sounds import SOUNDS
from sipstrobe.web.compat.json_cgi import (
    BAD_VALUE,
    MISSING,
    ApiError,
    JsonCgi,
    Params,
    decode,
    invalid,
    missing,
)
from sipstrobe.web.compat.siren_profiles import (
    PROFILE,
    profile_json,
    read_light,
    read_profile,
    read_siren,
    refusal,
)
from sipstrobe.web.exchange import Route
from sipstrobe.web.views import OperationView, Views

PATH = "/axis-cgi/siren_and_light.cgi"
VERSION = "1.0"
UPLOAD_MAX_BYTES = 256 * 1024
POE_CLASS = "4"  # what this device behaves as: all intensities
_SIREN_INTENSITIES: dict[str, tuple[int, ...]] = {"3": INTENSITIES, POE_CLASS: INTENSITIES}
_LIGHT_INTENSITIES: dict[str, tuple[int, ...]] = {"3": INTENSITIES[:2], POE_CLASS: INTENSITIES}

_LIGHTS = (Function.SIGNALING_LED, Function.AUDIO_LED)
_SIREN = Function.AUDIO_SPEAKER
_SERVICES = {"siren": (_SIREN,), "light": _LIGHTS}


class SirenAndLight:
    """The methods of the API. They order by command and look at views, nothing else."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        clock: Clock,
        views: Views,
        profiles: Callable[[], tuple[Profile, ...]],
        clips: Callable[[], tuple[Clip, ...]],
    ) -> None:
        self._dispatcher = dispatcher
        self._clock = clock
        self._views = views
        self._profiles = profiles
        self._clips = clips
        self._cgi = JsonCgi(
            VERSION,
            {
                "getSupportedVersions": lambda _: {"apiVersions": [VERSION]},
                "getCapabilities": lambda _: {"capabilities": capabilities(self._clips())},
                "getStatus": self._get_status,
                "getProfiles": self._get_profiles,
                "start": self._start,
                "stop": self._stop,
                "addProfile": self._add_profile,
                "removeProfile": self._remove_profile,
                "uploadProfiles": self._upload_profiles,
                "runHealthCheck": self._run_health_check,
                "getLastHealthCheck": self._get_last_health_check,
                "setMaintenanceMode": self._set_maintenance_mode,
            },
        )

    def routes(self) -> list[Route]:
        return [
            Route(
                method="POST",
                path=PATH,
                handler=self._cgi.respond,
                role=Role.OPERATOR,
                body_max_bytes=UPLOAD_MAX_BYTES,
                unstored=self._cgi.unstored,
            )
        ]

    def _get_status(self, _: Params) -> dict[str, Any]:
        now = self._clock.now()
        running = sorted(self._views.operations(), key=lambda operation: -operation.priority)
        siren = [_siren_status(o, now) for o in running if o.function == _SIREN]
        light = [_light_status(o, now) for o in running if o.function in _LIGHTS]
        return ({"siren": siren} if siren else {}) | ({"light": light} if light else {})

    def _get_profiles(self, _: Params) -> dict[str, Any]:
        return {"profiles": [profile_json(profile) for profile in self._profiles()]}

    def _start(self, params: Params) -> dict[str, Any]:
        if "profile" in params:
            if "siren" in params or "light" in params:
                raise ApiError(BAD_VALUE, "Give either a profile, or siren and light")
            return _ids(self._execute(StartProfile(profile=params.text("profile"))))
        siren = read_siren(params.object("siren"), self._sounds) if "siren" in params else None
        light = read_light(params.object("light")) if "light" in params else None
        if siren is None and light is None:
            missing("profile, siren or light")
        return _ids([self._execute(_operation(part)) for part in (siren, light) if part])

    def _stop(self, params: Params) -> dict[str, Any]:
        forms = ["all" in params, "profile" in params, "sirenId" in params or "lightId" in params]
        if sum(forms) != 1:
            code = BAD_VALUE if any(forms) else MISSING
            raise ApiError(code, "Give one of all, profile, or sirenId and lightId")
        if "profile" in params:
            self._execute(StopProfile(profile=params.text("profile")))
        elif "all" in params:
            self._execute(StopAll(functions=_functions(params.texts("all"))))
        else:
            self._execute(StopOperations(operations=tuple(self._named(params))))
        return {}

    def _add_profile(self, params: Params) -> dict[str, Any]:
        self._store((*self._profiles(), read_profile(params, self._sounds)))
        return {}

    def _remove_profile(self, params: Params) -> dict[str, Any]:
        name = params.text("name")
        kept = tuple(profile for profile in self._profiles() if profile.name != name)
        if len(kept) == len(self._profiles()):
            raise refusal("unknown_profile")
        self._store(kept)
        return {}

    def _upload_profiles(self, params: Params) -> dict[str, Any]:
        mode = params.text("uploadMode")
        uploaded = _read_file(params, self._sounds)
        match mode:
            case "add":
                before = self._profiles()
            case "overwrite":
                names = {profile.name for profile in uploaded}
                before = tuple(p for p in self._profiles() if p.name not in names)
            case "erase_and_add":
                before = ()
            case _:
                invalid("uploadMode", "add, overwrite or erase_and_add")
        self._store((*before, *uploaded))
        return {}

    def _run_health_check(self, _: Params) -> dict[str, Any]:
        self._execute(RunHealthCheck())
        return {}

    def _get_last_health_check(self, _: Params) -> dict[str, Any]:
        last = self._views.health()
        if last is None:
            return {"timestamp": "", "errors": []}  # there has been none since the start
        errors = [{"code": code, "message": message} for code, message in last.errors]
        return {"timestamp": last.wall.isoformat(timespec="seconds"), "errors": errors}

    def _set_maintenance_mode(self, params: Params) -> dict[str, Any]:
        active = params.flag("maintenanceMode")
        seconds = params.number("duration") if "duration" in params else 0
        self._execute(SetMaintenance(active=active, seconds=(active and seconds) or None))
        return {}

    def _named(self, params: Params) -> Iterable[OperationId]:
        """The operations that sirenId and lightId name; no two lights have the same id."""
        if "sirenId" in params:
            yield OperationId(_SIREN, params.number("sirenId"))
        if "lightId" in params:
            wanted = params.number("lightId")
            running = [o for o in self._views.operations() if o.function in _LIGHTS]
            found = (Function(o.function) for o in running if o.id == wanted)
            yield OperationId(next(found, _LIGHTS[0]), wanted)

    @property
    def _sounds(self) -> Collection[str]:
        """All that a siren can be told to sound."""
        return patterns(self._clips())

    def _store(self, profiles: tuple[Profile, ...]) -> None:
        """All or nothing. Raises ApiError for what the profiles cannot be together."""
        if len(profiles) > MAX_PROFILES:
            raise refusal("too_many_profiles")
        if len({profile.name for profile in profiles}) < len(profiles):
            raise refusal("duplicate_profile")
        try:
            self._execute(ChangeSettings(patch={"profiles": profiles}))
        except ConfigError as error:  # a rule needs a profile that would be gone
            raise ApiError(PROFILE, str(error)) from None

    def _execute(self, command: Command) -> Any:
        try:
            return self._dispatcher.execute(command)
        except CommandRefused as refused:
            raise refusal(refused.code) from None


def capabilities(clips: Iterable[Clip] = ()) -> dict[str, Any]:
    """What can be asked for, with the defaults of what is left out; clips: those of people."""
    sounds = [*SOUNDS, *(CLIP_PATTERN + clip.name for clip in clips)]
    priority = {"possible": PRIORITIES, "default": DEFAULT_PRIORITY}
    return {
        "siren": {
            "supportedPatterns": [
                {"name": name, "intensity": _intensity(_SIREN_INTENSITIES), "priority": priority}
                for name in sounds
            ]
        },
        "light": {
            "supportedPatterns": [
                {"name": pattern.name, "colors": _colors(pattern)}
                | {"speed": {"possible": pattern.speeds, "default": pattern.default_speed}}
                | {"intensity": _intensity(_LIGHT_INTENSITIES), "priority": priority}
                for pattern in PATTERNS.values()
            ]
        },
        "healthCheckSupport": True,
        "maintenanceModeSupport": True,
        "poeClass": POE_CLASS,
    }


def _intensity(by_class: dict[str, tuple[int, ...]]) -> dict[str, Any]:
    return {
        "poeClass": {
            name: {"possible": possible, "default": DEFAULT_INTENSITY}
            for name, possible in by_class.items()
        }
    }


def _colors(pattern: Pattern) -> dict[str, Any]:
    return {
        "minNbrColors": pattern.min_colors,
        "maxNbrColors": pattern.max_colors,
        "possible": list(COLORS) if pattern.max_colors else [],
        "default": pattern.default_colors,
    }


def _siren_status(operation: OperationView, now: float) -> dict[str, Any]:
    return {"sirenId": operation.id} | _common_status(operation, now)


def _light_status(operation: OperationView, now: float) -> dict[str, Any]:
    told = {"lightId": operation.id} | _common_status(operation, now)
    return told | {"speed": operation.speed, "colors": list(operation.colors)}


def _common_status(operation: OperationView, now: float) -> dict[str, Any]:
    told: dict[str, Any] = {
        "pattern": operation.pattern,
        "intensity": operation.intensity,
        "priority": operation.priority,
    }
    if operation.ends_at is not None:
        told["durationLeft"] = max(0, ceil(operation.ends_at - now))
    return told | ({"profile": operation.profile} if operation.profile else {})


def _operation(part: LightPart | SirenPart) -> StartOperation:
    duration = part.duration and (part.duration.unit, part.duration.value)
    if isinstance(part, SirenPart):
        return StartOperation(
            function=_SIREN,
            pattern=part.pattern,
            intensity=part.intensity,
            priority=part.priority,
            duration=duration,
        )
    return StartOperation(
        function=Function(part.function),
        pattern=part.pattern,
        intensity=part.intensity,
        priority=part.priority,
        speed=part.speed,
        colors=part.colors,
        duration=duration,
    )


def _ids(started: Iterable[OperationId]) -> dict[str, Any]:
    return {("sirenId" if o.function is _SIREN else "lightId"): o.id for o in started}


def _functions(services: tuple[str, ...]) -> tuple[Function, ...]:
    if not services:
        invalid("all", "siren, light or both")
    if any(service not in _SERVICES for service in services):
        raise refusal("light_function")
    return tuple(dict.fromkeys(f for service in services for f in _SERVICES[service]))


def _read_file(params: Params, sounds: Collection[str]) -> list[Profile]:
    """The array of profiles in the form's file."""
    if "file" not in params.files:
        missing("file")
    entries = decode(params.files["file"])
    if not isinstance(entries, list):
        invalid("file", "an array of profiles")
    entries = cast("list[Any]", entries)
    if len(entries) > MAX_PROFILES:
        raise refusal("too_many_profiles")
    if not all(isinstance(entry, dict) for entry in entries):
        invalid("file", "an array of profiles")
    return [read_profile(Params(entry), sounds) for entry in entries]
