"""What holds for every test: a clean place to run in, and PyTorch left exactly as it was."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
import torch
from mnist_files import write_mnist
from untouched import differences, surfaces

from autotrack.context import active

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

torch.set_num_threads(1)

# Who starts tests in the background lets them ignore an interrupt, and all that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Below the results stands what no tracker can know, as the tests of the loops say it."""
    reports = [r for kind in ("passed", "failed") for r in terminalreporter.stats.get(kind, ())]
    known = {
        tuple(p) for r in reports for name, p in r.user_properties if name == "cannot be known"
    }
    if known:
        terminalreporter.section(f"values that cannot be known ({len(known)})")
        for loop, tag, why in sorted(known):
            terminalreporter.write_line(f"{loop:36} {tag:32} {why}")


# a slow machine is no error, and in CI a failure must come back on the next run
hypothesis.settings.register_profile("default", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "default")


@pytest.fixture(autouse=True)
def clean_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every test runs in an empty directory, strict, without the settings around it."""
    for name in [name for name in os.environ if name.startswith("AUTOTRACK_")]:
        if name != "AUTOTRACK_MNIST":
            monkeypatch.delenv(name)
    monkeypatch.setenv("AUTOTRACK_STRICT", "1")
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def untouched() -> Iterator[None]:
    """No patch, no hook and no active run outlives a test."""
    before = surfaces()
    yield
    left = differences(before, surfaces())
    assert not left, f"left behind: {left}"
    assert active() is None


@pytest.fixture(scope="session")
def mnist_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `torchvision.datasets.MNIST(root)` takes: real digits where they are at hand."""
    return write_mnist(tmp_path_factory.mktemp("mnist"))


@pytest.fixture
def nothing_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what other tests of this process have compiled: since then models keep their hooks."""
    if dynamo := sys.modules.get("torch._dynamo.eval_frame"):
        monkeypatch.setattr(dynamo, "cached_backends", {})
