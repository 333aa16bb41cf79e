"""Faulty twins: each fault at several strengths, on two healthy recipes that have little in common.

The first recipe is open: rules may be calibrated on it. The second is held out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from torch import nn

from benchmarks.findings.healthy import HEALTHY
from benchmarks.findings.models import linear, mlp
from benchmarks.findings.special_loops import never_steps, steps_first
from benchmarks.findings.tampering import (
    Change,
    ascend,
    at,
    constant,
    corrupted,
    dead,
    deep,
    drops_at,
    ends_at,
    few,
    fields,
    freeze,
    grows,
    initial,
    jumps,
    labels_anew,
    last_only,
    logarithm,
    louder,
    never,
    no_inputs,
    of_a_copy,
    once_in,
    only_one,
    others,
    per_step_for_per_epoch,
    rarely,
    rate,
    root,
    severed,
    shuffled,
    shuffled_share,
    slow,
    starts_at,
    stuck_statistics,
    too_late,
    too_late_to_none,
    untrained,
    without_first,
    wrong_labels,
)

if TYPE_CHECKING:
    from benchmarks.findings.outcome import Strength
    from benchmarks.findings.recipe import Recipe

RECIPES = {recipe.name: recipe for recipe in HEALTHY}


@dataclass(frozen=True)
class Fault:
    """A change that breaks a recipe; `rules` names those that are right to find it.

    `strength` is what it was meant to be; what it came to is measured (`outcome`).
    """

    name: str
    rules: tuple[str, ...]
    strength: Strength
    change: Change
    bases: tuple[str, str]

    def base(self, number: int) -> Recipe:
        """The recipe that this twin breaks."""
        return RECIPES[self.bases[min(number, 1)]]

    def twin(self, number: int) -> Recipe:
        """The broken recipe: of the first base (0), or of the other one."""
        base = self.base(number)
        return replace(self.change(base), name=f"{self.name}@{base.name}", seeds=(number,))


A, B = "digits-mlp-adam", "tabular-mlp"
NONFINITE = ("nonfinite",)
TOO_HIGH = (
    "update-ratio-large",
    "divergence",
    "nonfinite",
    "oscillation",
    "dead-relu",
    "one-class-predicted",
)
IDLE = ("idle-steps", "unheld-parameters")
DIVERGENCE = ("divergence", "nonfinite")
MISMATCH = ("train-evaluation-mismatch",)
SKIPPED = ("skipped-steps",)
SCALED = ("digits-scaler", "mnist-cnn-scaler")

FAULTS = (
    # -- numbers that are none --------------------------------------------------------------------
    Fault("nan-input-early", NONFINITE, "strong", at(20, float("nan")), (A, "friedman-mlp")),
    Fault("nan-input-late", NONFINITE, "strong", at(200, float("nan")), (A, "cancer-linear-full")),
    Fault("inf-input", NONFINITE, "strong", at(60, float("inf")), (B, "mnist-mlp")),
    Fault("huge-input", NONFINITE, "medium", at(60, 3e38), (A, "line-batches")),
    Fault("root-of-zero", NONFINITE, "strong", fields(objective=root), (A, "moons-mlp")),
    Fault("log-of-zero", NONFINITE, "strong", fields(objective=logarithm), (A, "rows-gru")),
    Fault("rate-1e30", NONFINITE, "strong", fields(lr=1e30), ("friedman-steps", "digits-mlp-sgd")),
    # -- a loss that runs away --------------------------------------------------------------------
    Fault("rate-x1000-regression", DIVERGENCE, "strong", rate(1000),
          ("friedman-steps", "diabetes-linear")),
    Fault("rate-x100-regression", DIVERGENCE, "medium", rate(100),
          ("friedman-steps", "line-full")),
    Fault("rate-x30-line", DIVERGENCE, "medium", rate(30), ("line-full", "line-batches")),
    Fault("wrong-sign", DIVERGENCE, "strong", fields(objective=ascend), (A, "friedman-mlp")),
    Fault("wrong-sign-classes", DIVERGENCE, "strong", fields(objective=ascend),
          ("images-cnn", "moons-mlp")),
    Fault("rate-grows", DIVERGENCE, "medium", fields(schedule=partial(grows, 3000.0)),
          ("friedman-steps", "friedman-mlp")),
    Fault("rate-grows-far", DIVERGENCE, "strong", fields(schedule=partial(grows, 1e6)),
          ("digits-mlp-momentum", "friedman-huber")),
    Fault("momentum-beyond", TOO_HIGH, "strong",
          rate(10, optimizer="sgd", options={"momentum": 0.999}),
          ("line-full", "friedman-steps")),
    # -- spikes -----------------------------------------------------------------------------------
    Fault("spikes-x3", ("loss-spikes",), "weak", corrupted(60, 3.0), (A, "friedman-mlp")),
    Fault("spikes-x20", ("loss-spikes",), "strong", corrupted(60, 20.0), (A, "friedman-mlp")),
    Fault("spikes-x200", ("loss-spikes",), "strong", corrupted(90, 200.0),
          (A, "mnist-mlp-dropout")),
    Fault("spikes-wrong-labels", ("loss-spikes",), "medium", wrong_labels(70), (A, "rows-gru")),
    Fault("spikes-wrong-labels-late", ("loss-spikes",), "strong", wrong_labels(120),
          ("digits-steps-down", "images-resnet")),
    Fault("spikes-of-rate", ("loss-spikes",), "strong", fields(schedule=partial(jumps, 80, 100.0)),
          (A, "chain-gru")),
    # -- up and down ------------------------------------------------------------------------------
    Fault("oscillation-momentum", ("oscillation",), "medium",
          fields(optimizer="sgd", lr=0.05, options={"momentum": 0.98}),
          ("line-full", "cancer-linear-full")),
    Fault("oscillation-edge", ("oscillation",), "strong", fields(optimizer="sgd", lr=30.0),
          ("moons-full", "cancer-linear-full")),
    Fault("oscillation-adam", ("oscillation",), "medium", rate(100), ("moons-full", "moons-mlp")),
    Fault("oscillation-rmsprop", ("oscillation",), "strong",
          fields(optimizer="rmsprop", lr=0.5), ("line-full", "cancer-linear-full")),
    Fault("oscillation-sign", ("oscillation",), "medium",
          fields(optimizer="adam", lr=0.5, options={"betas": (0.0, 0.9)}),
          ("line-full", "moons-full")),
    Fault("oscillation-edge-momentum", ("oscillation",), "strong",
          fields(optimizer="sgd", lr=10.0, options={"momentum": 0.9}),
          ("moons-full", "cancer-linear-full")),
    Fault("oscillation-of-passes", ("oscillation", *TOO_HIGH), "medium",
          rate(15, epochs=25), ("digits-mlp-momentum", "mnist-mlp-dropout")),
    Fault("rate-too-high", TOO_HIGH, "strong", rate(200),
          (A, "images-cnn")),
    Fault("rate-too-high-sgd", TOO_HIGH, "strong", rate(60),
          ("digits-mlp-sgd", "tabular-decay")),
    # -- nothing learned --------------------------------------------------------------------------
    Fault("labels-by-lot", ("not-learning",), "strong", fields(train_batch=labels_anew), (A, B)),
    Fault("labels-by-lot-images", ("not-learning",), "strong", fields(train_batch=labels_anew),
          ("images-cnn", "rows-gru")),
    Fault("inputs-zero", ("not-learning",), "strong", fields(train_batch=no_inputs),
          (A, "friedman-mlp")),
    Fault("labels-half-wrong", ("not-learning", "underfitting"), "weak",
          fields(task_change=partial(shuffled_share, 0.5)), (A, B)),
    Fault("rate-1e-9", ("not-learning", "learning-rate-zero", "update-ratio-small"), "strong",
          fields(lr=1e-9),
          (A, "images-cnn")),
    Fault("rate-1e-6", ("not-learning", "update-ratio-small"), "strong", fields(lr=1e-6),
          ("digits-mlp-sgd", "friedman-mlp")),
    Fault("linear-on-rings", ("not-learning", "underfitting"), "strong", fields(model=linear),
          ("rings-mlp", "rings-mlp")),
    # -- underfitting -----------------------------------------------------------------------------
    Fault("linear-on-tabular", ("underfitting",), "medium", fields(model=linear, epochs=20),
          (B, "friedman-mlp")),
    Fault("width-1", ("underfitting",), "strong", fields(model=mlp(1), epochs=20, lr=5e-3),
          (A, B)),
    Fault("width-2", ("underfitting",), "medium", fields(model=mlp(2), epochs=20, lr=5e-3),
          (A, "mnist-mlp")),
    Fault("dropout-0.95", ("underfitting", "train-evaluation-mismatch"), "strong",
          fields(model=mlp(32, dropout=0.95), epochs=15), (A, B)),
    Fault("decay-1", ("underfitting", "not-learning", "one-class-predicted"), "strong",
          fields(optimizer="sgd", lr=0.1, options={"weight_decay": 0.3}, epochs=15), (A, B)),
    Fault("too-short", ("underfitting",), "weak", fields(epochs=2), (A, "chain-transformer")),
    Fault("rate-too-small", ("underfitting", "update-ratio-small", "not-learning"), "strong",
          rate(0.02), (A, "images-cnn")),
    # -- overfitting ------------------------------------------------------------------------------
    Fault("few-60", ("overfitting",), "strong",
          few(60, 150, model=mlp(128, 128), lr=3e-3, batch=20), ("noisy-mlp", B)),
    Fault("few-100", ("overfitting",), "strong",
          few(100, 100, model=mlp(64, 64), batch=20, lr=3e-3), (B, "diabetes-mlp")),
    Fault("few-200", ("overfitting",), "strong", few(200, 80, model=mlp(96), lr=5e-3),
          ("noisy-mlp", "labels-mlp")),
    Fault("few-digits", ("overfitting",), "medium", few(80, 150, lr=3e-3), (A, "mnist-mlp")),
    Fault("learned-by-heart", ("overfitting",), "strong",
          fields(task_change=partial(shuffled_share, 0.5), model=mlp(256), lr=5e-3, epochs=30),
          (A, B)),
    Fault("all-by-heart", ("overfitting",), "strong",
          fields(task_change=lambda task: shuffled(task.smaller(400)), model=mlp(256), lr=5e-3,
                 epochs=60), (A, "mnist-mlp")),
    Fault("large-and-long", ("overfitting",), "medium",
          fields(model=mlp(256, 256), epochs=30, lr=3e-3), ("noisy-mlp", "labels-mlp")),
    # -- evaluation is not what it seems ----------------------------------------------------------
    Fault("no-eval-dropout", MISMATCH, "weak", fields(model=mlp(64, dropout=0.3), eval_mode=False),
          (A, "mnist-mlp")),
    Fault("no-eval-much-dropout", MISMATCH, "medium",
          fields(model=mlp(64, 64, dropout=0.7), eval_mode=False), (A, B)),
    Fault("no-train", MISMATCH, "medium", fields(train_mode=False, model=mlp(64, dropout=0.5)),
          (A, B)),
    Fault("evaluates-untrained", MISMATCH, "strong", fields(evaluated=untrained), (A, B)),
    Fault("evaluates-first-copy", MISMATCH, "strong", fields(evaluated=constant),
          ("digits-mlp-sgd", "images-cnn")),
    Fault("other-labels", MISMATCH, "strong", fields(val_batch=others), (A, "moons-mlp")),
    Fault("not-normalised", MISMATCH, "strong", fields(val_batch=partial(louder, 50.0)),
          (A, "mnist-cnn")),
    Fault("not-normalised-x5", MISMATCH, "medium", fields(val_batch=partial(louder, 5.0)),
          (B, "friedman-mlp")),
    Fault("statistics-stuck", MISMATCH, "strong", fields(prepare=stuck_statistics),
          ("images-resnet", "digits-batchnorm")),
    # -- gradients by depth -----------------------------------------------------------------------
    Fault("sigmoid-6", ("vanishing-gradients",), "medium", deep(6, nn.Sigmoid), (A, B)),
    Fault("sigmoid-10", ("vanishing-gradients",), "strong", deep(10, nn.Sigmoid), (A, B)),
    Fault("sigmoid-16", ("vanishing-gradients",), "strong", deep(16, nn.Sigmoid),
          ("digits-mlp-sgd", "mnist-mlp")),
    Fault("tanh-small", ("vanishing-gradients",), "strong",
          deep(8, nn.Tanh, prepare=partial(initial, 0.3)), (A, B)),
    Fault("tanh-20", ("vanishing-gradients",), "medium", deep(20, nn.Tanh), (A, "friedman-mlp")),
    Fault("relu-20", ("vanishing-gradients", "dead-relu"), "strong", deep(20, nn.ReLU), (A, B)),
    Fault("init-x3-deep", ("exploding-gradients",), "medium",
          deep(6, nn.ReLU, prepare=partial(initial, 4.0)), ("digits-mlp-sgd", "mnist-mlp")),
    Fault("init-x10-deep", ("exploding-gradients", "nonfinite"), "strong",
          deep(5, nn.ReLU, prepare=partial(initial, 12.0)), (A, "tabular-decay")),
    Fault("init-x10-regression", ("exploding-gradients", "nonfinite"), "strong",
          deep(5, nn.ReLU, prepare=partial(initial, 12.0)), ("friedman-mlp", "friedman-huber")),
    Fault("init-x30", ("exploding-gradients", "nonfinite"), "strong",
          deep(6, nn.ReLU, prepare=partial(initial, 30.0)), (A, "mnist-mlp")),
    Fault("init-recurrent", ("exploding-gradients", "nonfinite"), "strong",
          fields(prepare=partial(initial, 8.0), clip=None), ("waves-gru", "rows-lstm")),
    # -- parameters that do not move --------------------------------------------------------------
    Fault("frozen-first", ("frozen-parameters",), "strong",
          fields(prepare=partial(freeze, 1)), (A, "images-cnn")),
    Fault("frozen-two", ("frozen-parameters",), "strong", fields(prepare=partial(freeze, 2)),
          (B, "friedman-mlp")),
    Fault("frozen-embedding", ("frozen-parameters",), "strong", fields(prepare=partial(freeze, 1)),
          ("letters-transformer", "majority-transformer")),
    Fault("forgotten-first", ("frozen-parameters", "unheld-parameters"), "strong",
          fields(held=partial(without_first, 2)), (A, "images-cnn")),
    Fault("forgotten-bias", ("frozen-parameters", "unheld-parameters"), "weak",
          fields(held=lambda model: [p for p in model.parameters() if p.dim() > 1]),
          (A, "mnist-cnn")),
    Fault("dead-all", ("dead-relu", "not-learning"), "strong",
          fields(prepare=partial(dead, -30.0, 1.0)), (A, B)),
    Fault("dead-most", ("dead-relu",), "strong", fields(prepare=partial(dead, -30.0, 0.8)), (A, B)),
    Fault("dead-half", ("dead-relu",), "strong", fields(prepare=partial(dead, -30.0, 0.5)),
          ("digits-mlp-sgd", "images-cnn")),
    Fault("dead-quarter", ("dead-relu",), "medium", fields(prepare=partial(dead, -30.0, 0.25)),
          (A, B)),
    Fault("dead-tenth", ("dead-relu",), "weak", fields(prepare=partial(dead, -30.0, 0.1)),
          (A, "mnist-mlp")),
    Fault("dead-by-rate", ("dead-relu", "not-learning"), "medium", rate(300), (A, "images-cnn")),
    # -- updates ----------------------------------------------------------------------------------
    Fault("updates-1e-7", ("update-ratio-small", "not-learning"), "strong", fields(lr=1e-7),
          (A, B)),
    Fault("updates-1e-5", ("update-ratio-small", "not-learning", "underfitting"), "medium",
          fields(lr=1e-5), (A, "mnist-mlp")),
    Fault("updates-sgd-1e-5", ("update-ratio-small", "not-learning"), "strong",
          fields(optimizer="sgd", lr=1e-5), ("digits-mlp-sgd", "chain-gru")),
    Fault("updates-1e-6", ("update-ratio-small", "not-learning"), "strong", fields(lr=1e-6),
          ("images-cnn", B)),
    Fault("updates-sgd-1e-6", ("update-ratio-small", "not-learning"), "strong",
          fields(optimizer="sgd", lr=1e-6), ("rows-gru", "digits-batchnorm")),
    Fault("updates-clipped", ("update-ratio-small", "not-learning", "clipping-always"), "strong",
          fields(clip=1e-6), ("digits-mlp-sgd", "friedman-steps")),
    Fault("updates-large", TOO_HIGH, "strong", rate(300), ("digits-mlp-rmsprop", B)),
    Fault("updates-large-100", TOO_HIGH, "medium", rate(100), (A, "friedman-mlp")),
    Fault("updates-huge", TOO_HIGH, "strong", rate(3000),
          (A, "images-cnn")),
    # -- clipping ---------------------------------------------------------------------------------
    Fault("clip-1e-4", ("clipping-always",), "strong", fields(clip=1e-4),
          ("digits-mlp-sgd", "images-resnet")),
    Fault("clip-1e-3", ("clipping-always",), "strong", fields(clip=1e-3), (A, "chain-gru")),
    Fault("clip-0.01", ("clipping-always",), "strong", fields(clip=0.01),
          ("digits-mlp-momentum", "friedman-mlp")),
    Fault("clip-0.1", ("clipping-always",), "medium", fields(clip=0.1),
          ("digits-mlp-sgd", "rows-gru")),
    Fault("clip-0.5", ("clipping-always",), "weak", fields(clip=0.5), (A, "mnist-cnn")),
    # -- the rate over time -----------------------------------------------------------------------
    Fault("rate-0", ("learning-rate-zero", "not-learning"), "strong", fields(lr=0.0), (A, B)),
    Fault("ends-at-10", ("learning-rate-zero",), "strong", fields(schedule=partial(ends_at, 0.1)),
          (A, "images-cnn")),
    Fault("ends-at-25", ("learning-rate-zero",), "strong", fields(schedule=partial(ends_at, 0.25)),
          ("digits-mlp-sgd", "friedman-steps")),
    Fault("ends-at-50", ("learning-rate-zero",), "medium", fields(schedule=partial(ends_at, 0.5)),
          (A, "chain-gru")),
    Fault("ends-at-80", ("learning-rate-zero",), "weak", fields(schedule=partial(ends_at, 0.8)),
          (A, B)),
    Fault("step-for-epoch", ("learning-rate-zero",), "strong",
          fields(schedule=per_step_for_per_epoch, schedule_by_epoch=False),
          ("digits-steps-down", "images-cnn")),
    # -- plateau ----------------------------------------------------------------------------------
    Fault("plateau-tenth", ("plateau", "learning-rate-zero", "underfitting"), "medium",
          fields(schedule=partial(drops_at, 0.2, 0.01), epochs=15),
          ("digits-mlp-sgd", "chain-gru")),
    Fault("plateau-thousandth", ("plateau", "learning-rate-zero"), "strong",
          fields(schedule=partial(drops_at, 0.15, 1e-4), epochs=15),
          ("digits-mlp-momentum", "friedman-mlp")),
    Fault("plateau-early", ("plateau", "learning-rate-zero", "not-learning"), "strong",
          fields(schedule=partial(starts_at, 0.7), epochs=15), (A, "images-cnn")),
    Fault("plateau-narrow", ("plateau", "underfitting"), "strong",
          fields(model=mlp(2), lr=2e-2, epochs=40), (A, B)),
    Fault("plateau-linear", ("plateau", "underfitting"), "strong",
          fields(model=linear, epochs=60, lr=1e-2), (B, "friedman-mlp")),
    # -- gradients that pile up -------------------------------------------------------------------
    Fault("no-zero-grad", ("accumulated-gradients",), "strong", fields(clear=never),
          ("digits-mlp-sgd", "friedman-steps")),
    Fault("no-zero-grad-adam", ("accumulated-gradients",), "strong", fields(clear=never),
          (A, "images-cnn")),
    Fault("no-zero-grad-momentum", ("accumulated-gradients",), "strong", fields(clear=never),
          ("digits-mlp-momentum", "rows-lstm")),
    Fault("zero-grad-each-epoch", ("accumulated-gradients",), "strong",
          fields(clear=partial(once_in, 45)), (A, "moons-mlp")),
    Fault("zero-grad-each-tenth", ("accumulated-gradients",), "medium",
          fields(clear=partial(once_in, 10)), (A, "tabular-decay")),
    Fault("zero-grad-each-second", ("accumulated-gradients",), "weak",
          fields(clear=partial(once_in, 2)), (A, B)),
    # -- steps that follow no gradient ------------------------------------------------------------
    Fault("zero-grad-too-late", IDLE, "strong", fields(before_step=too_late), (A, "friedman-mlp")),
    Fault("zero-grad-too-late-none", IDLE, "strong", fields(before_step=too_late_to_none),
          ("digits-mlp-sgd", "moons-mlp")),
    Fault("step-before-backward", IDLE, "strong", fields(loop=steps_first), ("images-cnn", B)),
    Fault("severed-loss", IDLE, "strong", fields(objective=severed), (A, "friedman-steps")),
    Fault("never-steps", IDLE, "strong", fields(loop=never_steps), (A, "rows-gru")),
    # -- an optimizer for something else ----------------------------------------------------------
    Fault("copied-model", ("unheld-parameters",), "strong", fields(held=of_a_copy),
          (A, "images-cnn")),
    Fault("copied-model-sgd", ("unheld-parameters",), "strong", fields(held=of_a_copy),
          ("digits-mlp-sgd", "friedman-mlp")),
    Fault("copied-model-steps", ("unheld-parameters",), "strong", fields(held=of_a_copy),
          ("digits-steps", "letters-transformer")),
    Fault("copied-model-slices", ("unheld-parameters",), "strong", fields(held=of_a_copy),
          ("tabular-adamw", "moons-full")),
    Fault("last-layer-only", ("unheld-parameters", "frozen-parameters"), "strong",
          fields(held=partial(last_only, 2)), (A, "images-cnn")),
    # -- steps that are none ----------------------------------------------------------------------
    Fault("scaler-never", SKIPPED, "strong",
          fields(scaler={"init_scale": 1e38, "backoff_factor": 0.9999}), SCALED),
    Fault("scaler-long", SKIPPED, "strong",
          fields(scaler={"init_scale": 1e38, "backoff_factor": 0.5}), SCALED),
    Fault("scaler-half", SKIPPED, "strong",
          fields(scaler={"init_scale": 1e8, "growth_interval": 1, "growth_factor": 2.0}), SCALED),
    Fault("scaler-third", SKIPPED, "medium",
          fields(scaler={"init_scale": 1e8, "growth_interval": 2, "growth_factor": 2.0}), SCALED),
    Fault("scaler-tenth", SKIPPED, "weak",
          fields(scaler={"init_scale": 1e8, "growth_interval": 9, "growth_factor": 2.0}), SCALED),
    # -- one answer to everything -----------------------------------------------------------------
    Fault("one-class-x1000", TOO_HIGH, "strong", rate(1000), (A, "mnist-cnn")),
    Fault("one-class-x300", TOO_HIGH, "medium", rate(300),
          ("images-cnn", "rows-lstm")),
    Fault("one-class-rare", ("one-class-predicted",), "strong",
          fields(task_change=partial(rarely, 2), epochs=25, optimizer="sgd", lr=0.01),
          (A, "mnist-mlp")),
    Fault("one-class-offset", ("one-class-predicted",), "strong",
          fields(prepare=partial(only_one, 50.0), lr=1e-4), (A, "mnist-cnn")),
    Fault("one-class-imbalanced", ("one-class-predicted",), "strong",
          fields(optimizer="sgd", lr=1e-3, epochs=6), ("imbalanced", "imbalanced")),
    Fault("one-class-dead", ("one-class-predicted",), "strong",
          fields(prepare=partial(dead, -30.0, 1.0)), ("digits-mlp-sgd", "images-cnn")),
    # -- events that are no faults ----------------------------------------------------------------
    Fault("drop-at-half", ("sharp-drops",), "strong", fields(schedule=partial(starts_at, 0.5)),
          ("digits-mlp-momentum", "friedman-mlp")),
    Fault("drop-late", ("sharp-drops",), "strong",
          fields(schedule=partial(starts_at, 0.7), epochs=15), ("digits-mlp-adagrad", "moons-mlp")),
    Fault("drop-of-noise", ("sharp-drops",), "strong",
          fields(schedule=partial(drops_at, 0.6, 0.01), lr=0.6, epochs=12),
          ("digits-mlp-momentum", "tabular-decay")),
    Fault("drop-of-rate", ("sharp-drops",), "medium",
          rate(60, schedule=partial(drops_at, 0.5, 0.02)), (A, "images-cnn")),
    Fault("drop-of-rate-small", ("sharp-drops",), "weak",
          rate(10, schedule=partial(drops_at, 0.5, 0.1)), (A, "mnist-mlp")),
    # -- waiting for data -------------------------------------------------------------------------
    Fault("slow-loader-30us", ("input-bound",), "weak", fields(fetch=slow(1e-5), epochs=30),
          (A, "friedman-mlp")),
    Fault("slow-loader-100us", ("input-bound",), "medium", fields(fetch=slow(1e-4), epochs=18),
          (A, "mnist-mlp")),
    Fault("slow-loader-300us", ("input-bound",), "strong", fields(fetch=slow(3e-4), epochs=10),
          (A, "friedman-mlp")),
    Fault("slow-loader-1ms", ("input-bound",), "strong", fields(fetch=slow(1e-3), epochs=5),
          (A, "images-cnn")),
    Fault("slow-loader-3ms", ("input-bound",), "strong", fields(fetch=slow(3e-3), epochs=18),
          ("wine-mlp", "cancer-mlp")),
)  # fmt: skip
