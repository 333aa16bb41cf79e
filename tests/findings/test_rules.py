"""Every rule on a made-up run with its fault, and on a twin that nearly has it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from synthetic_runs import MadeUpRun

from autotrack import findings
from autotrack.findings._last import last_training
from autotrack.records import Histogram, Record

PAGES = Path(__file__).resolve().parents[2] / "docs" / "findings"
FIELDS = ("step", "epoch", "time", "value")
LAYERS = [f"layer{i}.{kind}" for i in range(6) for kind in ("weight", "bias")]


def noisy(curve, amount=0.03):
    return curve * (1 + amount * np.random.default_rng(3).normal(size=len(curve)))


def falling(steps=600, start=2.3, end=0.2):
    return noisy(end + (start - end) * np.exp(-6 * np.arange(steps) / steps))


def flat(steps=600, level=2.3):
    return noisy(np.full(steps, level))


def run(loss, epochs=0, **series):
    made = MadeUpRun(epochs, len(loss) // epochs if epochs else 0).per_step(Loss__train=loss)
    by_epoch = {name: v for name, v in series.items() if epochs and len(v) == epochs}
    made.per_epoch(**by_epoch)
    return made.per_step(**{name: v for name, v in series.items() if name not in by_epoch})


def covered(made, **coverage):
    made.records.append(Record(0, 1e6, hidden=[("autotrack/coverage", json.dumps(coverage))]))
    return made


def last_snapshot(made, steps=500):
    """Snapshots of update ratios beside the vectors: every hundred steps."""
    made.records += [
        Record(step, float(step), [("UpdateRatio/total", 1e-3)]) for step in range(0, steps, 100)
    ]
    return made


# -- made-up faults, and what is nearly one ------------------------------------------------------


def nonfinite(*, fault):
    loss = falling()
    loss[400:] = np.nan if fault else 1e30
    return run(loss)


def divergence(*, fault):
    loss = falling()
    if fault:
        loss[300:] *= np.exp(np.arange(300) / 40)
    else:
        loss[300:320] *= 50
    return run(loss, 6, Accuracy__train=np.linspace(20, 70, 6))


def divergence_after_learning(*, fault):
    loss = falling()
    loss[400:] += 2.0 if fault else 0.4
    return run(loss, 6, Accuracy__train=np.linspace(20, 70, 6))


def not_learning(*, fault):
    scores = [10, 11, 10, 9, 10, 10] if fault else [10, 20, 30, 40, 50, 60]
    loss = flat() if fault else noisy(np.linspace(2.3, 1.6, 600), 0.2)
    return run(loss, 6, Accuracy__train=scores)


def not_learning_but_done(*, fault):
    return run(flat(level=0.1), 6, Accuracy__train=[10 if fault else 98] * 6)


def not_learning_by_chance(*, fault):
    """Of two classes, a pass may be far above the first one by chance."""
    scores = [44, 50, 58, 51, 52, 51] if fault else [44, 50, 54, 57, 58, 58]
    return run(flat(), 6, Accuracy__train=scores)


def underfitting(*, fault):
    level = 2.0 if fault else 0.5
    loss = noisy(level + (2.3 - level) * np.exp(-np.arange(600) / 30), 0.01)
    return run(loss, 6, Accuracy__train=[15, 18, 20, 20, 20, 20] if fault else [40] * 5 + [85])


def plateau(*, fault):
    loss = 0.2 + 2 * np.exp(-np.arange(600) / (30 if fault else 400))
    return run(noisy(loss, 0.01))


def oscillation(*, fault):
    swing = (
        0.5 * (-1.0) ** np.arange(600) if fault else 0.5 * np.random.default_rng(1).normal(size=600)
    )
    return run(falling() + 1 + swing * 0.8)


def waves(*, fault):
    """Momentum swings through the valley; beside it, as wide and as often, noise."""
    steps = np.arange(300)
    swing = np.abs(np.cos(2 * np.pi * steps / 40))
    noise = np.random.default_rng(4).permutation(swing)
    return run(0.1 + (swing if fault else noise) * np.exp(-steps / 200), 300)


def waves_and_spikes(*, fault):
    """Waves; beside them as many spikes of a loss that falls on in between."""
    steps = np.arange(900)
    swing = np.abs(np.cos(2 * np.pi * steps / 120))
    spikes = np.where(steps % 60 < 2, 1.0, np.exp(-(steps % 60 - 2) / 2))
    spikes = np.where(steps % 60 == 59, 0.5, spikes)
    return run((0.1 + (swing if fault else spikes)) * np.exp(-steps / 600), 900)


def waves_of_the_rate(*, fault):
    """Where the learning rate goes up and down, so does the loss, and nothing is wrong."""
    steps = np.arange(300)
    swing = 1 - np.cos(2 * np.pi * steps / 40)
    rate = np.full(300, 0.1) if fault else 0.01 + swing
    return run(0.1 + swing, 300, LearningRate__group0=rate)


def jump_and_return(*, fault):
    loss = falling(end=1.0)
    loss[300:] += (1.5 if fault else 0.3) * np.exp(-np.arange(300) / 20)
    return run(loss, 6, Accuracy__train=np.linspace(20, 70, 6))


def stopped_early(*, fault):
    steps = np.arange(600)
    loss = 2.3 - 1.2 * steps / 600 if fault else 1.1 + 1.2 * np.exp(-steps / 120)
    return run(noisy(loss), 6, Loss__val=loss[99::100] + 0.1)


def stopped_where_evaluation_was_best(*, fault):
    evaluated = [2.0, 1.8, 1.6, 1.4, 1.3, 1.2 if fault else 1.35]
    return run(noisy(np.linspace(2.3, 1.1, 600)), 6, Loss__val=evaluated)


def evaluation_on_another_scale(*, fault):
    losses, right = np.array([1.5, 0.9, 0.6, 0.4, 0.3, 0.25]), [60, 75, 85, 90, 92, 93]
    wrong_as_often = {"Accuracy__train": right, "Accuracy__val": [61, 74, 84, 89, 92, 93]}
    costs = losses * (6 if fault else 1.5)
    return run(falling(), 6, Loss__train_epoch=losses, Loss__val=costs, **wrong_as_often)


def overfitting_is_no_other_scale(*, fault):
    """With a loss as much larger, evaluation is wrong far more often: it only remembers."""
    losses, right = np.array([1.5, 0.9, 0.6, 0.4, 0.3, 0.25]), [60, 75, 85, 90, 92, 93]
    scores = right if fault else [58, 66, 70, 71, 70, 71]
    passes = {"Loss__train_epoch": losses, "Loss__val": losses * [1, 1.5, 2.5, 4, 5, 6]}
    return run(falling(), 6, Accuracy__train=right, Accuracy__val=scores, **passes)


def loss_spikes(*, fault):
    loss = falling(end=1.0)
    if fault:
        loss[[300, 400]] *= 5
    return run(loss)


def spikes_or_noise(*, fault):
    rare = np.random.default_rng(5).random(600) < (0.01 if fault else 0.1)
    return run(np.where(rare & (np.arange(600) > 60), 8.0, falling(end=1.0)))


def spikes_of_next_to_nothing(*, fault):
    """A loss that is a ten-thousandth of its start: three times that is nothing yet."""
    loss = 2.3 * np.exp(-np.arange(600) / 5) + 2e-4 + np.tile([1e-6, -1e-6], 300)
    loss[[400, 450, 500]] *= 40 if fault else 3
    return run(loss)


def sharp_drops(*, fault):
    loss = flat(level=2.0)
    loss[300:] -= 1.0 if fault else 0.0
    return run(loss if fault else loss * np.linspace(1, 0.5, 600))


def overfitting(*, fault):
    later = np.maximum(np.arange(20) - 7, 0)
    val = 0.6 + 1.2 * np.exp(-np.arange(20) / 2) + later * (0.04 if fault else 0.0005)
    return run(falling(), 20, Loss__val=val, Loss__train_epoch=falling(20))


def overfitting_while_training_rises(*, fault):
    val = 0.5 + np.abs(np.arange(20) - 7) * 0.04
    training = falling(20) if fault else 0.4 + np.abs(np.arange(20) - 7) * 0.04
    return run(falling(), 20, Loss__val=val, Loss__train_epoch=training)


def overfitting_by_accuracy(*, fault):
    val = np.linspace(30, 60 if fault else 92, 10)
    return run(falling(), 10, Accuracy__train=np.linspace(40, 99, 10), Accuracy__val=val)


def best_epoch(*, fault):
    return run(falling(), 6, Accuracy__val=[50, 60, 70, 69, 68, 67] if fault else [50] * 6)


def evaluation_better(*, fault):
    train = np.linspace(30, 60, 10)
    return run(falling(), 10, Accuracy__train=train, Accuracy__val=train + (30 if fault else 8))


def evaluation_constant(*, fault):
    val = np.full(6, 2.31) if fault else np.linspace(2.31, 2.30, 6)
    return run(falling(), 6, Loss__val=val)


def evaluated_in_training_mode(*, fault):
    return covered(run(falling()), modes={"val": [5, 0, 1] if fault else [0, 5, 0]})


def trained_in_evaluation_mode(*, fault):
    # a model whose normalisation was frozen at first, and then no longer, ends in training mode
    return covered(run(falling()), modes={"train": [1, 4, 0] if fault else [3, 2, 1]})


def evaluation_knows_nothing(*, fault):
    # with one frequent class, being right in training is no learning
    made = run(falling(), 10, Accuracy__train=[95] * 10, Accuracy__val=[20] * 10)
    labels = np.full((10, 4, 4), 0)
    labels[:, :, 0] = 25 if fault else [90, 3, 3, 4]
    return made.confusion("train", labels)


def same_data_worse(*, fault):
    train = np.linspace(30, 90, 8)
    return run(
        falling(), 8, Accuracy__train=train, Accuracy__train_eval=train - (40 if fault else 3)
    )


def with_gradients(names, norms):
    """A sound run whose parameters always get gradients of these norms."""
    made = run(falling()).vectors(
        "autotrack/gradient_norm", names, np.tile(norms, (5, 1)), every=100
    )
    for name in names:
        size = 400 if name.endswith("weight") else 20
        made.histograms(f"Weights/{name}", [0], [np.ones(size)])
    return made.per_step(GradNorm__total=np.ones(600))


def by_depth(ratio):
    return with_gradients(LAYERS, np.geomspace(ratio, 1.0, len(LAYERS)))


def vanishing_gradients(*, fault):
    return by_depth(1e-7 if fault else 1e-2)


def vanishing_before_large_inputs(*, fault):
    """The first weights get as much as the last; beside it, those after them too: an hourglass."""
    names = [f"layer{i}.weight" for i in range(16)]
    down, up = np.geomspace(1.0, 1e-6, 9), np.geomspace(1e-6, 1.0, 8)[1:]
    vanished = np.concatenate([[1.0, 1e-6], np.geomspace(1e-6, 1.0, 14)])
    return with_gradients(names, vanished if fault else np.concatenate([down, up]))


def exploding_by_depth(*, fault):
    return by_depth(1e7 if fault else 1e2)


def exploding_over_time(*, fault):
    return run(flat() if fault else falling(), GradNorm__total=np.geomspace(1, 1e4, 600))


def exploding_at_once(*, fault):
    """Outputs far too large at first; beside it, targets that are far from zero."""
    norms = noisy(np.full(600, 400.0 if fault else 4.0))
    made = run(falling(start=40.0), 6, R2__train=[-60, -5, 0.1, 0.3, 0.5, 0.6])
    made.per_step(GradNorm__total=norms)
    limits, counts = np.array([-0.5, 0.0, 0.5]), np.array([0.0, 50.0, 50.0])
    weights = Histogram(limits, counts, -0.5, 0.5, 100, 0.0, 100.0)
    made.records.append(Record(0, 0.0, histograms=[("Weights/layer0.weight", weights)]))
    return made


def exploding_at_once_in_a_classifier(*, fault):
    """A first loss far above that of guessing; beside it, one that sums over a batch of 16."""
    steps = falling(start=2.3, end=0.3) * 16
    means = steps.reshape(6, 100).mean(axis=1)
    made = run(steps, 6, Loss__train_epoch=means if fault else means / 16)
    made.confusion("train", np.tile(10 * np.eye(10, dtype=int), (6, 1, 1)))
    return covered(made.per_step(GradNorm__total=noisy(np.ones(600))), composed=False)


def exploding_at_once_or_many_losses(*, fault):
    """The same beside a loss that adds up one call a word, of which each begins at chance."""
    steps = falling(start=2.3, end=0.3) * 16
    made = run(steps, 6, Loss__train_epoch=steps.reshape(6, 100).mean(axis=1))
    made.confusion("train", np.tile(10 * np.eye(10, dtype=int), (6, 1, 1)))
    return covered(made.per_step(GradNorm__total=noisy(np.ones(600))), composed=not fault)


def exploding_in_bursts(*, fault):
    norms = flat(level=1.0)
    norms[[201, 312, 420, 531]] = 5000 if fault else 20
    return run(falling(), GradNorm__total=norms)


def divergence_of_what_has_a_ratio(*, fault):
    """Around zero a small beginning says nothing: the advantage of a policy gradient, say."""
    curve = np.concatenate([np.linspace(0.05, -0.02, 300), np.linspace(-0.02, 0.3, 300)])
    return run(noisy(curve + (0.021 if fault else -0.045), 0.002))


def diverging_from_fixed_targets(*, fault):
    """Beside it, targets that spread as fast as the loss rises: what is explained is the same."""
    loss = noisy(0.5 * 8 ** (np.arange(600) / 600))
    means = loss.reshape(6, 100).mean(axis=1)
    score = 1 - means / (0.4 if fault else means / 1.3)
    return covered(run(loss, 6, Loss__train_epoch=means, R2__train=score), composed=False)


def not_learning_fixed_targets(*, fault):
    """A loss that rises a little; beside it, of targets that spread by more than that."""
    loss = noisy(0.5 * 1.6 ** (np.arange(600) / 600))
    means = loss.reshape(6, 100).mean(axis=1)
    score = 1 - (means / 0.4 if fault else np.geomspace(2.4, 0.96, 6))
    return covered(run(loss, 6, Loss__train_epoch=means, R2__train=score), composed=False)


def frozen_parameters(*, fault):
    made = last_snapshot(run(falling()))
    norms, ratios = np.ones((5, 12)), np.full((5, 12), 1e-3)
    norms[:, 3] = ratios[:, 3] = 0.0 if fault else 1e-9
    made.vectors("autotrack/gradient_norm", LAYERS, norms, every=100)
    return made.vectors("autotrack/update_ratio", LAYERS, ratios, every=100)


def frozen_on_purpose(*, fault):
    made = last_snapshot(run(falling()))
    parameters = [{"name": name, "trainable": fault, "optimizer": ""} for name in LAYERS]
    made.facts["models"] = [{"name": "model", "parameters": parameters}]
    norms, ratios = np.ones((5, 12)), np.full((5, 12), 1e-3)
    norms[:, 3], ratios[:, 3] = np.nan, 0.0
    made.vectors("autotrack/gradient_norm", LAYERS, norms, every=100)
    return made.vectors("autotrack/update_ratio", LAYERS, ratios, every=100)


def dead_relu(*, fault):
    shares = np.zeros((6, 12))
    shares[:, 2:4] = 0.8 if fault else 0.3
    return run(falling()).vectors("autotrack/zero_gradient_rows", LAYERS, shares, every=100)


def no_relu_but_no_loss(*, fault):
    shares = np.full((6, 12), 0.0 if fault else 1.0)
    shares[:, 2:4] = 0.95 if fault else 1.0
    return run(falling()).vectors("autotrack/zero_gradient_rows", LAYERS, shares, every=100)


def update_ratio_small(*, fault):
    return run(flat() if fault else falling(), UpdateRatio__total=np.full(6, 1e-7))


def update_ratio_large(*, fault):
    return run(flat() if fault else falling(), UpdateRatio__total=np.full(6, 0.4))


def clipping_always(*, fault):
    norms = flat(level=40.0 if fault else 1.0)
    return run(falling(), GradNorm__total=norms, GradNorm__clipped=np.minimum(norms, 1.0))


def learning_rate_zero(*, fault):
    return run(flat(), LearningRate__group0=np.full(600, 0.0 if fault else 1e-5))


def schedule_that_ends_early(*, fault):
    steps = np.arange(600)
    rates = np.cos(np.pi / 2 * np.minimum(steps / (400 if fault else 600), 1)) ** 2
    return run(falling(), LearningRate__group0=rates)


def schedule_in_the_wrong_unit(*, fault):
    # a rate that falls when there is nothing left to learn is as it should be
    steps = np.arange(600)
    rates = np.where(steps < 120, 0.1, 0.001)
    loss = 0.3 + 2 * np.exp(-np.minimum(steps, 120) / (60 if fault else 15))
    return run(noisy(loss), LearningRate__group0=rates)


def idle_steps(*, fault):
    made = covered(MadeUpRun(), counts={"backwards": 600, "steps": 600, "skipped": 0})
    # gradients that were put there by hand belong to no loss either, but they are there
    return made.per_step(GradNorm__total=np.full(600, 0.0 if fault else 1.0))


def never_a_step(*, fault):
    counts = {"backwards": 600, "steps": 0, "skipped": 0 if fault else 600}
    return covered(MadeUpRun().per_step(Loss__val_initial=[2.3]), counts=counts)


def accumulated_gradients(*, fault):
    made = run(falling())
    looks = (1, 2, 3, 4, 8, 16, 32, 64, 128, 256, 512) if fault else (8, 64)
    made.records += [Record(s, float(s), [("GradNorm/carried", 1.0 + s)]) for s in looks]
    return made


def unheld_parameters(*, fault):
    made = last_snapshot(run(flat()))
    for record in made.records:
        record.scalars = [(t, 0.0 if t.startswith("Update") else v) for t, v in record.scalars]
    if not fault:
        # embeddings have no rows to count, but they have gradients
        made.per_step(GradNorm__total=np.ones(600))
    nothing = np.full((5, 2), np.nan)
    return made.vectors("autotrack/zero_gradient_rows", LAYERS[:2], nothing, every=100)


def parameters_in_no_optimizer(*, fault):
    made = run(falling())
    owners = ["", None] if fault else [None, None]
    parameters = [
        {"name": name, "trainable": True, "optimizer": owner}
        for name, owner in zip(LAYERS[:2], owners, strict=True)
    ]
    made.facts["models"] = [{"name": "teacher", "parameters": parameters}]
    if not fault:
        # A model that holds its own moving average, which no gradient reaches.
        row = {"name": "model.weight", "trainable": True, "gradient": True, "optimizer": ""}
        average = {**row, "name": "average.weight", "gradient": False, "optimizer": None}
        made.facts["models"].append({"name": "task", "parameters": [row, average]})
    return made


def skipped_after_the_start(*, fault):
    """A scaler finds its scale within a dozen steps; who skips later does not find it."""
    made = run(falling(steps=80))
    places = np.linspace(0, 70, 14).astype(int) if fault else np.zeros(14, int)
    made.records += [
        Record(int(at), float(at), hidden=[("autotrack/skipped", np.int64(1))]) for at in places
    ]
    return covered(made, counts={"steps": 66, "skipped": 14})


def skipped_steps(*, fault):
    counts = {"steps": 600, "skipped": 400 if fault else 14}
    return covered(run(falling()), counts=counts)


def input_bound(*, fault):
    return run(falling(), Throughput__loader_wait=np.full(9, 80.0 if fault else 10.0))


CASES = {
    nonfinite: "nonfinite",
    divergence: "divergence",
    divergence_after_learning: "divergence",
    divergence_of_what_has_a_ratio: "divergence",
    diverging_from_fixed_targets: "divergence",
    not_learning: "not-learning",
    not_learning_fixed_targets: "not-learning",
    not_learning_but_done: "not-learning",
    not_learning_by_chance: "not-learning",
    underfitting: "underfitting",
    stopped_early: "underfitting",
    stopped_where_evaluation_was_best: "underfitting",
    plateau: "plateau",
    oscillation: "oscillation",
    waves: "oscillation",
    waves_and_spikes: "oscillation",
    waves_of_the_rate: "oscillation",
    loss_spikes: "loss-spikes",
    jump_and_return: "loss-spikes",
    spikes_or_noise: "loss-spikes",
    spikes_of_next_to_nothing: "loss-spikes",
    sharp_drops: "sharp-drops",
    overfitting: "overfitting",
    overfitting_while_training_rises: "overfitting",
    overfitting_by_accuracy: "overfitting",
    best_epoch: "best-epoch",
    evaluation_better: "train-evaluation-mismatch",
    evaluation_constant: "train-evaluation-mismatch",
    evaluated_in_training_mode: "train-evaluation-mismatch",
    trained_in_evaluation_mode: "train-evaluation-mismatch",
    evaluation_knows_nothing: "train-evaluation-mismatch",
    same_data_worse: "train-evaluation-mismatch",
    evaluation_on_another_scale: "train-evaluation-mismatch",
    overfitting_is_no_other_scale: "train-evaluation-mismatch",
    vanishing_gradients: "vanishing-gradients",
    vanishing_before_large_inputs: "vanishing-gradients",
    exploding_by_depth: "exploding-gradients",
    exploding_over_time: "exploding-gradients",
    exploding_in_bursts: "exploding-gradients",
    exploding_at_once: "exploding-gradients",
    exploding_at_once_in_a_classifier: "exploding-gradients",
    exploding_at_once_or_many_losses: "exploding-gradients",
    frozen_parameters: "frozen-parameters",
    frozen_on_purpose: "frozen-parameters",
    dead_relu: "dead-relu",
    no_relu_but_no_loss: "dead-relu",
    update_ratio_small: "update-ratio-small",
    update_ratio_large: "update-ratio-large",
    clipping_always: "clipping-always",
    learning_rate_zero: "learning-rate-zero",
    schedule_that_ends_early: "learning-rate-zero",
    schedule_in_the_wrong_unit: "learning-rate-zero",
    idle_steps: "idle-steps",
    never_a_step: "idle-steps",
    accumulated_gradients: "accumulated-gradients",
    unheld_parameters: "unheld-parameters",
    parameters_in_no_optimizer: "unheld-parameters",
    skipped_steps: "skipped-steps",
    skipped_after_the_start: "skipped-steps",
    input_bound: "input-bound",
}


def thinned(history):
    """The record of a run whose optional series were kept at every third step only."""
    optional = ("GradNorm/total", "GradNorm/clipped", "LearningRate", "UpdateRatio", "Throughput")
    series = {
        tag: replace(s, **{name: getattr(s, name)[::3] for name in ("x", *FIELDS)})
        if tag.startswith(optional) and len(s) > 100
        else s
        for tag, s in history.items()
    }
    return replace(history, series=series)


@pytest.mark.parametrize("thin", [lambda history: history, thinned], ids=["whole", "thinned"])
@pytest.mark.parametrize("make", CASES, ids=lambda make: make.__name__)
def test_a_rule_finds_its_fault_and_not_what_is_nearly_one(make, thin, tmp_path):
    faulty = findings.find(thin(make(fault=True).read(tmp_path / "faulty")), strict=True)
    sound = findings.find(thin(make(fault=False).read(tmp_path / "sound")), strict=True)
    assert CASES[make] in [finding.rule for finding in faulty]
    # what is nearly one may be worth a milder word
    said = {finding.severity for finding in faulty if finding.rule == CASES[make]}
    assert not [f for f in sound if f.rule == CASES[make] and f.severity in said]


@pytest.mark.parametrize(("right", "collapsed"), [(0, True), (2, True), (10, False), (30, False)])
def test_one_class_predicted_is_read_from_the_confusion(right, collapsed, tmp_path):
    """Of thirty samples of a class, so many are still told from the rest."""
    matrix = np.array([[0, 40, 0], [0, 30, 0], [0, 30 - right, right]])
    counts = np.tile(matrix, (3, 1, 1))
    series = SimpleNamespace(counts=counts, step=np.arange(3), epoch=np.arange(3))
    history = replace(run(falling()).read(tmp_path), confusion={"val": series})
    found = [finding.rule for finding in findings.find(history, strict=True)]
    assert ("one-class-predicted" in found) is collapsed


@pytest.mark.parametrize(
    ("matrix", "severity"),
    [
        ([[0, 30], [0, 30]], "problem"),
        ([[30, 0], [0, 30]], "warning"),
        # Another class at each step: no more of them right than by chance.
        ([[15, 15], [15, 15]], "problem"),
        ([[18, 12], [13, 17]], "problem"),
        # Too few samples, or hardly any of the other class: nothing is known of training.
        ([[3, 0], [0, 3]], "problem"),
        ([[0, 1], [0, 59]], "problem"),
    ],
)
def test_one_class_in_evaluation_alone_is_about_the_evaluation(matrix, severity, tmp_path):
    """As with batch normalisation whose means have not followed: training tells classes apart."""
    collapsed = np.tile(np.array([[0, 30], [0, 30]]), (3, 1, 1))
    trained = np.tile(np.array(matrix), (3, 1, 1))
    step = {"step": np.arange(3), "epoch": np.arange(3)}
    confusion = {
        "train": SimpleNamespace(counts=trained, **step),
        "test": SimpleNamespace(counts=collapsed, **step),
    }
    history = replace(run(falling()).read(tmp_path), confusion=confusion)
    [found] = [f for f in findings.find(history, strict=True) if f.rule == "one-class-predicted"]
    assert found.severity == severity
    assert ("several are in training" in found.title) is (severity == "warning")
    assert found.evidence[0].tag == "autotrack/confusion/test"


@pytest.mark.parametrize(
    ("losses", "severity"),
    [
        ([4.1, 3.6, 3.4, 3.2], "warning"),
        ([4.1, 3.2, 3.1, 3.3], "problem"),
        ([2.303, 2.302, 2.301, 2.3], "problem"),
        ([4.1, 3.2], "problem"),
    ],
)
def test_one_class_is_a_beginning_while_the_loss_comes_down(losses, severity, tmp_path):
    counts = np.tile(np.array([[0, 30], [0, 30]]), (4, 1, 1))
    confusion = {"val": SimpleNamespace(counts=counts, step=np.arange(4), epoch=np.arange(4))}
    made = run(np.repeat(losses, 150), len(losses), Loss__val=losses)
    history = replace(made.read(tmp_path), confusion=confusion)
    [found] = [f for f in findings.find(history, strict=True) if f.rule == "one-class-predicted"]
    assert found.severity == severity
    assert ("so far" in found.title) is (severity == "warning")


def test_one_class_in_one_evaluation_alone_is_about_what_is_evaluated_there(tmp_path):
    """An average of weights is what it was at the start after a few steps."""
    step = {"step": np.arange(3), "epoch": np.arange(3)}
    matrices = {"val_ema": [[0, 30], [0, 30]], "val": [[25, 5], [5, 25]]}
    confusion = {
        phase: SimpleNamespace(counts=np.tile(np.array(matrix), (3, 1, 1)), **step)
        for phase, matrix in matrices.items()
    }
    history = replace(run(falling()).read(tmp_path), confusion=confusion)
    [found] = [f for f in findings.find(history, strict=True) if f.rule == "one-class-predicted"]
    assert found.severity == "warning"
    assert found.title == "Only class 1 is predicted in val_ema, several are in val"


def test_gradients_that_grow_with_a_rival_do_not_explode(tmp_path):
    """A generator's are next to nothing at first, and its loss need not fall."""
    made = MadeUpRun(streams=("made", "judged"))
    made.per_step(Loss__train__made=flat(), GradNorm__total__made=np.geomspace(1, 1e4, 600))
    made.per_step(Loss__train__judged=flat(), GradNorm__total__judged=flat())
    found = findings.find(made.read(tmp_path), strict=True)
    assert "exploding-gradients" not in [finding.rule for finding in found]


