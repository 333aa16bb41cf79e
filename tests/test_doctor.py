"""`autotrack doctor`: well where all is well, and each thing that is wrong is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from autotrack.cli import main
from autotrack.doctor import examine, loop, packages, tensorboard
from autotrack.doctor._check import Check


def said(*arguments: str) -> tuple[int, list[str]]:
    result = CliRunner().invoke(main, ["doctor", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result.exit_code, result.output.splitlines()


def bad(checks: object) -> dict[str, str]:
    return {check.what: check.says for check in checks if check.state == "bad"}


def test_all_is_well_here_and_nothing_is_left_behind(tmp_path: Path) -> None:
    status, lines = said("--logdir", str(tmp_path / "runs"))
    assert status == 0
    assert any(line.startswith("ok training ") for line in lines)
    assert any(line.startswith("ok Loss/train ") and "10 points" in line for line in lines)
    assert list(tmp_path.iterdir()) == []


def test_every_check_that_is_not_good_names_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensorboard.shutil, "which", lambda *_, **__: None)
    monkeypatch.setattr(packages, "_NEEDED", (("numpy", (99, 0)), ("not-there", (1, 0))))
    checks = list(examine(Path("/proc/nowhere")))
    wrong = [check for check in checks if check.state != "good"]
    assert {check.what for check in wrong} == {"numpy", "not-there", "log directory", "TensorBoard"}
    assert all(check.cure for check in wrong)


def test_a_log_directory_that_cannot_be_written_fails() -> None:
    status, lines = said("--logdir", "/proc/nowhere")
    assert status == 1
    assert any(line.startswith(" x log directory") for line in lines)
    assert lines[-1] == "1 of these must be mended before autotrack can work."


def test_a_loop_that_ends_otherwise_when_tracked_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    train, calls = loop._train, []

    def drifting() -> object:
        seen = train()
        calls.append(seen)
        seen.weights[0] += len(calls)
        return seen

    monkeypatch.setattr(loop, "_train", drifting)
    assert bad(loop.examine(Path())) == {"training": "ends with other weights when tracked"}


def test_a_wrong_number_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    train = loop._train

    def miscounted() -> object:
        seen = train()
        seen.losses[3] = float(np.nextafter(np.float32(seen.losses[3]), np.float32(9)))
        return seen

    monkeypatch.setattr(loop, "_train", miscounted)
    assert list(bad(loop.examine(Path()))) == ["Loss/train"]


def test_settings_that_cannot_work_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOTRACK_BUDGET", "-1")
    status, lines = said()
    assert status == 1
    assert any(line.startswith(" x settings") and "budget='-1'" in line for line in lines)
    assert any("not tried: the settings cannot work" in line for line in lines)


def test_being_switched_off_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOTRACK_DISABLED", "1")
    status, lines = said()
    assert status == 0
    assert " ! training loop   not tried: autotrack is disabled" in lines


def test_the_random_state_of_the_process_is_left_alone() -> None:
    import torch

    before = torch.get_rng_state()
    assert all(isinstance(check, Check) for check in loop.examine(Path()))
    assert torch.equal(torch.get_rng_state(), before)
