"""The literature that the code and the lessons rest on, by the key that docstrings name under *Source*."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import NamedTuple


class Source(NamedTuple):
    """A paper or a thread: who, when, what, where it appeared, and an address (empty where none is known)."""

    authors: str
    year: int
    title: str
    where: str
    url: str


#: Key -> source; read-only.
SOURCES: Mapping[str, Source] = types.MappingProxyType(
    {
        "hochreiter1997": Source(
            "Hochreiter, Schmidhuber", 1997, "Long Short-Term Memory", "Neural Computation 9(8)",
            "https://doi.org/10.1162/neco.1997.9.8.1735",
        ),
        "kudo1999": Source(
            "Kudo, Toyama, Shimbo", 1999, "Multidimensional Curve Classification Using Passing-through Regions",
            "Pattern Recognition Letters 20(11-13)", "https://doi.org/10.1016/S0167-8655(99)00077-X",
        ),
        "gers2000": Source(
            "Gers, Schmidhuber, Cummins", 2000, "Learning to Forget: Continual Prediction with LSTM",
            "Neural Computation", "",
        ),
        "pascanu2013": Source(
            "Pascanu, Mikolov, Bengio", 2013, "On the difficulty of training recurrent neural networks",
            "ICML, PMLR 28", "https://arxiv.org/abs/1211.5063",
        ),
        "jozefowicz2015": Source(
            "Jozefowicz, Zaremba, Sutskever", 2015, "An Empirical Exploration of Recurrent Network Architectures",
            "ICML, PMLR 37", "https://proceedings.mlr.press/v37/",
        ),
        "le2015": Source(
            "Le, Jaitly, Hinton", 2015, "A Simple Way to Initialize Recurrent Networks of Rectified Linear Units",
            "arXiv 1504.00941", "https://arxiv.org/abs/1504.00941",
        ),
        "chen2018": Source(
            "Chen, Pennington, Schoenholz", 2018,
            "Dynamical Isometry and a Mean Field Theory of RNNs: Gating Enables Signal Propagation in Recurrent Neural "
            "Networks",
            "ICML, arXiv 1806.05394", "https://arxiv.org/abs/1806.05394",
        ),
        "tallec2018": Source(
            "Tallec, Ollivier", 2018, "Can recurrent neural networks warp time?",
            "ICLR, arXiv 1804.11188", "https://arxiv.org/abs/1804.11188",
        ),
        "arpit2019": Source(
            "Arpit et al.", 2019, "h-detach: Modifying the LSTM Gradient Towards Better Optimization",
            "ICLR, arXiv 1810.03023", "https://arxiv.org/abs/1810.03023",
        ),
        "can2020": Source(
            "Can, Krishnamurthy, Schwab", 2020,
            "Gating creates slow modes and controls phase-space complexity in GRUs and LSTMs",
            "MSML, PMLR 107", "https://proceedings.mlr.press/v107/can20a.html",
        ),
        "vogt2022": Source(
            "Vogt, Puelma Touzel, Shlizerman, Lajoie", 2022,
            "On Lyapunov Exponents for RNNs: Understanding Information Propagation Using Dynamical Systems Tools",
            "Frontiers in Applied Mathematics and Statistics", "https://doi.org/10.3389/fams.2022.818799",
        ),
        "feng2024": Source(
            "Feng, Tung, Ahmed, Bengio, Hajimirsadeghi", 2024, "Were RNNs All We Needed?",
            "arXiv 2410.01201", "https://arxiv.org/abs/2410.01201",
        ),
        "keras16151": Source(
            "DagonArises", 2022, "Custom LSTMCell has cell state gradients being zeros",
            "keras-team/keras issue 16151", "https://github.com/keras-team/keras/issues/16151",
        ),
    }
)  # fmt: skip
