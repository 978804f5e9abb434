"""One place holds the versions, an extra brings what its modules import, and all that is not Python is named."""

from __future__ import annotations

import ast
import fnmatch
import importlib.metadata
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import lstm_explorer
from lstm_explorer import extras

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "lstm_explorer"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LINES = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()


def pins_in(lines: list[str]) -> dict[str, Requirement]:
    """Return the requirements of a file, by name."""
    return {canonicalize_name(pin.name): pin for pin in map(Requirement, (one for one in lines if one[:1].isalpha()))}


#: What is deployed, and what the tests need beside it.
PINS = pins_in(LINES)
DEV_PINS = pins_in((ROOT / "requirements-dev.txt").read_text(encoding="utf-8").splitlines())

#: Name of a module -> its distribution, where they differ.
DISTRIBUTIONS = {"PIL": "pillow", "fontTools": "fonttools", "markdown_it": "markdown-it-py"}
#: What comes with another distribution.
BROUGHT = {"choreographer": "kaleido"}
#: Folder -> the extra that it needs; None for what is there always.
NEEDS = {"core": None, "runs": None, "locales": None, "figures": "figures", "exhibits": "figures"}
NEEDS |= {"runs/sweeps": "training", "runs/cluster": "cluster"}
NEEDS |= {"core/checkpoints": "checkpoints", "runs/training": "training", "export": "export", "ui": "app"}


def requirements_of(extra: str | None) -> dict[str, Requirement]:
    """Return what an extra brings, that of the extras it names included."""
    texts = PROJECT["project"]["optional-dependencies"][extra] if extra else PROJECT["project"]["dependencies"]
    found = {}
    for requirement in map(Requirement, texts):
        if requirement.name == "lstm-explorer":
            found |= {name: one for inner in requirement.extras for name, one in requirements_of(inner).items()}
        else:
            found[canonicalize_name(requirement.name)] = requirement
    return found


def deployed() -> dict[str, Requirement]:
    return requirements_of(None) | requirements_of("app")


def everything() -> dict[str, Requirement]:
    """Return what is deployed, and what only another machine needs, which requirements-dev.txt pins."""
    return deployed() | requirements_of("cluster")


def test_requirements_are_exact_pins_of_what_the_package_asks_for():
    assert set(PINS) == set(deployed())
    for name, requirement in everything().items():
        (exact,) = (PINS | DEV_PINS)[name].specifier
        assert exact.operator == "=="
        assert requirement.specifier.contains(exact.version), f"{name} {exact} is not {requirement}"


def needed_in_turn() -> dict[str, str]:
    """Return the versions here of all that the requirements need, themselves left out."""
    found: dict[str, str] = {}
    todo = [(name, requirement.extras) for name, requirement in PINS.items()]
    for name, extras_of_it in todo:
        for inner in map(Requirement, importlib.metadata.distribution(name).requires or ()):
            wanted = inner.marker is None or any(inner.marker.evaluate({"extra": one}) for one in ("", *extras_of_it))
            needed = canonicalize_name(inner.name)
            # PyTorch's build for GPUs brings more, on some machines.
            if wanted and needed not in found and not needed.startswith(("nvidia-", "cuda-", "triton")):
                found[needed] = importlib.metadata.version(needed)
                todo.append((needed, inner.extras))
    return {name: version for name, version in found.items() if name not in PINS}


@pytest.mark.skipif(sys.platform != "linux", reason="the list is of the system that is deployed")
def test_what_the_requirements_need_in_turn_is_pinned_too():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {name: str(one.specifier).removeprefix("==") for name, one in pins_in(lines).items()}
    assert pinned == needed_in_turn()
    assert "-c constraints.txt" in LINES


def test_nothing_older_than_what_is_tested_is_allowed():
    for name, requirement in everything().items():
        (lowest,) = (one.version for one in requirement.specifier if one.operator == ">=")
        (pinned,) = (one.version for one in (PINS | DEV_PINS)[name].specifier)
        assert pinned == lowest or pinned.startswith(f"{lowest}."), f"{requirement} allows what nobody tests"


def test_each_requirement_stands_in_one_list():
    lists = [PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"].values()]
    names = [Requirement(text).name for texts in lists for text in texts if "lstm-explorer" not in text]
    assert len(names) == len(set(names)) == len(everything())


def test_the_choice_of_torch_stays_a_comment():
    assert [line.startswith("# --find-links ") for line in LINES if "--find-links" in line] == [True]


def test_an_extra_checks_for_the_modules_that_it_brings():
    for extra, modules in extras.MODULES.items():
        assert {DISTRIBUTIONS.get(module, module) for module in modules} == set(requirements_of(extra))


def imported_roots(path: Path) -> set[str]:
    roots = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            roots |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            roots.add(node.module.split(".")[0])
    return roots - set(sys.stdlib_module_names) - {"lstm_explorer"}


@pytest.mark.parametrize("folder", [*NEEDS, "pages"])
def test_a_folder_imports_only_what_its_extra_brings(folder):
    place = ROOT / "pages" if folder == "pages" else PACKAGE / folder
    others = {PACKAGE / name for name in NEEDS if name.startswith(f"{folder}/")}
    files = [path for path in place.rglob("*.py") if not others & set(path.parents)]
    roots = set().union(*map(imported_roots, files))
    needed = {canonicalize_name(DISTRIBUTIONS.get(name, BROUGHT.get(name, name))) for name in roots}
    extra = NEEDS.get(folder, "app")
    assert needed <= set(requirements_of(None) | (requirements_of(extra) if extra else {}))


def test_every_folder_of_the_package_is_named_here():
    folders = {path.parent.name for path in (ROOT / "lstm_explorer").glob("*/__init__.py")}
    assert folders <= set(NEEDS)


def test_every_file_that_is_not_python_travels():
    data = PROJECT["tool"]["setuptools"]["package-data"]
    patterns = [f"{package.replace('.', '/')}/{pattern}" for package, globs in data.items() for pattern in globs]
    files = [path.relative_to(ROOT) for path in (ROOT / "lstm_explorer").rglob("*") if path.is_file()]
    others = [file.as_posix() for file in files if file.suffix != ".py" and "__pycache__" not in file.parts]
    assert others
    assert [file for file in others if not any(fnmatch.fnmatch(file, pattern) for pattern in patterns)] == []


def test_every_folder_with_python_is_a_package():
    folders = {path.parent for path in (ROOT / "lstm_explorer").rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []


def test_the_version_is_written_once():
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert PROJECT["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "lstm_explorer.__version__"}
    assert lstm_explorer.__version__ in (ROOT / "lstm_explorer/__init__.py").read_text(encoding="utf-8")


@pytest.mark.parametrize(("extra", "package"), [("figures", "figures"), ("export", "export"), ("app", "ui")])
def test_what_is_missing_is_one_line_that_says_what_to_install(extra, package, monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=rf'^plotly is not installed: pip install "lstm-explorer\[{extra}\]"$'):
        extras.require(extra)
    source = (ROOT / "lstm_explorer" / package / "__init__.py").read_text(encoding="utf-8")
    assert f'require("{extra}")' in source
