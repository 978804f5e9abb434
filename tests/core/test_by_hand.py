"""One cell by hand: against autograd through the written-out recurrence, closed forms, and what people will try."""

import math

import numpy as np
import pytest
import torch

from lstm_explorer.core.by_hand import CHALLENGES, Phase, bias_of_gate, check, gate_of_bias, run_by_hand


def phase(until, input_, forget, output, value):
    return Phase(until=until, input=input_, forget=forget, output=output, value=value)


WRITE, KEEP = phase(1, 1, 0, 1, 1), phase(100, 0, 1, 1, 0)
MIXED = [phase(3, 0.7, 0.4, 0.9, -0.8), phase(4, 0.2, 1.0, 0.1, 0.5), phase(20, 0.05, 0.93, 0.6, 1.0)]

#: Every challenge, solved with at most three phases.
SOLUTIONS = {
    "hold": [WRITE, KEEP],
    "leak": [WRITE, phase(100, 0, 0.9, 1, 0)],
    "erase": [WRITE, phase(50, 0, 1, 1, 0), phase(100, 0, 0, 1, 0)],
    "overwrite": [WRITE, phase(50, 0, 1, 1, 0), phase(100, 1, 0, 1, -1)],
    "hide": [phase(1, 1, 0, 0, 1), phase(99, 0, 1, 0, 0), phase(100, 0, 1, 1, 0)],
}

#: Challenge, phases, steps of the mistakes, and the number that came at the first of them.
NEAR_MISSES = [
    pytest.param("hold", [WRITE, phase(100, 0, 0.998, 1, 0)], [100], 0.998**99, id="hold: leaks a little"),
    pytest.param("hold", [phase(1, 0.89, 0, 1, 1), KEEP], [1], 0.89, id="hold: less than 1 was written"),
    pytest.param("hold", [phase(100, 1, 0, 1, 1)], [2], 1.0, id="hold: written anew at every step"),
    pytest.param("hold", [phase(1, 1, 0, 1, -1), KEEP], [1], -1.0, id="hold: the wrong sign"),
    pytest.param("leak", [WRITE, phase(100, 0, 0.88, 1, 0)], [11], 0.88**10, id="leak: too fast"),
    pytest.param("leak", [WRITE, phase(100, 0, 0.92, 1, 0)], [11], 0.92**10, id="leak: too slowly"),
    pytest.param(
        "leak", [WRITE, phase(10, 0, 1, 1, 0), phase(100, 0.65, 1, 1, -1)], [11], -0.65, id="leak: taken off"
    ),
    pytest.param("erase", [WRITE, KEEP], [52], 1.0, id="erase: kept"),
    pytest.param("erase", [WRITE, phase(49, 0, 1, 1, 0), phase(100, 0, 0, 1, 0)], [50], 0.0, id="erase: too soon"),
    pytest.param(
        "erase", [WRITE, phase(50, 0, 1, 1, 0), phase(100, 0, 0.2, 1, 0)], [], None, id="erase: two steps are enough"
    ),
    pytest.param(
        "erase", [WRITE, phase(50, 0, 1, 1, 0), phase(100, 0, 0.3, 1, 0)], [52], 0.09, id="erase: a rest stays"
    ),
    pytest.param(
        "erase", [WRITE, phase(50, 0, 1, 1, 0), phase(100, 0.06, 0, 1, -1)], [52], -0.06, id="erase: below zero"
    ),
    pytest.param(
        "overwrite", [WRITE, phase(50, 0, 1, 1, 0), phase(100, 1, 1, 1, -1)], [51], 0.0, id="overwrite: added"
    ),
    pytest.param("overwrite", [phase(50, 1, 1, 1, 1), phase(100, 1, 0, 1, -1)], [2], 2.0, id="overwrite: piled up"),
    pytest.param(
        "hide", [phase(1, 1, 0, 0, 1), phase(100, 0, 1, 0, 0)], [100], 0.0, id="hide: never shown"
    ),
    pytest.param("hide", [phase(1, 1, 0, 1, -1), KEEP], [1, 1, 100], -1.0, id="hide: the wrong sign"),
    pytest.param("hide", [WRITE, KEEP], [1], math.tanh(1), id="hide: shown all the time"),
    pytest.param(
        "hide", [phase(1, 1, 0, 0, 1), phase(99, 0, 0.99, 0, 0), phase(100, 0, 1, 1, 0)], [12, 100], 0.99**11,
        id="hide: nothing left to show",
    ),
]  # fmt: skip