def test_every_rule_has_a_page_in_the_index_and_a_case():
    rules = {rule.name for rule in findings.rules()}
    index = (PAGES / "index.md").read_text()
    assert {path.stem for path in PAGES.glob("*.md")} == {*rules, "index", "sources", "trust"}
    assert all(f"\n{rule}\n" in index for rule in rules)
    assert {*CASES.values(), "one-class-predicted"} == rules


def test_a_cause_is_told_once_and_is_as_severe_as_what_it_does(tmp_path):
    made = run(flat(), 6, Accuracy__train=[10] * 6, LearningRate__group0=np.zeros(600))
    found = findings.find(made.read(tmp_path), strict=True)
    assert [(f.rule, f.severity) for f in found if f.severity != "note"] == [
        ("learning-rate-zero", "problem")
    ]


# -- several trainings in turn ---------------------------------------------------------------------


def names_of(found):
    return {finding.rule for finding in found}


def test_a_training_that_begins_anew_is_no_loss_that_rose_again(tmp_path):
    """The same curve, with and without the mark of new weights."""
    twice = np.concatenate([falling(300), falling(300) + 1.5])
    one = run(twice, epochs=20).read(tmp_path / "one")
    both = run(twice, epochs=20).begins_anew(300).read(tmp_path / "both")
    assert "divergence" in names_of(findings.find(one))
    assert "divergence" not in names_of(findings.find(both))
    assert "2 trainings in turn" in findings.verdict(both, [])
    assert "trainings in turn" not in findings.verdict(one, [])


