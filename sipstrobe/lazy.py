"""What is read of an immutable value when it is first asked for, and kept."""

from collections.abc import Callable
from typing import Generic, TypeVar

M = TypeVar("M")
T = TypeVar("T")


class lazy(Generic[M, T]):  # noqa: N801 - a decorator, like property
    """An attribute that is worked out once. What raises is asked again the next time.

    functools.cached_property takes a lock in Python 3.11, which costs more than most of what is
    read here.
    """

    def __init__(self, read: Callable[[M], T]) -> None:
        self._read = read
        self._name = read.__name__
        self.__doc__ = read.__doc__

    def __get__(self, owner: M, kind: type[M]) -> T:
        value = owner.__dict__[self._name] = self._read(owner)
        return value
