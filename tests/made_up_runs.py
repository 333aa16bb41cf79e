"""The runs that every figure is drawn for: ordinary ones and the worst that records hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from synthetic_runs import MadeUpRun

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = [f"blocks.{block}.{part}" for block in range(15) for part in ("q", "k", "v", "b")]
AWKWARD_NAMES = ["$x_1$ weight", "a_b^{c", "\\frac{1}", "Größe.ß_μ", "layer." * 20 + "weight"]


def random() -> np.random.Generator:
    return np.random.default_rng(7)


def falling(steps: int, noise: float = 0.1) -> np.ndarray:
    return 2.3 * np.exp(-4 * np.arange(steps) / steps) + 0.3 + random().normal(0, noise, steps)


def one_step() -> MadeUpRun:
    return MadeUpRun(1, 1).per_step(Loss__train=[2.3], GradNorm__total=[0.5])


def few_epochs() -> MadeUpRun:
    loss = falling(80)
    mean = loss.reshape(5, 16).mean(axis=1)
    run = MadeUpRun(5, 16, facts={"name": "digits", "config": {"lr": 0.1, "batch_size": 64}})
    run.per_step(Loss__train=loss, GradNorm__total=loss, LearningRate__group0=np.full(80, 0.1))
    run.per_step(GradNorm__clipped=np.minimum(loss, 1.0), Throughput__samples_per_second=loss + 900)
    run.per_epoch(Loss__train_epoch=mean, Loss__val=mean + 0.1, Loss__test=mean + 0.11)
    run.per_epoch(Accuracy__train=99 - mean * 20, Accuracy__val=98 - mean * 20)
    ratios = 1e-3 * np.exp(random().normal(0, 0.5, (80, 4)))
    run.vectors("autotrack/update_ratio", NAMES[:4], ratios)
    tensors = [random().normal(0, 1 + step / 80, 500) for step in range(0, 80, 16)]
    return run.histograms("Weights/0.weight", list(range(0, 80, 16)), tensors)


def detected() -> MadeUpRun:
    """Nine parts of a loss, as a detector's criterion names them; two phases have them, too."""
    loss = falling(80)
    mean = loss.reshape(5, 16).mean(axis=1)
    run = MadeUpRun(5, 16).per_step(Loss__train=9 * loss).per_epoch(Loss__train_epoch=9 * mean)
    for index, part in enumerate(
        f"loss_{of}{n}" for n in ("", "_0", "_1") for of in ("ce", "bbox", "giou")
    ):
        own = {f"Loss__{phase}__{part}": mean * (index + 2) / 5 for phase in ("val", "test")}
        run.per_step(**{f"Loss__train__{part}": loss * (index + 1) / 5}).per_epoch(**own)
    return run


def folds() -> MadeUpRun:
    """Three trainings in turn, of which the last is much worse in evaluation."""
    loss = np.concatenate([falling(80), falling(80) + 0.1, falling(80)])
    mean = loss.reshape(15, 16).mean(axis=1)
    run = MadeUpRun(15, 16).per_step(Loss__train=loss, GradNorm__total=loss).begins_anew(80, 160)
    run.per_epoch(Loss__train_epoch=mean, Loss__val=mean + np.repeat([0.1, 0.2, 0.9], 5))
    return run.per_epoch(Accuracy__train=99 - mean * 20, Accuracy__val=98 - mean * 20)


def folds_of_one_step_epochs() -> MadeUpRun:
    loss = np.tile(8 * 0.93 ** np.arange(60) + 0.3, 3)
    run = MadeUpRun(180, 1).per_step(Loss__train=loss).per_epoch(R2__train=1 - loss)
    return run.begins_anew(60, 120)


def full_batch() -> MadeUpRun:
    loss = 8 * 0.93 ** np.arange(100) + 0.3
    run = MadeUpRun(100, 1).per_step(Loss__train=loss).per_epoch(Loss__train_epoch=loss)
    return run.per_epoch(R2__train=1 - loss, MAE__train=np.sqrt(loss))


def many_epochs() -> MadeUpRun:
    mean = falling(300, 0.02)
    run = MadeUpRun(300, 3).per_step(Loss__train=np.repeat(mean, 3))
    run.per_epoch(Loss__train_epoch=mean, Loss__val=mean + 0.2, Accuracy__val=100 - 30 * mean)
    return run


def resumed() -> MadeUpRun:
    return MadeUpRun(53, 4, first_epoch=37).per_step(Loss__train=falling(212))


def long_and_noisy() -> MadeUpRun:
    loss = falling(20_000, 0.4) + 1.5
    loss[12_000] = 9.0
    return MadeUpRun().per_step(Loss__train=loss)


