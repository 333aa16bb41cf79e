"""Which optimizers make a stream of their own, what it is called, and when that is settled."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import StepLR

import autotrack


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch):
    """Names are settled when rows are written; a slow machine would do so too early."""
    monkeypatch.setattr("autotrack.recorder._FLUSH_SECONDS", 1e6)


def made(seed=0):
    torch.manual_seed(seed)
    model = nn.Linear(3, 1)
    return model, torch.optim.SGD(model.parameters(), lr=0.1)


def step(model, optimizer):
    optimizer.zero_grad()
    loss = model(torch.ones(2, 3)).pow(2).mean()
    loss.backward()
    optimizer.step()
    return loss.item()


def losses(run):
    return {t: s.value.tolist() for t, s in run.history.items() if t.startswith("Loss/train")}


def float32(values):
    return torch.tensor(values).tolist()


#: What a cell of an earlier training has left behind, under the name that everybody uses.
model, optimizer = made()


@autotrack.track(logdir="stale", strict=True)
def with_a_global_of_this_name(model, optimizer, seen, steps):
    for _epoch in range(steps):
        seen.append(step(model, optimizer))
    return autotrack.context.active()


def two_in_a_function():
    model, first = made()
    _, second = made(1)
    for _ in range(3):
        step(model, first)
    return second


def test_two_in_one_function_are_several_though_only_one_steps():
    """The first is met at its `zero_grad`, the second only when autotrack looks around."""
    with autotrack.tracking(logdir="function", strict=True) as run:
        two_in_a_function()
    assert "Loss/train/first" in run.history


@pytest.mark.parametrize("steps", [2, 12])
def test_an_optimizer_left_in_the_module_is_no_stream(steps):
    assert optimizer is not None
    seen = []
    run = with_a_global_of_this_name(*made(1), seen, steps)
    assert losses(run)["Loss/train"] == float32(seen)
    assert set(losses(run)) == {"Loss/train", "Loss/train_epoch"}
    assert run.history.streams == [""]


def test_the_one_left_behind_is_a_stream_once_it_steps():
    seen = []

    @autotrack.track(logdir="both", strict=True)
    def both(model, optimizer):
        seen.extend([step(model, optimizer) for _ in range(3)])
        for _ in range(12):
            step(*map(globals().get, ("model", "optimizer")))
        return autotrack.context.active()

    run = both(*made(1))
    found = losses(run)
    assert found["Loss/train/optimizer"] == float32(seen)
    assert len(found["Loss/train/optimizer_2"]) == 12


def test_an_idle_optimizer_beside_the_one_that_steps_counts():
    """It may be the other half of a GAN whose turn has not come."""
    model, opt_g = made()
    _other, opt_d = made(1)
    with autotrack.tracking(logdir="beside", strict=True) as run:
        for _ in range(3):
            step(model, opt_g)
    assert "Loss/train/opt_g" in run.history
    assert "Loss/train" not in run.history
    assert not any(tag.endswith("opt_d") for tag in run.history)
    assert opt_d.state == {}


def test_one_that_was_handed_over_counts_wherever_it_stands():
    held = {"spare": made(1)[1]}

    def train(model, optimizer):
        with autotrack.tracking(held["spare"], logdir="handed", strict=True) as run:
            for _ in range(3):
                step(model, optimizer)
        return run

    assert "Loss/train/optimizer" in train(*made()).history


def test_a_scheduler_that_holds_the_last_optimizer_does_not_keep_its_stream_apart():
    seen = []
    with autotrack.tracking(logdir="rebound", strict=True) as run:
        schedulers = []
        for seed in range(3):
            model, optimizer = made(seed)
            scheduler = StepLR(optimizer, 1)
            schedulers.append(scheduler)
            for _ in range(6):
                seen.append(step(model, optimizer))
                scheduler.step()
    assert losses(run)["Loss/train"] == float32(seen)


@pytest.mark.parametrize("flushes", [{10}, {11, 14}, set()])
def test_later_optimizers_get_the_same_tags_whenever_records_are_written(flushes):
    """The same trainings in turn, written at different moments: they share their tags."""
    seen = {"first": [], "second": []}
    with autotrack.tracking(logdir="later", strict=True) as run:
        model, first = made()
        for turn in range(12):
            seen["first"].append(step(model, first))
            if turn in flushes:
                run.flush()
        del first
        model, second = made(1)
        for turn in range(12, 18):
            seen["second"].append(step(model, second))
            if turn in flushes:
                run.flush()
    found = losses(run)
    assert found["Loss/train"] == float32(seen["first"] + seen["second"])
    assert run.history.trainings[""].tolist() == [12]


def test_the_second_stage_of_one_model_takes_its_name_when_it_comes():
    """Both optimizers exist from the start and hold the same weights: idle, one counts for none."""
    seen = {"warm": [], "main": []}
    with autotrack.tracking(logdir="stages", strict=True) as run:
        model, warm = made()
        main = torch.optim.Adam(model.parameters())
        seen["warm"].extend([step(model, warm) for _ in range(12)])
        seen["main"].extend([step(model, main) for _ in range(12)])
    found = losses(run)
    assert found["Loss/train"] == float32(seen["warm"])
    assert found["Loss/train/main"] == float32(seen["main"])


class Private(torch.optim.Optimizer):
    """A library's wrapper: an optimizer by its class, which lets the one that it holds step."""

    def __init__(self, original: torch.optim.Optimizer) -> None:
        self.original_optimizer = original

    @property
    def param_groups(self) -> Any:
        return self.original_optimizer.param_groups

    def zero_grad(self, set_to_none: bool = True) -> None:
        self.original_optimizer.zero_grad(set_to_none)

    def step(self, closure: Any = None) -> Any:
        return self.original_optimizer.step(closure)