def test_of_several_trainings_the_last_is_judged_where_it_stands(tmp_path):
    good, bad = falling(300), noisy(np.linspace(0.5, 9.0, 300))
    last = run(np.concatenate([good, bad])).begins_anew(300).read(tmp_path / "last")
    first = run(np.concatenate([bad, good])).begins_anew(300).read(tmp_path / "first")
    [found] = [f for f in findings.find(last) if f.rule == "divergence"]
    assert found.evidence[0].first_step >= 300
    assert "divergence" not in names_of(findings.find(first))


def test_parameters_of_an_earlier_model_are_not_missed_in_a_later_one(tmp_path):
    values = np.full((60, 4), np.nan)
    values[:30, :2], values[30:, 1:3], values[30:, 3] = 1.0, 1.0, 0.0
    made = MadeUpRun().per_step(Loss__train=np.tile(falling(300), 2)).begins_anew(300)
    names = ["old", "both", "new", "never"]
    for tag in ("gradient_norm", "update_ratio"):
        made.vectors(f"autotrack/{tag}", names, values, every=10)
    [found] = [f for f in findings.find(made.read(tmp_path)) if f.rule == "frozen-parameters"]
    assert "never" in found.evidence[0].text
    assert "old" not in found.evidence[0].text


def test_of_two_streams_the_last_training_begins_where_both_have_begun_anew(tmp_path):
    made = MadeUpRun(20, 30, streams=("one", "other"))
    made.per_step(Loss__train__one=falling(), Loss__train__other=falling())
    made.per_epoch(Loss__train_epoch__one=flat(20), Loss__val=flat(20))
    alone = made.begins_anew(300, stream="one").read(tmp_path / "alone")
    assert last_training(alone) is alone
    both = last_training(made.begins_anew(150, stream="other").read(tmp_path / "both"))
    assert both["Loss/train/one"].step.tolist() == list(range(300, 600))
    assert both["Loss/train/other"].step.tolist() == list(range(150, 600))
    # A pass that ends with so many steps is of the training before.
    assert both["Loss/train_epoch/one"].step.tolist() == list(range(330, 601, 30))
    assert both["Loss/val"].step.tolist() == list(range(330, 601, 30))
    assert both.epoch_starts("one")[1].tolist() == list(range(300, 600, 30))


