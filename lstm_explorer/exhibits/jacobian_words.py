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
from lstm_explorer.figures.formatting import percent, scientific
from lstm_explorer.figures.names import gate_name, network_name
from lstm_explorer.figures.phase_map import axis_title
from lstm_explorer.locales import _

#: Eigenvalues of this size or more are near 1.
_NEAR_ONE = 0.9


def _times(log10: float) -> str:
    """Return how large something is that began at 1, in words."""
    if log10 > 0:
        return _("{times} times as large as it was").format(times=scientific(log10))
    return _("with {share} of its size").format(share=percent(log10))


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
        "**{network}, all directions: {verdict}.** The direction that is kept best arrives {size}; {counts}."
    ).format(network=name, verdict=verdict_word(verdict_of(largest)), size=_times(largest), counts=counts)


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


def eigenvalues_summary(
    found: Eigenvalues, *, nonlinearity: str, verdict: Verdict | None, projected: bool = False
) -> str:
    """Return the sizes of the weights, what they do and do not say, and where the steps' eigenvalues lie.

    Args:
        found: The eigenvalues.
        nonlinearity: Of a plain RNN.
        verdict: On the gradient of the same network, where it was measured.
        projected: Whether the recurrent weights read a projection of the hidden state.
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
        of = "weight_hh · weight_hr" if projected else "weight_hh"
        weights = _("Largest singular values of {of}: {sizes}.").format(of=of, sizes=sizes) if sizes else ""
        near_one = _near_one_sentence(found.architecture) if np.median(radii) > _NEAR_ONE else ""
        return " ".join(part for part in (weights, steps, near_one) if part)
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


def _near_one_sentence(architecture: str) -> str:
    """Say what an eigenvalue near 1 is, where there are some."""
    record = architecture_named(architecture)
    if len(record.states) > 1:
        return _(
            "Those near 1 are the cell state's: its block of the Jacobian is the forget gate itself, whatever the "
            "recurrent weights are."
        )
    if record.recurrent:
        return _("An eigenvalue near 1 is a direction that the gate keeps, whatever the recurrent weights are.")
    return _("An eigenvalue near 1 is a unit that its gate keeps.")


def how_to_read_eigenvalues(architecture: str) -> str:
    """Return how to read the eigenvalues of a network: what a step is made of beside the weights."""
    record = architecture_named(architecture)
    inside = _("Inside the unit circle a direction shrinks, outside it grows.")
    if not record.recurrent:
        return _(
            "No gate reads the hidden state, so there are no recurrent weights: each point is what a gate keeps of one "
            "unit at one step, from the first (pale) to the last."
        )
    rings = _(
        "Rings are the eigenvalues of weight_hh alone, points those of the Jacobian of each step, from the first "
        "(pale) to the last."
    )
    made_of = (
        _(
            "A step of a network with gates is more than its weights: what the gates keep is added to them, so that "
            "points need not lie where the rings do."
        )
        if record.gates
        else _(
            "A step is the weights times the slopes of the nonlinearity, which are at most 1: they usually draw the "
            "points inwards, and never let one beyond the largest singular value."
        )
    )
    return f"{rings} {inside} {made_of}"


def edge_summary(found: PhaseMap, at: tuple[float, float] | None, *, rows: int, added: bool = False) -> str:
    """Return the exponent at the reader's settings, and where the edge lies nearest to there.

    Args:
        found: The map, or the rows of it that are measured by now.
        at: The reader's values of the first and of the second setting; None where the network has no one value.
        rows: How many rows the whole map has.
        added: Whether a bias is what is added to that of a network of one's own.
    """
    up, across = (np.asarray(positions) for positions in found.positions)
    if len(up) < rows:
        return _("Measured so far: {done} of {total} rows of the map.").format(done=len(up), total=rows)
    if at is None:
        return _(
            "Chrono initialisation draws this bias for every unit, so your network is no point of this map: it is of "
            "one bias in all units. A click takes such a network."
        )
    first, second = (axis_title(name, found.architecture, added=added) for name in found.axes)
    if not (up[0] <= at[0] <= up[-1] and across[0] <= at[1] <= across[-1]):
        return _("Your settings ({first} {row}, {second} {column}) lie outside this map.").format(
            first=first, second=second, row=f"{at[0]:g}", column=f"{at[1]:g}"
        )
    row, column = int(np.abs(up - at[0]).argmin()), int(np.abs(across - at[1]).argmin())
    place = {"first": first, "second": second, "row": f"{up[row]:.3g}", "column": f"{across[column]:.3g}"}
    said = [_here(float(found.median[row, column]), place, added=added)]
    crossing = _crossing(up, found.median[:, column], at[0])
    if crossing is None:
        said.append(_("Along {first} the edge is not crossed from there.").format(**place))
    else:
        said.append(_("Along {first} the edge is crossed at {at}.").format(**place, at=f"{crossing:.2f}"))
    expected = _expected(found, float(across[column]))
    if expected is not None:
        said.append(_("Mean-field theory expects it at {expected}.").format(expected=f"{expected:.2f}"))
    return " ".join(said)


def _here(exponent: float, place: Mapping[str, str], *, added: bool) -> str:
    """Return the sentence on the exponent at a place of the map."""
    if math.isnan(exponent):
        says = _(
            "Next to your settings on this map ({first} {row}, {second} {column}) the states leave the float range."
        )
    elif added:
        says = _("As the network is, the largest exponent is {exponent}: {meaning}.")
    else:
        says = _(
            "Next to your settings on this map ({first} {row}, {second} {column}) the largest exponent is {exponent}: "
            "{meaning}."
        )
    return says.format(**place, exponent=signed(exponent), meaning=factor_of_ten(exponent))


def _crossing(rows: NDArray[np.float64], column: NDArray[np.float64], near: float) -> float | None:
    """Return where the exponent changes its sign nearest to a value; None where it does not.

    States that leave the float range have exploded.
    """
    over = np.isnan(column) | (column >= 0)
    places = []
    for lower in np.flatnonzero(over[1:] != over[:-1]):
        before, after = column[lower], column[lower + 1]
        share = before / (before - after) if np.isfinite([before, after]).all() else 0.5
        places.append(float(rows[lower] + share * (rows[lower + 1] - rows[lower])))
    return min(places, key=lambda place: abs(place - near), default=None)


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
