"""Shares what the SDK has read of its service models between the sessions of a process.

A session reads and parses them again, a quarter of a second for the services of one account; a
command that opens many accounts would spend most of its time on that.
"""

from __future__ import annotations

import threading
from typing import Any

MAKING_CLIENTS = threading.RLock()
"""Held while a client is made, because the SDK completes what it has read as it goes along."""

_LOADERS: dict[object, Any] = {}


def share_models(core: Any) -> None:
    """Give a session of the SDK's core the models that an earlier one has read, if there is one.

    Sessions share them only where they look for them in the same folders.
    """
    with MAKING_CLIENTS:
        folders = core.get_config_variable("data_path")
        loader = _LOADERS.setdefault(folders, core.get_component("data_loader"))
        core.register_component("data_loader", loader)
