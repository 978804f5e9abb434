"""The command ``lstm-explorer app``: Streamlit is given our script and what was typed, and finds our configuration."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from lstm_explorer.ui import launch

ROOT = Path(__file__).resolve().parents[2]

#: What ``streamlit run`` does before it starts the server.
SHOW = """
import json, sys
from streamlit import config
config._main_script_path = sys.argv[1]
config.get_config_options(force_reparse=True)
print(json.dumps({name: config.get_option(name) for name in sys.argv[2:]}))
"""


@pytest.mark.parametrize(("left_with", "code"), [(None, 0), (0, 0), (3, 3), ("no such option", 1)])
def test_streamlit_runs_the_app_with_what_was_typed(monkeypatch, left_with, code):
    ran = []

    def run_module(name, **options):
        ran.append((name, options["run_name"], list(sys.argv)))
        raise SystemExit(left_with)

    monkeypatch.setattr(sys, "argv", ["before"])
    monkeypatch.setattr(runpy, "run_module", run_module)
    assert launch.main(["--server.port", "8600"]) == code
    script = str(ROOT / "streamlit_app.py")
    assert ran == [("streamlit", "__main__", ["streamlit", "run", script, "--server.port", "8600"])]


def test_the_configuration_beside_the_script_is_read_from_any_folder_hidden_options_too(tmp_path):
    sections = tomllib.loads((launch.APP_FOLDER / ".streamlit/config.toml").read_text(encoding="utf-8"))
    expected = {
        f"{section}.{name}": value
        for section, options in sections.items()
        for name, value in options.items()
        if not isinstance(value, dict)
    }
    assert {"runner.postScriptGC", "global.minCachedMessageSize", "theme.font"} <= set(expected)
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit/config.toml").write_text("[runner]\npostScriptGC = true\n")
    script = str(launch.APP_FOLDER / "streamlit_app.py")
    done = subprocess.run(
        [sys.executable, "-c", SHOW, script, *expected], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == expected
