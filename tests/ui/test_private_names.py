"""Names that other libraries keep to themselves, and that we need: each is still there, after an upgrade too."""

from __future__ import annotations

import ast
import base64
import inspect
import re
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
import streamlit
import torch
from choreographer.browsers.chromium import Chromium
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import ScriptRunContext
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from lstm_explorer.export import images
from lstm_explorer.ui import address
from lstm_explorer.ui.figure import packed

#: PyTorch's modules that the training process uses.
OPTIMIZER_MODULES = [sys.modules[f"torch.optim.{name}"] for name in ("optimizer", "adam", "adamw", "sgd", "rmsprop")]

PACKAGE = Path(address.__file__).resolve().parents[1]
#: What Streamlit sends to the browser, Plotly's library included.
BUNDLE = Path(streamlit.__file__).parent / "static/static/js"

#: Our file -> its names of other people's pages, and the file of Streamlit's that has them.
ON_THE_PAGE = {
    "ui/page.py": {
        "stMainBlockContainer": "index.*.js",
        "stMain": "index.*.js",
        "stBaseButton-": "BaseButton.*.js",
    },
    "ui/scripts/cursor.js": {
        "js-plotly-plot": "PlotlyChart.*.js",
        "_fullLayout": "PlotlyChart.*.js",
        "shapelayer": "PlotlyChart.*.js",
        "data-index": "PlotlyChart.*.js",
        "_offset": "PlotlyChart.*.js",
        "_index": "PlotlyChart.*.js",
        "l2p": "PlotlyChart.*.js",
    },
    "ui/scripts/pick.js": {"js-plotly-plot": "PlotlyChart.*.js", "plotly_click": "PlotlyChart.*.js"},
    "ui/scripts/draw.js": {"aria-valuetext": "Slider.*.js"},
}


@pytest.mark.parametrize(("file", "name"), [(file, name) for file, names in ON_THE_PAGE.items() for name in names])
def test_a_name_on_the_page_is_still_streamlit_s(file, name):
    assert name in (PACKAGE / file).read_text(encoding="utf-8")
    assert any(name in path.read_text(encoding="utf-8") for path in BUNDLE.glob(ON_THE_PAGE[file][name]))


def test_a_file_that_was_sent_can_be_forgotten():
    assert {"uploaded_file_mgr", "session_id"} <= {field.name for field in fields(ScriptRunContext)}
    manager = MemoryUploadedFileManager("/upload")
    for file_id in ("1", "2"):
        manager.add_file("me", UploadedFileRec(file_id=file_id, name="a.csv", type="text/csv", data=b"a"))
    manager.remove_file("me", "1")
    assert set(manager.file_storage["me"]) == {"2"}


def test_streamlit_tells_whether_the_back_button_led_here(monkeypatch):
    assert "is_history_navigation" in {field.name for field in fields(ScriptRunContext)}
    assert "is_history_navigation" in ClientState.DESCRIPTOR.fields_by_name
    for told in (True, False):
        context = type("Context", (), {"is_history_navigation": told})()
        monkeypatch.setattr(address, "get_script_run_ctx", lambda context=context: context)
        assert address._from_history() is told


def test_choreographer_finds_a_browser_on_the_path(monkeypatch, tmp_path):
    assert inspect.signature(Chromium.find_browser).parameters["skip_local"].kind is inspect.Parameter.KEYWORD_ONLY
    program = tmp_path / "chromium"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.delenv("BROWSER_PATH", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))  # where a downloaded one would lie
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert images.find_browser() == str(program)


@pytest.mark.parametrize(
    "numbers",
    [
        np.linspace(-1740.5, 3, 7),
        np.linspace(0, 1, 6, dtype=np.float32).reshape(2, 3),
        np.linspace(0, 1, 6).reshape(2, 3).T,
        np.arange(0, 101),
        np.array([-1, 200]),
        np.array([0, 70_000]),
        np.array([1.0, np.nan, np.inf]),
        np.array([0, 1], dtype=np.uint8),
    ],
    ids=lambda numbers: f"{numbers.dtype}{numbers.shape}",
)
def test_numbers_are_packed_as_plotly_s_own_figures_pack_them(numbers):
    ours, theirs = packed({"z": numbers})["z"], go.Figure(go.Heatmap(z=numbers)).to_dict()["data"][0]["z"]
    np.testing.assert_array_equal(unpacked(ours), numbers)
    np.testing.assert_array_equal(unpacked(ours), unpacked(theirs))
    assert ours.get("shape") == theirs.get("shape")
    assert set(ours) == set(theirs)


def unpacked(spec: dict[str, str]) -> np.ndarray:
    """Read numbers as plotly.js does."""
    flat = np.frombuffer(base64.b64decode(spec["bdata"]), spec["dtype"])
    return flat.reshape([int(size) for size in spec["shape"].split(", ")]) if "shape" in spec else flat


def test_what_cannot_be_packed_stays_as_it_is_and_nothing_is_changed():
    huge, words, empty = np.array([2**40, 0]), np.array(["a"]), np.array([])
    trace = {"x": huge, "text": words, "y": empty, "names": ("a", 1, None), "mode": "lines"}
    result = packed([trace])[0]
    np.testing.assert_array_equal(result["x"], huge)
    assert result["text"] is words
    assert result["y"] is empty
    assert (result["names"], result["mode"]) == (["a", 1, None], "lines")
    assert trace["names"] == ("a", 1, None)


def private_imports(path: Path) -> list[str]:
    """Return what a file imports of another library's private names."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        found += [name for name in names if any(part.startswith("_") for part in name.split("."))]
    known = ("__future__", "lstm_explorer")
    return [name for name in found if name.split(".")[0] not in known and name not in sys.builtin_module_names]


def test_no_private_module_of_another_library_is_imported():
    files = [*PACKAGE.rglob("*.py"), *(PACKAGE.parent / "pages").glob("*.py")]
    assert {str(path): names for path in files if (names := private_imports(path))} == {}


def test_what_optimizers_ask_of_the_compiler_is_what_the_training_process_has_in_its_place():
    """``runs/training/worker.py`` keeps PyTorch's compiler out of a process that compiles nothing."""
    asked = {inspect.getsource(torch._compile), *map(inspect.getsource, OPTIMIZER_MODULES)}
    names = {name for source in asked for name in re.findall(r"torch\._dynamo\.(\w+)\(", source)}
    assert names == {"disable", "graph_break"}