def autograd(phases, initial):
    """Return cell and hidden states, and the gradients of the last of each by every cell state."""
    gates = [
        one
        for before, one in zip([0, *(p.until for p in phases)], phases, strict=False)
        for _ in range(before, one.until)
    ]
    cells = [torch.tensor(initial, dtype=torch.float64, requires_grad=True)]
    hidden = [torch.zeros((), dtype=torch.float64)]
    for gate in gates:
        cells.append(gate.forget * cells[-1] + gate.input * gate.value)
        hidden.append(gate.output * torch.tanh(cells[-1]))
    of_cell = torch.autograd.grad(cells[-1], cells, retain_graph=True)
    of_hidden = torch.autograd.grad(hidden[-1], cells)
    return [torch.stack(list(numbers)).detach().numpy() for numbers in (cells, hidden, of_cell, of_hidden)]


@pytest.mark.parametrize("phases", [MIXED, *SOLUTIONS.values()], ids=["mixed", *SOLUTIONS])
@pytest.mark.parametrize("initial", [0.0, -1.3])
def test_states_and_gradients_are_those_of_autograd(phases, initial):
    run = run_by_hand(phases, initial=initial)
    cell, hidden, of_cell, of_hidden = autograd(phases, initial)
    # float64; logarithms of products of up to 100 factors
    np.testing.assert_allclose(run.cell, cell, rtol=1e-13)
    np.testing.assert_allclose(run.hidden, hidden, rtol=1e-13)
    np.testing.assert_allclose(10**run.log10_gradient, np.abs(of_cell), rtol=1e-11)
    np.testing.assert_allclose(10**run.gradient_hidden, np.abs(of_hidden), rtol=1e-11)


def test_gates_are_those_of_the_phases():
    run = run_by_hand(MIXED)
    np.testing.assert_array_equal(run.forget, [0.4] * 3 + [1.0] + [0.93] * 16)
    np.testing.assert_array_equal(run.output, [0.9] * 3 + [0.1] + [0.6] * 16)
    np.testing.assert_array_equal(run.written, run.input * run.value)
    assert (run.steps, len(run.cell), len(run.hidden), len(run.log10_gradient)) == (20, 21, 21, 21)


def test_one_gate_gives_its_powers():
    run = run_by_hand([phase(50, 0, 0.9, 1, 0)], initial=1.0)
    steps = np.arange(51)
    np.testing.assert_allclose(run.cell, 0.9**steps, rtol=1e-13)
    np.testing.assert_allclose(run.log10_gradient, (50 - steps) * math.log10(0.9), rtol=1e-13)


def test_a_cell_that_holds_is_constant_and_its_gradient_is_one():
    run = run_by_hand([WRITE, phase(2000, 0, 1, 1, 0)])
    assert set(run.cell[1:].tolist()) == {1.0}
    assert set(run.log10_gradient[1:].tolist()) == {0.0}


def test_gradient_is_exact_far_past_the_float_range():
    run = run_by_hand([phase(2000, 1, 1e-3, 1, 1)])
    assert run.log10_gradient[0] == -6000.0
    assert list(run.log10_gradient[-3:]) == [-6.0, -3.0, 0.0]


def test_output_slope_is_exact_where_tanh_is_flat():
    run = run_by_hand([phase(1000, 1, 1, 0.5, 1)])
    assert math.tanh(run.cell[-1]) == 1.0
    # sech(c)^2 = 4 e^(-2 c) up to e^(-2 c)
    assert run.gradient_hidden[0] == pytest.approx(math.log10(0.5 * 4) - 2000 / math.log(10), rel=1e-14)


def test_a_closed_forget_gate_lets_exactly_nothing_through():
    run = run_by_hand([phase(4, 1, 0.5, 1, 1), phase(5, 1, 0, 1, 1), phase(9, 0, 0.1, 1, 0)])
    assert set(run.log10_gradient[:5].tolist()) == {-math.inf}
    assert list(run.log10_gradient[5:]) == [-4.0, -3.0, -2.0, -1.0, 0.0]


def test_a_closed_last_output_gate_hides_every_gradient_but_the_cell_s():
    run = run_by_hand([phase(5, 1, 1, 0, 1)])
    assert set(run.gradient_hidden.tolist()) == {-math.inf}
    assert set(run.log10_gradient.tolist()) == {0.0}


@pytest.mark.parametrize("code", CHALLENGES)
def test_every_challenge_can_be_solved_with_three_phases(code):
    assert len(SOLUTIONS[code]) <= 3
    assert check(code, run_by_hand(SOLUTIONS[code])) == []


@pytest.mark.parametrize("code", CHALLENGES)
def test_only_its_solution_solves_a_challenge(code):
    solved_by = {other for other, phases in SOLUTIONS.items() if not check(code, run_by_hand(phases))}
    assert solved_by == {code} | ({"hide"} if code == "hold" else set())  # what hides also holds


