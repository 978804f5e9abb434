"""Imports go one way, the core stays light, and the README tells the truth about the public API."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import lstm_explorer
from lstm_explorer.core.architectures import ARCHITECTURES

ROOT = Path(__file__).resolve().parents[1]
#: Floors from the ground up; a module may import its own floor and those below it.
FLOORS = ["locales", "core", "runs", "figures", "exhibits", "export", "ui", "pages"]
SOURCES = sorted([*(ROOT / "lstm_explorer").glob("*/**/*.py"), *(ROOT / "pages").glob("*.py")])


def floor_of(path):
    parts = path.relative_to(ROOT).parts
    return "pages" if parts[0] == "pages" else parts[1]


def imported_modules(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_downwards_only(path):
    names = [name.split(".") for name in imported_modules(path)]
    floors = {parts[1] for parts in names if parts[0] == "lstm_explorer" and len(parts) > 1} & set(FLOORS)
    floors |= {"pages" for parts in names if parts[0] == "pages"}
    allowed = set(FLOORS[: FLOORS.index(floor_of(path)) + 1]) - {"pages"}
    assert floors <= allowed


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_streamlit_and_plotly_stay_on_their_floors(path):
    roots = {name.split(".")[0] for name in imported_modules(path)}
    forbidden = {
        "locales": {"streamlit", "plotly", "torch"},
        "core": {"streamlit", "plotly"},
        "runs": {"streamlit", "plotly"},
        "figures": {"streamlit"},
        "exhibits": {"streamlit"},
        "export": {"streamlit"},
    }
    assert not roots & forbidden.get(floor_of(path), set())


def test_importing_the_package_leaves_streamlit_plotly_and_h5py_out():
    code = "import sys, lstm_explorer; print(sorted({'streamlit', 'plotly', 'h5py'} & set(sys.modules)))"
    printed = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"


def test_pages_and_core_files_stay_small():
    long_pages = {p.name: n for p in (ROOT / "pages").glob("*.py") if (n := len(p.read_text().splitlines())) > 120}
    long_core = {p.name: n for p in SOURCES if (n := len(p.read_text().splitlines())) > 350}
    assert not long_pages
    assert not long_core


def test_every_name_the_readme_uses_exists():
    used = set(re.findall(r"\blx\.(\w+)", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert used
    assert used <= set(lstm_explorer.__all__)


def test_the_readme_example_prints_what_it_says():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    code = next(block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "to_frame" in block)
    printed = next(block for block in re.findall(r"```text\n(.*?)```", text, re.DOTALL) if "log10_norm" in block)
    *lines, last = code.strip().splitlines()
    scope = {}
    exec("\n".join(lines), scope)
    frame = eval(last, scope)
    assert list(frame.columns) == printed.split()[: len(frame.columns)]
    shown = [float(line.split()[-1]) for line in printed.strip().splitlines()[1:]]
    assert list(frame["log10_norm"]) == pytest.approx(shown, abs=1e-4)


def test_every_readme_example_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    scope = {}
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(block, scope)
    flow = scope["flow"]
    assert flow.log10_states["state"].shape == (101, 1)
    assert flow.log10_inputs.shape == (100, 1)
    assert scope["of_loss"].log10_hidden.shape == (2, 61, 4)
    assert scope["diagnosis"].verdict == "vanishes"
    assert scope["loaded"].name == "encoder"
    assert list(scope["survival"].ratios("cell")[:, 0].round(1)) == [-21.0, -7.8, -1.1, 0.4, 0.7, 1.3]
    need = scope["need"]
    assert [round(float(value), 3) for value in (need.closed_form, need.measured, need.explodes)] == [3.76, 2.245, 5.0]


def test_contributing_shows_the_house_as_it_is():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"^ +(\w+)/ ", text, re.MULTILINE))
    package = ROOT / "lstm_explorer"
    there = {path.name for path in package.iterdir() if path.name != "__pycache__" and any(path.glob("[!_]*"))}
    there |= {path.parent.name for path in (package / "core").glob("*/__init__.py")}
    assert shown == there
    arrows = re.search(r"Imports go one way: (.*?)\.", text, re.DOTALL).group(1).split(" → ")
    assert arrows == [floor for floor in reversed(FLOORS) if floor == "pages" or floor in there]


def test_no_file_cites_a_document_that_is_not_here():
    suffixes = (".py", ".md", ".toml", ".txt", ".js", ".po", ".cfg")
    hidden = {".git", ".venv", "build"}
    files = [path for path in ROOT.rglob("*") if path.suffix in suffixes and not hidden & set(path.parts)]
    known = {path.name for path in files}
    cited = {
        (str(path.relative_to(ROOT)), name)
        for path in files
        for name in re.findall(r"\b[A-Z]{2,}[A-Z_]*\.md\b", path.read_text(encoding="utf-8"))
    }
    assert cited
    assert {(path, name) for path, name in cited if name not in known} == set()


def test_the_readme_has_the_two_commands():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "pip install -r requirements.txt && streamlit run streamlit_app.py" in text
    assert "pip install -r requirements-dev.txt && pytest" in text


def raises_in(function):
    """Yield what a function's own body raises anew; functions and classes inside it are not its body."""
    pending = list(ast.iter_child_nodes(function))
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(node, ast.Raise) and node.exc is not None:
            yield node
        pending += ast.iter_child_nodes(node)


