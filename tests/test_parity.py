"""What autotrack records is what the tutorials log by hand, number for number.

The two loops below are the tutorials with their SummaryWriter lines. They run once, tracked from
outside: the writer and autotrack see the same training, and TensorBoard reads both records.
"""

from __future__ import annotations

import linear_regression
import mnist
import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import SCALARS, EventAccumulator
from torch import nn
from torch.utils.tensorboard import SummaryWriter

import autotrack


def linear_by_hand(writer, root=None):
    torch.manual_seed(0)
    x, y = linear_regression.make_data()
    model = nn.Linear(1, 1)
    criterion = nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for epoch in range(100):
        prediction = model(x)
        loss = criterion(prediction, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        writer.add_scalar("Loss/train", loss.item(), epoch)


def mnist_by_hand(writer, root):
    torch.manual_seed(0)
    model = mnist.make_model()
    train_loader = mnist.make_loader(root, train=True)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for epoch in range(5):
        correct = 0
        total = 0
        for i, (images, labels) in enumerate(train_loader):
            outputs = model(images)
            loss = criterion(outputs, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            _, predicted = torch.max(outputs.data, 1)
            total += labels.size(0)
            correct += (predicted == labels).sum().item()
            writer.add_scalar("Loss/train", loss.item(), epoch * len(train_loader) + i)
        writer.add_scalar("Accuracy/train", 100 * correct / total, epoch)


def mnist_with_test_by_hand(writer, root):
    torch.manual_seed(0)
    model = mnist.make_model()
    train_loader = mnist.make_loader(root, train=True)
    test_loader = mnist.make_loader(root, train=False)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    step = 0
    for epoch in range(5):
        correct = total = 0
        for images, labels in train_loader:
            optimizer.zero_grad()
            outputs = model(images)
            loss = criterion(outputs, labels)
            loss.backward()
            optimizer.step()
            writer.add_scalar("Loss/train", loss.item(), step)
            correct += (outputs.argmax(1) == labels).sum().item()
            total += len(labels)
            step += 1
        writer.add_scalar("Accuracy/train", 100 * correct / total, epoch)

        model.eval()
        losses = 0.0
        correct = total = 0
        with torch.no_grad():
            for images, labels in test_loader:
                outputs = model(images)
                losses += criterion(outputs, labels).item() * len(labels)
                correct += (outputs.argmax(1) == labels).sum().item()
                total += len(labels)
        model.train()
        writer.add_scalar("Loss/test", losses / total, epoch)
        writer.add_scalar("Accuracy/test", 100 * correct / total, epoch)


def decorated(loop, writer, root, logdir):
    autotrack.track(logdir=logdir)(loop)(writer, root)


def in_a_block(loop, writer, root, logdir):
    with autotrack.tracking(logdir=logdir):
        loop(writer, root)


def read_scalars(directory):
    """Every scalar of a record as TensorBoard reads it: tag -> (steps, float32 values)."""
    accumulator = EventAccumulator(str(directory), size_guidance={SCALARS: 0})
    accumulator.Reload()
    return {
        tag: (
            [event.step for event in accumulator.Scalars(tag)],
            np.array([event.value for event in accumulator.Scalars(tag)], dtype=np.float32),
        )
        for tag in accumulator.Tags()["scalars"]
    }


def assert_same(by_hand, tracked, tag):
    """Same steps, and the same 32 bits in every value."""
    assert tracked[tag][0] == by_hand[tag][0]
    np.testing.assert_array_equal(tracked[tag][1].view(np.uint32), by_hand[tag][1].view(np.uint32))


def assert_parity(by_hand, tracked):
    """Every tag of the tutorial; the mean over a test set depends on the order of summing."""
    for tag in by_hand:
        if tag == "Loss/test":
            assert tracked[tag][0] == by_hand[tag][0]
            np.testing.assert_allclose(tracked[tag][1], by_hand[tag][1], rtol=1e-6)
        else:
            assert_same(by_hand, tracked, tag)


@pytest.mark.parametrize("handle", [decorated, in_a_block])
@pytest.mark.parametrize(
    ("loop", "points"),
    [
        (linear_by_hand, {"Loss/train": 100}),
        (mnist_by_hand, {"Loss/train": 80, "Accuracy/train": 5}),
        (
            mnist_with_test_by_hand,
            {"Loss/train": 80, "Accuracy/train": 5, "Loss/test": 5, "Accuracy/test": 5},
        ),
    ],
)
def test_the_record_is_what_the_tutorial_logs(loop, points, handle, mnist_root, tmp_path):
    with SummaryWriter(tmp_path / "by_hand") as writer:
        handle(loop, writer, mnist_root, tmp_path / "tracked")
    by_hand = read_scalars(tmp_path / "by_hand")
    assert {tag: len(steps) for tag, (steps, _) in by_hand.items()} == points
    assert_parity(by_hand, read_scalars(tmp_path / "tracked"))


@pytest.mark.parametrize(
    ("loop", "example"),
    [
        (linear_by_hand, lambda root, logdir: linear_regression.main(logdir)),
        (mnist_with_test_by_hand, mnist.main),
    ],
    ids=["linear_regression", "mnist"],
)
def test_the_example_without_a_logging_line_records_the_same(loop, example, mnist_root, tmp_path):
    with SummaryWriter(tmp_path / "by_hand") as writer:
        loop(writer, mnist_root)
    example(mnist_root, tmp_path / "tracked")
    assert_parity(read_scalars(tmp_path / "by_hand"), read_scalars(tmp_path / "tracked"))
