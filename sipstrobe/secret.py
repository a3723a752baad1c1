"""A value that must not be seen: it has no way into a log, a repr or a settings file."""

from hmac import compare_digest


class Secret:
    """Hold a password, key or digest; only `reveal` gives it back.

    `id` names the secret in the settings file in place of its value: it says nothing about it. A
    secret that has not been stored yet has none.
    """

    __slots__ = ("_value", "id")

    def __init__(self, value: str, *, id: str = "") -> None:  # noqa: A002  the file's own word
        self._value = value
        self.id = id

    def reveal(self) -> str:
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "***"

    def __reduce__(self) -> str:
        raise TypeError("a secret is not copied into other formats")