def test_gradients_that_vanish_within_a_few_steps_did_not_explode_before(tmp_path):
    """As of a network that knows few samples by heart: all that is large comes first."""
    steps = np.arange(400)
    norms = 6.0 * np.exp(-steps / 4) + 1e-3
    history = run(falling(400), GradNorm__total=norms).read(tmp_path / "fall")
    assert "exploding-gradients" not in names_of(findings.find(history))
    # The same at a step in the middle, where none before were large.
    norms[[200, 240, 290]] = 60.0
    history = run(falling(400), GradNorm__total=norms).read(tmp_path / "bursts")
    [found] = [f for f in findings.find(history) if f.rule == "exploding-gradients"]
    assert "at 3 steps" in found.evidence[0].text


def test_the_classes_of_one_stream_say_nothing_of_the_loss_of_another(tmp_path):
    """A regression first, whose loss begins at 144; then two classes."""
    made = MadeUpRun(6, 100, streams=("numbers", "classes"))
    made.per_step(Loss__train__numbers=falling(600, 144.0, 3.0), Loss__train__classes=falling(600))
    made.per_step(GradNorm__total__numbers=flat(), GradNorm__total__classes=flat())
    covered(made, composed=False)
    made.confusion("train/classes", np.tile(30 * np.eye(2, dtype=int), (6, 1, 1)))
    found = findings.find(made.read(tmp_path / "one"), strict=True)
    assert "exploding-gradients" not in names_of(found)
    made.confusion("train/numbers", np.tile(30 * np.eye(2, dtype=int), (6, 1, 1)))
    found = findings.find(made.read(tmp_path / "both"), strict=True)
    assert [f.stream for f in found if f.rule == "exploding-gradients"] == ["numbers"]


