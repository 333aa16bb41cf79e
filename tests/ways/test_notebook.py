"""A real Jupyter kernel: loops in cells, and a report that shows itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import autotrack

nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
pytest.importorskip("ipykernel", reason="no Jupyter kernel is installed")
nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")

if TYPE_CHECKING:
    from pathlib import Path

# PyZMQ and the kernel's client are free to deprecate what they use of each other.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")

SETUP = """
import torch, autotrack
torch.set_num_threads(1)
torch.manual_seed(0)
x, y = torch.randn(12, 4), torch.randint(0, 3, (12,))
def fresh():
    torch.manual_seed(1)
    model = torch.nn.Linear(4, 3)
    return model, torch.optim.SGD(model.parameters(), lr=0.1)
"""
LOOP = """
    for {epoch} in range(7, 9):
        for start in range(0, 12, 6):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(x[start:start + 6]), y[start:start + 6])
            loss.backward()
            losses.append(loss.item())
            optimizer.step()
"""
PLAIN = "losses = []; model, optimizer = fresh()\nif True:" + LOOP.format(epoch="epoch")
TRACKED = (
    "plain, expected = [p.tolist() for p in model.parameters()], losses\n"
    "losses = []; model, optimizer = fresh()\n"
    "with autotrack.tracking(logdir='first'):" + LOOP.format(epoch="epoch") + "\noptimizer"
)
# A function of one cell, called in another, with another variable's name.
DEFINED = "@autotrack.track(logdir='second')\ndef train(model, optimizer, losses):" + LOOP.format(
    epoch="n_epoch"
)
# The cell before has left its `optimizer` behind, and shown it.
CALLED = """
ended = [p.tolist() for p in model.parameters()]
again = []
model2, optimizer2 = fresh()
train(model2, optimizer2, again)
"""
TOLD = """
import json
same = ended == plain == [p.tolist() for p in model2.parameters()]
print(json.dumps({"expected": expected, "tracked": losses, "again": again, "same": same}))
"""
REPORT = "autotrack.report()"
# One run over several cells, each with a model and an optimizer of its own.
OPENED = """
del model, optimizer, model2, optimizer2
opened = autotrack.tracking(logdir='third')
run = opened.__enter__()
"""
IN_CELL = """
{model}, {opt} = fresh()
for epoch in range(2):
    for start in range(0, 12, 6):
        {opt}.zero_grad()
        output = {model}(x[start:start + 6])
        torch.nn.functional.cross_entropy(output, y[start:start + 6]).backward()
        {opt}.step()
"""
CLOSED = "opened.__exit__(None, None, None)"


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Any]]:
    home = tmp_path_factory.mktemp("notebook")
    models = [IN_CELL.format(model=f"model_{n}", opt=f"opt_{n}") for n in ("small", "wide")]
    sources = [SETUP, PLAIN, TRACKED, DEFINED, CALLED, TOLD, REPORT, OPENED, *models, CLOSED]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources])
    client = nbclient.NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(home)}}
    )
    client.execute()
    return home, notebook.cells


def told(cells: list[Any]) -> dict[str, Any]:
    return dict(json.loads(cells[5].outputs[0].text))


def test_training_in_cells_is_the_same(cells: tuple[Path, list[Any]]) -> None:
    known = told(cells[1])
    assert known["same"]
    assert known["tracked"] == known["expected"] == known["again"]


@pytest.mark.parametrize("run", ["first", "second"])
def test_the_epoch_variable_is_found_in_cells(cells: tuple[Path, list[Any]], run: str) -> None:
    history = autotrack.read(cells[0] / run)
    losses = told(cells[1])["expected"]
    assert history["Loss/train"].value.tolist() == pytest.approx(losses, rel=1e-7)
    assert history["Loss/train"].epoch.tolist() == [7, 7, 8, 8]
    assert history["Loss/train_epoch"].x.tolist() == [7, 8]
    means = [sum(losses[:2]) / 2, sum(losses[2:]) / 2]
    assert history["Loss/train_epoch"].value.tolist() == pytest.approx(means, rel=1e-6)


def test_models_of_cells_are_trained_in_turn(cells: tuple[Path, list[Any]]) -> None:
    """The shell runs what stands in a cell in a loop of its own, which goes around no training."""
    history = autotrack.read(cells[0] / "third")
    assert history["Loss/train"].step.tolist() == list(range(8))
    assert history["Loss/train"].epoch.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert history.trainings[""].tolist() == [4]


def test_the_report_shows_itself(cells: tuple[Path, list[Any]]) -> None:
    (shown,) = [out for out in cells[1][6].outputs if out.output_type == "execute_result"]
    page = shown.data["text/html"]
    assert "<img" in page or "<svg" in page
    assert (cells[0] / "second" / "figures").is_dir()


@pytest.mark.parametrize("cell", [2, 4])
def test_one_figure_of_the_run_stays_below_its_cell(
    cells: tuple[Path, list[Any]], cell: int
) -> None:
    (shown,) = [out for out in cells[1][cell].outputs if out.output_type == "display_data"]
    assert shown.data["text/html"].count("<svg") == 2
    assert "epoch 8/8 · step 4" in shown.data["text/plain"]
