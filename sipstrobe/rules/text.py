"""An event as rules see it: every item as text."""

from dataclasses import fields

from sipstrobe.events import Event

_names: dict[type[Event], tuple[str, ...]] = {}  # of the items of each kind, on first use


def text_of(value: object) -> str:
    """The value of an item as text: true, false, nothing for None, the word of an enum."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def texts_of(event: Event) -> dict[str, str]:
    """All items of an event by name."""
    kind = type(event)
    names = _names.get(kind)
    if names is None:
        names = _names[kind] = tuple(item.name for item in fields(event))
    texts: dict[str, str] = {}
    for name in names:
        value = getattr(event, name)
        texts[name] = value if isinstance(value, str) else text_of(value)
    return texts


def at_rest(event: Event) -> bool:
    """Has the source of this property nothing to report any more?"""
    rest = event.outside.rest
    return bool(rest) and all(text_of(getattr(event, n)) == text for n, text in rest.items())