def eight_decades() -> MadeUpRun:
    loss = 10.0 ** np.linspace(4, -4, 400)
    return MadeUpRun().per_step(Loss__train=loss, GradNorm__total=loss, LearningRate__group0=loss)


def negative() -> MadeUpRun:
    return MadeUpRun(4, 50).per_step(Loss__train=-1000.0 * np.arange(200) + 3)


def missing_values() -> MadeUpRun:
    loss = falling(300)
    loss[140:160], loss[200], loss[250] = np.nan, np.inf, -np.inf
    run = MadeUpRun(3, 100).per_step(Loss__train=loss, GradNorm__total=loss)
    return run.per_epoch(Loss__val=[1.0, np.nan, 0.5], Accuracy__val=[np.nan, 50.0, 60.0])


def nothing_finite() -> MadeUpRun:
    nothing = np.full(60, np.nan)
    run = MadeUpRun(3, 20).per_step(Loss__train=nothing, GradNorm__total=nothing)
    return run.per_epoch(Loss__val=[np.nan] * 3, Accuracy__val=[np.nan] * 3)


def constant() -> MadeUpRun:
    run = MadeUpRun(3, 20).per_step(Loss__train=np.full(60, 0.6931), GradNorm__total=np.zeros(60))
    return run.per_epoch(Accuracy__train=[50.0] * 3, Accuracy__val=[100.0] * 3)


def huge_with_small_changes() -> MadeUpRun:
    return MadeUpRun().per_step(Loss__train=1_234_567 + np.arange(50) / 4)


def adversaries() -> MadeUpRun:
    generator, critic = 1 + falling(600, 0.3), 1.4 + falling(600, 0.1)
    run = MadeUpRun(6, 100, streams=("opt_g", "opt_d"))
    run.per_step(Loss__train__opt_g=generator, Loss__train__opt_d=critic)
    run.per_step(GradNorm__total__opt_g=generator, GradNorm__total__opt_d=critic)
    run.per_step(LearningRate__opt_g__group0=np.full(600, 2e-4))
    run.per_step(LearningRate__opt_d__group0=np.full(600, 1e-4))
    names = [f"layer{block}.weight" for block in range(4)]
    norms = np.exp(random().normal(0, 1, (6, 4)))
    run.vectors("autotrack/gradient_norm", names, norms, every=100, stream="opt_g")
    run.vectors("autotrack/gradient_norm", names[:3], norms[:, :3], every=100, stream="opt_d")
    return run.per_epoch(Loss__train_epoch__opt_g=generator[::100])


def many_evaluations() -> MadeUpRun:
    phases = {
        f"Loss__val_{letter}": falling(8) + 0.01 * i for i, letter in enumerate("abcdefghijkl")
    }
    return MadeUpRun(8, 10).per_step(Loss__train=falling(80)).per_epoch(**phases)


def many_parameters() -> MadeUpRun:
    run = MadeUpRun(10, 60, facts={"name": "$deep_er$ " * 20}).per_step(Loss__train=falling(600))
    ratios = 1e-3 * np.exp(random().normal(0, 0.6, (600, len(NAMES))))
    ratios[:, 3] = 0.0
    run.vectors("autotrack/update_ratio", NAMES, ratios)
    run.vectors("autotrack/gradient_norm", NAMES, ratios * 100)
    for name in NAMES:
        tensors = [random().normal(0, 1, 100) for _ in range(3)]
        run.histograms(f"Weights/{name}", [0, 100, 200], tensors)
    return run


def awkward_names() -> MadeUpRun:
    run = MadeUpRun(2, 30, facts={"name": "$\\alpha_", "config": {"$lr_": "a_b$", "x" * 300: 1}})
    ratios = 1e-3 * np.exp(random().normal(0, 0.6, (60, len(AWKWARD_NAMES))))
    run.per_step(Loss__train=falling(60)).vectors("autotrack/update_ratio", AWKWARD_NAMES, ratios)
    for name in AWKWARD_NAMES:
        run.histograms(f"Weights/{name}", [0, 30], [random().normal(0, 1e-6, 50), np.zeros(50)])
    return run.per_epoch(**{"Loss__$val_$": [1.0, 0.9], "Loss__val_größe": [1.1, 0.9]})


def falls() -> MadeUpRun:
    loss = 2 + random().normal(0, 0.05, 2000)
    loss[600:] -= 0.8
    loss[1400:] -= 0.7
    mean = loss.reshape(20, 100).mean(axis=1)
    run = MadeUpRun(20, 100).per_step(Loss__train=loss)
    return run.per_epoch(Loss__train_epoch=mean, Loss__val=mean + 0.1, Loss__test=mean + 0.15)


