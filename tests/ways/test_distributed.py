"""Two gloo processes under torchrun: DistributedDataParallel and FSDP2.

One start of torchrun serves all tests, because it is slow. Training must be the same bit for bit,
and issue the same number of collectives, whichever ranks record; with `ranks="0"` rank 1 does
nothing at all, so a collective of ours on rank 0 would also wait for ever.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import autotrack

if not torch.distributed.is_available() or not torch.distributed.is_gloo_available():
    pytest.skip("this PyTorch has no gloo", allow_module_level=True)

SCRIPT = Path(__file__).with_name("two_processes.py")
SHARDED = ("fsdp", "hsdp", "fsdp_scaled")
LOOPS = ("ddp", "ddp_no_sync", *SHARDED)
#: Losses of DTensors: whole in each process, or a part of it.
WHOLE_LOSSES = ("tensor_parallel", "loss_parallel")
PARALLEL = (*WHOLE_LOSSES, "batch_parallel", "weighted_parallel")
RANKS = (0, 1)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Any]:
    out = tmp_path_factory.mktemp("two")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run(
        [*command, str(SCRIPT), str(out)],
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
        cwd=out,
        env={**os.environ, "AUTOTRACK_STRICT": "1", "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    known: dict[int, Any] = {k: json.loads((out / f"rank{k}.json").read_text()) for k in RANKS}
    known[-1] = out
    return known


def floats(values: list[float]) -> list[float]:
    return [float(v) for v in torch.tensor(values)]


@pytest.mark.parametrize("ranks", ["0", "all"])
@pytest.mark.parametrize("loop", [*LOOPS, *PARALLEL])
@pytest.mark.parametrize("rank", RANKS)
def test_training_is_the_same(results: dict[int, Any], loop: str, ranks: str, rank: int) -> None:
    case = results[rank][f"{loop}-{ranks}"]
    for what in ("state", "losses", "norms", "clipped", "collectives"):
        assert case["tracked"][what] == case["plain"][what], what
    assert case["plain"]["collectives"] > 0


@pytest.mark.parametrize("loop", LOOPS)
def test_rank_0_writes_by_default(results: dict[int, Any], loop: str) -> None:
    directory = results[-1] / f"{loop}-0"
    files = [path for path in directory.rglob("*") if path.is_file()]
    assert len(files) == 1
    assert files[0].parent == directory
    history = autotrack.read(directory)
    check_losses(history, results[0][f"{loop}-0"]["plain"], loop)
    assert "rank 1 does not record" in results[1][f"{loop}-0"]["tracked"]["coverage"]


def check_losses(history: Any, plain: dict[str, Any], loop: str) -> None:
    losses = plain["losses"]
    if loop == "ddp_no_sync":
        # two micro-batches of one size make a step
        losses = [(a + b) / 2 for a, b in zip(losses[::2], losses[1::2], strict=True)]
        assert history["Loss/train"].value.tolist() == pytest.approx(losses, rel=1e-6)
    else:
        assert history["Loss/train"].value.tolist() == floats(losses)
    half = len(losses) // 2
    means = [sum(losses[:half]) / half, sum(losses[half:]) / half]
    assert history["Loss/train_epoch"].x.tolist() == [0, 1]
    assert history["Loss/train_epoch"].value.tolist() == pytest.approx(means, rel=1e-6)


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("rank", RANKS)
def test_each_rank_writes_its_own_record(results: dict[int, Any], loop: str, rank: int) -> None:
    directory = results[-1] / f"{loop}-all" / f"rank{rank}"
    case = results[rank][f"{loop}-all"]
    assert case["tracked"]["directory"] == str(directory)
    check_losses(autotrack.read(directory), case["plain"], loop)


@pytest.mark.parametrize("folder", ["-0", "-all/rank0", "-all/rank1"])
@pytest.mark.parametrize("loop", WHOLE_LOSSES)
def test_a_loss_that_each_process_holds_whole(
    results: dict[int, Any], loop: str, folder: str
) -> None:
    history, known = autotrack.read(results[-1] / (loop + folder)), results[0][f"{loop}-0"]["plain"]
    held_out = known["losses"][4::5]
    trained = [loss for index, loss in enumerate(known["losses"]) if index % 5 != 4]
    assert history["Loss/train"].value.tolist() == pytest.approx(trained, rel=1e-6)
    (evaluated,) = (tag for tag in history if tag.startswith("Loss/") and "train" not in tag)
    assert history[evaluated].value.tolist() == pytest.approx(held_out, rel=1e-6)


@pytest.mark.parametrize("folder", ["-0", "-all/rank0", "-all/rank1"])
def test_accuracy_of_scores_that_each_process_holds_whole(
    results: dict[int, Any], folder: str
) -> None:
    history = autotrack.read(results[-1] / ("tensor_parallel" + folder))
    right = results[0]["tensor_parallel-0"]["plain"]["right"]
    assert history["Accuracy/train"].value.tolist() == pytest.approx([100 * n / 24 for n in right])


@pytest.mark.parametrize("folder", ["-0", "-all/rank0", "-all/rank1"])
@pytest.mark.parametrize("loop", ["loss_parallel", "batch_parallel", "weighted_parallel"])
def test_nothing_is_said_of_scores_that_are_held_in_parts(
    results: dict[int, Any], loop: str, folder: str
) -> None:
    history = autotrack.read(results[-1] / (loop + folder))
    assert not [tag for tag in history if tag.startswith("Accuracy/")]
    absent = {line["what"]: line["missing"] for line in history.coverage["lines"]}
    assert "this one holds a part" in absent["accuracy"]
    if loop != "loss_parallel":
        assert not [tag for tag in history if tag.startswith("Loss/")]
        assert "full_tensor()" in absent["loss"]


@pytest.mark.parametrize("rank", RANKS)
def test_what_is_logged_must_be_whole(results: dict[int, Any], rank: int) -> None:
    assert "full_tensor()" in results[rank]["log"]["said"]
    history = autotrack.read(results[-1] / "logged" / f"rank{rank}")
    assert history["whole"].value.tolist() == [2.5]
    assert "part" not in history


@pytest.mark.parametrize("loop", ["ddp", "ddp_no_sync"])
def test_norms_and_names_of_replicated_weights(results: dict[int, Any], loop: str) -> None:
    history = autotrack.read(results[-1] / f"{loop}-0")
    expected = results[0][f"{loop}-0"]["plain"]["norms"]
    assert history["GradNorm/total"].value.tolist() == pytest.approx(expected, rel=1e-4)
    assert {tag.partition("/")[2] for tag in history.histograms} == {
        "first.weight",
        "first.bias",
        "second.weight",
        "second.bias",
    }


@pytest.mark.parametrize("loop", SHARDED)
def test_global_norms_of_shards_are_put_together(results: dict[int, Any], loop: str) -> None:
    plain = results[0][f"{loop}-all"]["plain"]
    history = autotrack.read(results[-1] / f"{loop}-all")
    total, clipped = history["GradNorm/total"], history["GradNorm/clipped"]
    assert total.x.tolist() == list(range(8))
    assert total.epoch.tolist() == [0] * 4 + [1] * 4
    assert total.value.tolist() == pytest.approx(plain["norms"], rel=1e-5)
    assert clipped.x.tolist() == [4, 5, 6, 7]
    assert clipped.value.tolist() == pytest.approx(plain["clipped"], rel=1e-5)
    assert history["Loss/train"].value.tolist() == floats(plain["losses"])


@pytest.mark.parametrize("folder", ["fsdp-0", "fsdp-all/rank0", "fsdp-all/rank1"])
def test_no_rank_alone_has_a_global_norm(results: dict[int, Any], folder: str) -> None:
    history = autotrack.read(results[-1] / folder)
    assert not [tag for tag in history if tag.startswith(("GradNorm/", "UpdateRatio/"))]
    absent = {line["what"]: line["missing"] for line in history.coverage["lines"]}
    assert "spread over several processes" in absent["gradient norm"]
    assert "spread over several processes" in absent["clipped norm"]
    assert "spread over several processes" in absent["update ratio"]
    # only the weight that every rank holds whole has a histogram
    assert {tag.partition("/")[2] for tag in history.histograms} == {"first.bias"}


def test_a_rank_without_its_record_leaves_the_norm_unknown(
    results: dict[int, Any], tmp_path: Path
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "rank0").symlink_to(results[-1] / "fsdp-all" / "rank0")
    history = autotrack.read(tmp_path / "run")
    assert "GradNorm/total" not in history
    assert "Loss/train" in history


def test_a_process_group_made_after_tracking_began(results: dict[int, Any]) -> None:
    for rank in RANKS:
        history = autotrack.read(results[-1] / "late" / f"rank{rank}")
        assert history["Loss/train"].value.tolist() == floats(
            results[rank]["late"]["tracked"]["losses"]
        )
