"""Where the device is, for whoever puts it on a map (checklist LOC-01)."""

from typing import Annotated

from msgspec import Meta, Struct


class Location(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """WGS 84; null: not known."""

    latitude: Annotated[
        Annotated[float, Meta(ge=-90.0, le=90.0)] | None,
        Meta(title="Latitude", description="In degrees; north is positive."),
    ] = None
    longitude: Annotated[
        Annotated[float, Meta(ge=-180.0, le=180.0)] | None,
        Meta(title="Longitude", description="In degrees; east is positive."),
    ] = None
    heading: Annotated[
        Annotated[float, Meta(ge=0.0, le=360.0)] | None,
        Meta(title="Heading", description="In degrees: 0 is north, 90 is east."),
    ] = None
    label: Annotated[
        str,
        Meta(
            pattern=r"^[^\x00-\x1f\x7f]{0,64}$(?!\n)",
            title="Label",
            description="What people call the place.",
        ),
    ] = ""
