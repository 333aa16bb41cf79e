"""Run by torchrun in two processes: every training twice, plain and tracked.

What the loops themselves know goes to `<out>/rank<k>.json` for the test that started this.
"""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import Any

import torch
from torch import distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, Partial, Replicate, Shard, distribute_tensor
from torch.distributed.tensor.parallel import (
    ColwiseParallel,
    RowwiseParallel,
    parallelize_module,
)
from torch.distributed.tensor.parallel import loss_parallel as loss_parallel_of_torch
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, TensorDataset
from training_state import gradient_norm, state_of

import autotrack
from autotrack.errors import UsageError

STEPS = 4


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(5, 8)
        self.second = nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> Any:
        return self.second(torch.relu(self.first(x)))


class Classes(nn.Module):
    """Of sizes that two processes can share."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(5, 8)
        self.second = nn.Linear(8, 4)

    def forward(self, x: torch.Tensor) -> Any:
        return self.second(torch.relu(self.first(x)))


def batches() -> tuple[torch.Tensor, torch.Tensor]:
    """Four batches of this rank's own."""
    generator = torch.Generator().manual_seed(10 + distributed.get_rank())
    x = torch.randn(STEPS, 6, 5, generator=generator)
    return x, torch.randint(0, 3, (STEPS, 6), generator=generator)


def ddp(known: dict[str, Any], accumulate: bool = False) -> Any:
    model = DistributedDataParallel(Net())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    criterion = nn.CrossEntropyLoss()
    xs, ys = batches()
    for epoch in range(2):  # noqa: B007 - a loop as people write it
        for index in range(STEPS):
            waits = accumulate and index % 2 == 0
            with model.no_sync() if waits else contextlib.nullcontext():
                loss = criterion(model(xs[index]), ys[index])
                (loss / 2 if accumulate else loss).backward()
            known["losses"].append(loss.item())
            if not waits:
                known["norms"].append(gradient_norm(model.parameters()))
                optimizer.step()
                optimizer.zero_grad()
    return model, optimizer, epoch


def ddp_no_sync(known: dict[str, Any]) -> Any:
    return ddp(known, accumulate=True)


def fsdp(known: dict[str, Any]) -> Any:
    model = Net()
    # `second` is sharded; `first` has one weight that every rank holds whole.
    whole = model.first.bias
    fully_shard(model.second)
    fully_shard(model, ignored_params={whole})
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    xs, ys = batches()
    for epoch in range(2):
        for index in range(STEPS):
            loss = nn.functional.cross_entropy(model(xs[index]), ys[index])
            loss.backward()
            # Whole weights are the person's to keep equal.
            distributed.all_reduce(whole.grad)
            known["losses"].append(loss.item())
            known["norms"].append(whole_norm(model))
            if epoch:
                clip(model)
                known["clipped"].append(whole_norm(model))
            optimizer.step()
            optimizer.zero_grad()
    return model, optimizer, epoch


def hsdp(known: dict[str, Any]) -> Any:
    """Every process holds a copy of the one shard that there is."""
    model = Net()
    mesh = init_device_mesh("cpu", (2, 1), mesh_dim_names=("replicate", "shard"))
    fully_shard(model, mesh=mesh)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    xs, ys = batches()
    for epoch in range(2):
        for index in range(STEPS):
            loss = nn.functional.cross_entropy(model(xs[index]), ys[index])
            loss.backward()
            known["losses"].append(loss.item())
            known["norms"].append(whole_norm(model))
            if epoch:
                nn.utils.clip_grad_norm_(model.parameters(), 0.05)
                known["clipped"].append(whole_norm(model))
            optimizer.step()
            optimizer.zero_grad()
    return model, optimizer, epoch


