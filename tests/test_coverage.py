"""The coverage names what is absent, with the true reason and the way out."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import autotrack


def data():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(24, 4, generator=generator)
    return x, (x.sum(1) > 0).long()


def lines(run):
    return {line.what: line for line in run.coverage.lines}


def why(run, what):
    line = lines(run)[what]
    assert line.seen == 0
    return line.missing


def track(loop, tmp_path, **options):
    with autotrack.tracking(logdir=tmp_path, strict=True, **options) as run:
        loop()
    return run


def classify(steps=4, optimizers=1):
    """Train `steps` steps with each of so many optimizers, in turn."""
    x, y = data()
    models = [nn.Linear(4, 2) for _ in range(optimizers)]
    chosen = {f"opt_{i}": torch.optim.SGD(m.parameters(), lr=0.1) for i, m in enumerate(models)}
    for _epoch in range(steps):
        for model, optimizer in zip(models, chosen.values(), strict=True):
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()


# -- training ------------------------------------------------------------------------------------


def test_losses_and_rates_are_counted_over_all_streams(tmp_path):
    run = track(lambda: classify(steps=4, optimizers=3), tmp_path)
    for what in ("steps", "loss", "learning rate", "gradient norm"):
        assert lines(run)[what].seen == 12
    # one point an epoch and stream
    assert lines(run)["accuracy"].seen == 12


def test_weights_updated_by_hand_have_no_update_ratio_for_that_reason(tmp_path):
    def loop():
        x, y = data()
        weight = torch.zeros(4, 2, requires_grad=True)
        for _ in range(3):
            F.cross_entropy(x @ weight, y).backward()
            with torch.no_grad():
                weight -= 0.1 * weight.grad
                weight.grad = None

    run = track(loop, tmp_path)
    assert lines(run)["steps"].seen == 3
    assert "by hand" in why(run, "update ratio")
    assert why(run, "learning rate") == "no optimizer"


@pytest.mark.parametrize(
    ("options", "what", "reason"),
    [
        ({"histograms": 0}, "histograms", "histograms=0"),
        ({"histograms": 0}, "update ratio", "histograms=0"),
        ({"metrics": ["loss"]}, "gradient norm", "metrics=..."),
        ({"metrics": ["gradients"]}, "loss", "metrics=..."),
        ({"exclude": ["*"]}, "update ratio", "exclude="),
    ],
)
def test_what_was_switched_off_says_so(tmp_path, options, what, reason):
    assert reason in why(track(classify, tmp_path, **options), what)


def test_a_part_that_failed_is_named(tmp_path, monkeypatch):
    from autotrack.metrics.learning_rate import LearningRate

    monkeypatch.setattr(LearningRate, "step_began", lambda *_: 1 / 0)
    with autotrack.tracking(logdir=tmp_path, strict=False) as run:
        classify()
    assert "failed" in why(run, "learning rate")
    assert "ZeroDivisionError" in str(run.coverage)


# -- without a backward --------------------------------------------------------------------------


def nothing():
    return None


def gradients_of_autograd():
    x, y = data()
    weight = torch.zeros(4, 2, requires_grad=True)
    (gradient,) = torch.autograd.grad(F.cross_entropy(x @ weight, y), [weight])
    assert gradient.any()


def gradients_of_func():
    x, y = data()
    torch.func.grad(lambda weight: F.cross_entropy(x @ weight, y))(torch.zeros(4, 2))


def a_look_at_autograd():
    (2 * torch.ones(3, requires_grad=True)).sum().backward()


def gradients_by_hand_and_a_step():
    weight = torch.zeros(4, 2, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=0.1)
    weight.grad = torch.ones(4, 2)
    optimizer.step()


def evaluation_only():
    x, y = data()
    with torch.no_grad():
        F.cross_entropy(nn.Linear(4, 2)(x), y)


def child_process():
    busy = "import time\nwhile time.process_time() < 0.7: pass"
    subprocess.run([sys.executable, "-c", busy], check=True)


@pytest.mark.parametrize(
    ("loop", "reason"),
    [
        (nothing, "computed no loss in this thread"),
        (gradients_of_autograd, "torch.autograd.grad is asked about is taken for no training"),
        (a_look_at_autograd, "the only one is outside of every loop"),
        (gradients_of_func, "torch.func (grad, vmap, ...), which calls no backward"),
        (gradients_by_hand_and_a_step, "an optimizer stepped without one"),
        (evaluation_only, "only evaluation in this thread"),
        (child_process, "child processes"),
    ],
)
def test_a_run_without_a_backward_names_the_likely_reason(tmp_path, loop, reason):
    run = track(loop, tmp_path)
    assert reason in why(run, "backward")
    assert reason in why(run, "loss")


BY_HAND = """
for _ in range(3):
    (weight * 2).sum().backward()
    with torch.no_grad():
        weight -= 0.1 * weight.grad
        weight.grad = None
