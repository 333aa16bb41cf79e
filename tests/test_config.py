"""Settings: keyword over environment over pyproject.toml; what cannot work is said in one error."""

from __future__ import annotations

from pathlib import Path

import pytest
import small_training
import torch
from untouched import differences, surfaces

import autotrack
from autotrack.config import Config, default_directory, is_disabled
from autotrack.errors import NoRunError, UsageError


def pyproject(text: str, folder: str = ".") -> Path:
    path = Path(folder) / "pyproject.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def test_keyword_beats_environment_beats_pyproject(monkeypatch):
    pyproject("[tool.autotrack]\nname = 'file'\nhistograms = 7\nlogdir = 'from-file'\n")
    monkeypatch.setenv("AUTOTRACK_NAME", "environment")
    monkeypatch.setenv("AUTOTRACK_HISTOGRAMS", "5")
    config = Config.of({"name": "keyword"})
    assert (config.name, config.histograms, config.logdir) == ("keyword", 5, Path("from-file"))


def test_the_settings_reach_the_run(monkeypatch):
    monkeypatch.setenv("AUTOTRACK_LOGDIR", "from-environment")
    with autotrack.tracking(config={"lr": 0.1, "layers": [1, 2]}, name="mine") as run:
        small_training.by_hand()
    facts = autotrack.read("from-environment").run
    assert facts["config"] == {"lr": 0.1, "layers": [1, 2]}
    assert facts["name"] == run.name == "mine"


def test_pyproject_is_found_above_the_working_directory(monkeypatch):
    pyproject("[tool.autotrack]\nhistograms = 3\n", "project")
    Path("project/src/deep").mkdir(parents=True)
    monkeypatch.chdir("project/src/deep")
    assert Config.of({}).histograms == 3


def test_the_nearest_pyproject_counts_alone(monkeypatch):
    pyproject("[tool.autotrack]\nhistograms = 3\n", "project")
    pyproject("[tool.other]\nkey = 1\n", "project/part")
    monkeypatch.chdir("project/part")
    assert Config.of({}).histograms == 1


def test_without_anything_the_defaults():
    config = Config.of({})
    assert config == Config(strict=True)  # strict comes from the tests' own environment
    assert (config.logdir, config.histograms, config.include) == (None, 1, ("*",))


@pytest.mark.parametrize(
    ("option", "text", "value"),
    [
        ("metrics", "loss, accuracy", ("loss", "accuracy")),
        ("sinks", "tensorboard", ("tensorboard",)),
        ("include", "layer*,head.*", ("layer*", "head.*")),
        ("budget", "none", None),
        ("budget", "0.1", 0.1),
        ("budget_after", "2.5", 2.5),
        ("strict", "no", False),
        ("strict", "YES", True),
        ("logdir", "~/logs", Path("~/logs").expanduser()),
    ],
)
def test_text_from_the_environment_becomes_a_value(monkeypatch, option, text, value):
    monkeypatch.setenv(f"AUTOTRACK_{option.upper()}", text)
    assert getattr(Config.of({}), option) == value


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("histograms", -1),
        ("histograms", 1.5),
        ("histograms", "often"),
        ("budget", 0),
        ("budget", -0.1),
        ("budget", float("nan")),
        ("budget_after", -1),
        ("budget_after", "soon"),
        ("metrics", 3),
        ("metrics", [1, 2]),
        ("sinks", 3),
        ("include", 3),
        ("name", 3),
        ("logdir", 3),
        ("config", "lr=0.1"),
        ("config", 3),
        ("strict", "maybe"),
    ],
)
def test_a_value_that_cannot_work_is_named(option, value):
    with pytest.raises(UsageError) as caught:
        autotrack.tracking(**{option: value})
    message = str(caught.value)
    assert option in message
    assert repr(value) in message
    assert "expected" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("unknown", "meant"),
    [
        ("logdirs", "logdir"),
        ("histogram", "histograms"),
        ("metric", "metrics"),
        ("exclud", "exclude"),
    ],
)
@pytest.mark.parametrize("use", [autotrack.tracking, autotrack.track])
def test_an_unknown_option_says_what_was_meant(use, unknown, meant):
    with pytest.raises(UsageError, match=f"{unknown!r}; did you mean {meant!r}"):
        use(**{unknown: 1})


