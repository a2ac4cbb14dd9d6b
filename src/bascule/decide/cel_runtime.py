"""The CEL runtime without its package's `__init__`, which also imports a command line (0.4 s, 30 MB)."""

import sys
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from types import ModuleType


def cel_runtime() -> ModuleType:
    """The module with `compile`. Raises ImportError where the package is missing."""
    loaded = sys.modules.get("cel.cel")
    if loaded is not None:
        return loaded
    package = find_spec("cel")
    folders = package.submodule_search_locations if package is not None else None
    spec = PathFinder.find_spec("cel.cel", folders)
    if spec is None or spec.loader is None:
        return import_module("cel")  # another layout of the package: the same functions, imported slowly
    module = module_from_spec(spec)
    sys.modules["cel.cel"] = module
    spec.loader.exec_module(module)
    return module
