"""Every public function, called with every wrong kind in every argument, says what was expected and what came."""

import functools
import inspect
import io

import numpy as np
import pytest
import torch

import lstm_explorer as lx
from lstm_explorer import figures
from lstm_explorer.core.gradients.summaries import summarise

PUBLIC = {
    f"{module.__name__}.{name}": getattr(module, name)
    for module in (lx, lx.theory, figures)
    for name in module.__all__
    if inspect.isfunction(getattr(module, name))
}
SETTINGS = lx.Settings(sequence_length=4, hidden_size=3, input_size=2)
TRAINING = lx.Training(sequence_length=4, hidden_size=3, batch_size=2, steps=1)
LSTM = lx.build_network("lstm", SETTINGS)
FLOW = lx.seed_flows(SETTINGS, architecture="lstm", units=True)
SERIES = [figures.Series(name="LSTM", network="lstm", curve=summarise(FLOW))]
MAP = lx.bias_map(SETTINGS, biases=(0, 1))
TRAINING = lx.Training(sequence_length=4, hidden_size=3, batch_size=2, steps=1)

LOADABLE = io.BytesIO()
torch.save(torch.nn.LSTM(1, 1).state_dict(), LOADABLE)

DIAGNOSIS = lx.diagnose(LSTM, lx.make_inputs(SETTINGS), needs_lag=4, share=0.99)


def watched_once():
    with lx.watch(LSTM, every=1) as watched:
        LSTM(lx.make_inputs(SETTINGS))[0].sum().backward()
    return watched


#: The shipped sweep.
SWEEP = lx.load_sweep()

#: What goes into the parameter of a name, wherever it stands.
GOOD = {
    "settings": SETTINGS, "network": LSTM, "architecture": "lstm", "inputs": lx.make_inputs(SETTINGS), "bias": 1.0,
    "biases": (0, 1), "lengths": (2, 4), "lag": 2, "flow": FLOW,
    "trajectory": lx.unroll(LSTM, lx.make_inputs(SETTINGS)),
    "step": 1, "mapping": {}, "data": b"a;b\n1;2\n3;4\n", "forget_bias": 1.0, "longest": 10, "probability": 0.5,
    "path_or_bytes": LOADABLE.getvalue(), "module": None,
    "share": 0.1, "recurrent_variance": 1.0, "input_variance": 1.0, "weight_hh": torch.eye(3), "strips": SERIES,
    "needs_lag": 4, "q": 0.5, "truncation": 2, "mend": DIAGNOSIS.mend,
    "need": lx.required_bias(SETTINGS, lag=4), "measured": MAP, "model": LSTM, "runs": [lx.train(TRAINING)],
    "watched": watched_once(), "jacobians": torch.eye(4).expand(3, 1, 4, 4),
}  # fmt: skip
#: What goes there in one function alone.
OWN = {
    "two_gate_map": {"biases": ((0, 1), (0, 1))},
    "cell_gradient_flow": {"step": lambda h, x: h + x.sum(), "initial_state": torch.zeros(1, 3)},
    "cell_jacobians": {"step": lambda h, x: h + x.sum(), "initial_state": torch.zeros(1, 3)},
    "mean_field_of": {"network": lx.build_network("rnn", SETTINGS)},
    "recurrent_statistics": {"network": lx.build_network("rnn", SETTINGS)},
    "plot_bias_grid": {"grid": lx.length_map(SETTINGS, biases=(0, 1), lengths=(2, 4))},
    "plot_weight_gradients": {"measured": lx.weight_gradients(SETTINGS, lengths=(2, 4))},
    "plot_contributions": {"measured": lx.step_contributions(SETTINGS)},
    "plot_clipping": {
        "measured": lx.clipped_gradient(LSTM, lx.make_inputs(SETTINGS)),
        "backward": lx.plain_backward(LSTM, lx.make_inputs(SETTINGS)),
    },
    "plot_truncation": {"series": SERIES},
    "plot_paths": {"flows": lx.path_flows(SETTINGS)},
    "plot_rates": {"flows": lx.path_flows(SETTINGS)},
    "plot_journey": {"theory": ()},
    "bias_lines": {"network": "net"},
    "train": {"training": TRAINING},
    "sweep": {"jobs": []},
    "sweep_map": {"table": SWEEP},
    "sweep_curves": {"table": SWEEP, "by": "forget_bias"},
    "sweep_outcomes": {"table": SWEEP},
    "plot_sweep_map": {"found": lx.sweep_map(SWEEP)},
    "plot_sweep_curves": {"curves": lx.sweep_curves(SWEEP, "forget_bias"), "by": "forget_bias"},
    "plot_sweep_outcomes": {"found": lx.sweep_outcomes(SWEEP)},
    "gradient_flow_of_loss": {"loss_fn": lambda output: output.sum()},
    "find_networks": {"model": LSTM},
    "plot_gate_biases": {"weights": DIAGNOSIS.layers[0]},
    "plot_reach": {"diagnosis": DIAGNOSIS},
    "to_training_script": {"training": TRAINING},
    "jacobian_eigenvalues": {"steps": (1, 4)},
    "plot_jacobian_flow": {"flow": lx.jacobian_flow(LSTM, lx.make_inputs(SETTINGS)), "curves": (), "theory": ()},
    "plot_eigenvalues": {"found": lx.jacobian_eigenvalues(LSTM, lx.make_inputs(SETTINGS))},
    "plot_lyapunov_exponents": {"exponents": {"lstm": lx.lyapunov_exponents(LSTM, lx.make_inputs(SETTINGS))[0]}},
    "plot_phase_map": {"found": lx.phase_map(SETTINGS, across={"recurrent_gain": (0, 1), "input_scale": (0, 1)})},
    "phase_map": {
        "inputs": None,
        "architecture": "rnn",
        "across": {"recurrent_gain": (0, 1), "input_scale": (0, 1)},
    },
}
#: Of no use to any parameter but those of their own kind.
STRANGE = [object(), torch.nn.Linear(1, 1)]
WRONG = [
    *STRANGE, LSTM, SETTINGS, GOOD["trajectory"], FLOW, MAP, None, "10%", "hiden", 99, -99, 1.5, float("nan"), 1j, True,
    b"x", [], (None,), {}, {"forgot": "x"}, np.zeros((2, 2)), torch.zeros(2), torch.zeros(3, 3, requires_grad=True),
]  # fmt: skip


