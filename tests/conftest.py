"""One thread for all tests: two spin at each other's barriers as soon as anything else runs on the machine."""

import os
import tempfile

os.environ["OMP_NUM_THREADS"] = "1"  # for the processes that tests start
os.environ["LSTM_EXPLORER_RUNS"] = tempfile.mkdtemp(prefix="lstm-explorer-tests-")  # nobody's own trainings

import torch

torch.set_num_threads(1)

#: Made the files beside it, with frameworks that the tests do without.
collect_ignore = ["data/checkpoints/make.py"]
