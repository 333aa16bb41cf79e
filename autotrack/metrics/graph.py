"""The graph of the model and its loss, for TensorBoard's graph tab."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from autotrack.events import GraphSeen, RunEnded, StepTaken
from autotrack.keeper import Keeper
from autotrack.metrics import _operations
from autotrack.metrics._boxes import draw
from autotrack.metrics._metric import Metric, Surroundings
from autotrack.metrics._operations import Leaf

if TYPE_CHECKING:
    from autotrack.metrics._operations import Operation

# More cannot be looked at, and reading them would be felt in the first step.
MOST_OPERATIONS = 3000
_MOST_LOSSES = 4


class Graph(Metric):
    """What autograd recorded of the first forward pass: operations, parameters and shapes.

    Nothing is run a second time, and nothing is run for it. Parts that need no gradient are not in
    it; what a compiler fused is one operation.
    """

    listens: ClassVar[dict[type, str]] = {
        GraphSeen: "graph_seen",
        StepTaken: "step_taken",
        RunEnded: "run_ended",
    }
    optional: ClassVar[bool] = True

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self._losses: list[list[Operation]] = []
        self._named = 0
        self._is_written = False

    def settle(self, pattern: Any) -> Keeper | None:
        """Have nothing to do once the graph is written."""
        return Keeper() if self._is_written else None

    def graph_seen(self, moment: GraphSeen) -> None:
        """Read the operations of a call site's first loss; no tensor of it is kept."""
        if self._is_written or len(self._losses) == _MOST_LOSSES:
            return
        operations = _operations.read([t.grad_fn for t in moment.tensors], MOST_OPERATIONS)
        if operations:
            self._losses.append(operations)
        elif operations is None:
            why = f"a loss has more than {MOST_OPERATIONS:,} operations"
            self.surroundings.absent["Graph"] = why

    def step_taken(self, moment: StepTaken) -> None:
        """Name the parameters while they live; write once the losses of a round were seen."""
        if self._is_written:
            return
        self._name_parameters()
        if moment.step:
            self._write(moment.row)

    def run_ended(self, moment: RunEnded) -> None:
        """Write what a run of a single step has shown."""
        if not self._is_written:
            self._write(moment.row)

    def _name_parameters(self) -> None:
        for operations in self._losses[self._named :]:
            for leaf in (i for o in operations for i in o.inputs if isinstance(i, Leaf)):
                parameter = leaf.tensor()
                if parameter is not None:
                    leaf.name = self.surroundings.parameter_name(parameter)
        self._named = len(self._losses)

    def _write(self, row: Any) -> None:
        self._is_written = True
        several = len(self._losses) > 1
        for number, operations in enumerate(self._losses):
            row.graph.extend(draw(operations, (f"loss_{number}",) if several else ()))
        self._losses.clear()
