"""The tasks: one file each, a record with everything that is true of it alone.

A module of this folder that defines ``TASK`` is a task of the app, and one that defines ``TASKS`` brings several.
"""

from __future__ import annotations

import importlib
import pkgutil
import types
from collections.abc import Mapping
from typing import get_args

from lstm_explorer.core.training.options import TaskName
from lstm_explorer.core.training.task import Task


def _records() -> dict[str, Task]:
    modules = [importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__)]
    one = [module.TASK for module in modules if hasattr(module, "TASK")]
    several = [task for module in modules for task in getattr(module, "TASKS", ())]
    found = {task.name: task for task in (*one, *several)}
    return {name: found[name] for name in get_args(TaskName) if name in found}


#: Name -> task, in the order in which they are offered.
TASKS: Mapping[str, Task] = types.MappingProxyType(_records())
