"""Back to the defaults: almost all of it (OPS-02), or everything (OPS-03).

What stays with a restore is what is needed to reach the device in its network: where and how its
page is served, and the certificates for that. A factory default keeps the serial number alone.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sipstrobe.config import overhaul, state_files
from sipstrobe.config.factory import factory_tree
from sipstrobe.config.reading import SECRETS, SETTINGS, secrets_text, text
from sipstrobe.config.state import Stored, build

STAYS: Final = {
    "web": ("host", "port", "https_port", "mode", "certificate"),
}
"""Of the settings; all certificates stay as well."""


def restore_defaults(folder: Path, now: Stored) -> None:
    """Decide to return almost all of it. Blocks; raises OSError: then nothing has changed."""
    tree = factory_tree(now.settings.device.serial)
    for section, names in STAYS.items():
        tree[section] = {name: now.tree[section][name] for name in names}
    tree["certificates"] = now.tree["certificates"]
    put = settings_files(tree, now.secrets, revision=now.revision + 1)
    gone = state_files.gone_by_restore(folder)
    overhaul.decide(folder, put=put, gone=gone, words="a return to the defaults")


def restore_factory(folder: Path, serial: str) -> None:
    """Decide to return all of it. Blocks; raises OSError: then nothing has changed."""
    put = settings_files(factory_tree(serial), {}, revision=1)
    gone = state_files.gone_by_factory_default(folder)
    overhaul.decide(folder, put=put, gone=gone, words="a factory default")


def settings_files(
    tree: Any, secrets: Mapping[str, str], *, revision: int
) -> dict[str, bytes | Path]:
    """Both files of this tree. Raises ConfigError with every problem."""
    found = build(tree, secrets, lambda: "", revision=revision)
    return {
        SETTINGS: text(found.tree, revision),
        SECRETS: secrets_text(found.secrets),
    }