def test_an_unknown_option_like_none_lists_them_all():
    with pytest.raises(UsageError, match=r"'qqqq'\. Options: .*budget.*strict"):
        autotrack.tracking(qqqq=1)


def test_a_bad_pyproject_is_named():
    path = pyproject("[tool.autotrack]\nlogdirr = 'x'\n")
    with pytest.raises(UsageError, match=r"logdirr.*did you mean 'logdir'") as caught:
        Config.of({})
    assert str(path.resolve()) in str(caught.value)
    path.write_text("[tool.autotrack\n", "utf-8")
    with pytest.raises(UsageError, match="not valid TOML") as caught:
        Config.of({})
    assert str(path.resolve()) in str(caught.value)
    path.write_text("this is [[[ no toml, and none of our business", "utf-8")
    assert Config.of({}).histograms == 1


def test_a_bad_value_in_the_environment_is_named(monkeypatch):
    monkeypatch.setenv("AUTOTRACK_HISTOGRAMS", "often")
    with pytest.raises(UsageError, match="histograms='often'"):
        autotrack.tracking()


def test_hyperparameters_may_be_an_object():
    class Arguments:
        def __init__(self):
            self.lr, self.epochs = 0.1, 3

    assert Config.of({"config": Arguments()}).config == {"lr": 0.1, "epochs": 3}


@pytest.mark.parametrize(
    ("text", "disabled"), [("1", True), ("true", True), ("0", False), ("", False), ("no", False)]
)
def test_what_disables(monkeypatch, text, disabled):
    monkeypatch.setenv("AUTOTRACK_DISABLED", text)
    assert is_disabled() is disabled


def test_disabled_means_no_hooks_no_files_and_nothing_to_report(monkeypatch):
    monkeypatch.setenv("AUTOTRACK_DISABLED", "1")
    before, plain = surfaces(), small_training.classification()
    model = torch.nn.Linear(1, 1)

    @autotrack.track(logdir="run")
    def train():
        assert differences(before, surfaces()) == []
        autotrack.log("Own/number", 1.0)
        return small_training.classification()

    assert train() == plain
    with autotrack.tracking(model, logdir="run") as run:
        assert differences(before, surfaces()) == []
        assert not model._forward_hooks
        assert small_training.classification() == plain
        run.log("Own/number", 1.0)
        run.flush()
        assert len(run.history) == 0
        assert run.coverage.lines == []
    assert autotrack.report().paths == []
    assert autotrack.report(run).paths == []
    autotrack.log("Own/number", 1.0)
    assert list(Path().iterdir()) == []


def test_disabled_is_asked_at_each_run(monkeypatch):
    tracked = autotrack.track(logdir="run")(small_training.by_hand)
    monkeypatch.setenv("AUTOTRACK_DISABLED", "1")
    tracked()
    assert not Path("run").exists()
    monkeypatch.setenv("AUTOTRACK_DISABLED", "0")
    tracked()
    assert "Loss/train" in autotrack.read("run")


def test_the_default_directory_is_tensorboards_own(monkeypatch):
    import re
    import socket

    assert default_directory().parent == Path("runs")
    host = re.escape(socket.gethostname())
    assert re.fullmatch(rf"[A-Z][a-z]{{2}}\d\d_\d\d-\d\d-\d\d_{host}", default_directory().name)


def test_log_outside_a_run_is_an_error_that_says_so():
    with pytest.raises(NoRunError, match=r"log\('Own/number'.*tracking"):
        autotrack.log("Own/number", 1.0)


def test_a_logdir_of_none_is_one_that_was_not_given(monkeypatch):
    monkeypatch.setenv("AUTOTRACK_LOGDIR", "from/the/environment")
    assert Config.of({"logdir": None}).logdir == Path("from/the/environment")
