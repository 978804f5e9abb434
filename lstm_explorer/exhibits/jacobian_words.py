"""Sentences beside Jacobians, their products and their exponents, each computed from the numbers that are drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from lstm_explorer.core.architectures import architecture_named
from lstm_explorer.core.gradients.summaries import EXPLODES_ABOVE, VANISHES_BELOW, Verdict, verdict_of
from lstm_explorer.core.jacobians.eigenvalues import Eigenvalues
from lstm_explorer.core.jacobians.phase_maps import PhaseMap
from lstm_explorer.core.mean_field import LARGEST_SLOPE
from lstm_explorer.exhibits.curve_summaries import verdict_word
from lstm_explorer.figures.exponents import factor_of_ten
from lstm_explorer.figures.formatting import percent
from lstm_explorer.figures.names import gate_name, network_name
from lstm_explorer.figures.phase_map import axis_title
from lstm_explorer.locales import _


def directions_summary(log10_values: NDArray[np.float64], name: str) -> str:
    """Return what becomes of all directions over the whole sequence.

    Args:
        log10_values: Singular values of the Jacobian from the first state to the last, ``(S,)``, descending.
        name: The network's.
    """
    largest = float(log10_values[0])
    kept = int((log10_values >= math.log10(VANISHES_BELOW)).sum())
    grown = int((log10_values > math.log10(EXPLODES_ABOVE)).sum())
    counts = _("{kept} of {all} directions keep at least {share}").format(
        kept=kept, all=len(log10_values), share=percent(math.log10(VANISHES_BELOW))
    )
    if grown:
        counts = _("{counts}, {grown} of them grow more than {times:g} times").format(
            counts=counts, grown=grown, times=EXPLODES_ABOVE
        )
    return _(
        "**{network}, all directions: {verdict}.** The direction that is kept best arrives with {share} of its size; "
        "{counts}."
    ).format(network=name, verdict=verdict_word(verdict_of(largest)), share=percent(largest), counts=counts)


def largest_exponent(exponent: float) -> str:
    """Return the largest exponent and what it means."""
    return _("Its largest Lyapunov exponent is {exponent}: {meaning}.").format(
        exponent=signed(exponent), meaning=factor_of_ten(exponent)
    )


def exponents_summary(exponents: Mapping[str, NDArray[np.float64]]) -> str:
    """Return the largest exponent of each network, and in how many steps it makes a factor of ten."""
    return "  \n".join(
        _("**{network}**: the largest exponent is {exponent}: {meaning}.").format(
            network=network_name(name), exponent=signed(float(values[0])), meaning=factor_of_ten(float(values[0]))
        )
        for name, values in exponents.items()
    )


def eigenvalues_summary(found: Eigenvalues, *, nonlinearity: str, verdict: Verdict | None) -> str:
    """Return the sizes of the weights, what they do and do not say, and where the steps' eigenvalues lie.

    Args:
        found: The eigenvalues.
        nonlinearity: Of a plain RNN.
        verdict: On the gradient of the same network, where it was measured.
    """
    one = 0 if found.directions == 2 else ...
    gated = bool(architecture_named(found.architecture).gates)
    radii = np.abs(found.jacobians[one].numpy()).max(axis=-1)
    steps = _("Over the steps, the largest eigenvalue of the Jacobian has a median size of {median} ({low} to {high}).")
    steps = steps.format(median=f"{np.median(radii):.2f}", low=f"{radii.min():.2f}", high=f"{radii.max():.2f}")
    values = {gate: float(value[one]) for gate, value in found.largest_singular_values.items()}
    if gated:
        sizes = ", ".join(
            _("{gate} {value}").format(gate=gate_name(gate, found.architecture), value=f"{value:.2f}")
            for gate, value in values.items()
        )
        weights = _("Largest singular values of weight_hh: {sizes}.").format(sizes=sizes) if sizes else ""
        return " ".join(part for part in (weights, steps, _gates_sentence(found)) if part)
    radius = float(found.spectral_radii["hidden"][one])
    weights = _("weight_hh has the spectral radius {radius} and the largest singular value {value}.").format(
        radius=f"{radius:.2f}", value=f"{values['hidden']:.2f}"
    )
    return "  \n".join([f"{weights} {_one_sided(values['hidden'] * LARGEST_SLOPE[nonlinearity], verdict)}", steps])


def _one_sided(bound: float, verdict: Verdict | None) -> str:
    """Say what Pascanu's condition says here, and what it does not."""
    if bound < 1:
        return _(
            "A largest singular value below 1 **suffices** for the gradient to vanish, whatever is read. It is not "
            "needed: networks above 1 vanish too."
        )
    if verdict is None:
        return _("A largest singular value of 1 or more is **needed** to explode, but does not suffice.")
    return _(
        "A largest singular value of 1 or more is **needed** to explode, but does not suffice: the gradient of this "
        "network {verdict}."
    ).format(verdict=verdict_word(verdict))


