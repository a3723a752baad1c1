"""`sipstrobe restore`: see `backup`."""

from sipstrobe.cli.backup import add_restore_arguments as add_arguments

__all__ = ["add_arguments"]
