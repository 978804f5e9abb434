"""Optional parts of an installation, and how to install them.

The core is there always; figures, training runs in files, checkpoints of Keras, exports and the app each need more
(``[project.optional-dependencies]`` in ``pyproject.toml``), and check for it when they are imported.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from importlib.util import find_spec

_FIGURES = ("plotly", "contourpy", "PIL")
_TRAINING = ("pyarrow", "safetensors")
_CHECKPOINTS = ("h5py",)
_EXPORT = (*_FIGURES, *_TRAINING, *_CHECKPOINTS, "kaleido", "fontTools", "brotli", "markdown_it", "latex2mathml")

#: Extra -> the modules that it installs.
MODULES: Mapping[str, tuple[str, ...]] = types.MappingProxyType(
    {
        "figures": _FIGURES,
        "training": _TRAINING,
        "checkpoints": _CHECKPOINTS,
        "export": _EXPORT,
        "cluster": (*_TRAINING, "dask", "distributed"),
        "app": (*_EXPORT, "streamlit", "threadpoolctl", "cachetools", "orjson"),
    }
)


class MissingExtraError(ImportError):
    """A part that this installation lacks is needed."""


def require(extra: str) -> None:
    """Check that an extra is installed.

    Args:
        extra: One of :data:`MODULES`.

    Raises:
        MissingExtraError: It is not; the message is one line that says what to install.
    """
    for module in MODULES[extra]:
        if find_spec(module) is None:
            raise MissingExtraError(f'{module} is not installed: pip install "lstm-explorer[{extra}]"', name=module)