@pytest.mark.parametrize(("falls", "severity"), [(True, "warning"), (False, "problem")])
def test_a_loss_that_falls_at_each_pass_is_not_said_to_stand(tmp_path, falls, severity):
    rng = np.random.default_rng(5)
    means = np.linspace(2.3, 2.27, 8)
    loss = np.repeat(means, 75) + rng.normal(0, 0.2, 600)
    passes = means if falls else means[[1, 0, 3, 2, 5, 4, 0, 6]]
    made = run(loss, 8, Loss__train_epoch=passes, Accuracy__train=[10.0] * 8)
    (finding,) = [f for f in findings.find(made.read(tmp_path)) if f.rule == "not-learning"]
    assert finding.severity == severity
    assert ("hardly" in finding.title) is falls


@pytest.mark.parametrize("first", [3.2, 2.35])
def test_a_loss_that_fell_at_once_and_no_further_is_not_said_to_stand(tmp_path, first):
    loss = np.random.default_rng(6).normal(2.3, 0.02, 600)
    loss[:2] = first, (first + 2.3) / 2
    made = run(loss, 8, Accuracy__train=[10.0] * 8)
    (finding,) = [f for f in findings.find(made.read(tmp_path)) if f.rule == "not-learning"]
    assert finding.severity == "problem"
    assert ("first steps only" in finding.title) is (first == 3.2)
    assert ("began at 3.2" in finding.evidence[0].text) is (first == 3.2)


@pytest.mark.parametrize(
    ("losses", "said"), [([3.5], "was 3.5."), ([3.5, 1.5], "went from 3.5 to")]
)
def test_one_loss_went_nowhere(tmp_path, losses, said):
    assert said in findings.verdict(run(np.array(losses)).read(tmp_path), [])