@pytest.mark.parametrize(("code", "phases", "steps", "came"), NEAR_MISSES)
def test_near_misses_are_told_at_the_step_where_they_miss(code, phases, steps, came):
    mistakes = check(code, run_by_hand(phases))
    assert [mistake.step for mistake in mistakes] == steps
    assert [mistake.values["came"] for mistake in mistakes[:1]] == ([] if came is None else [pytest.approx(came)])


def test_a_mistake_says_what_was_expected_and_what_came():
    (mistake,) = check("hold", run_by_hand([WRITE, phase(100, 0, 0.99, 1, 0)]))
    assert mistake.expected.format(**mistake.values) == "the cell should hold at least 0.9; it holds 0.3697."
    (mistake,) = check("leak", run_by_hand([WRITE, KEEP]))
    assert mistake.expected.format(**mistake.values) == "the cell should hold between 0.3 and 0.4; it holds 1."
    (mistake,) = check("hold", run_by_hand([WRITE, phase(50, 0, 1, 1, 0)]))
    assert mistake.step == 50
    assert mistake.expected.format(**mistake.values) == "the sequence should have 100 steps; it has 50."


def test_a_mistake_never_shows_a_number_that_would_do():
    written = 0.89996  # with four digits 0.9
    assert check("hold", run_by_hand([phase(1, written, 0, 1, 1), KEEP])) == []
    (mistake,) = check("hold", run_by_hand([phase(1, 0.8999, 0, 1, 1), KEEP]))
    assert "it holds 0.8999." in mistake.expected.format(**mistake.values)


def test_an_unknown_challenge_is_refused():
    with pytest.raises(ValueError, match=r"challenge is 'keep': expected one of 'hold', 'leak'"):
        check("keep", run_by_hand([KEEP]))


@pytest.mark.parametrize("bias", [-30.0, -2.0, 0.0, 1.0, 5.0])
def test_gate_and_bias_are_inverse(bias):
    assert gate_of_bias(bias) == pytest.approx(
        float(torch.sigmoid(torch.tensor(bias, dtype=torch.float64))), rel=1e-14, abs=0
    )
    assert bias_of_gate(gate_of_bias(bias)) == pytest.approx(bias, rel=1e-12, abs=1e-15)


def test_a_gate_that_is_exactly_closed_or_open_has_an_infinite_bias():
    assert (bias_of_gate(0.0), bias_of_gate(1.0)) == (-math.inf, math.inf)
    assert (gate_of_bias(-math.inf), gate_of_bias(math.inf)) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("changes", "error", "match"),
    [
        ({"input": 1.1}, ValueError, r"input is 1.1: expected a number from 0 to 1"),
        ({"forget": -0.1}, ValueError, r"forget is -0.1: expected a number from 0 to 1"),
        ({"output": math.nan}, ValueError, r"output is nan: expected a number from 0 to 1"),
        ({"value": -1.5}, ValueError, r"value is -1.5: expected a number from -1 to 1"),
        ({"value": "1"}, TypeError, r"value is '1' \(str\): expected a number"),
        ({"until": 0}, ValueError, r"until is 0: expected at least 1"),
        ({"until": 2.5}, TypeError, r"until is 2.5: expected the last step, a whole number"),
    ],
)
def test_a_phase_outside_its_limits_is_refused(changes, error, match):
    good = {"until": 3, "input": 1, "forget": 1, "output": 1, "value": 1}
    with pytest.raises(error, match=match):
        Phase(**(good | changes))


@pytest.mark.parametrize(
    ("phases", "initial", "match"),
    [
        ([], 0.0, r"phases is empty: expected at least one phase"),
        ([KEEP, KEEP], 0.0, r"until step 100 follows one until step 100: expected a later step"),
        ([KEEP, WRITE], 0.0, r"until step 1 follows one until step 100: expected a later step"),
        ([phase(10**30, 0, 1, 1, 0)], 0.0, r"ends at step 10+: expected at most 2000"),
        ([KEEP], math.inf, r"initial is inf: expected a finite number"),
    ],
)
def test_phases_that_are_no_sequence_are_refused(phases, initial, match):
    with pytest.raises(ValueError, match=match):
        run_by_hand(phases, initial=initial)


@pytest.mark.parametrize("gate", [-0.01, 1.01, math.nan])
def test_what_is_no_gate_has_no_bias(gate):
    with pytest.raises(ValueError, match=r"gate is .*: expected a number from 0 to 1"):
        bias_of_gate(gate)
    with pytest.raises(ValueError, match="bias is nan"):
        gate_of_bias(math.nan)
