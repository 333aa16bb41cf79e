"""Every metric against numbers that scikit-learn or numpy computed from the same tensors."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from sklearn.metrics import accuracy_score, confusion_matrix, mean_absolute_error, r2_score
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

import autotrack
from autotrack.errors import UsageError
from autotrack.events import StepTaken
from autotrack.metrics import Metric
from autotrack.metrics._counting import Counter
from autotrack.metrics.accuracy import Count


def loop(model, optimizer, criterion, batches, *, epochs=2, after_backward=lambda: None):
    """Train and keep what went in and came out, epoch by epoch."""
    seen = []
    for _epoch in range(epochs):
        outputs, targets, losses = [], [], []
        for x, y in batches:
            optimizer.zero_grad()
            out = model(x)
            loss = criterion(out, y)
            loss.backward()
            after_backward()
            optimizer.step()
            outputs.append(out.detach().numpy().copy())
            targets.append(y.numpy().copy())
            losses.append(loss.item())
        seen.append((np.concatenate(outputs), np.concatenate(targets), losses))
    return seen


def batches_of(x, y, size=4):
    return DataLoader(TensorDataset(x, y), batch_size=size, shuffle=True)


# -- accuracy and loss -----------------------------------------------------------------------------


def test_accuracy_and_loss_of_classes():
    x, y = torch.randn(22, 3), torch.randint(0, 3, (22,))
    model = nn.Linear(3, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    with autotrack.tracking(logdir="run") as run:
        seen = loop(model, optimizer, nn.CrossEntropyLoss(), batches_of(x, y))
    history = run.history
    by_hand = [100 * accuracy_score(y, out.argmax(1)) for out, y, _ in seen]
    assert_allclose(history["Accuracy/train"].value, by_hand, rtol=1e-6)
    assert history["Accuracy/train"].x.tolist() == [0, 1]
    losses = [loss for _, _, own in seen for loss in own]
    assert history["Loss/train"].value.tolist() == np.float32(losses).tolist()
    # the last batch is half as large, and counts half
    sizes = [4, 4, 4, 4, 4, 2]
    assert_allclose(
        history["Loss/train_epoch"].value,
        [np.average(own, weights=sizes) for _, _, own in seen],
        rtol=1e-6,
    )
    assert "R2/train" not in history
    assert "MAE/train" not in history


def test_accuracy_of_pixels_leaves_out_what_is_ignored():
    x, y = torch.randn(6, 2, 4, 4), torch.randint(0, 3, (6, 4, 4))
    y[torch.rand(6, 4, 4) < 0.3] = -100
    model = nn.Conv2d(2, 3, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    with autotrack.tracking(logdir="run") as run:
        seen = loop(model, optimizer, nn.CrossEntropyLoss(), batches_of(x, y))
    by_hand = []
    for out, target, _ in seen:
        valid = target != -100
        by_hand.append(100 * accuracy_score(target[valid], out.argmax(1)[valid]))
    assert_allclose(run.history["Accuracy/train"].value, by_hand, rtol=1e-6)


@pytest.mark.parametrize("logits", [True, False])
def test_accuracy_of_binary_and_multi_label_targets(logits):
    x, y = torch.randn(16, 3), (torch.rand(16, 2) > 0.4).float()
    model = nn.Linear(3, 2) if logits else nn.Sequential(nn.Linear(3, 2), nn.Sigmoid())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    criterion = nn.BCEWithLogitsLoss() if logits else nn.BCELoss()
    with autotrack.tracking(logdir="run") as run:
        seen = loop(model, optimizer, criterion, batches_of(x, y))
    threshold = 0.0 if logits else 0.5
    by_hand = [100 * accuracy_score(t.ravel(), (o > threshold).ravel()) for o, t, _ in seen]
    assert_allclose(run.history["Accuracy/train"].value, by_hand, rtol=1e-6)


def test_a_sample_with_a_nan_score_is_wrong():
    x, y = torch.tensor([[float("nan"), 0.0], [0.0, 1.0]]), torch.tensor([0, 1])
    model = nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    with torch.no_grad():
        model.weight.copy_(torch.eye(2) * 5)
        model.bias.zero_()
    with autotrack.tracking(logdir="run") as run:
        loop(model, optimizer, nn.CrossEntropyLoss(), [(x, y)], epochs=1)
    assert run.history["Accuracy/train"].value.tolist() == [50.0]


@pytest.mark.parametrize("epochs", [1, 8])
def test_scores_that_a_language_model_turns_for_its_criterion_are_those_of_their_samples(epochs):
    tokens, y = torch.randint(0, 9, (6, 12)), torch.randint(0, 9, (6, 12))
    model = nn.Sequential(nn.Embedding(9, 5), nn.Linear(5, 9))
    optimizer, criterion = torch.optim.SGD(model.parameters(), lr=0.5), nn.CrossEntropyLoss()
    by_hand = []
    with autotrack.tracking(logdir="run") as run:
        for _epoch in range(epochs):
            right = 0
            for _ in range(4):
                scores = model(tokens)
                loss = criterion(scores.transpose(1, 2), y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                right += sum(
                    int(row.tolist().index(max(row.tolist())) == wanted)
                    for row, wanted in zip(scores.view(-1, 9), y.view(-1).tolist(), strict=True)
                )
            by_hand.append(100 * right / (4 * y.numel()))
    assert_allclose(run.history["Accuracy/train"].value, by_hand, rtol=1e-6)


def test_scores_whose_sign_is_not_worked_out_yet_are_compared():
    x, y = torch.randn(20, 4, dtype=torch.complex64), torch.randint(0, 3, (20,))
    model = nn.Linear(4, 3, dtype=torch.complex64)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    with autotrack.tracking(logdir="run", strict=True) as run:
        for _epoch in range(2):
            optimizer.zero_grad()
            nn.functional.cross_entropy(scores := model(x).conj().imag, y).backward()
            optimizer.step()
    assert scores.is_neg()
    by_hand = accuracy_score(y, [row.index(max(row)) for row in scores.tolist()])
    assert_allclose(run.history["Accuracy/train"].value, [100 * by_hand] * 2, rtol=1e-6)


# -- confusion -------------------------------------------------------------------------------------


@pytest.mark.parametrize("ignored", [-100, 255, 1])
def test_confusion_counts_labels_and_predictions_of_what_is_not_ignored(ignored):
    x, y = torch.randn(30, 2, 3, 3), torch.randint(0, 4, (30, 3, 3))
    y[torch.rand(30, 3, 3) < 0.3] = ignored
    model, criterion = nn.Conv2d(2, 4, 1), nn.CrossEntropyLoss(ignore_index=ignored)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    with autotrack.tracking(logdir="run") as run:
        seen = loop(model, optimizer, criterion, batches_of(x, y))
        with torch.no_grad():
            val = model(x)
            criterion(val, y)
    history = run.history
    for (out, target, _), counts in zip(seen, history.confusion["train"].counts, strict=True):
        kept = target != ignored
        by_hand = confusion_matrix(target[kept], out.argmax(1)[kept], labels=range(4))
        assert counts.tolist() == by_hand.tolist()
    kept = y != ignored
    by_hand = confusion_matrix(y[kept], val.argmax(1)[kept], labels=range(4))
    assert history.confusion["val"].counts.tolist() == [by_hand.tolist()]
    for phase in ("train", "val"):
        series, accuracy = history.confusion[phase], history[f"Accuracy/{phase}"]
        assert_allclose(series.accuracy, accuracy.value, rtol=1e-6)
        assert series.epoch.tolist() == accuracy.epoch.tolist()
        assert series.step.tolist() == accuracy.step.tolist()


def test_confusion_of_a_binary_score_and_none_of_several_labels():
    x, y = torch.randn(150, 3), (torch.rand(150, 1) > 0.4).float()
    for size, expected in ((1, {"train"}), (2, set())):
        model = nn.Linear(3, size)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
        targets = y.expand(150, size).contiguous()
        with autotrack.tracking(logdir="run") as run:
            # More batches than are kept apart before they are counted.
            [(out, target, _)] = loop(
                model, optimizer, nn.BCEWithLogitsLoss(), batches_of(x, targets, 2), epochs=1
            )
        assert set(run.history.confusion) == expected
        if expected:
            by_hand = confusion_matrix(target.ravel(), out.ravel() > 0)
            assert run.history.confusion["train"].counts[0].tolist() == by_hand.tolist()


def test_confusion_without_a_criterion_in_evaluation():
    x, y = torch.randn(22, 3), torch.randint(0, 3, (22,))
    model, batches = nn.Linear(3, 3), batches_of(x, y)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    with autotrack.tracking(logdir="run") as run:
        loop(model, optimizer, nn.CrossEntropyLoss(), batches)
        with torch.inference_mode():
            for batch, _ in DataLoader(TensorDataset(x, y), batch_size=5):
                model(batch)
    with torch.no_grad():
        by_hand = confusion_matrix(y, model(x).argmax(1), labels=range(3))
    assert run.history.confusion["val"].counts[-1].tolist() == by_hand.tolist()


def test_confusion_is_absent_where_a_sample_has_no_score_or_classes_are_many():
    x, y = torch.tensor([[float("nan"), 0.0], [0.0, 1.0]]), torch.tensor([0, 1])
    model = nn.Linear(2, 2)
    with autotrack.tracking(logdir="run") as run:
        loop(model, torch.optim.SGD(model.parameters(), lr=0.0), nn.CrossEntropyLoss(), [(x, y)])
    assert "Accuracy/train" in run.history
    assert run.history.confusion == {}
    model = nn.Linear(2, 101)
    with autotrack.tracking(logdir="run") as run:
        loop(model, torch.optim.SGD(model.parameters(), lr=0.0), nn.CrossEntropyLoss(), [(x, y)])
    assert run.history.confusion == {}


def test_confusion_of_many_classes_is_kept_ever_more_seldom():
    x, y = torch.randn(40, 3), torch.arange(40)
    model = nn.Linear(3, 40)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    with autotrack.tracking(logdir="run") as run:
        loop(model, optimizer, nn.CrossEntropyLoss(), batches_of(x, y, 40), epochs=40)
    kept = run.history.confusion["train"].epoch.tolist()
    assert kept == [*range(16), *range(16, 32, 2), *range(32, 40, 4)]


# -- regression ------------------------------------------------------------------------------------


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("offset", [0.0, 1000.0])
@pytest.mark.parametrize("criterion", [nn.MSELoss(), nn.L1Loss(), nn.HuberLoss()])
def test_r2_and_mae(outputs, offset, criterion):
    x = torch.randn(18, 3)
    y = offset + torch.randn(18, outputs) * torch.tensor([1.0, 10.0, 0.1])[:outputs]
    model = nn.Linear(3, outputs)
    nn.init.constant_(model.bias, offset)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    with autotrack.tracking(logdir="run") as run:
        seen = loop(model, optimizer, criterion, batches_of(x, y))
        with torch.no_grad():
            out = model(x)
            criterion(out, y)
    history = run.history
    scores = [
        r2_score(t.astype(float), o.astype(float), multioutput="variance_weighted")
        for o, t, _ in seen
    ]
    assert_allclose(history["R2/train"].value, scores, rtol=1e-5, atol=1e-6)
    means = [mean_absolute_error(t.astype(float), o.astype(float)) for o, t, _ in seen]
    assert_allclose(history["MAE/train"].value, means, rtol=1e-6)
    score = r2_score(y.double(), out.double(), multioutput="variance_weighted")
    assert_allclose(history["R2/val"].value, [score], rtol=1e-5, atol=1e-6)
    assert "Accuracy/train" not in history


def test_r2_is_absent_where_it_is_not_defined():
    x, y = torch.randn(4, 2), torch.full((4, 1), 2.0)
    model = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with autotrack.tracking(logdir="run") as run:
        seen = loop(model, optimizer, nn.MSELoss(), [(x, y)], epochs=1)
    assert "R2/train" not in run.history
    assert_allclose(
        run.history["MAE/train"].value, [mean_absolute_error(seen[0][1], seen[0][0])], rtol=1e-6
    )


# -- gradients, weights, rates ---------------------------------------------------------------------


def wide(tensors):
    return np.concatenate([t.detach().numpy().astype(np.float64).ravel() for t in tensors])


@pytest.mark.parametrize("limit", [None, 0.05])
def test_gradient_norms(limit):
    model = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    before, after = [], []

    def look():
        before.append(np.linalg.norm(wide([p.grad for p in model.parameters()])))
        if limit:
            nn.utils.clip_grad_norm_(model.parameters(), limit)
            after.append(np.linalg.norm(wide([p.grad for p in model.parameters()])))

    x, y = torch.randn(8, 3), torch.randint(0, 2, (8,))
    with autotrack.tracking(logdir="run") as run:
        loop(model, optimizer, nn.CrossEntropyLoss(), batches_of(x, y), after_backward=look)
    assert_allclose(run.history["GradNorm/total"].value, before, rtol=1e-6)
    assert ("GradNorm/clipped" in run.history) == bool(limit)
    if limit:
        assert max(after) < max(before)
        assert_allclose(run.history["GradNorm/clipped"].value, after, rtol=1e-6)


@pytest.mark.parametrize("size", [1e-30, 1e30])
def test_gradient_norms_at_the_ends_of_single_precision(size):
    weight = nn.Parameter(torch.ones(3))
    optimizer = torch.optim.SGD([weight], lr=0.0)
    factors = torch.tensor([1.0, 2.0, 2.0]) * size
    with autotrack.tracking(logdir="run") as run:
        (weight * factors).sum().backward()
        optimizer.step()
    norm = np.linalg.norm(factors.double().numpy())
    assert_allclose(run.history["GradNorm/total"].value, [norm], rtol=1e-5)


def test_learning_rates_are_those_of_the_step():
    model = nn.Linear(2, 1)
    groups = [{"params": [model.weight]}, {"params": [model.bias], "lr": 0.5}]
    optimizer = torch.optim.SGD(groups, lr=0.1)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    with autotrack.tracking(logdir="run") as run:
        for _epoch in range(3):
            F.mse_loss(model(torch.randn(4, 2)), torch.zeros(4, 1)).backward()
            optimizer.step()
            scheduler.step()
    assert_allclose(run.history["LearningRate/group0"].value, 0.1 * 0.5 ** np.arange(3), rtol=1e-6)
    assert_allclose(run.history["LearningRate/group1"].value, 0.5 * 0.5 ** np.arange(3), rtol=1e-6)


def test_update_ratios():
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    old = [p.detach().clone() for p in model.parameters()]
    with autotrack.tracking(model, optimizer, logdir="run") as run:
        F.mse_loss(model(torch.randn(4, 3)), torch.zeros(4, 1)).backward()
        optimizer.step()
    moved = [wide([p - o]) for p, o in zip(model.parameters(), old, strict=True)]
    by_hand = [
        np.linalg.norm(m) / np.linalg.norm(wide([o])) for m, o in zip(moved, old, strict=True)
    ]
    vector = run.history.vectors["autotrack/update_ratio"]
    assert vector.names == [name for name, _ in model.named_parameters()]
    assert_allclose(vector.value[0], by_hand, rtol=1e-4)
    total = np.linalg.norm(np.concatenate(moved)) / np.linalg.norm(wide(old))
    assert_allclose(run.history["UpdateRatio/total"].value, [total], rtol=1e-4)


# On the CPU NumPy counts what is short, and PyTorch what is long, piece by piece.
@pytest.mark.parametrize("rows", [30, 900, 9000])
def test_histograms_count_what_numpy_counts_between_the_same_edges(rows):
    model = nn.Linear(40, rows)
    with torch.no_grad():
        weights = model.weight.mul_(torch.logspace(-3, 3, 40)).view(-1)
        weights[:7] = 0.0
        # These are borders, and the step leaves them there.
        weights[7:11] = torch.tensor([0.5, -0.5, 2.0, -2.0])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    with autotrack.tracking(model, optimizer, logdir="run") as run:
        F.mse_loss(model(torch.randn(5, 40)), torch.zeros(5, rows)).backward()
        gradient = wide([model.weight.grad])
        optimizer.step()
    for tag, values in (("Weights/weight", wide([model.weight])), ("Gradients/weight", gradient)):
        series = run.history.histograms[tag]
        limits, counts = series.limits[0], series.counts[0]
        # A bin ends where the next begins; a value on the border belongs to the one away from zero.
        edges = np.concatenate([[-np.inf], limits])
        positive, negative = values[values >= 0], values[values < 0]
        by_numpy = np.histogram(positive, edges)[0]
        by_numpy = by_numpy + np.histogram(-negative, -edges[::-1])[0][::-1]
        assert counts.sum() == values.size == series.number[0]
        assert_allclose(counts, by_numpy)
        assert series.minimum[0] == values.min()
        assert series.maximum[0] == values.max()
        assert_allclose(series.total[0], values.sum(), rtol=1e-9, atol=1e-9)
        assert_allclose(series.total_squares[0], np.square(values).sum(), rtol=1e-9)


@pytest.mark.parametrize("length", [5, 40_000, 600_000])
def test_what_is_not_finite_is_counted_apart(length):
    weight = nn.Parameter(torch.ones(length))
    with torch.no_grad():
        some = torch.tensor([float("nan"), float("inf"), -float("inf"), 2.0])
        weight[[1, 2, -2, -1]] = some
    optimizer = torch.optim.SGD([weight], lr=0.0)
    with autotrack.tracking(logdir="run") as run:
        weight[0].square().backward()
        weight.grad.zero_()
        optimizer.step()
    (tag,) = (t for t in run.history.histograms if t.startswith("Weights/"))
    series = run.history.histograms[tag]
    assert series.nonfinite.tolist() == [[1, 1, 1]]
    numbers = (series.minimum[0], series.maximum[0], series.number[0], series.total[0])
    assert numbers == (1.0, 2.0, length - 3, length - 2)


# -- what a person chooses -------------------------------------------------------------------------


def step_of(model, **options):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with autotrack.tracking(model, optimizer, logdir="run", **options) as run:
        x = torch.randn(4, 3)
        F.mse_loss(model(x), torch.zeros(4, 2)).backward()
        optimizer.step()
    return run.history


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {"0.weight", "0.bias", "1.weight", "1.bias"}),
        ({"include": ["*.weight"]}, {"0.weight", "1.weight"}),
        ({"exclude": ["0.*"]}, {"1.weight", "1.bias"}),
        ({"include": ["0.*", "1.bias"], "exclude": ["*.weight"]}, {"0.bias", "1.bias"}),
        ({"include": "1.*"}, {"1.weight", "1.bias"}),
        ({"include": ["none"]}, set()),
    ],
)
def test_patterns_choose_parameters(options, expected):
    history = step_of(nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)), **options)
    for room in ("Weights/", "Gradients/"):
        found = {t.removeprefix(room) for t in history.histograms if t.startswith(room)}
        assert found == expected
    vector = history.vectors.get("autotrack/update_ratio")
    assert set(vector.names if vector else ()) == expected
    assert "GradNorm/total" in history


def test_a_list_of_metrics_replaces_the_defaults():
    history = step_of(nn.Linear(3, 2), metrics=["loss", "learning_rate"])
    assert {tag.partition("/")[0] for tag in history} == {"Loss", "LearningRate"}
    assert not history.histograms


def test_no_histograms_where_none_are_asked_for():
    history = step_of(nn.Linear(3, 2), histograms=0)
    assert not history.histograms
    assert "Loss/train" in history


class Answer(Metric):
    """A metric that somebody else wrote."""

    listens: ClassVar[dict[type, str]] = {StepTaken: "taken"}

    def taken(self, moment):
        moment.row.add("Own/answer", 42.0)


def test_a_metric_from_outside_joins_the_defaults():
    history = step_of(nn.Linear(3, 2), metrics=[f"+{__name__}:Answer"])
    assert history["Own/answer"].value.tolist() == [42.0]
    assert "GradNorm/total" in history


@pytest.mark.parametrize("option", ["metrics", "sinks"])
def test_an_unknown_name_says_what_was_meant(option):
    wrong, meant = {"metrics": ("accurcy", "accuracy"), "sinks": ("tensorbord", "tensorboard")}[
        option
    ]
    with (
        pytest.raises(UsageError, match=f"'{wrong}'; did you mean '{meant}'"),
        autotrack.tracking(**{option: [wrong]}),
    ):
        pytest.fail("the block must not run")
    with (
        pytest.raises(UsageError, match="there is no"),
        autotrack.tracking(**{option: ["+no_such_module:Thing"]}),
    ):
        pytest.fail("the block must not run")


# -- many calls counted together -------------------------------------------------------------------

SITES = ["one", "another", "a third"]


@pytest.mark.parametrize("ignored", [None, -100, 2])
@pytest.mark.parametrize("number", [1, 3, 64, 150])
def test_classes_of_many_calls_are_counted_as_one_by_one(number, ignored):
    rng = np.random.default_rng(number)
    count, right, valid, matrix = Count(), 0, 0, np.zeros((4, 4))
    for call in range(number):
        scores = torch.from_numpy(rng.normal(size=(rng.integers(1, 200), 4)).astype(np.float32))
        labels = torch.from_numpy(rng.integers(0, 4, len(scores)))
        count.add(Counter.found(scores, labels, ignored, 1.0), SITES[call % 3])
        for row, label in zip(scores.tolist(), labels.tolist(), strict=True):
            if label != ignored:
                right, valid = right + (row.index(max(row)) == label), valid + 1
                matrix[label, row.index(max(row))] += 1
        # whoever goes on using this memory changes nothing
        labels.fill_(1)
        scores.fill_(1.0)
    count.count()
    assert (count.correct.value, count.total.value, count.known) == (right, valid, True)
    assert count.confusion.flattened().reshape(4, 4).tolist() == matrix.tolist()


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize(("threshold", "negative"), [(0.5, 0.0), (0.0, 0.0), (0.0, -1.0)])
@pytest.mark.parametrize("number", [1, 3, 150])
def test_choices_of_many_calls_are_counted_as_one_by_one(number, threshold, negative, soft):
    """Calls of the third place, like a discriminator's, have targets of one kind each."""
    rng = np.random.default_rng(number)
    count, right, samples, varied = Count(), 0, 0, dict.fromkeys(SITES, 0)
    for call in range(number):
        scores = torch.from_numpy(rng.uniform(-1, 1, rng.integers(1, 80)).astype(np.float32))
        chosen = rng.integers(0, 2, len(scores)) == 1
        if call % 3 == 2:
            chosen[:] = call % 2
        labels = torch.from_numpy(np.where(chosen, 1.0, negative).astype(np.float32))
        count.add(Counter.found_positive(scores, labels, threshold, 1.0), SITES[call % 3])
        varied[SITES[call % 3]] += 0 < chosen.sum() < len(chosen)
        for score, is_one in zip(scores.tolist(), chosen, strict=True):
            right, samples = right + ((score > threshold) == is_one), samples + 1
        labels.fill_(0.3)
    if soft:
        half = torch.full((2,), 0.5)
        count.add(Counter.found_positive(half, half, threshold, 1.0), "one")
    count.count()
    assert count.known is not soft
    if not soft:
        assert (count.correct.value, count.total.value) == (right, samples)
        assert [count.varied[id(site)].value for site in SITES[:number]] == [
            varied[site] for site in SITES[:number]
        ]


def test_what_is_not_plain_is_looked_at_by_itself():
    scores, labels = torch.randn(3, 4), torch.tensor([0, 1, 2])
    assert Counter.found(scores, labels, None, float("nan")) is None
    assert Counter.found(scores.double(), labels, None, 1.0) is None
    assert Counter.found(scores.T, labels, None, 1.0) is None
    assert Counter.found(scores, labels.float(), None, 1.0) is None
    assert Counter.found(torch.randn(3, 4, 5), labels, None, 1.0) is None
    assert Counter.found_positive(scores, labels, 0.5, 1.0) is None
    assert Counter.found_positive(scores[:0], scores[:0], 0.5, 1.0) is None
    assert Counter.found_positive(torch.randn(10_000), torch.ones(10_000), 0.5, 1.0) is None
