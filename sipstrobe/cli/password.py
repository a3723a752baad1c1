"""A password that is typed, and not shown."""

import getpass
import warnings
from typing import Final

from sipstrobe.errors import ConfigError, Problem

STDIN: Final = "--password-stdin reads it from elsewhere"  # where there is such an option


def ask(words: str, otherwise: str) -> str:
    """Have it typed. otherwise: what helps where nobody can type. Raises ConfigError there."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", getpass.GetPassWarning)
            return getpass.getpass(f"{words}: ")
    except getpass.GetPassWarning:
        message = f"there is no terminal to type it at: {otherwise}"
        raise ConfigError([Problem(words, message)]) from None