def test_an_optimizer_in_a_wrapper_is_called_by_the_variable_that_holds_the_wrapper():
    (one, opt_one), (other, opt_other) = made(), made(1)
    opt_one, opt_other = Private(opt_one), Private(opt_other)
    with autotrack.tracking(logdir="wrapped", strict=True) as run:
        for _ in range(3):
            step(one, opt_one)
            step(other, opt_other)
    assert set(run.history.streams) == {"opt_one", "opt_other"}


def test_three_models_one_after_another_and_the_first_once_more(tmp_path):
    """All of them live on, as in a notebook."""
    seen = []
    with autotrack.tracking(logdir=tmp_path / "run", strict=True) as run:
        model_a, opt_a = made(1)
        for _ in range(12):
            seen.append(step(model_a, opt_a))  # noqa: PERF401 - as people write it
        model_b, opt_b = made(2)
        for _ in range(12):
            seen.append(step(model_b, opt_b))  # noqa: PERF401
        run._capture.training.look_around()
        model_c, opt_c = made(3)
        for _ in range(12):
            seen.append(step(model_c, opt_c))  # noqa: PERF401
        for _ in range(12):
            seen.append(step(model_a, opt_a))  # noqa: PERF401
    assert losses(run)["Loss/train"] == float32(seen)
    assert set(losses(run)) == {"Loss/train", "Loss/train_epoch"}
    assert run.history.trainings[""].tolist() == [12, 24, 36]
    assert [s.name for s in run._capture.training.streams if s.steps] == ["opt_a"]
    (steps,) = [line for line in run.history.coverage["lines"] if line["what"] == "steps"]
    assert steps["how"] == "steps of opt_a, opt_b, opt_c"


def test_optimizers_that_a_person_names_have_streams_of_their_own():
    """Warm-up and main training of the same weights: found, they would be one."""
    model, warm = made()
    main = torch.optim.Adam(model.parameters())
    seen = {"warm": [], "main": []}
    with autotrack.tracking(model, warm, main, logdir="named", strict=True) as run:
        for _ in range(4):
            seen["warm"].append(step(model, warm))
        for _ in range(4):
            seen["main"].append(step(model, main))
    found = losses(run)
    assert found["Loss/train/warm"] == float32(seen["warm"])
    assert found["Loss/train/main"] == float32(seen["main"])


