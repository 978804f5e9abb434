"""Start the app with Streamlit, from a checkout or from an installed package."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Sequence
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]

#: Holds ``streamlit_app.py``, ``pages`` and ``.streamlit``: a wheel has them inside the package (``setup.py``), a
#: checkout beside it.
APP_FOLDER = _PACKAGE / "app" if (_PACKAGE / "app").is_dir() else _PACKAGE.parent


def main(arguments: Sequence[str]) -> int:
    """Run the app until it is stopped, as ``streamlit run`` does, with its own configuration from any folder.

    Args:
        arguments: Streamlit's options, such as ``["--server.port", "8600"]``; they win over the configuration.

    Returns:
        The exit status.
    """
    # Streamlit reads .streamlit/config.toml beside the script as well as in the current folder; the script's wins.
    sys.argv = ["streamlit", "run", str(APP_FOLDER / "streamlit_app.py"), *arguments]
    try:
        runpy.run_module("streamlit", run_name="__main__", alter_sys=True)
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else int(left.code is not None)
    return 0