def undocumented_errors(node, name=""):
    """Yield the names of public functions, methods and classes that raise without a section ``Raises:``."""
    for inner in ast.iter_child_nodes(node):
        if not isinstance(inner, ast.FunctionDef | ast.ClassDef):
            continue
        # A record says in its class's docstring what its constructor refuses.
        constructor = isinstance(node, ast.ClassDef) and inner.name in ("__init__", "__post_init__")
        if inner.name.startswith("_") and not constructor:
            continue
        docstring = ast.get_docstring(node if constructor else inner) or ""
        if isinstance(inner, ast.FunctionDef) and any(raises_in(inner)) and "\nRaises:\n" not in docstring:
            yield f"{name}{inner.name}"
        yield from undocumented_errors(inner, f"{name}{inner.name}.")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_raises_says_so(path):
    private = path.stem.startswith("_") and not path.stem.startswith("__")
    assert private or list(undocumented_errors(ast.parse(path.read_text(encoding="utf-8")))) == []


#: The folders in which an architecture is spoken of by its name.
KNOW_THE_NAMES = [ROOT / "lstm_explorer" / "core" / name for name in ("architectures", "engine")]
NAME_BLIND = [path for path in SOURCES if not set(KNOW_THE_NAMES) & set(path.parents)]


def names_compared_with(tree):
    """Yield the text of every comparison and every ``case`` with the name of an architecture."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare | ast.MatchValue):
            constants = {part.value for part in ast.walk(node) if isinstance(part, ast.Constant)}
            if constants & set(ARCHITECTURES):
                yield ast.unparse(node)


@pytest.mark.parametrize("path", NAME_BLIND, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_switch_on_an_architectures_name(path):
    assert list(names_compared_with(ast.parse(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize(
    "code",
    [
        'if architecture == "lstm": pass',
        'x = record.name != "gru"',
        'x = name in ("rnn", "gru")',
        'match name:\n    case "lstm" | "minlstm": pass',
    ],
)
def test_a_switch_on_a_name_is_seen(code):
    assert list(names_compared_with(ast.parse(code)))


#: Modules without a test file of their own -> the test file that holds their tests. The engine's are its twins' tests.
TESTED_BY = {
    **dict.fromkeys(
        [f"core/architectures/{name}.py" for name in ("architecture", "gru", "lstm", "parameters", "rnn")],
        "core/architectures/test_records.py",
    ),
    "core/architectures/own_network.py": "core/architectures/test_mingru.py",
    "core/architectures/stages.py": "exhibits/test_walk.py",
    "core/checkpoints/hdf5_child.py": "core/checkpoints/test_hdf5.py",
    "core/checkpoints/keras_layers.py": "core/checkpoints/test_keras.py",
    **dict.fromkeys(
        [f"core/checkpoints/{name}.py" for name in ("messages", "record")], "core/checkpoints/test_loading.py"
    ),
    **dict.fromkeys(
        [f"core/tables/{name}.py" for name in ("header", "messages", "numbers", "reading", "rows", "text")],
        "core/tables/test_table.py",
    ),
    "core/biases/norms.py": "core/biases/test_maps.py",
    "core/biases/checks.py": "core/biases/test_maps.py",
    "core/biases/sweeps.py": "core/biases/test_maps.py",
    "core/gradients/last_layers.py": "core/gradients/test_through_layers.py",
    "core/gradients/result.py": "core/gradients/test_flow.py",
    "core/diagnosis/shares.py": "core/diagnosis/test_diagnose.py",
    "core/diagnosis/mending.py": "core/diagnosis/test_diagnose.py",
    "exhibits/added_biases.py": "exhibits/test_trained.py",
    "exhibits/of_moment.py": "exhibits/test_jacobians.py",
    "ui/jacobians.py": "pages/test_jacobians.py",
    "ui/sweeps.py": "pages/test_sweeps.py",
    "ui/sweep_files.py": "pages/test_sweeps.py",
    "ui/your_network.py": "pages/test_your_network.py",
    "core/reading.py": "runs/test_experiment.py",
    "core/checks/networks.py": "core/checks/test_tensors.py",
    **dict.fromkeys(
        [f"core/watching/{name}.py" for name in ("calls", "catching", "measuring", "watched")],
        "core/watching/test_watch.py",
    ),
    "figures/training_traces.py": "figures/test_training.py",
    "runs/job.py": "runs/test_measurements.py",
    "ui/biases.py": "pages/test_biases.py",
    "ui/by_hand.py": "pages/test_inside.py",
    "ui/course.py": "pages/test_lesson.py",
    "ui/download.py": "browser/test_export.py",
    "ui/inside.py": "pages/test_inside.py",
    "ui/lab.py": "pages/test_gradients.py",
    "ui/lesson.py": "pages/test_start.py",
    "ui/page.py": "ui/test_navigation.py",
    "ui/report_editor.py": "pages/test_report.py",
    "ui/settings_file.py": "browser/test_export.py",
    "ui/teaching.py": "pages/test_lesson.py",
    "ui/toolbar.py": "ui/test_figure.py",
    "ui/trained.py": "pages/test_training.py",
    "ui/training.py": "pages/test_training.py",
    "ui/verdicts.py": "pages/test_start.py",
}


def has_something_to_test(path):
    """Tell whether a module has a public function, or a class with methods."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            return True
        if isinstance(node, ast.ClassDef) and any(isinstance(part, ast.FunctionDef) for part in node.body):
            return True
    return False