def test_kept_trainers_that_each_take_whole_epochs_are_trained_in_turn(tmp_path):
    """One loop goes around both, as around folds; each has three epochs before the next begins."""

    class Trainer:
        def __init__(self, seed: int) -> None:
            self.model, self.optimizer = made(seed)

        def epoch(self) -> float:
            return step(self.model, self.optimizer)

    def fit_by_epochs(trainer: Trainer) -> list[float]:
        seen = []
        for _epoch in range(3):
            for _ in range(4):
                seen.append(trainer.epoch())  # noqa: PERF401 - a loop, as people write it
        return seen

    kept, seen = [], []
    with autotrack.tracking(logdir=tmp_path / "run", strict=True) as run:
        for seed in range(2):
            kept.append(Trainer(seed))
            seen += fit_by_epochs(kept[-1])
    assert losses(run)["Loss/train"] == float32(seen)
    assert run.history.trainings[""].tolist() == [12]
    assert run.history["Loss/train_epoch"].epoch.tolist() == list(range(6))


def test_the_parts_of_a_loss_are_called_alike_in_each_training(tmp_path):
    """The same lines are led to from two places; two of them are in one function."""

    def distance(output, target):
        return nn.functional.l1_loss(output, target)

    def fit(seed, seen):
        torch.manual_seed(seed)
        model = nn.Linear(3, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _epoch in range(2):
            x, y = torch.randn(8, 3), torch.randn(8, 1)
            output = model(x)
            near, far = distance(output, y), distance(output, -y)
            optimizer.zero_grad()
            (near + 2 * far + nn.functional.mse_loss(output, y)).backward()
            optimizer.step()
            seen.append([near.item(), far.item()])

    seen: list[list[float]] = []
    with autotrack.tracking(logdir=tmp_path / "run", strict=True) as run:
        fit(1, seen)
        fit(2, seen)
    parts = {tag for tag in run.history if tag.startswith("Loss/train/")}
    assert parts == {"Loss/train/l1_loss", "Loss/train/l1_loss_2", "Loss/train/mse_loss"}
    for tag, values in zip(("l1_loss", "l1_loss_2"), zip(*seen, strict=True), strict=True):
        assert run.history[f"Loss/train/{tag}"].value.tolist() == float32(values)


class Agent:
    def __init__(self, seed):
        self.net, self.optimizer = made(seed)


@pytest.mark.parametrize(
    ("held", "names"),
    [
        (lambda: [Agent(0), Agent(1)], ["agents_0_optimizer", "agents_1_optimizer"]),
        (lambda: {"left": Agent(0), "right": Agent(1)}, ["left_optimizer", "right_optimizer"]),
    ],
)
def test_optimizers_of_objects_in_a_list_are_called_by_their_place(held, names):
    agents = held()
    seen = {name: [] for name in names}
    with autotrack.tracking(logdir="agents", strict=True) as run:
        for _ in range(3):
            each = agents.values() if isinstance(agents, dict) else agents
            for name, one in zip(names, each, strict=True):
                seen[name].append(step(one.net, one.optimizer))
    found = losses(run)
    for name in names:
        assert found[f"Loss/train/{name}"] == float32(seen[name])


def names_in(run):
    history = run.history
    return set(history.histograms) | {
        row["name"] for m in history.run["models"] for row in m["parameters"]
    }


def test_both_models_of_a_pair_are_known_by_name_from_the_first_step_on():
    generator, opt_g = made()
    critic, opt_c = made(1)
    with autotrack.tracking(logdir="pair", strict=True) as run:
        for _ in range(3):
            step(critic, opt_c)
            step(generator, opt_g)
    names = names_in(run)
    assert {name.removeprefix("Weights/").removeprefix("Gradients/") for name in names} == {
        f"{model}.{parameter}"
        for model in ("critic", "generator")
        for parameter in ("weight", "bias")
    }


def test_a_model_that_turns_up_late_renames_nothing():
    def another():
        late, opt_late = made(1)
        step(late, opt_late)

    first, opt_first = made()
    with autotrack.tracking(logdir="late", strict=True) as run:
        for _ in range(3):
            step(first, opt_first)
        another()
        step(first, opt_first)
    weights = {name for name in run.history.histograms if name.startswith("Weights/")}
    assert weights == {"Weights/weight", "Weights/bias", "Weights/late.weight", "Weights/late.bias"}


def folds(same: bool, seen: list[Any]) -> None:
    x, y = torch.randn(20, 4), torch.randint(0, 2, (20,))
    model = nn.Linear(4, 2)
    for fold in range(3):
        model = model if same else nn.Linear(4, 2)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _epoch in range(4):
            for part, labels in zip(x.split(5 + fold), y.split(5 + fold), strict=True):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(part), labels).backward()
                optimizer.step()
                seen.append(fold)


