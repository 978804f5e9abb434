"""Generated signals: noise, zeros, an impulse, sine waves."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lstm_explorer.core.inputs.kind import InputSource, Kind, Rows, generator
from lstm_explorer.core.settings import Settings
from lstm_explorer.locales import N_

#: Steps in a period of the sine of feature 0; feature ``i`` has ``i + 1`` times as many.
SINE_PERIOD = 10


def _shape(settings: Settings) -> tuple[int, int, int]:
    return settings.sequence_length, settings.batch_size, settings.features


def _written(settings: Settings) -> str:
    return ", ".join(map(str, _shape(settings)))


def _noise(settings: Settings, rows: Rows) -> Tensor:
    return torch.randn(_shape(settings), generator=generator(settings), dtype=getattr(torch, settings.dtype))


def _noise_script(settings: Settings, rows: Rows) -> InputSource:
    code = f"""\
# The inputs: noise from a seed that is no network's.
torch.manual_seed(2**31 + seed)
inputs = torch.randn({_written(settings)})  # steps, samples, features"""
    return InputSource(code)


def _zeros(settings: Settings, rows: Rows) -> Tensor:
    return torch.zeros(_shape(settings), dtype=getattr(torch, settings.dtype))


def _zeros_script(settings: Settings, rows: Rows) -> InputSource:
    return InputSource(f"inputs = torch.zeros({_written(settings)})  # steps, samples, features")


def _impulse(settings: Settings, rows: Rows) -> Tensor:
    return torch.cat([torch.ones(1, *_shape(settings)[1:]), torch.zeros(_shape(settings))[1:]])


def _impulse_script(settings: Settings, rows: Rows) -> InputSource:
    return InputSource(f"{_zeros_script(settings, rows).code}\ninputs[0] = 1.0")


def _sine(settings: Settings, rows: Rows) -> Tensor:
    steps, samples, features = (torch.arange(size, dtype=torch.float64) for size in _shape(settings))
    periods = SINE_PERIOD * (features + 1)
    phases = 2 * math.pi * torch.rand(len(samples), generator=generator(settings), dtype=torch.float64)
    return torch.sin(2 * math.pi * steps[:, None, None] / periods + phases[:, None])


def _sine_script(settings: Settings, rows: Rows) -> InputSource:
    single = ".float()" if settings.dtype == "float32" else ""
    code = f"""\
# The inputs, (steps, samples, features): sines with a random phase per sample, and slower from feature to feature.
torch.manual_seed(2**31 + seed)
phases = 2 * math.pi * torch.rand({settings.batch_size}, dtype=torch.float64)
periods = {SINE_PERIOD} * torch.arange(1, {settings.features + 1})
steps = torch.arange({settings.sequence_length}, dtype=torch.float64)
inputs = torch.sin(2 * math.pi * steps[:, None, None] / periods + phases[:, None]){single}"""
    return InputSource(code)


NOISE = Kind(name="noise", title=N_("noise"), make=_noise, script=_noise_script)
ZEROS = Kind(name="zeros", title=N_("zeros"), make=_zeros, script=_zeros_script)
IMPULSE = Kind(name="impulse", title=N_("an impulse at step 1"), make=_impulse, script=_impulse_script)
SINE = Kind(name="sine", title=N_("sine waves"), make=_sine, script=_sine_script)