def _gates_sentence(found: Eigenvalues) -> str:
    if len(architecture_named(found.architecture).states) > 1:
        return _(
            "Those near 1 are the cell state's: its block of the Jacobian is the forget gate itself, whatever the "
            "recurrent weights are."
        )
    return _("An eigenvalue near 1 is a direction that the gate keeps, whatever the recurrent weights are.")


def edge_summary(found: PhaseMap, at: tuple[float, float], *, added: bool = False) -> str:
    """Return the exponent at the reader's settings, and where the edge lies from there.

    Args:
        found: The map.
        at: The reader's values of the first and of the second setting.
        added: Whether a bias is what is added to that of a network of one's own.
    """
    rows, columns = (np.asarray(positions) for positions in found.positions)
    row, column = int(np.abs(rows - at[0]).argmin()), int(np.abs(columns - at[1]).argmin())
    first, second = (axis_title(name, found.architecture, added=added) for name in found.axes)
    here = float(found.median[row, column])
    place = {"first": first, "second": second, "row": f"{rows[row]:.3g}", "column": f"{columns[column]:.3g}"}
    if math.isnan(here):
        sentence = _("Near your settings ({first} {row}, {second} {column}) the states leave the float range.")
        return sentence.format(**place)
    sentence = (
        _("As the network is, the largest exponent is {exponent}: {meaning}.")
        if added
        else _("Near your settings ({first} {row}, {second} {column}) the largest exponent is {exponent}: {meaning}.")
    )
    said = [sentence.format(**place, exponent=signed(here), meaning=factor_of_ten(here))]
    crossing = _crossing(rows, found.median[:, column])
    if crossing is None:
        said.append(_("With no value of this map does it reach the edge from there ({first}).").format(first=first))
    else:
        said.append(
            _("From there the edge is crossed at {crossing} ({first}).").format(first=first, crossing=f"{crossing:.2f}")
        )
    expected = _expected(found, columns[column])
    if expected is not None:
        said.append(_("Mean-field theory expects it at {expected}.").format(expected=f"{expected:.2f}"))
    return " ".join(said)


def _crossing(rows: NDArray[np.float64], column: NDArray[np.float64]) -> float | None:
    """Return where the exponent first rises through 0; None where it does not."""
    for lower in range(len(rows) - 1):
        before, after = column[lower], column[lower + 1]
        if before < 0 <= after:
            share = -before / (after - before) if math.isfinite(before) else 1.0
            return float(rows[lower] + share * (rows[lower + 1] - rows[lower]))
    return None


def _expected(found: PhaseMap, column: float) -> float | None:
    """Return the first setting at which theory expects the edge, at a value of the second; None where it does not."""
    if found.edge is None or not len(found.edge):
        return None
    order = np.argsort(found.edge[:, 1])
    at, across = found.edge[order, 0], found.edge[order, 1]
    return float(np.interp(column, across, at)) if across[0] <= column <= across[-1] else None


def signed(value: float) -> str:
    """Return a number with two digits behind the point, or more where it is small, and a real minus.

    Example:
        >>> signed(-0.4951), signed(0.0123), signed(-math.inf)
        ('−0.50', '0.012', '−∞')
    """
    if not math.isfinite(value):
        return "−∞" if value < 0 else "∞"
    text = f"{value:.2f}" if abs(value) >= 0.1 or value == 0 else f"{value:.2g}"
    return text.replace("-", "−")
