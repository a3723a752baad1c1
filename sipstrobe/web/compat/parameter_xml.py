"""Parameters as param.cgi?action=listdefinitions tells them: with what they may be, as XML.

Programs make forms of it. Groups lie in one another as in the names, beginning with root.
"""

from collections.abc import Iterator, Mapping
from typing import Final, assert_never

from sipstrobe.config.users import Role
from sipstrobe.sending.templates import in_xml
from sipstrobe.web.compat import product
from sipstrobe.web.compat.settable import MUTE, Choice, Kind, Level, Text, Whole, settable

XML: Final = "text/xml; charset=utf-8"
_NAMESPACE: Final = "http://www.axis.com/ParameterDefinitionsSchema"
_WRITES: Final = {Role.OPERATOR: "4", Role.ADMINISTRATOR: "6"}
_NOBODY: Final = "7"  # to create, to delete, and to write what is fixed
_VIEWERS: Final = "1"  # to read


def definitions(found: Mapping[str, str]) -> bytes:
    """The document that defines these parameters, in their order."""
    head = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<parameterDefinitions xmlns="{_NAMESPACE}" version="1.0">',
        f"<model>{in_xml(product.MODEL)}</model>",
        f"<firmwareVersion>{in_xml(product.FIRMWARE)}</firmwareVersion>",
    ]
    lines = [*head, *_grouped(found), "</parameterDefinitions>", ""]
    return "\n".join(lines).encode()


def _grouped(found: Mapping[str, str]) -> Iterator[str]:
    open_now: list[str] = []
    for full, value in found.items():
        *groups, name = full.split(".")
        same = 0
        for ours, theirs in zip(open_now, groups, strict=False):
            if ours != theirs:
                break
            same += 1
        yield from ["</group>"] * (len(open_now) - same)
        yield from (f'<group name="{in_xml(group)}">' for group in groups[same:])
        open_now = groups
        yield _parameter(full.removeprefix("root."), name, value)
    yield from ["</group>"] * len(open_now)


def _parameter(path: str, name: str, value: str) -> str:
    known = settable(path)
    level = _NOBODY * 2 + _VIEWERS + (_NOBODY if known is None else _WRITES[known.role])
    if known is None:
        kind = '<type readonly="true" const="true"><string/></type>'
    else:
        kind = f"<type>{_kind(known.kind)}</type>"
    shown = in_xml(name)
    return (
        f'<parameter name="{shown}" value="{in_xml(value)}" securityLevel="{level}"'
        f' niceName="{shown}">{kind}</parameter>'
    )


def _kind(kind: Kind) -> str:
    match kind:
        case Choice(("yes", "no")):
            return '<bool true="yes" false="no"/>'
        case Choice(words):
            entries = (f'<entry value="{word}" niceValue="{word}"/>' for word in words)
            return f"<enum>{''.join(entries)}</enum>"
        case Whole(least, most):
            return f'<int min="{least}" max="{most}"/>'
        case Level(least, most):
            steps = [MUTE, *(str(step) for step in range(int(least), int(most) + 1))]
            entries = (f'<entry value="{step}" niceValue="{step}"/>' for step in steps)
            return f"<enum>{''.join(entries)}</enum>"
        case Text(most):
            return f'<string maxlen="{most}"/>'
        case _:
            assert_never(kind)
