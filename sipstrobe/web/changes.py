"""What has changed of a state that is told again and again, member by member."""

from collections.abc import Mapping

import msgspec


class Changes:
    """The members of a state as they were told last, and with which number each last changed.

    Every member is encoded once for each look; what stays the same is not told again.
    """

    def __init__(self) -> None:
        self._encode = msgspec.json.Encoder().encode
        self._told: dict[str, tuple[bytes, int]] = {}

    def look(self, state: Mapping[str, object], seq: int) -> None:
        """The state as it is now; what of it differs from before has changed with this number."""
        told = self._told
        for name, value in state.items():
            encoded = self._encode(value)
            before = told.get(name)
            if before is None or before[0] != encoded:
                told[name] = encoded, seq

    def since(self, seq: int) -> str:
        """The members that have changed after this number, as a JSON object."""
        parts = [
            f'"{name}":{encoded.decode()}'
            for name, (encoded, changed) in self._told.items()
            if changed > seq
        ]
        return "{" + ",".join(parts) + "}"