PACKAGE = ROOT / "lstm_explorer"
TESTABLE = [
    path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.name != "__init__.py" and PACKAGE / "core" / "engine" not in path.parents and has_something_to_test(path)
]


@pytest.mark.parametrize("path", TESTABLE, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_module_has_its_test_file(path):
    module = path.relative_to(PACKAGE)
    own = ROOT / "tests" / module.with_name(f"test_{module.stem.strip('_')}.py")
    elsewhere = TESTED_BY.get(module.as_posix())
    assert own.is_file() != (elsewhere is not None)
    assert elsewhere is None or (ROOT / "tests" / elsewhere).is_file()


def test_no_exception_is_older_than_its_module():
    assert set(TESTED_BY) <= {path.relative_to(PACKAGE).as_posix() for path in TESTABLE}


def test_every_test_file_has_its_module():
    """Of folders that mirror the package; pages, browser and whole-package tests are of no single module."""
    free = {
        "core/architectures/test_records.py", "core/inputs/test_inputs.py", "ui/test_locales.py",
        "ui/test_private_names.py",
    }  # fmt: skip
    for folder in ("core", "runs", "figures", "exhibits", "export", "ui"):
        for path in set((ROOT / "tests" / folder).rglob("test_*.py")) - set((ROOT / "tests/core/engine").glob("*.py")):
            test = path.relative_to(ROOT / "tests")
            module = PACKAGE / test.with_name(test.name.removeprefix("test_"))
            assert module.is_file() or test.as_posix() in free, test
