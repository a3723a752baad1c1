"""Profiles as resources: one by one, checked, and from and into files (PRF-01…06, PRF-09…11)."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qs

from sipstrobe.bus import Dispatcher
from sipstrobe.commands import ChangeSettings
from sipstrobe.config.clips import patterns
from sipstrobe.config.profiles import (
    Mode,
    import_problems,
    imported,
    renaming,
    users_of,
)
from sipstrobe.config.settings import Settings
from sipstrobe.config.store import Store
from sipstrobe.config.users import Role
from sipstrobe.errors import ConfigError, StaleRevision
from sipstrobe.lightsiren.safety import safety_of
from sipstrobe.lightsiren.settings import MAX_PROFILES, Profile
from sipstrobe.web.commands import read_object
from sipstrobe.web.exchange import (
    About,
    HttpProblem,
    Media,
    Query,
    Request,
    Response,
    Route,
    act,
    json,
    look,
)
from sipstrobe.web.profile_file import MAX_BYTES, read_profile, read_profiles, write_profiles
from sipstrobe.web.profile_json import profile_told, safety_json
from sipstrobe.web.told.profiles import (
    ChangedProfile,
    CheckedProfile,
    ImportTold,
    ProfileInFull,
    ProfilesTold,
)
from sipstrobe.web.upload import upload_of
from sipstrobe.web.views import Views

PATH: Final = "/api/v1/profiles"
ONE: Final = PATH + "/{name}"
MODE: Final = Query[Mode]("mode", Mode, "add", "What becomes of the profiles that there are.")
NAME: Final = Query[str | None]("name", str, None, "Of a profile; may be given several times.")
_JSON_FILE: Final = "application/json"


class ProfilesDoor:
    """The routes of profiles. One that is called check, export, import or preview can only be
    reached with all others, in the settings."""

    def __init__(self, dispatcher: Dispatcher, store: Store, views: Views) -> None:
        self._dispatcher = dispatcher
        self._store = store
        self._views = views

    def routes(self) -> list[Route]:
        taken = {409: ("name_taken",)}
        gone = {404: ("unknown_profile",)}
        return [
            look(PATH, self._list, About(summary="All profiles", answer=ProfilesTold)),
            act("POST", PATH, self._add, self._about("Make a profile", 201, taken)),
            look(
                PATH + "/**",
                self._one,
                About(summary="A profile", answer=ProfileInFull, problems=gone, template=ONE),
            ),
            act(
                "PUT",
                PATH + "/**",
                self._put,
                self._about("Make a profile, or another of it", 200, taken, template=ONE),
            ),
            act(
                "DELETE",
                PATH + "/**",
                self._delete,
                About(
                    summary="Delete a profile",
                    status=(204,),
                    problems=gone | {409: ("in_use",), 412: ("stale",), 422: ()},
                    template=ONE,
                ),
            ),
            act(
                "POST",
                PATH + "/check",
                self._check,
                About(
                    summary="Whether a profile can be stored, and how its light flashes",
                    body=Profile,
                    answer=CheckedProfile,
                ),
            ),
            look(PATH + "/export", self._export, _EXPORT),
            Route(
                method="POST",
                path=PATH + "/import",
                handler=self._import,
                role=Role.OPERATOR,
                body_max_bytes=MAX_BYTES,
                streamed=True,  # so much is not read for strangers
                about=_IMPORT,
            ),
        ]

    @staticmethod
    def _about(
        summary: str, status: int, problems: Mapping[int, tuple[str, ...]], template: str = ""
    ) -> About:
        return About(
            summary=summary,
            words="A new name is followed by rules, extensions and sources of pages.",
            body=Profile,
            answer=ChangedProfile,
            status=(200, 201) if status == 200 else (status,),
            problems={**problems, 412: ("stale",), 422: ()},
            template=template,
        )

    # --- looking --------------------------------------------------------------------------------

    def _list(self, _: Request) -> Response:
        settings, revision = self._store.current, self._store.revision
        running = self._running()
        told = {
            "revision": revision,
            "limit": MAX_PROFILES,
            "profiles": [_in_full(settings, p, running) for p in settings.profiles],
        }
        return json(told).with_headers(("ETag", f'"{revision}"'))

    def _one(self, request: Request) -> Response:
        settings, revision = self._store.current, self._store.revision
        profile = _find(settings, _name_in(request))
        told = _in_full(settings, profile, self._running())
        return json(told).with_headers(("ETag", f'"{revision}"'))

    def _check(self, request: Request) -> Response:
        tree = read_object(request.body)
        try:
            profile = read_profile(tree, self._sounds())
        except ConfigError as error:
            problems = [{"path": p.path, "message": p.message} for p in error.problems]
            return json({"problems": problems, "safety": self._safety_alone(tree)})
        return json({"problems": [], "safety": safety_json(safety_of(profile.light))})

    def _safety_alone(self, tree: dict[str, Any]) -> dict[str, Any] | None:
        """Of a profile that cannot be stored because of something else."""
        try:
            light = read_profile({"name": "x", "light": tree.get("light")}, ()).light
        except ConfigError:
            return None
        return safety_json(safety_of(light))

    def _export(self, request: Request) -> Response:
        profiles = self._store.current.profiles
        wanted = _names(request)
        if wanted:
            profiles = tuple(_find(self._store.current, name) for name in wanted)
        disposition = 'attachment; filename="profiles.json"'
        headers = (("Content-Disposition", disposition),)
        return Response(200, write_profiles(profiles), _JSON_FILE, headers)

    # --- changing -------------------------------------------------------------------------------

    def _add(self, request: Request) -> Response:
        settings = self._store.upcoming
        profile = read_profile(read_object(request.body), self._sounds())
        _refuse_taken(settings, profile.name)
        return self._change(request, (*settings.profiles, profile), profile, 201)

    def _put(self, request: Request) -> Response:
        """Make a profile, or put another in its place; its name may be changed by the body."""
        settings, name = self._store.upcoming, _name_in(request)
        profile = read_profile({"name": name, **read_object(request.body)}, self._sounds())
        if profile.name != name:
            _refuse_taken(settings, profile.name)
        if all(known.name != name for known in settings.profiles):
            return self._change(request, (*settings.profiles, profile), profile, 201)
        profiles = tuple(profile if p.name == name else p for p in settings.profiles)
        followed = renaming(settings, name, profile.name) if profile.name != name else {}
        return self._change(request, profiles, profile, 200, followed)

    def _delete(self, request: Request) -> Response:
        settings, name = self._store.upcoming, _name_in(request)
        _find(settings, name)
        if users := users_of(settings, name):
            words = f"{name!r} is needed by {', '.join(users)}"
            raise HttpProblem(409, words, code="in_use", used_by=users)
        kept = tuple(profile for profile in settings.profiles if profile.name != name)
        self._store_now(request, {"profiles": kept})
        return Response(204)

    async def _import(self, request: Request) -> Response:
        """All of them or none."""
        mode = MODE.of(request)
        content = (await upload_of(request)).content
        file = read_profiles(b"".join([piece async for piece in content]), self._sounds())
        settings = self._store.upcoming
        if problems := import_problems(settings.profiles, file.profiles, mode):
            raise ConfigError(problems)
        wanted = imported(settings.profiles, file.profiles, mode)
        for name in wanted.removed:
            if users := users_of(settings, name):
                words = f"{name!r} would be deleted, and is needed by {', '.join(users)}"
                raise HttpProblem(409, words, code="in_use", used_by=users)
        revision = self._store_now(request, {"profiles": wanted.profiles})
        warnings = [
            {"profile": name, "code": "unknown_member", "words": f"{path} is not known here"}
            for name, path in file.left_out
        ]
        for profile in file.profiles:
            for code, words in safety_of(profile.light).warnings:
                warnings.append({"profile": profile.name, "code": code, "words": words})
        return json(
            {
                "revision": revision,
                "added": wanted.added,
                "replaced": wanted.replaced,
                "removed": wanted.removed,
                "warnings": warnings,
            }
        )

    def _change(
        self,
        request: Request,
        profiles: tuple[Profile, ...],
        profile: Profile,
        status: int,
        followed: dict[str, Any] | None = None,
    ) -> Response:
        patch: dict[str, Any] = {"profiles": profiles, **(followed or {})}
        revision = self._store_now(request, patch)
        settings = self._store.upcoming
        told = {
            "revision": revision,
            "profile": _in_full(settings, profile, self._running()),
            "followed": users_of(settings, profile.name) if followed else [],
        }
        return json(told, status).with_headers(("ETag", f'"{revision}"'))

    def _store_now(self, request: Request, patch: dict[str, Any]) -> int:
        try:
            change = ChangeSettings(patch=patch, revision=revision_wanted(request))
            revision = self._dispatcher.execute(change)
        except StaleRevision as stale:
            words = "the settings have been changed meanwhile: look at them again"
            raise HttpProblem(412, words, code="stale") from stale
        assert isinstance(revision, int)
        return revision

    # --- steps ----------------------------------------------------------------------------------

    def _running(self) -> set[str]:
        return {operation.profile for operation in self._views.operations()}

    def _sounds(self) -> list[str]:
        return patterns(self._store.upcoming.clips)


_EXPORT: Final = About(
    summary="Profiles as one file",
    words="Without a name, all. Another device takes the file in: POST import.",
    answer=Media(_JSON_FILE, "A list of profiles, as siren_and_light.cgi has them."),
    query=(NAME,),
    problems={404: ("unknown_profile",)},
)
_IMPORT: Final = About(
    summary="Take in the profiles of a file, all or none",
    words="The file is the body, or the file of a form. add refuses names that there are;"
    " replace_all deletes all profiles before; overwrite replaces those of the same names.",
    body=Media(_JSON_FILE, "A list of profiles."),
    answer=ImportTold,
    query=(MODE,),
    problems={409: ("in_use",), 412: ("stale",), 413: (), 422: ()},
)


def revision_wanted(request: Request) -> int | None:
    """The revision that If-Match names; None: any (RFC 9110 §13.1.1). Raises HttpProblem 412."""
    text = request.header("if-match").strip().strip('"')
    if not text or text == "*":
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise HttpProblem(412, "If-Match names no revision of ours", code="stale")
    return int(text)


def _in_full(settings: Settings, profile: Profile, running: set[str]) -> dict[str, Any]:
    told = profile_told(profile, running=profile.name in running)
    return told | {"used_by": users_of(settings, profile.name)}


def _find(settings: Settings, name: str) -> Profile:
    for profile in settings.profiles:
        if profile.name == name:
            return profile
    raise HttpProblem(404, f"there is no profile {name[:64]!r}", code="unknown_profile")


def _refuse_taken(settings: Settings, name: str) -> None:
    if any(profile.name == name for profile in settings.profiles):
        raise HttpProblem(
            409, f"there is a profile {name!r} already", code="name_taken", field="/name"
        )


def _name_in(request: Request) -> str:
    return request.path.removeprefix(PATH + "/")


def _names(request: Request) -> list[str]:
    """All names in the query, each once."""
    text = request.target.partition("?")[2]
    try:
        given = parse_qs(text, keep_blank_values=True, max_num_fields=MAX_PROFILES)
    except ValueError:
        raise HttpProblem(400, f"at most {MAX_PROFILES} names", field="name") from None
    return list(dict.fromkeys(given.get("name", [])))
