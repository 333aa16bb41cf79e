"""What holds on a device: nothing waits for it, and its numbers are those of the CPU.

Run by `tests/test_device.py` in a process of its own.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from fakegpu import Everywhere, FakeDevice, account, moved, there
from torch import nn
from torch.nn import functional
from trainings import TRAININGS, batches, classification, network

import autotrack
from autotrack.metrics._norms import norms_of
from autotrack.observers.cuda_graph import graphs
from autotrack.transfer import Transfer


@pytest.fixture(autouse=True)
def device(monkeypatch):
    account.__init__()
    monkeypatch.setattr("autotrack.transfer.Device", FakeDevice)
    monkeypatch.setenv("AUTOTRACK_STRICT", "1")


def record(train, directory, put=lambda t: t, move=lambda m: m):
    with autotrack.tracking(logdir=directory) as run:
        result = train(put, move)
        account.forbidden = False
    return run, result


def on_device(train, directory, **options):
    with Everywhere():
        account.forbidden = True
        return record(train, directory, there, moved, **options)


@pytest.mark.parametrize("train", TRAININGS, ids=lambda train: train.__name__)
class TestEveryTraining:
    def test_records_what_the_cpu_records(self, train, tmp_path):
        here, _ = record(train, tmp_path / "cpu")
        run, _ = on_device(train, tmp_path / "device")
        assert_same(run.history, here.history)

    def test_waits_for_nothing_until_it_ends(self, train, tmp_path, monkeypatch):
        monkeypatch.setattr("autotrack.recorder._FLUSH_SECONDS", 0.0)
        run, _ = on_device(train, tmp_path / "device")
        assert not run._guard.failed
        assert set(account.waits) <= {"Event.synchronize"}

    def test_leaves_the_training_alone(self, train, tmp_path):
        with Everywhere():
            plain = train(there, moved)
        _, tracked = on_device(train, tmp_path / "device")
        for one, other in zip(plain.parameters(), tracked.parameters(), strict=True):
            assert np.array_equal(one.inner.numpy(), other.inner.numpy())


def assert_same(one, other):
    tags = [tag for tag in other if not tag.startswith("Throughput")]
    assert tags == [tag for tag in one if not tag.startswith("Throughput")]
    for tag in tags:
        np.testing.assert_array_equal(one[tag].x, other[tag].x, tag)
        np.testing.assert_allclose(one[tag].value, other[tag].value, 2e-6, 1e-12, err_msg=tag)
    assert list(one.histograms) == list(other.histograms)
    for tag, series in other.histograms.items():
        same = one.histograms[tag]
        for mine, theirs in zip(same.counts, series.counts, strict=True):
            np.testing.assert_array_equal(mine, theirs)
        np.testing.assert_array_equal(same.minimum, series.minimum)
        np.testing.assert_array_equal(same.maximum, series.maximum)
        np.testing.assert_allclose(same.total, series.total, 1e-9, 1e-12)
        np.testing.assert_allclose(same.total_squares, series.total_squares, 1e-9)
        np.testing.assert_array_equal(same.nonfinite, series.nonfinite)
    for tag, vectors in other.vectors.items():
        np.testing.assert_allclose(one.vectors[tag].value, vectors.value, 2e-6, 1e-12)


class TestOneStep:
    def test_launches_few_operations(self, tmp_path):
        """Ten operations for the loss, the accuracy and all gradients, whatever their number."""
        model = moved(network())
        criterion, optimizer = nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), lr=0.1)
        x, y = (there(t) for t in batches(lambda n: torch.randint(0, 3, (n,)))[0])

        def steps(number):
            account.operations.clear()
            for _ in range(number):
                loss = criterion(model(x), y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            return account.operations.copy()

        with Everywhere():
            steps(1)
            plain = steps(8)
            with autotrack.tracking(logdir=tmp_path, histograms=0, metrics=PER_STEP):
                steps(8)
                tracked = steps(8)
        ours = tracked - plain
        launched = {name: count for name, count in ours.items() if name not in NO_KERNEL}
        assert sum(launched.values()) <= 10 * 8, launched


PER_STEP = ("loss", "accuracy", "gradients", "learning_rate", "throughput")
NO_KERNEL = {"detach", "select", "slice", "view", "t", "unbind", "alias"}


class TestNumbersOnTheirWay:
    def test_rows_wait_in_order(self, tmp_path):
        account.arrives = False
        with Everywhere(), autotrack.tracking(logdir=tmp_path) as run:
            classification(there, moved)
            run.flush()
            run.flush()
            assert run._recorder.buffer._travelling
            assert not list(tmp_path.rglob("*tfevents*"))
            account.arrives = True
            run.flush()
            assert list(autotrack.read(run.directory)["Loss/train"].x) == list(range(12))

    def test_a_device_that_fails_loses_its_numbers_only(self, tmp_path):
        account.arrives, account.fails = False, True
        with Everywhere(), autotrack.tracking(logdir=tmp_path) as run:
            classification(there, moved)
        history = autotrack.read(run.directory)
        assert len(history["LearningRate/group0"]) == 12
        assert "Loss/train" not in history

    def test_each_stream_carries_its_own_home(self, tmp_path):
        with Everywhere(), autotrack.tracking(logdir=tmp_path) as run:
            account.streams.append("side")
            classification(there, moved)
            account.streams.pop()
            run.log("score", there(torch.tensor(1.0)))
        assert set(account.sent_on) == {"default", "side"}
        assert run.history["score"].value.tolist() == [1.0]

    def test_a_loss_changed_in_place_afterwards_keeps_its_number(self, tmp_path):
        with Everywhere(), autotrack.tracking(logdir=tmp_path) as run:
            score = there(torch.tensor(3.0))
            run.log("score", score)
            score.mul_(2)
            run.log("score", score)
        assert run.history["score"].value.tolist() == [3.0, 6.0]

    def test_more_numbers_than_a_block_holds(self, tmp_path, monkeypatch):
        monkeypatch.setattr("autotrack.transfer.BLOCK", 16)
        with Everywhere(), autotrack.tracking(logdir=tmp_path) as run:
            for number in range(100):
                run.log("score", there(torch.tensor(float(number))))
        assert run.history["score"].value.tolist() == [float(n) for n in range(100)]


def test_tensors_of_several_devices_keep_their_order():
    tensors = [torch.full((n,), float(n)) for n in range(1, 6)]
    transfer = Transfer()
    with Everywhere():
        spread = [there(tensors[0], 1), tensors[1], there(tensors[2]), there(tensors[3], 1)]
        spread.append(there(tensors[4].half()))
        norms = norms_of(spread, transfer)
        transfer.send()
        transfer.receive()
    assert norms.read() == pytest.approx([t.norm().item() for t in tensors])


class TestNotANumber:
    def train(self, put, move):
        model = move(network())
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(2):
            for index, (x, y) in enumerate(batches(lambda n: torch.randint(0, 3, (n,)))):
                put_in = x * torch.nan if index == 2 else x
                loss = functional.cross_entropy(model(put(put_in)), put(y))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()

    def test_is_found_on_arrival(self, tmp_path):
        here, _ = record(self.train, tmp_path / "cpu")
        run, _ = on_device(self.train, tmp_path / "device")
        assert run.coverage.nonfinite == here.coverage.nonfinite
        assert set(run.coverage.nonfinite) == {"Loss/train", "GradNorm/total"}

    def test_leaves_no_wrong_accuracy(self, tmp_path):
        here, _ = record(self.train, tmp_path / "cpu")
        run, _ = on_device(self.train, tmp_path / "device")
        known = dict(zip(*points(here.history, "Accuracy/train"), strict=True))
        for x, value in zip(*points(run.history, "Accuracy/train"), strict=True):
            assert value == pytest.approx(known[x])


def points(history, tag):
    return (history[tag].x, history[tag].value) if tag in history else ((), ())


def test_a_captured_graph_is_left_alone(tmp_path, monkeypatch):
    with Everywhere(), autotrack.tracking(logdir=tmp_path) as run:
        classification(there, moved)
        before = account.operations.copy()
        monkeypatch.setattr(graphs, "capturing", 1)
        classification(there, moved)
        run.log("score", there(torch.tensor(1.0)))
        run.flush()
        monkeypatch.setattr(graphs, "capturing", 0)
        graphs.replays = 5
    with Everywhere():
        during = account.operations - before
        account.operations.clear()
        classification(there, moved)
    assert len(run.history["Loss/train"]) == 12
    assert "score" not in run.history
    assert any("replayed 5 times" in note for note in run.coverage.notes)
    assert during["argmax"] == 0


def test_what_only_a_device_could_tell_is_absent_and_nothing_is_asked(tmp_path):
    model = moved(network())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Everywhere(), autotrack.tracking(logdir=tmp_path) as run:
        account.forbidden = True
        for x, y in batches(lambda n: torch.tensor([-100, 1] * (n // 2))):
            target = there(y)
            loss = functional.cross_entropy(model(there(x)), target, reduction="sum")
            loss = loss / (target != -100).sum()
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        for x, y in batches(lambda n: torch.randint(0, 3, (n,))):
            mask = there(torch.ones(len(x)))
            losses = functional.cross_entropy(model(there(x)), there(y), reduction="none")
            (losses * mask).mean().backward()
            optimizer.step()
            optimizer.zero_grad()
        account.forbidden = False
    assert len(run.history["Loss/train"]) == 8
    assert "Loss/train_epoch" not in run.history
    assert "Accuracy/train" not in run.history


class Fused(torch.optim.Optimizer):
    """Steps like a fused optimizer under a scaler, which alone knows whether it did."""

    def step(self):
        pass


def test_a_fused_step_that_its_scaler_skipped_has_no_values(tmp_path):
    model = moved(network())
    optimizer = Fused(model.parameters(), {"lr": 0.1})
    with Everywhere(), autotrack.tracking(logdir=tmp_path) as run:
        account.forbidden = True
        for index, (x, y) in enumerate(batches(lambda n: torch.randint(0, 3, (n,)))):
            loss = functional.cross_entropy(model(there(x)), there(y))
            optimizer.zero_grad()
            loss.backward()
            optimizer.grad_scale = there(torch.tensor(2.0))
            optimizer.found_inf = there(torch.tensor(float(index == 1)))
            optimizer.step()
        account.forbidden = False
    history = run.history
    assert list(history["Loss/train"].x) == [0, 1, 2]
    assert any("turned out to be skipped" in note for note in run.coverage.notes)
    assert {name: list(steps) for name, steps in history.skipped.items()} == {"": [1]}
