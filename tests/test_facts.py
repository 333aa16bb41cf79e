"""What the record says of the run itself: code, command, models, optimizers, how it ended."""

from __future__ import annotations

import gc
import shutil
import subprocess
import sys

import pytest
import torch
from torch import nn

import autotrack
from autotrack import provenance

GIT = shutil.which("git")
needs_git = pytest.mark.skipif(GIT is None, reason="git is not installed")


def git(directory, *arguments):
    """What git itself answers."""
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    done = subprocess.run(
        [GIT, *identity, *arguments], cwd=directory, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path):
    directory = tmp_path / "code"
    directory.mkdir()
    git(directory, "init", "-q", "-b", "feature/größe")
    (directory / "train.py").write_text("one = 1\n")
    git(directory, "add", "train.py")
    git(directory, "commit", "-q", "-m", "first")
    return directory


@needs_git
class TestGit:
    def test_commit_and_branch_are_those_that_git_names(self, checkout):
        (checkout / "deep" / "er").mkdir(parents=True)
        expected = {"commit": git(checkout, "rev-parse", "HEAD"), "branch": "feature/größe"}
        assert provenance.commit_of(checkout) == expected
        assert provenance.commit_of(checkout / "deep" / "er") == expected

    def test_packed_references_and_a_detached_head(self, checkout):
        git(checkout, "pack-refs", "--all")
        commit = git(checkout, "rev-parse", "HEAD")
        assert provenance.commit_of(checkout)["commit"] == commit
        git(checkout, "checkout", "-q", "--detach")
        assert provenance.commit_of(checkout) == {"commit": commit, "branch": ""}

    def test_a_worktree(self, checkout, tmp_path):
        git(checkout, "worktree", "add", "-q", "-b", "other", str(tmp_path / "tree"))
        expected = {"commit": git(checkout, "rev-parse", "other"), "branch": "other"}
        assert provenance.commit_of(tmp_path / "tree") == expected

    def test_changed_files_count_and_new_ones_do_not(self, checkout):
        (checkout / "new.txt").write_text("untracked")
        assert provenance.is_dirty(checkout) is False
        (checkout / "train.py").write_text("one = 2\n")
        assert provenance.is_dirty(checkout) is True

    def test_a_repository_without_a_commit_has_none(self, tmp_path):
        git(tmp_path, "init", "-q")
        assert provenance.commit_of(tmp_path) == {}


@pytest.mark.parametrize("content", ["", "gitdir: nowhere", "\0"])
def test_a_damaged_git_file_is_no_checkout(tmp_path, content):
    (tmp_path / ".git").write_text(content)
    assert provenance.commit_of(tmp_path) == {}


def test_without_git_nothing_is_known_of_changes(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert provenance.is_dirty(tmp_path) is None


def test_code_lies_where_the_script_does(tmp_path, monkeypatch):
    script = tmp_path / "train.py"
    script.touch()
    monkeypatch.setattr(sys, "argv", [str(script)])
    assert provenance.code_directory() == tmp_path
    monkeypatch.setattr(sys, "argv", [sys.executable])
    monkeypatch.chdir(tmp_path)
    assert provenance.code_directory() == tmp_path


def trained(tmp_path, train):
    with autotrack.tracking(logdir=tmp_path / "run") as run:
        train()
    return autotrack.read(run.directory).run


def step(model, *optimizers):
    model(torch.ones(4, 3)).square().mean().backward()
    for optimizer in optimizers:
        optimizer.step()


def test_the_model_table_says_which_optimizer_holds_what(tmp_path):
    def train():
        model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2), nn.Linear(2, 1).double())
        model[2].float()
        model[0].bias.requires_grad_(False)
        step(model, torch.optim.SGD(model[0].parameters(), lr=0.5, momentum=0.9))

    facts = trained(tmp_path, train)
    gc.collect()
    (model,) = facts["models"]
    assert (model["name"], model["class"]) == ("model", "Sequential")
    rows = {row["name"]: row for row in model["parameters"]}
    assert rows["0.weight"] == {
        "name": "0.weight",
        "shape": [2, 3],
        "dtype": "float32",
        "trainable": True,
        "gradient": True,
        "optimizer": "",
    }
    assert rows["0.bias"]["gradient"] is False
    assert rows["2.weight"]["gradient"] is True
    assert rows["0.bias"]["trainable"] is False
    assert rows["2.weight"]["optimizer"] is None
    assert [row["name"] for row in model["buffers"]] == [
        "1.running_mean",
        "1.running_var",
        "1.num_batches_tracked",
    ]
    (optimizer,) = facts["optimizers"]
    assert (optimizer["stream"], optimizer["class"], optimizer["groups"]) == ("", "SGD", 1)
    assert optimizer["defaults"]["momentum"] == 0.9
    assert facts["device"] == "cpu"


def test_several_optimizers_are_told_by_their_streams(tmp_path):
    def train():
        body, head = nn.Linear(3, 3), nn.Linear(3, 1)
        opt_body = torch.optim.SGD(body.parameters(), lr=0.1)
        opt_head = torch.optim.Adam(head.parameters(), lr=0.1)
        head(body(torch.ones(4, 3))).square().mean().backward()
        opt_body.step()
        opt_head.step()

    facts = trained(tmp_path, train)
    held = {row["name"]: row["optimizer"] for m in facts["models"] for row in m["parameters"]}
    assert held["body.weight"] == "opt_body"
    assert held["head.bias"] == "opt_head"
    assert [o["stream"] for o in facts["optimizers"]] == ["opt_body", "opt_head"]


def test_a_group_added_later_is_held_although_all_is_gone_at_the_end(tmp_path):
    def train():
        model = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
        optimizer = torch.optim.SGD(model[1].parameters(), lr=0.1)
        step(model, optimizer)
        optimizer.add_param_group({"params": model[0].parameters()})
        step(model, optimizer)

    facts = trained(tmp_path, train)
    assert {row["optimizer"] for row in facts["models"][0]["parameters"]} == {""}
    assert facts["optimizers"][0]["groups"] == 2


def test_weights_updated_by_hand_are_held(tmp_path):
    def train():
        model = nn.Linear(3, 1)
        for _ in range(3):
            step(model)
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.sub_(0.1 * parameter.grad)
            model.zero_grad()

    facts = trained(tmp_path, train)
    assert {row["optimizer"] for row in facts["models"][0]["parameters"]} == {""}
    assert "optimizers" not in facts


def test_command_versions_and_end_are_kept_and_no_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("MY_SECRET_TOKEN", "hunter2")
    facts = trained(tmp_path, lambda: step(m := nn.Linear(3, 1), torch.optim.SGD(m.parameters())))
    assert facts["packages"]["torch"] == torch.__version__
    assert facts["packages"]["python"] == facts["python"]
    assert facts["command"]
    assert facts["ended"] >= facts["started"]
    assert "error" not in facts
    assert "hunter2" not in str(facts)


def test_the_kind_of_the_exception_that_ended_a_run_is_kept(tmp_path):
    def train():
        model = nn.Linear(3, 1)
        step(model, torch.optim.SGD(model.parameters()))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path, train)
    assert autotrack.read(tmp_path / "run").run["error"] == "KeyboardInterrupt"
