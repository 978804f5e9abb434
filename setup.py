"""What pyproject.toml cannot say: the app lies at the top of the repository, and travels inside the package."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

#: Where the app lies in a wheel; ``lstm_explorer/ui/launch.py`` looks for it there.
APP = Path("lstm_explorer", "app")


def app_files() -> list[Path]:
    """Return the files that make the app, relative to the repository."""
    return [Path("streamlit_app.py"), Path(".streamlit", "config.toml"), *sorted(Path("pages").glob("*.py"))]


class BuildWithApp(build_py):
    """Copies the app into the package as well; an editable install uses it where it lies."""

    def run(self) -> None:
        """Build."""
        super().run()
        if not self.editable_mode:
            for file, target in self._copies().items():
                self.mkpath(str(Path(target).parent))
                self.copy_file(file, target)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """Return what is written, for the wheel's record."""
        return [*super().get_outputs(include_bytecode), *([] if self.editable_mode else self._copies().values())]

    def get_source_files(self) -> list[str]:
        """Return what is read, for a source archive."""
        return [*super().get_source_files(), *self._copies()]

    def _copies(self) -> dict[str, str]:
        return {str(file): str(Path(self.build_lib, APP, file)) for file in app_files()}


setup(cmdclass={"build_py": BuildWithApp})
