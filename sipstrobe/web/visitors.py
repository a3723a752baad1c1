"""Who has last proven himself from which address, for the list of connected clients (STA-08)."""

from collections import OrderedDict
from typing import Final

KEPT: Final = 256  # addresses


class Visitors:
    """Names by address."""

    def __init__(self) -> None:
        self._names: OrderedDict[str, str] = OrderedDict()

    def note(self, address: str, name: str) -> None:
        self._names[address] = name
        self._names.move_to_end(address)
        if len(self._names) > KEPT:
            self._names.popitem(last=False)

    def name(self, address: str) -> str:
        """Empty: nobody has."""
        return self._names.get(address, "")
