"""What other tabs show: images, curves, embeddings, layout, hyperparameters, read by others."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.image import imread
from sklearn.metrics import precision_recall_curve
from small_training import digest, seed
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.custom_scalar.layout_pb2 import Layout
from tensorboard.plugins.hparams import metadata as hparams
from tensorboard.util import tensor_util
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Subset, TensorDataset
from untouched import differences, surfaces

import autotrack
from autotrack.capture.classes import Classes
from autotrack.eventtabs import png
from autotrack.metrics.on_request import _projector
from autotrack.metrics.on_request.pr_curve import THRESHOLDS, curve
from autotrack.records import Record

ALL = "+images,+embeddings,+pr_curve"


class Small(nn.Module):
    def __init__(self, classes=3):
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(36, 5), nn.BatchNorm1d(5), nn.Dropout())
        self.head = nn.Linear(5, classes)

    def forward(self, x):
        return self.head(torch.tanh(self.body(x)))


def train(way="criterion", epochs=2, data=TensorDataset):
    """Train and evaluate; return the state, and the last evaluation's features, scores, labels."""
    seed()
    x, y = torch.randn(20, 1, 6, 6), torch.arange(20) % 3
    model = Small()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    train_loader = DataLoader(data(x, y), batch_size=10, shuffle=True)
    test_loader = DataLoader(data(x, y), batch_size=8)
    for _epoch in range(epochs):
        model.train()
        for inputs, labels in train_loader:
            optimizer.zero_grad()
            F.cross_entropy(model(inputs), labels).backward()
            optimizer.step()
        model.eval()
        scores = []
        with torch.set_grad_enabled(way == "with gradients"):
            for inputs, labels in test_loader:
                output = model(inputs)
                if way != "outputs alone":
                    F.cross_entropy(output, labels)
                scores.append(output.detach())
    state = digest(model, optimizer)
    features = torch.tanh(model.body(x)).detach()
    return state, features.numpy(), torch.cat(scores).softmax(1).numpy(), y.numpy()


def accumulated(directory):
    accumulator = EventAccumulator(str(directory), {"tensors": 0, "images": 0, "scalars": 0})
    accumulator.Reload()
    return accumulator


@pytest.mark.parametrize("way", ["criterion", "outputs alone", "with gradients"])
def test_everything_asked_for_is_there_and_training_is_the_same(way):
    plain, *_ = train(way)
    before = surfaces()
    with autotrack.tracking(logdir="run", metrics=ALL) as run:
        tracked, features, scores, labels = train(way)
    assert differences(before, surfaces()) == []
    assert tracked == plain
    found = accumulated("run")
    assert [image.step for image in found.Images("Images/test")] == [0, 1]
    _, last = found.Tensors("PrecisionRecall/test/1")
    check_curve(tensor_util.make_ndarray(last.tensor_proto), scores[:, 1], labels == 1)
    written = np.loadtxt("run/embeddings_0_test.tsv", delimiter="\t")
    np.testing.assert_allclose(written, features, atol=1e-5)
    table = Path("run/embeddings_0_test_labels.tsv").read_text("utf-8")
    rows = [line.split("\t") for line in table.splitlines()]
    assert [int(row[0]) for row in rows[1:]] == labels.tolist()
    assert [int(row[1]) for row in rows[1:]] == scores.argmax(1).tolist()
    seen = {line.what: line.seen for line in run.coverage.lines}
    assert all(seen[tab] for tab in ("images", "precision and recall", "embeddings"))


def check_curve(shown, chances, truth):
    """Each threshold by hand, and the area by scikit-learn."""
    thresholds = np.linspace(0, 1, THRESHOLDS)
    found = (chances[None, :] >= thresholds[:, None] - 1e-7) & truth
    wrong = (chances[None, :] >= thresholds[:, None] - 1e-7) & ~truth
    np.testing.assert_allclose(shown[0], found.sum(1))
    np.testing.assert_allclose(shown[1], wrong.sum(1))
    np.testing.assert_allclose(shown[0] + shown[3], truth.sum())
    np.testing.assert_allclose(shown[1] + shown[2], (~truth).sum())
    np.testing.assert_allclose(shown[5], found.sum(1) / truth.sum(), atol=1e-6)
    precision, recall, _ = precision_recall_curve(truth, chances)
    for p, r in zip(shown[4], shown[5], strict=True):
        if r > 0:
            assert np.isclose(precision, p).any()
            assert np.isclose(recall, r).any()


class Named(TensorDataset):
    classes = ("cat", "dog", "$e_1$")


class Guarded(TensorDataset):
    @property
    def classes(self):
        raise AssertionError("nobody asked to compute this")

    def __getattr__(self, name):
        raise AssertionError("nor this")


def names_found(make):
    known = Classes()
    known.look(0, DataLoader(make(torch.randn(6, 2), torch.arange(6) % 3)))
    return known.names(3)


def changed(*tensors):
    data = Named(*tensors)
    data.target_transform = lambda label: 2 - label
    return data