"""


def test_a_loop_whose_source_nobody_has_trains_by_hand_from_its_first_step(tmp_path):
    """As one that is typed into an interpreter: whether it is a loop cannot be read."""
    weight = torch.ones(3, requires_grad=True)
    with autotrack.tracking(logdir=tmp_path / "run", strict=True) as run:
        exec(BY_HAND, {"weight": weight, "torch": torch})  # noqa: S102 - our own
    assert run.history["Loss/train"].value.tolist() == pytest.approx([6.0, 4.8, 3.6])


def test_outside_of_every_loop_a_line_trains_by_hand_once_it_comes_again(tmp_path):
    weight = torch.ones(3, requires_grad=True)

    def step(factor: float) -> None:
        (weight * factor).sum().backward()
        with torch.no_grad():
            weight.sub_(0.1 * weight.grad)
        weight.grad = None

    with autotrack.tracking(logdir=tmp_path / "run", strict=True) as run:
        list(map(step, [1.0, 2.0, 2.0]))
    assert run.history["Loss/train"].value.tolist() == pytest.approx([5.4, 4.2])
    assert run.history["Loss/train"].step.tolist() == [0, 1]
    assert "1 more, outside of every loop" in lines(run)["backward"].how


# -- evaluation ----------------------------------------------------------------------------------


def elbo(reconstruction, x, mean, log_variance):
    divergence = -0.5 * torch.sum(1 + log_variance - mean.pow(2) - log_variance.exp())
    return F.mse_loss(reconstruction, x, reduction="sum") + divergence


class Coder(nn.Module):
    def __init__(self):
        super().__init__()
        self.down, self.up = nn.Linear(4, 4), nn.Linear(2, 4)

    def forward(self, x):
        mean, log_variance = self.down(x).chunk(2, 1)
        z = mean + torch.randn_like(mean) * (log_variance / 2).exp()
        return self.up(z), x, mean, log_variance


def vae(test_losses=None):
    x, _ = data()
    model = Coder()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for _epoch in range(2):
        optimizer.zero_grad()
        elbo(*model(x[:16])).backward()
        optimizer.step()
        with torch.no_grad():
            for name in ("test",):
                loss = elbo(*model(x[16:]))
                if test_losses is not None:
                    test_losses[name] = [*test_losses.get(name, []), loss.item()]


def test_the_total_of_an_evaluation_that_cannot_be_known_is_named(tmp_path):
    run = track(vae, tmp_path)
    assert "Loss/test" not in run.history
    assert "Loss/test/mse_loss" in lines(run)["evaluation test"].how
    reason = why(run, "Loss/test")
    assert "only mse_loss is seen" in reason
    assert "criterion=" in reason
    assert "log('Loss/test'" in reason


def test_a_loss_that_only_training_halves_is_named(tmp_path):
    def loop():
        x, y = data()
        model = nn.Linear(4, 2)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _epoch in range(3):
            optimizer.zero_grad()
            (0.5 * F.cross_entropy(model(x), y)).backward()
            optimizer.step()
            with torch.no_grad():
                F.cross_entropy(model(x[:8]), y[:8])

    run = track(loop, tmp_path)
    assert "training multiplies or divides cross_entropy" in why(run, "Loss/val")
    assert "Loss/val/cross_entropy" in lines(run)["evaluation val"].how


def test_the_way_out_that_the_coverage_names_works(tmp_path):
    seen = {}
    run = track(lambda: vae(seen), tmp_path, criterion=elbo)
    # a sum that a person's own function hides is taken as it is
    assert run.history["Loss/test"].value.tolist() == torch.tensor(seen["test"]).tolist()
    assert "Loss/test" not in lines(run)


def _passes(total, *, one_place, epochs=3, evaluated=()):
    """Train one batch and look at two others, in `train()` and with gradients, in each epoch."""
    x, y = data()
    model = nn.Linear(4, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def run_through(batches, *, train):
        for batch in batches:
            loss = total(model(x[batch]), y[batch])
            if train:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()

    for epoch in range(epochs):
        run_through([slice(0, 8)], train=True)
        if one_place:
            run_through([slice(8, 16), slice(16, 24)], train=False)
        else:
            for batch in (slice(8, 16), slice(16, 24)):
                total(model(x[batch]), y[batch])
        if epoch in evaluated:
            with torch.no_grad():
                total(model(x[8:]), y[8:])


def _doubled(scores, labels):
    return F.cross_entropy(scores, labels) + F.multi_margin_loss(scores, labels)


@pytest.mark.parametrize("one_place", [True, False])
@pytest.mark.parametrize("epochs", [1, 3, 30])
@pytest.mark.parametrize(("total", "calls"), [(F.cross_entropy, 1), (_doubled, 2)])
def test_losses_that_no_backward_uses_are_counted(tmp_path, total, calls, epochs, one_place):
    run = track(lambda: _passes(total, one_place=one_place, epochs=epochs), tmp_path)
    assert f"{2 * calls * epochs} losses were computed in train() mode" in why(run, "evaluation")
    assert not [tag for tag in run.history if tag.startswith("Loss/val")]


def test_beside_an_evaluation_they_have_a_line(tmp_path):
    run = track(lambda: _passes(F.cross_entropy, one_place=False, evaluated=(1,)), tmp_path)
    assert lines(run)["evaluation val"].seen == 1
    assert lines(run)["losses left out"].seen == 6


def _focal(scores, labels):
    each = F.cross_entropy(scores, labels, reduction="none")
    return ((1 - (-each).exp()) ** 2 * each).mean()


def _through_many_nodes(scores, labels):
    """More operations above the criterion than are read for a loss's parts."""
    loss = F.cross_entropy(scores, labels)
    for _ in range(500):
        loss = loss.sin() + loss.cos()
    return loss


