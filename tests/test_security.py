"""What SECURITY.md promises of the whole code: nothing that a visitor sends is run, and Streamlit's guards are on."""

import ast
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = [*(ROOT / "lstm_explorer").rglob("*.py"), *(ROOT / "pages").glob("*.py"), ROOT / "streamlit_app.py"]
#: Names of what runs what it is given.
RUNS = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "pickle.load", "pickle.loads", "pickle.Unpickler",
    "marshal.loads", "torch.load", "pd.read_pickle", "yaml.load", "joblib.load",
}  # fmt: skip
#: Options that would.
OPENS = {"shell": True, "unsafe_allow_html": True, "allow_pickle": True, "unsafe_allow_javascript": True}


def dangers(tree):
    """Yield the calls that run what they are given, or show it as HTML."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        options = {one.arg: getattr(one.value, "value", True) for one in node.keywords}
        if ast.unparse(node.func) in RUNS or OPENS.items() & options.items():
            yield ast.unparse(node)[:80]
        if ast.unparse(node.func) == "np.load" and options.get("allow_pickle") is not False:
            yield ast.unparse(node)[:80]


def test_nothing_that_is_sent_is_run():
    found = {path.relative_to(ROOT).as_posix(): list(dangers(ast.parse(path.read_text("utf-8")))) for path in SOURCES}
    assert {path: calls for path, calls in found.items() if calls} == {
        # The lines that the page Gate biases shows, run to prove them: of them a visitor chooses numbers, and no text.
        "lstm_explorer/core/biases/lines.py": ["exec(lines, {'torch': torch, architecture: network})"],
    }


def test_what_runs_a_text_is_seen():
    for code in (
        "eval(a)",
        "pickle.loads(a)",
        "run(a, shell=True)",
        "st.markdown(a, unsafe_allow_html=True)",
        "np.load(a)",
    ):
        assert list(dangers(ast.parse(code)))


def test_streamlit_guards_the_app_from_other_pages():
    with (ROOT / ".streamlit" / "config.toml").open("rb") as file:
        config = tomllib.load(file)
    assert config["client"]["showErrorDetails"] == "none"
    assert config["server"]["maxUploadSize"] <= 25
    assert config["server"]["maxMessageSize"] <= 50
    for guard in ("enableXsrfProtection", "enableCORS", "enableWebsocketCompression", "enableStaticServing"):
        assert guard not in config["server"], "Streamlit's own choice is the safe one"
