"""The handwritten digit that the network reads, with the pixel of this step framed."""

from __future__ import annotations

from html import escape

import numpy as np

from lstm_explorer.core.inputs import make_inputs
from lstm_explorer.core.settings import Settings
from lstm_explorer.figures.theme import blended, theme_of
from lstm_explorer.locales import _

_SIDE, _PIXEL = 8, 12


def plot_digit(settings: Settings, *, step: int, theme: str = "light") -> str:
    """Return the digit that sample 0 reads as SVG text, what was read so far in full and this step's pixel framed.

    Args:
        settings: With ``input_kind="digit"``.
        step: 1 to 64; pixels are read row by row.
        theme: ``"light"`` or ``"dark"``.

    Raises:
        ValueError: There is no such theme.
    """
    look = theme_of(theme)
    whole = settings.replace(sequence_length=_SIDE**2, batch_size=1, input_scale=1.0)
    ink = make_inputs(whole)[:, 0, 0].double().numpy()
    cells = []
    for index, value in enumerate(np.clip(ink, 0.0, 1.0).tolist()):
        row, column = divmod(index, _SIDE)
        fill = blended(look.text, look.grid, value)
        cells.append(
            f'<rect x="{column * _PIXEL}" y="{row * _PIXEL}" width="{_PIXEL}" height="{_PIXEL}" fill="{fill}" '
            f'opacity="{1.0 if index < step else 0.35}"/>'
        )
    row, column = divmod(step - 1, _SIDE)
    frame = (
        f'<rect x="{column * _PIXEL + 1}" y="{row * _PIXEL + 1}" width="{_PIXEL - 2}" height="{_PIXEL - 2}" '
        f'fill="none" stroke="{look.networks["lstm"]}" stroke-width="2.5"/>'
    )
    label = _("The digit that is read, pixel by pixel; step {step} is framed.").format(step=step)
    side = _SIDE * _PIXEL
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" width="{side}" role="img" '
        f'aria-label="{escape(label)}">{"".join(cells)}{frame}</svg>'
    )