@pytest.mark.parametrize("same", [False, True])
def test_where_a_training_of_new_weights_begins_is_in_the_record(same, tmp_path):
    """A new optimizer of the same weights is a stage of one training."""
    seen: list[Any] = []
    with autotrack.tracking(logdir=tmp_path / "run", strict=True) as run:
        folds(same, seen)
    begins = [] if same else [seen.index(1), seen.index(2)]
    assert run.history.trainings.get("", np.empty(0)).tolist() == begins
    # The parameters of each have the names that they have in their model.
    names = {tag.partition("/")[2] for tag in run.history.histograms}
    assert names == {"weight", "bias"}
    assert run.history.histograms["Weights/weight"].step[-1] > seen.index(2)


def test_two_networks_made_anew_begin_anew_each(tmp_path):
    def pair() -> None:
        one, other = nn.Linear(3, 1), nn.Linear(3, 1)
        opt_one = torch.optim.SGD(one.parameters(), lr=0.1)
        opt_other = torch.optim.SGD(other.parameters(), lr=0.1)
        x = torch.randn(8, 3)
        for _ in range(12):
            for model, optimizer in ((one, opt_one), (other, opt_other)):
                optimizer.zero_grad()
                model(x).pow(2).mean().backward()
                optimizer.step()

    with autotrack.tracking(logdir=tmp_path / "run", strict=True) as run:
        pair()
        pair()
    begins = {stream: steps.tolist() for stream, steps in run.history.trainings.items()}
    assert begins == {"opt_one": [12], "opt_other": [12]}


def test_another_part_of_the_same_model_is_no_new_training(tmp_path):
    """The head first, the body after it."""
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 1))
    with autotrack.tracking(logdir=tmp_path / "run", strict=True) as run:
        for part in (model[1], model[0]):
            optimizer = torch.optim.SGD(part.parameters(), lr=0.1)
            for _ in range(12):
                optimizer.zero_grad()
                model(torch.randn(8, 3)).pow(2).mean().backward()
                optimizer.step()
    assert len(run.history["Loss/train"]) == 24
    assert run.history.trainings == {}


def test_models_that_live_beside_each_other_have_tags_of_their_own(tmp_path):
    """Trained by one function, each of its objects kept: their steps begin at zero each."""

    class Trainer:
        def __init__(self) -> None:
            self.model = nn.Linear(3, 1)
            self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1)

        def fit(self) -> None:
            for _ in range(12):
                self.optimizer.zero_grad()
                self.model(torch.randn(8, 3)).pow(2).mean().backward()
                self.optimizer.step()

    with autotrack.tracking(logdir=tmp_path / "run", strict=True) as run:
        kept = []
        for _ in range(2):
            trainer = Trainer()
            trainer.fit()
            kept.append(trainer)
    weights = {tag for tag in run.history.histograms if tag.startswith("Weights/")}
    assert weights == {
        f"Weights/{name}{part}" for name in ("", "model_2.") for part in ("weight", "bias")
    }
    for tag in weights:
        assert np.all(np.diff(run.history.histograms[tag].step) > 0)


def test_an_optimizer_that_never_stepped_hides_no_new_training(tmp_path):
    """Of the new model one is made and seen, and another one trains it."""
    x = torch.randn(8, 3)
    with autotrack.tracking(logdir=tmp_path / "run", strict=True) as run:
        for _fold in range(2):
            model = nn.Linear(3, 1)
            optimizer: torch.optim.Optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            run._capture.training.look_around()
            optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
            for _ in range(12):
                optimizer.zero_grad()
                model(x).pow(2).mean().backward()
                optimizer.step()
    assert {stream: steps.tolist() for stream, steps in run.history.trainings.items()} == {"": [12]}