def _two_at_once(scores, labels):
    return F.cross_entropy(scores, labels), F.multi_margin_loss(scores, labels)


@pytest.mark.parametrize("total", [F.cross_entropy, _doubled, _focal, _through_many_nodes])
def test_losses_that_a_backward_uses_are_not_counted(tmp_path, total):
    def loop():
        x, y = data()
        model = nn.Linear(4, 2)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _epoch in range(30):
            optimizer.zero_grad()
            total(model(x), y).backward()
            optimizer.step()

    assert track(loop, tmp_path)._capture.criteria.unused == 0


def test_losses_that_are_used_later_or_together_are_not_counted(tmp_path):
    def loop():
        x, y = data()
        models = [nn.Linear(4, 2) for _ in range(2)]
        optimizers = [torch.optim.SGD(m.parameters(), lr=0.1) for m in models]
        for _epoch in range(30):
            # As in a GAN: both are computed before either is used.
            first, second = (F.cross_entropy(model(x), y) for model in models)
            for loss, optimizer in zip((first, second), optimizers, strict=True):
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            optimizers[0].zero_grad()
            torch.autograd.backward(_two_at_once(models[0](x), y))
            optimizers[0].step()

    assert track(loop, tmp_path)._capture.criteria.unused == 0


def test_a_backward_aside_that_a_step_follows_is_trainings_from_then_on(tmp_path):
    """Test-time adaptation: the model learns in `eval()`, on batches that training never had."""
    x, y = data()
    adapted = []

    def loop():
        model = nn.Linear(4, 2)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for batch in (slice(0, 8), slice(8, 16)):
            optimizer.zero_grad()
            F.cross_entropy(model(x[batch]), y[batch]).backward()
            optimizer.step()
        model.eval()
        for _ in range(4):
            optimizer.zero_grad()
            chances = model(x[16:]).softmax(1)
            loss = -(chances * chances.log()).sum(1).mean()
            loss.backward()
            optimizer.step()
            adapted.append(loss.item())

    run = track(loop, tmp_path)
    series = run.history["Loss/train"]
    # What the first of them means shows only when its step comes: it is left out.
    assert series.step.tolist() == [0, 1, 3, 4, 5]
    assert series.value[2:].tolist() == torch.tensor(adapted[1:]).tolist()
    assert (lines(run)["backward"].seen, lines(run)["backward"].how) == (6, "calls of backward")
    assert (lines(run)["steps"].seen, lines(run)["loss"].seen) == (6, 5)


