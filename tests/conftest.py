"""One thread for all tests: two spin at each other's barriers as soon as anything else runs on the machine."""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # for the processes that tests start

import torch

torch.set_num_threads(1)