@functools.cache
def good(name):
    function = PUBLIC[name]
    own = {**GOOD, **OWN.get(function.__name__, {})}
    required = inspect.signature(function).parameters.values()
    return {one.name: own[one.name] for one in required if one.default is one.empty or one.name in ("architecture",)}


def refusal(function, arguments):
    """Return what a function says against its arguments, nothing where it takes them; other errors are errors."""
    try:
        function(**arguments)
    except lx.TableError:  # what is wrong in a file is said in its own words
        return ""
    except (TypeError, ValueError) as error:
        return str(error)
    return ""


CASES = [(name, parameter) for name, function in PUBLIC.items() for parameter in inspect.signature(function).parameters]


@pytest.mark.parametrize("name", PUBLIC)
def test_what_is_right_passes(name):
    PUBLIC[name](**good(name))
    assert "TypeError:" in inspect.getdoc(PUBLIC[name])


@pytest.mark.parametrize(("name", "parameter"), CASES)
def test_what_is_wrong_is_explained(name, parameter):
    a_function = "Callable" in inspect.signature(PUBLIC[name]).parameters[parameter].annotation
    for wrong in WRONG:
        if a_function and callable(wrong):  # what it does is its own affair
            continue
        said = refusal(PUBLIC[name], {**good(name), parameter: wrong})
        assert "expected " in said or (not said and wrong is not STRANGE[0]), f"{wrong!r}: {said or 'passed'}"


def test_messages_say_what_was_expected_what_came_and_the_mend():
    with pytest.raises(TypeError) as refused:
        lx.make_inputs(torch.nn.LSTM(2, 3))
    assert str(refused.value) == (
        "settings is LSTM(2, 3): expected Settings, such as Settings(); a network goes into gradient_flow or unroll."
    )
    with pytest.raises(TypeError, match="flow is a Trajectory: expected a GradientFlow, as gradient_flow or "):
        lx.summarise(GOOD["trajectory"])
    with pytest.raises(ValueError, match="quantity is 'hiden': expected one of 'hidden', 'cell', "):
        lx.summarise(FLOW, "hiden")
    with pytest.raises(TypeError, match=r"share is '10%': expected a finite number; write 10% as 0\.1"):
        lx.required_bias(SETTINGS, lag=4, share="10%")
    with pytest.raises(TypeError, match=r"strips is a list: expected a list, each a Series"):
        figures.plot_journey([FLOW])


def test_numbers_of_numpy_and_none_where_it_may_stand_pass():
    assert figures.plot_bias_grid(OWN["plot_bias_grid"]["grid"], at=(np.float32(1), np.int64(2)), theme="dark")
    assert figures.plot_rates(OWN["plot_rates"]["flows"], gate=None)
    assert lx.theory.forget_gate([0, np.float64(0)]).tolist() == [0.5, 0.5]