def fsdp_scaled(known: dict[str, Any]) -> Any:
    """Gradients are both spread and scaled; clipped while they still are in the second epoch."""
    model = Net()
    fully_shard(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    scaler = torch.amp.GradScaler("cpu", init_scale=64.0)
    xs, ys = batches()
    for epoch in range(2):
        for index in range(STEPS):
            loss = nn.functional.cross_entropy(model(xs[index]), ys[index])
            scaler.scale(loss).backward()
            known["losses"].append(loss.item())
            known["norms"].append(whole_norm(model) / 64)
            if epoch:
                nn.utils.clip_grad_norm_(model.parameters(), 0.05 * 64)
                known["clipped"].append(whole_norm(model) / 64)
            scaler.step(optimizer)
            scaler.update()
            optimizer.zero_grad()
    return model, optimizer, epoch


def tensor_parallel(known: dict[str, Any]) -> Any:
    """Scores are DTensors of which each process holds all."""
    return parallel(known, RowwiseParallel(use_local_output=False), Replicate())


def loss_parallel(known: dict[str, Any]) -> Any:
    """Each process holds the scores of some classes."""
    classes = ColwiseParallel(
        input_layouts=Shard(-1), output_layouts=Shard(-1), use_local_output=False
    )
    return parallel(known, classes, Replicate(), loss_parallel_of_torch)


def batch_parallel(known: dict[str, Any]) -> Any:
    """Each process holds the scores of some samples, and a part of the loss."""
    samples = RowwiseParallel(output_layouts=Shard(0), use_local_output=False)
    return parallel(known, samples, Shard(0))


def weighted_parallel(known: dict[str, Any]) -> Any:
    """Each process holds the losses of some samples, and weights that leave some out."""
    samples = RowwiseParallel(output_layouts=Shard(0), use_local_output=False)
    return parallel(known, samples, Shard(0), criterion=weighted)


def weighted(scores: Any, wanted: Any) -> Any:
    weights = torch.tensor([1.0, 0.0, 2.0, 1.0, 0.0, 3.0])
    losses = nn.functional.cross_entropy(scores, wanted, reduction="none")
    return (losses * distribute_tensor(weights, wanted.device_mesh, [Shard(0)])).mean()


def parallel(
    known: dict[str, Any],
    second: Any,
    labels: Any,
    around: Any = contextlib.nullcontext,
    criterion: Any = nn.functional.cross_entropy,
) -> Any:
    """Train on the same batches in both processes; then look at some without a criterion."""
    mesh = init_device_mesh("cpu", (2,))
    plan = {"first": ColwiseParallel(), "second": second}
    model = parallelize_module(Classes(), mesh, plan)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    generator = torch.Generator().manual_seed(1)
    xs = torch.randn(STEPS, 6, 5, generator=generator)
    ys = torch.randint(0, 4, (STEPS, 6), generator=generator)
    known["right"] = []
    for epoch in range(2):  # noqa: B007 - a loop as people write it
        right = 0
        for index in range(STEPS):
            wanted = distribute_tensor(ys[index], mesh, [labels])
            optimizer.zero_grad()
            with around():
                scores = model(xs[index])
                loss = criterion(scores, wanted)
                loss.backward()
            known["losses"].append(loss.full_tensor().item())
            right += int((scores.full_tensor().argmax(1) == ys[index]).sum())
            optimizer.step()
        known["right"].append(right)
        model.eval()
        with torch.no_grad():
            for x, _ in DataLoader(TensorDataset(xs[0], ys[0]), batch_size=2):
                model(x)
            wanted = distribute_tensor(ys[1], mesh, [labels])
            known["losses"].append(held_out(model, xs[1], wanted, around))
        model.train()
    return model, optimizer, epoch


def held_out(model: Any, x: Any, y: Any, around: Any) -> float:
    with around():
        loss = nn.functional.cross_entropy(model(x), y)
    return float(loss.full_tensor().item())


def clip(model: nn.Module) -> None:
    spread = [p for p in model.parameters() if hasattr(p, "to_local")]
    nn.utils.clip_grad_norm_(spread, 0.05)


def whole_norm(model: nn.Module) -> float:
    """The global norm by a textbook's way: every gradient gathered whole."""
    square = 0.0
    for parameter in model.parameters():
        gradient = parameter.grad
        assert gradient is not None
        full = gradient.full_tensor() if hasattr(gradient, "full_tensor") else gradient
        square += float(full.double().square().sum())
    return float(square**0.5)


def train(loop: Any, logdir: Path | None, **options: Any) -> dict[str, Any]:
    torch.manual_seed(0)
    known: dict[str, Any] = {"losses": [], "norms": [], "clipped": []}
    before = collectives()
    if logdir is None:
        model, optimizer, _ = loop(known)
    else:
        with autotrack.tracking(logdir=str(logdir), **options) as run:
            model, optimizer, _ = loop(known)
        known |= {"directory": str(run.directory), "coverage": str(run.coverage)}
    known |= {"collectives": collectives() - before, "state": repr(state_of(model, optimizer))}
    return known


def collectives() -> int:
    """How many collectives this process has issued."""
    return int(distributed.group.WORLD._get_sequence_number_for_group())


def main(out: Path) -> None:
    torch.set_num_threads(1)
    results: dict[str, Any] = {}
    with autotrack.tracking(logdir=str(out / "late"), ranks="all"):
        # Tracking begins before there is a process group.
        distributed.init_process_group("gloo")
        train_late(results)
    parallel_loops = (tensor_parallel, loss_parallel, batch_parallel, weighted_parallel)
    for loop in (ddp, ddp_no_sync, fsdp, hsdp, fsdp_scaled, *parallel_loops):
        name = loop.__name__
        plain = train(loop, None)
        for ranks in ("0", "all"):
            tracked = train(loop, out / f"{name}-{ranks}", ranks=ranks)
            results[f"{name}-{ranks}"] = {"plain": plain, "tracked": tracked}
    results["log"] = {"said": log_dtensors(out / "logged")}
    rank = distributed.get_rank()
    (out / f"rank{rank}.json").write_text(json.dumps(results))
    distributed.destroy_process_group()


def log_dtensors(logdir: Path) -> str:
    """Log a number that each process holds, and one of which each holds a part."""
    mesh = init_device_mesh("cpu", (2,))
    with autotrack.tracking(logdir=str(logdir), ranks="all") as run:
        run.log("whole", distribute_tensor(torch.tensor(2.5), mesh, [Replicate()]))
        try:
            run.log("part", DTensor.from_local(torch.tensor(1.0), mesh, [Partial()]))
        except UsageError as error:
            return str(error)
    return ""


def train_late(results: dict[str, Any]) -> None:
    known: dict[str, Any] = {"losses": [], "norms": [], "clipped": []}
    ddp(known)
    results["late"] = {"tracked": known}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
