"""The diagnosis of a network of one's own as a job, in pieces that can be stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

from lstm_explorer.core.diagnosis.diagnose import FRESH_SEEDS, Diagnosis, fresh_flows
from lstm_explorer.core.diagnosis.mending import MendFound, MendSearch
from lstm_explorer.core.diagnosis.weights import LayerWeights, layer_weights
from lstm_explorer.core.gradients.flow import gradient_flow
from lstm_explorer.core.gradients.last_layers import OwnRun
from lstm_explorer.core.gradients.result import GradientFlow
from lstm_explorer.core.gradients.seeds import join_flows
from lstm_explorer.runs.experiment import Experiment, Moment
from lstm_explorer.runs.job import Unit
from lstm_explorer.runs.measurements import ReplicaJob

#: The most that one unit costs, in flows of the network: three biases at once.
_COST = 1.25


class Findings(NamedTuple):
    """What some units of a diagnosis gave: the weights and the gradient of the network, fresh ones, and the search."""

    layers: tuple[LayerWeights, ...]
    flow: GradientFlow | None
    fresh: tuple[GradientFlow, ...]
    found: MendFound


@dataclass(frozen=True, kw_only=True)
class Diagnose(ReplicaJob[Findings]):
    """How far back a network of one's own remembers, and what would mend it (:func:`lstm_explorer.diagnose`).

    Its units are the network's own gradient, one for each fresh network, and the passes of the search for a bias.
    """

    experiment: Experiment
    needs_lag: int
    share: float

    unit: ClassVar[Unit] = "steps"
    carries: ClassVar[bool] = True
    cost: ClassVar[float] = _COST

    @property
    def total(self) -> int:
        """How many units it has."""
        return 1 + FRESH_SEEDS + MendSearch.STAGES

    @property
    def result_numbers(self) -> int:
        """How many numbers the whole result holds: mostly every unit's gradient, of the first sample."""
        settings = self.experiment.settings
        norms = 3 * (1 + FRESH_SEEDS) * settings.sequence_length * settings.batch_size * settings.num_layers
        return self.experiment.numbers // settings.batch_size + norms

    def piece(self, first: int, last: int, carried: Any = None) -> tuple[Findings, MendFound]:
        """Do some units."""
        moment = self._moment
        network, inputs, cotangent = moment.network, moment.inputs, moment.cotangent
        found: MendFound = carried or MendFound()
        search = MendSearch(run=OwnRun(network, inputs, cotangent), needs_lag=self.needs_lag, share=self.share)
        layers: tuple[LayerWeights, ...] = ()
        flow, fresh = None, []
        for unit in range(first, last):
            if unit == 0:
                layers = layer_weights(network)
                flow = _of_first_sample(gradient_flow(network, inputs, cotangent=cotangent, units=True))
            elif unit <= FRESH_SEEDS:
                fresh.append(fresh_flows(network, inputs, cotangent, (unit - 1,)))
            else:
                found = search.stage(unit - 1 - FRESH_SEEDS, found)
        return Findings(layers, flow, tuple(fresh), found), found

    @staticmethod
    def join(pieces: Sequence[Findings]) -> Findings:
        """Return the pieces as one."""
        flows = [part.flow for part in pieces if part.flow is not None]
        fresh = tuple(one for part in pieces for one in part.fresh)
        return Findings(pieces[0].layers, flows[0] if flows else None, fresh, pieces[-1].found)

    def diagnosis(self, findings: Findings) -> Diagnosis:
        """Return the diagnosis, or as much of it as the findings say."""
        assert findings.flow is not None  # the first unit
        found = Diagnosis(
            architecture=findings.flow.architecture,
            layers=findings.layers,
            flow=findings.flow,
            fresh=join_flows(findings.fresh) if findings.fresh else None,
            needs_lag=self.needs_lag,
            share=self.share,
            mend=findings.found.mend,
        )
        return found.without_needless_mend()

    @property
    def _moment(self) -> Moment:
        moment = self.experiment.moment
        assert moment is not None
        return moment


def _of_first_sample(flow: GradientFlow) -> GradientFlow:
    """Return the flow with the elements of the first sample alone, and of what remembers: all that is drawn."""
    hidden, cell = flow.log10_hidden_units, flow.log10_cell_units
    if cell is not None:
        return replace(flow, log10_hidden_units=None, log10_cell_units=cell[:, :, :1].clone())
    return replace(flow, log10_hidden_units=None if hidden is None else hidden[:, :, :1].clone())
