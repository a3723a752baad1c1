"""audio-multicast-ctrl: the sources of pages as control programs know them (MCC-01…08, GAP-16…19).

The settings stay the only truth; what this API cannot say (senders, interface, light profile …) is
left as it is. Its `prio` is the place in our list, 1 the highest; what the device sounds itself is
shown with a place even where the list does not name it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Annotated, Any, Final, Literal, NamedTuple

from msgspec import Meta, structs

from sipstrobe.bus import Dispatcher
from sipstrobe.commands import ChangeSettings
from sipstrobe.config.store import Store
from sipstrobe.errors import ConfigError, Problem, StaleRevision
from sipstrobe.multicast.fields import SUITES, Codec, Latency
from sipstrobe.multicast.ranking import listed
from sipstrobe.multicast.settings import (
    MAX_LISTED,
    DeskPhoneSource,
    InternalSource,
    MulticastSettings,
    PageSource,
    Source,
)
from sipstrobe.secret import Secret
from sipstrobe.web.compat.page_ids import ids_of
from sipstrobe.web.compat.rest import (
    EXISTS,
    INTERNAL,
    MISSING,
    Api,
    Collection,
    Entity,
    ImportType,
    Property,
    RestError,
    Values,
    invalid,
    require,
)

VERSION: Final = "1.0.0-beta.3"
_REQUIRED: Final = ("label", "ipAddress", "port")
_AES_CM: Final = "AES_CM_HMAC_SHA1_80"  # the only cipher that this API knows

_LATENCIES: Final[dict[str, Latency]] = {
    "Normal": "normal",
    "Low": "low",
    "UltraLow": "ultra_low",
}
_PROFILES: Final[dict[Latency, str]] = {ours: theirs for theirs, ours in _LATENCIES.items()}
_FIELDS: Final = {  # our word -> that of this API
    "id": "id",
    "label": "label",
    "address": "ipAddress",
    "port": "port",
    "srtp_key": "srtpKey",
}
_LatencyProfile = Literal["Normal", "Low", "UltraLow"]

_PROPERTIES: Final = {
    "id": Property(
        words="Drawn when a source is added; SIP, VAPIXAudio and VAPIXMediaClip are always there.",
        kind=Annotated[str, Meta(min_length=1, max_length=63)],
        given=False,
    ),
    "type": Property(
        words="Multicast: can be edited and removed. Internal: only its prio can be changed.",
        kind=Literal["Multicast", "Internal"],
        given=False,
        added=True,
    ),
    "label": Property(
        words="Its name; no two sources have the same.",
        kind=Annotated[str, Meta(min_length=1, max_length=31)],
    ),
    "ipAddress": Property(
        words="The group: 224.0.0.0 to 239.255.255.255, or of IPv6 ff00::/8.",
        kind=Annotated[str, Meta(min_length=2, max_length=39)],
    ),
    "port": Property(words="Of RTP.", kind=Annotated[int, Meta(ge=1024, le=65534)]),
    "prio": Property(
        words="1 is the highest. The others make room, so that there is no gap; what is beyond"
        " the end is the last.",
        kind=Annotated[int, Meta(ge=1, le=MAX_LISTED)],
    ),
    "latencyProfile": Property(words="How long sound waits.", kind=_LatencyProfile),
    "profile": Property(
        words="Another name of latencyProfile, to be set by.", kind=_LatencyProfile, told=False
    ),
    "srtpKey": Property(
        words="Key and salt, 60 or 92 hexadecimal characters; empty: not encrypted. Never told.",
        kind=Annotated[str, Meta(max_length=127)],
        told=False,
    ),
}


class _Entry(NamedTuple):
    """A source of the list, with its id."""

    id: str
    source: Source


class AudioMulticast:
    """The sources of pages, and how they are changed."""

    def __init__(
        self, dispatcher: Dispatcher, store: Store, random_bytes: Callable[[int], bytes]
    ) -> None:
        self._dispatcher = dispatcher
        self._store = store
        self._random_bytes = random_bytes
        self._known: tuple[MulticastSettings | None, tuple[_Entry, ...]] = (None, ())

    def api(self) -> Api:
        sources = Collection(
            words="All that has a rank, the highest first.",
            key="id",
            properties=_PROPERTIES,
            items=lambda: _told(self._entries()),
            change=self._change_source,
            add=self._add,
            remove=self._remove,
            required=_REQUIRED,
            most=MAX_LISTED,
        )
        enabled = Property(words="Whether groups are joined and heard.", kind=bool)
        codec = Property(words="Of all sources that do not name their own.", kind=Codec)
        return Api(
            id="audio-multicast-ctrl",
            version=VERSION,
            name="Audio multicast controller",
            words="Pages by multicast: which groups are heard, and who comes first.",
            root=Entity(
                words="The controller.",
                properties={"enabled": enabled, "audioCodec": codec},
                parts={"sources": sources},
                read=self._read,
                change=self._change,
            ),
            restore=self._restore,
        )

    # --- the controller -------------------------------------------------------------------------

    @property
    def _settings(self) -> MulticastSettings:
        return self._store.current.multicast

    def _read(self) -> Values:
        return {"enabled": self._settings.enabled, "audioCodec": self._settings.codec}

    def _change(self, values: Values) -> None:
        self._store_patch(_common(values), "root")

    # --- sources --------------------------------------------------------------------------------

    def _entries(self) -> list[_Entry]:
        """Found anew where the settings are others: a thousand take some milliseconds."""
        if self._known[0] is not self._settings:
            sources = listed(self._settings)
            entries = tuple(map(_Entry, ids_of(sources), sources))
            self._known = (self._settings, entries)
        return list(self._known[1])

    def _add(self, values: Values) -> Values:
        entries = self._entries()
        new = self._new(values)
        entries.insert(values.get("prio", len(entries) + 1) - 1, new)
        self._store_sources(entries, "sources")
        return next(item for item in _told(entries) if item["id"] == new.id)

    def _new(self, values: Values) -> _Entry:
        """A source that is not there yet, with an id of its own."""
        require("sources", values, _REQUIRED)
        if values.get("type", "Multicast") != "Multicast":
            raise invalid("sources", "those of the device are there already", "/type")
        wanted = values.get("id") or f"src-{self._random_bytes(6).hex()}"
        source = PageSource(
            id=wanted, label=values["label"], address=values["ipAddress"], port=values["port"]
        )
        return _edited(_Entry(wanted, source), values)

    def _change_source(self, key: str, values: Values) -> None:
        entries = self._entries()
        at = next(n for n, entry in enumerate(entries) if entry.id == key)
        entry = _edited(entries.pop(at), values)
        entries.insert(values.get("prio", at + 1) - 1, entry)
        self._store_sources(entries, key)

    def _remove(self, key: str) -> None:
        entries = self._entries()
        gone = next(entry for entry in entries if entry.id == key)
        if not isinstance(gone.source, PageSource):
            raise invalid(key, "it cannot be removed here")
        self._store_sources([entry for entry in entries if entry is not gone], key)

    def _restore(self, values: Values, how: ImportType) -> None:
        """Take over an export. An item is known by its id, or else by its label."""
        given: Sequence[Values] = values.get("sources", ())
        before = self._entries()
        if how == "default":
            named = {item.get(name) for item in given for name in ("id", "label")}
            before = [entry for entry in before if not _is_gone(entry, named)]
        entries = {entry.id: entry for entry in before}
        by_label = {_label(entry): entry.id for entry in before}
        prios: dict[str, int] = {}
        for item in given:
            found = entries.get(item.get("id", "")) or entries.get(
                by_label.get(item.get("label", ""), "")
            )
            if found is None and item.get("type") == "Internal":
                raise RestError(MISSING, f"Item does not exist: {item.get('id', '')}")
            entry = self._new(item) if found is None else _edited(found, item)
            entries[entry.id] = entry
            if "prio" in item:
                prios[entry.id] = item["prio"]
        ranked = [entry for entry in entries.values() if entry.id not in prios]
        for name in sorted(prios, key=prios.__getitem__):
            ranked.insert(prios[name] - 1, entries[name])
        defaults = {"enabled": False, "audioCodec": "PCMU"} if how == "default" else {}
        self._store_sources(ranked, "sources", _common({**defaults, **values}))

    # --- storing --------------------------------------------------------------------------------

    def _store_sources(
        self, entries: Sequence[_Entry], name: str, more: dict[str, Any] | None = None
    ) -> None:
        """What the device sounds itself, has not been named so far and still comes before all that
        is named need not be named now."""
        before = Counter(map(_label, self._entries()))  # a source may be called SIP already
        labels = Counter(map(_label, entries))
        if any(n > max(1, before[label]) for label, n in labels.items()):
            raise RestError(EXISTS, "Item already exists: no two sources have the same label")
        sources = [entry.source for entry in entries]
        everything = listed(self._settings)
        unnamed = list(everything[: len(everything) - len(self._settings.sources)])
        while sources and sources[0] in unnamed:  # in the order in which they come unnamed
            del unnamed[: unnamed.index(sources.pop(0)) + 1]
        self._store_patch({**(more or {}), "sources": sources}, name)

    def _store_patch(self, patch: dict[str, Any], name: str) -> None:
        """Raises RestError in the words of this API."""
        revision = self._store.revision
        try:
            self._dispatcher.execute(ChangeSettings(patch={"multicast": patch}, revision=revision))
        except StaleRevision:
            raise RestError(INTERNAL, "Internal error: other changes are being stored") from None
        except ConfigError as error:
            raise _in_words(error.problems[0], name) from None


def _common(values: Values) -> dict[str, Any]:
    """The settings of the controller, in our words."""
    ours = {"enabled": "enabled", "audioCodec": "codec"}
    return {ours[name]: values[name] for name in ours if name in values}


def _told(entries: Iterable[_Entry]) -> Iterator[Values]:
    for prio, entry in enumerate(entries, start=1):
        yield {"id": entry.id, "prio": prio, **_told_source(entry)}


def _label(entry: _Entry) -> str:
    return entry.id if isinstance(entry.source, InternalSource) else entry.source.label


def _told_source(entry: _Entry) -> Values:
    match entry.source:
        case PageSource() as source:
            return {
                "type": "Multicast",
                "label": source.label,
                "ipAddress": source.address,
                "port": source.port,
                "latencyProfile": _PROFILES[source.latency],
            }
        case InternalSource() | DeskPhoneSource():  # of which this API knows but the place
            return {"type": "Internal", "label": _label(entry)}


def _edited(entry: _Entry, values: Values) -> _Entry:
    """The entry with these values, its id written down where its label changes."""
    source = entry.source
    changed = {name for name in values if name not in ("prio", "id", "type")}
    if not isinstance(source, PageSource):
        if changed - {"label"} or values.get("label", _label(entry)) != _label(entry):
            raise invalid(entry.id, "only prio can be changed here")
        return entry
    ours: dict[str, Any] = {}
    for theirs, name in (("label", "label"), ("ipAddress", "address"), ("port", "port")):
        if theirs in values:
            ours[name] = values[theirs]
    if ours.get("label", source.label) != source.label:
        ours["id"] = entry.id
    latency = values.get("latencyProfile") or values.get("profile")
    if latency is not None:
        ours["latency"] = _LATENCIES[latency]
    if "srtpKey" in values:
        key: str = values["srtpKey"]
        ours["srtp_key"] = Secret(key)
        if len(key) not in SUITES[source.cipher] and len(key) in SUITES[_AES_CM]:
            ours["cipher"] = _AES_CM
    return _Entry(entry.id, structs.replace(source, **ours))


def _is_gone(entry: _Entry, named: set[Any]) -> bool:
    source = entry.source
    return isinstance(source, PageSource) and entry.id not in named and source.label not in named


def _in_words(problem: Problem, name: str) -> RestError:
    field = problem.path.rpartition("/")[2]
    if problem.path.startswith("/multicast/sources") and field in _FIELDS:
        return invalid(name, problem.message, "/" + _FIELDS[field])
    return invalid(name, str(problem))
