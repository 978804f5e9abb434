"""How far a command is: a bar with the time left on standard error."""

from __future__ import annotations

import sys
import time

#: Seconds between two lines where there is no terminal, and between two looks of the bar where there is one.
_QUIET, _OFTEN = 5.0, 0.05
_WIDTH = 24


class ProgressBar:
    """A bar in one line of a terminal; elsewhere a line now and then."""

    def __init__(self) -> None:
        """Begin."""
        self._is_terminal = sys.stderr.isatty()
        self._shown = time.monotonic() - (_OFTEN if self._is_terminal else 0.0)

    def show(self, name: str, done: int, total: int, said: str, *, seconds_left: float, last: bool = False) -> None:
        """Show how far it is.

        Args:
            name: Of what.
            done: How much is done.
            total: How much there is.
            said: What else there is to say.
            seconds_left: How long the rest takes.
            last: Whether it ends here.
        """
        if not last and time.monotonic() - self._shown < (_OFTEN if self._is_terminal else _QUIET):
            return
        self._shown = time.monotonic()
        filled = "#" * round(_WIDTH * done / total)
        line = f"{name} [{filled:.<{_WIDTH}}] {done}/{total}, {said}, {clock(seconds_left)} left"
        sys.stderr.write(f"\r{line}\x1b[K" if self._is_terminal else f"{line}\n")
        if self._is_terminal and last:
            sys.stderr.write("\n")
        sys.stderr.flush()


def clock(seconds: float) -> str:
    """Return a time as a clock shows it.

    Example:
        >>> clock(5.4), clock(3725)
        ('0:05', '1:02:05')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