def renumbered(*tensors):
    data = Named(*tensors)
    data.class_to_idx = {"cat": 2, "dog": 1, "$e_1$": 0}
    return data


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (Named, ["cat", "dog", "$e_1$"]),
        (lambda *t: Subset(Subset(Named(*t), [0, 1, 2]), [1]), ["cat", "dog", "$e_1$"]),
        (TensorDataset, None),
        (Guarded, None),
        (changed, None),
        (renumbered, None),
    ],
)
def test_class_names_are_read_and_nothing_is_called(make, names):
    assert names_found(make) == names


def test_class_names_that_contradict_each_other_are_none():
    known = Classes()
    for number, names in enumerate([list("abc"), list("abd"), list("ab")]):
        data = TensorDataset(torch.ones(2, 1))
        data.classes = names
        known.look(number, DataLoader(data))
    assert known.names(3) is None
    assert known.names(2) == ["a", "b"]


def test_class_names_stand_in_the_record_and_in_the_tabs():
    with autotrack.tracking(logdir="run", metrics=ALL) as run:
        *_, labels = train(data=Named)
    assert run.history.run["classes"] == [["cat", "dog", "$e_1$"]]
    rows = Path("run/embeddings_0_test_labels.tsv").read_text("utf-8").splitlines()[1:]
    assert [row.split("\t")[0] for row in rows] == [Named.classes[label] for label in labels]
    sheet = imread("run/embeddings_0_test.png")
    assert sheet.shape == (5 * 6, 5 * 6, 3)
    assert "sprite" in Path("run/projector_config.pbtxt").read_text("utf-8")


def test_the_projectors_pictures_lie_row_by_row():
    pictures = np.arange(5, dtype=np.float32)[:, None, None, None] / 4 + np.zeros(
        (5, 2, 3, 3), np.float32
    )
    points = _projector.Points(np.ones((5, 2), np.float32), list("abcde"), list("abcde"), pictures)
    _projector.write(Path(), {"test": points})
    sheet = imread("embeddings_0_test.png")
    assert sheet.shape == (6, 9, 3)
    for index in range(5):
        row, column = divmod(index, 3)
        np.testing.assert_allclose(
            sheet[2 * row : 2 * row + 2, 3 * column : 3 * column + 3], index / 4, atol=1 / 255
        )
    assert not sheet[2:4, 6:].any()
    assert not sheet[4:].any()


def test_nothing_of_it_is_there_when_nobody_asks():
    with autotrack.tracking(logdir="run") as run:
        train()
    found = accumulated("run")
    assert found.Tags()["images"] == []
    assert not any(tag.startswith("PrecisionRecall") for tag in found.Tags()["tensors"])
    assert [path.name for path in run.directory.iterdir() if "tfevents" not in path.name] == []


def test_counts_become_a_curve():
    counts = np.zeros((2, THRESHOLDS), np.int64)
    counts[1, 100], counts[0, 20] = 3, 5
    shown = curve(counts)
    assert shown[:, 0].tolist() == [3, 5, 0, 0, 3 / 8, 1]
    assert shown[:, 50].tolist() == [3, 0, 5, 0, 1, 1]
    assert shown[:4, 126].tolist() == [0, 0, 5, 3]


def test_a_png_is_read_back_bit_for_bit():
    pixels = np.random.default_rng(0).integers(0, 256, (7, 5, 3)).astype(np.uint8)
    read = np.round(imread(io.BytesIO(png(pixels)), format="png") * 255)
    np.testing.assert_array_equal(read[:, :, :3], pixels)
    with pytest.raises(ValueError, match="bytes"):
        png(pixels[:, :, 0])


def test_the_layout_puts_training_and_evaluation_on_one_chart():
    with autotrack.tracking(logdir="run"):
        train()
    (event,) = accumulated("run").Tensors("custom_scalars__config__")
    layout = Layout.FromString(tensor_util.make_ndarray(event.tensor_proto).item())
    (category,) = layout.category
    assert [chart.title for chart in category.chart] == ["Loss", "Accuracy"]


def test_the_optimizers_settings_are_hyperparameters_and_the_persons_own_win():
    with autotrack.tracking(logdir="run", config={"lr": 7, "width": 5}):
        train()
    content = accumulated("run").SummaryMetadata(hparams.SESSION_START_INFO_TAG)
    session = hparams.parse_session_start_info_plugin_data(content.plugin_data.content)
    values = {k: getattr(v, v.WhichOneof("kind")) for k, v in session.hparams.items()}
    assert (values["optimizer"], values["lr"], values["momentum"]) == ("SGD", 7, 0.9)
    assert values["width"] == 5
    end = accumulated("run").SummaryMetadata(hparams.SESSION_END_INFO_TAG)
    assert hparams.parse_session_end_info_plugin_data(end.plugin_data.content).status == 1


def test_history_reads_past_all_of_it():
    with autotrack.tracking(logdir="run", metrics=ALL):
        train()
    history = autotrack.read("run")
    assert history.truncated == 0
    assert not any("Images" in tag or "Precision" in tag for tag in history.tags)
    assert Record(0, 0.0).graph == []