@pytest.mark.parametrize("take", [torch.autograd.backward, torch.autograd.grad])
def test_an_iterator_is_left_to_whom_it_was_given(tmp_path, take):
    """Losses that can be read once only are read by PyTorch."""

    def gradients():
        weight = torch.ones(3, requires_grad=True)
        losses = (F.mse_loss(weight, torch.full((3,), wanted)) for wanted in (2.0, 4.0))
        name = take.__name__
        found = getattr(torch.autograd, name)(losses, *([[weight]] if name == "grad" else []))
        return (weight.grad if found is None else found[0]).tolist()

    alone, tracked = gradients(), []
    track(lambda: tracked.extend(gradients()), tmp_path)
    assert tracked == alone
    assert any(alone)


def test_backward_calls_that_belong_to_no_training_are_counted(tmp_path):
    x, y = data()

    def loop():
        model = nn.Linear(4, 2)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _epoch in range(3):
            model.train()
            optimizer.zero_grad()
            F.cross_entropy(model(x[:16]), y[:16]).backward()
            optimizer.step()
            model.eval()
            for _ in range(2):
                F.cross_entropy(model(x[16:].clone().requires_grad_()), y[16:]).backward()

    line = lines(track(loop, tmp_path))["backward"]
    assert line.seen == 3
    assert "6 more, in eval(), belong to no training" in line.how


def test_accuracy_that_an_evaluation_lacks_is_named(tmp_path):
    def loop():
        x, y = data()
        model = nn.Linear(4, 2)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _epoch in range(2):
            F.cross_entropy(model(x[:16]), y[:16]).backward()
            optimizer.step()
            with torch.no_grad():
                F.cross_entropy(model(x[16:]), F.one_hot(y[16:], 2).float())

    run = track(loop, tmp_path)
    assert lines(run)["accuracy"].seen
    assert "log(...)" in why(run, "Accuracy/val")


# -- torch.func ----------------------------------------------------------------------------------


def test_what_torch_func_computes_inside_is_no_evaluation(tmp_path):
    def loop():
        x, y = data()
        weight = {"w": torch.zeros(4, 2)}

        def loss(held, x, y):
            return F.cross_entropy(x @ held["w"], y)

        for _epoch in range(3):
            gradient = torch.func.grad(loss)(weight, x, y)
            torch.func.vmap(torch.func.grad(loss), (None, 0, 0))(weight, x[:, None], y[:, None])
            weight = {"w": weight["w"] - 0.1 * gradient["w"]}
        return weight

    run = track(loop, tmp_path)
    assert not [tag for tag in run.history if tag.startswith(("Loss/", "Accuracy/"))]


def test_a_thread_of_its_own_leaves_the_reason(tmp_path):
    def loop():
        worker = threading.Thread(target=classify)
        worker.start()
        worker.join()

    assert "another thread" in why(track(loop, tmp_path), "backward")


@pytest.mark.parametrize(
    ("loss_of", "composed"),
    [
        (lambda f, x, y: F.cross_entropy(f(x), y), False),
        (lambda f, x, y: F.cross_entropy(f(x), y) / 4, False),
        (lambda f, x, y: F.cross_entropy(f(x), y, reduction="none").mean(), False),
        (lambda f, x, y: F.cross_entropy(f(x), y) * 10, True),
        (lambda f, x, y: F.cross_entropy(f(x), y) + f.weight.square().sum(), True),
        (lambda f, x, y: sum(F.cross_entropy(f(x[i : i + 8]), y[i : i + 8]) for i in (0, 8)), True),
    ],
)
def test_a_loss_that_is_more_than_one_call_is_known(tmp_path, loss_of, composed):
    x, y = data()
    model = nn.Linear(4, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def loop():
        for _epoch in range(3):
            optimizer.zero_grad()
            loss_of(model, x, y).backward()
            optimizer.step()

    assert track(loop, tmp_path).coverage.composed is composed


@pytest.mark.parametrize(("early", "noted"), [(True, True), (False, False)])
def test_a_clipping_that_comes_before_its_backward_is_noted(tmp_path, early, noted):
    x, y = data()
    model = nn.Linear(4, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def loop():
        for _epoch in range(30):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            if early:
                nn.utils.clip_grad_norm_(model.parameters(), 0.1)
            loss.backward()
            if not early:
                nn.utils.clip_grad_norm_(model.parameters(), 0.1)
            optimizer.step()

    notes = " ".join(track(loop, tmp_path).coverage.notes)
    assert ("at 30 steps gradients were clipped before the last backward" in notes) is noted