def evaluated_before() -> MadeUpRun:
    run = MadeUpRun(3, 20).per_step(Loss__train=falling(60), Loss__val_initial=[2.4])
    return run.per_epoch(Loss__val=[1.0, 0.8, 0.7], Accuracy__val=[50.0, 60.0, 70.0])


def confusions(classes: int, epochs: int, samples: int) -> np.ndarray:
    """Matrices that become diagonal, best in the last epoch but one."""
    chance = random()
    shares = [0.4, 0.6, *([0.9] * (epochs - 3)), 0.8] if epochs > 3 else [0.8] * epochs
    counts = []
    for share in shares:
        rows = np.full((classes, classes), (1 - share) / (classes - 1))
        np.fill_diagonal(rows, share)
        counts.append([chance.multinomial(samples, row) for row in rows])
    return np.array(counts)


def classified() -> MadeUpRun:
    run = MadeUpRun(4, 20, facts={"name": "classified"})
    loss = falling(80)
    run.per_step(Loss__train=loss, Loss__train__cross_entropy=loss * 0.8, Throughput__wait=loss)
    run.per_step(Loss__train__mse_loss=loss * 0.2, LearningRate__group0=[0.1] * 40 + [0.01] * 40)
    run.per_step(**{"Temperature": loss, "own/$größe_": -loss, "x" * 90: np.full(80, np.nan)})
    names = [f"{layer}.{part}" for layer in range(6) for part in ("weight", "bias")]
    norms = np.exp(random().normal(0, 1, (80, 12)))
    norms[:, 4:6] = 0.0
    run.vectors("autotrack/gradient_norm", names, norms)
    matrices = confusions(10, 4, 50)
    run.confusion("train", matrices).confusion("val", matrices)
    accuracy = 100 * np.trace(matrices, axis1=1, axis2=2) / matrices.sum((1, 2))
    return run.per_epoch(Accuracy__val=accuracy, Loss__val=[1.0, 0.8, 0.7, 0.9])


GARMENTS = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt"]
GARMENTS += ["Sneaker", "Bag", "$x_1$ <b>boot"]


def named_classes() -> MadeUpRun:
    run = MadeUpRun(6, 20, facts={"name": "garments", "classes": [GARMENTS], "config": {"lr": 0.1}})
    matrices = confusions(10, 6, 100)
    accuracy = 100 * np.trace(matrices, axis1=1, axis2=2) / matrices.sum((1, 2))
    loss = falling(120)
    run.confusion("train", matrices).confusion("test", matrices)
    run.per_step(Loss__train=loss, GradNorm__total=loss, LearningRate__group0=np.full(120, 0.1))
    run.per_step(Throughput__samples_per_second=loss + 900)
    names = [f"layer{block}.{part}" for block in range(9) for part in ("weight", "bias")]
    norms = np.exp(random().normal(0, 0.3, (6, 18)) + np.arange(18) / 6)
    run.vectors("autotrack/gradient_norm", names, norms, every=20)
    run.vectors("autotrack/update_ratio", names, 1e-3 * norms, every=20)
    mean = loss.reshape(6, 20).mean(axis=1)
    return run.per_epoch(Accuracy__test=accuracy, Loss__test=mean + 0.1, Accuracy__train=accuracy)


def scaled() -> MadeUpRun:
    run = MadeUpRun(4, 20).per_step(Loss__train=falling(80), GradNorm__total=falling(80))
    return run.skipped(0, 0, 0, 1, 33, 60)


def two_classes() -> MadeUpRun:
    run = MadeUpRun(1, 20).per_step(Loss__train=falling(20))
    return run.confusion("val", np.array([[[40_000, 123], [0, 0]]]))


def hundred_classes() -> MadeUpRun:
    run = MadeUpRun(4, 20).per_step(Loss__train=falling(80))
    return run.confusion("val", confusions(100, 4, 6))


RUNS: list[Callable[[], MadeUpRun]] = [
    one_step,
    few_epochs,
    detected,
    folds,
    folds_of_one_step_epochs,
    full_batch,
    many_epochs,
    resumed,
    long_and_noisy,
    eight_decades,
    negative,
    missing_values,
    nothing_finite,
    constant,
    huge_with_small_changes,
    adversaries,
    many_evaluations,
    many_parameters,
    awkward_names,
    falls,
    evaluated_before,
    classified,
    named_classes,
    scaled,
    two_classes,
    hundred_classes,
]
