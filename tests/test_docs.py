"""What the documentation says is so: its code runs, its tables are complete, its links lead on."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import autotrack
from autotrack.config import Config

REPOSITORY = Path(__file__).resolve().parent.parent
README = (REPOSITORY / "README.md").read_text("utf-8")
PAGES = [REPOSITORY / "README.md", *(REPOSITORY / "docs").rglob("*.md")]


def test_the_code_of_the_readme_runs_as_it_stands(tmp_path):
    script = tmp_path / "readme.py"
    script.write_text("\n".join(re.findall(r"```python\n(.*?)```", README, re.DOTALL)))
    done = subprocess.run(
        [sys.executable, script],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    assert done.returncode == 0, done.stderr
    assert "line" in done.stdout
    runs = {run.name: autotrack.read(run) for run in (tmp_path / "runs").iterdir()}
    assert sorted(len(run["Loss/train"].x) for run in runs.values()) == [20, 20, 100]
    np.testing.assert_array_equal(runs["line"]["Loss/train"].epoch, np.arange(20))
    assert list((tmp_path / "runs/line").rglob("loss.pdf"))


@pytest.mark.parametrize("name", ["Momentum", "QuickMomentum"])
def test_the_metric_of_the_documentation_measures_what_it_says(name, tmp_path, monkeypatch):
    page = (REPOSITORY / "docs/own_metrics.md").read_text()
    module = "\n".join(re.findall(r"```python\n(.*?)```", page, re.DOTALL))
    (tmp_path / f"own_{name.lower()}.py").write_text(module)
    monkeypatch.syspath_prepend(str(tmp_path))
    torch.manual_seed(0)
    inputs, wanted = torch.randn(20, 3), torch.randn(20, 1)
    model = torch.nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=0.1)
    lengths = []
    metric = f"+own_{name.lower()}:{name}"
    with autotrack.tracking(logdir=tmp_path / "run", metrics=[metric], strict=True) as run:
        for step in range(150):
            loss = torch.nn.functional.mse_loss(model(inputs), wanted)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            held = [state["momentum_buffer"] for state in optimizer.state.values()]
            lengths.append(float(torch.cat([buffer.flatten() for buffer in held]).norm()))
            if step == 70:
                run.log("Mine/number", 1.0)
    series = autotrack.read(run.directory)["Momentum/norm"]
    np.testing.assert_array_equal(series.x, np.arange(150))
    np.testing.assert_allclose(series.value, lengths, rtol=1e-6)
    assert (run.settled.taken > 100) is (name == "QuickMomentum")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_links_and_pictures_lead_to_files(page):
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert missing == []


def test_every_option_is_explained():
    table = re.findall(r"^\| (`.*?) \|", (REPOSITORY / "docs/using.md").read_text(), re.MULTILINE)
    explained = {name for cell in table for name in re.findall(r"`(\w+)`", cell)}
    assert explained == {field.name for field in dataclasses.fields(Config)}


def test_the_readme_gives_a_reason_for_every_dependency():
    needed = {
        re.match(r"[\w-]+", entry)[0]
        for entry in importlib.metadata.requires("torch-autotrack")
        if ";" not in entry
    }
    table = README.partition("| depends on |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| ([\w-]+) \|", table, re.MULTILINE)) == needed


def test_every_public_name_has_its_place_in_the_reference():
    reference = (REPOSITORY / "docs/api.md").read_text()
    documented = set(re.findall(r"auto\w+:: autotrack\.(\w+)", reference))
    assert {name for name in autotrack.__all__ if not name.startswith("__")} <= documented


def test_make_explains_every_target():
    makefile = (REPOSITORY / "Makefile").read_text()
    phony = set(re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split())
    shown = subprocess.run(
        ["make", "help"],  # noqa: S607 - whichever make the person has
        capture_output=True,
        text=True,
        check=True,
        cwd=REPOSITORY,
    ).stdout
    assert set(re.findall(r"make ([\w-]+) ", shown)) == phony
