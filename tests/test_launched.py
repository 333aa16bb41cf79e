"""What `autotrack run` records, with real training in the process and in its children."""

from __future__ import annotations

import contextvars
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch

import autotrack
from autotrack import context, launched, observers
from autotrack.guard import Guard
from autotrack.launched.orders import Orders
from autotrack.launched.pool import is_idle
from autotrack.launched.telling import say, summary

ROOT = Path(__file__).parents[1]

TRAIN = """
    import sys
    import torch
    from torch import nn
    from torch.nn.functional import cross_entropy

    torch.set_num_threads(1)
    torch.manual_seed(1)
    inputs = torch.randn(40, 3)
    data = torch.utils.data.TensorDataset(inputs, (inputs.sum(1) > 0).long())

    def train(epochs=2, workers=0):
        torch.manual_seed(2)
        loader = torch.utils.data.DataLoader(data, 10, shuffle=True, num_workers=workers)
        model = nn.Sequential(nn.Linear(3, 4), nn.Dropout(), nn.Linear(4, 2))
        optimizer = torch.optim.Adam(model.parameters())
        for epoch in range(epochs):
            for x, y in loader:
                optimizer.zero_grad()
                loss = cross_entropy(model(x), y)
                loss.backward()
                optimizer.step()
                print("loss", loss.item().hex())
        print("state", [p.sum().item().hex() for p in model.parameters()])
        print("random", torch.rand(1).item().hex())
"""


def run(
    folder: Path, script: str, *arguments: str, launcher: tuple[str, ...] = (), **environ: str
) -> subprocess.CompletedProcess[str]:
    (folder / "training.py").write_text(textwrap.dedent(TRAIN))
    (folder / "script.py").write_text(textwrap.dedent(script))
    return subprocess.run(
        [sys.executable, *launcher, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        timeout=300,
        env={**os.environ, "PYTHONPATH": str(ROOT), "AUTOTRACK_STRICT": "1", **environ},
    )


def tracked(
    folder: Path, script: str, *arguments: str, options: tuple[str, ...] = (), **environ: str
) -> subprocess.CompletedProcess[str]:
    console = str(Path(__file__).parent / "console_script.py")
    launcher = (console, "run", "--logdir", "out", *options)
    return run(folder, script, *arguments, launcher=launcher, **environ)


def records(folder: Path) -> dict[str, list[float]]:
    """Every record below `folder` by its directory, with the steps of its training loss."""
    found = sorted({path.parent for path in folder.rglob("*.tfevents.*")})
    return {
        path.relative_to(folder).as_posix(): autotrack.read(path)["Loss/train"].x.tolist()
        for path in found
    }


# -- the first process ---------------------------------------------------------------------------


def test_an_unmodified_script_trains_the_same_and_is_recorded(tmp_path: Path) -> None:
    script = "from training import train\ntrain(workers=1)\ndef end():\n    1 / 0\nend()\n"
    plain = run(tmp_path, script, "script.py")
    done = tracked(tmp_path, script, "script.py", options=("--config", "lr=0.5"))
    assert "ZeroDivisionError" in plain.stderr
    assert done.stdout == plain.stdout
    assert done.returncode == plain.returncode == 1
    assert done.stderr.startswith(plain.stderr + "autotrack: recorded in out (tracking took ")
    took = re.search(r"tracking took (\S+) s, (\S+) % of the loop's time\)", done.stderr)
    assert took is not None
    cost = autotrack.read(tmp_path / "out").cost
    assert float(took[1]) == pytest.approx(cost["seconds"], rel=0.06)
    assert float(took[2]) == pytest.approx(100 * cost["share"], rel=0.06)
    assert "cross_entropy" in done.stderr.removeprefix(plain.stderr)

    history = autotrack.read(tmp_path / "out")
    losses = [float.fromhex(line[5:]) for line in plain.stdout.splitlines() if line[:5] == "loss "]
    np.testing.assert_array_equal(history["Loss/train"].value, np.float32(losses))
    np.testing.assert_array_equal(history["Loss/train"].epoch, [0, 0, 0, 0, 1, 1, 1, 1])
    assert history.run["config"] == {"lr": 0.5}
    assert history.run["argv"] == ["script.py"]
    assert history.coverage
    # The worker of the loader trained nothing.
    assert set(records(tmp_path)) == {"out"}


def test_an_interrupt_keeps_its_status_and_the_record(tmp_path: Path) -> None:
    script = """
        import os, signal
        from training import train
        train(1)
        os.kill(os.getpid(), signal.SIGINT)
    """
    done = tracked(tmp_path, script, "script.py")
    assert done.returncode == -signal.SIGINT
    assert "KeyboardInterrupt\nautotrack: recorded in out (tracking took " in done.stderr
    assert records(tmp_path) == {"out": [0, 1, 2, 3]}


def test_a_script_that_changes_its_directory_is_recorded_where_it_was_started(
    tmp_path: Path,
) -> None:
    (tmp_path / "elsewhere").mkdir()
    script = "import os\nos.chdir('elsewhere')\nfrom training import train\ntrain(1)\n"
    done = tracked(tmp_path, script, "-m", "script")
    assert done.stderr.startswith("autotrack: recorded in out (tracking took ")
    assert set(records(tmp_path)) == {"out"}


def test_a_script_that_tracks_itself_keeps_its_own_record(tmp_path: Path) -> None:
    script = """
        import autotrack
        from training import train
        with autotrack.tracking(logdir="own"):
            train(1)
        train(2)
    """
    done = tracked(tmp_path, script, "script.py")
    assert done.returncode == 0
    assert records(tmp_path) == {"own": [0, 1, 2, 3], "out": list(range(8))}


def test_without_training_nothing_is_written_and_that_is_said(tmp_path: Path) -> None:
    done = tracked(tmp_path, "import torch\ntorch.ones(1)\n", "script.py")
    assert done.stderr.startswith("autotrack: nothing was recorded: no backward that trains ran")
    assert not (tmp_path / "out").exists()


def test_without_torch_that_is_said(tmp_path: Path) -> None:
    done = tracked(tmp_path, "print(1)", "script.py")
    assert done.stdout == "1\n"
    assert done.stderr == "autotrack: nothing was recorded: torch was never imported\n"
    assert not (tmp_path / "out").exists()


def test_a_record_that_cannot_be_written_does_not_stop_the_training(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    script = "from training import train\ntrain(1)\n"
    options = ("--logdir", "file/below")
    done = tracked(tmp_path, script, "script.py", options=options, AUTOTRACK_STRICT="0")
    assert done.returncode == 0
    assert "random" in done.stdout
    assert "Traceback" not in done.stderr


# -- children ------------------------------------------------------------------------------------

EVERY_KIND = """
    import multiprocessing
    import os
    import subprocess
    import sys
    from training import train
    import torch

    def idle():
        torch.ones(1).sum()

    if __name__ == "__main__" and len(sys.argv) > 1:
        train(3)
    elif __name__ == "__main__":
        kinds = {}
        for method in ("fork", "spawn", "forkserver"):
            context = multiprocessing.get_context(method)
            for work in (train, idle):
                child = context.Process(target=work, args=(1,) if work is train else ())
                child.start()
                child.join()
                assert child.exitcode == 0
                if work is train:
                    kinds[child.pid] = 4
        for method in ("fork", "spawn"):
            with multiprocessing.get_context(method).Pool(1) as pool:
                pool.map(train, [1])
                kinds[pool.apply(os.getpid)] = 4
        child = os.fork()
        if not child:
            train(2)
            sys.exit(0)
        os.waitpid(child, 0)
        kinds[child] = 8
        again = subprocess.Popen([sys.executable, __file__, "again"])
        again.wait()
        kinds[again.pid] = 12
        print("kinds", kinds)
"""


def test_every_child_that_trains_writes_a_record_of_its_own(tmp_path: Path) -> None:
    done = tracked(tmp_path, EVERY_KIND, "script.py")
    assert done.returncode == 0, done.stderr
    kinds = eval(done.stdout.rpartition("kinds ")[2])  # noqa: S307 - what the script printed
    assert len(kinds) == 7
    expected = {f"out/child-{pid}": list(range(steps)) for pid, steps in kinds.items()}
    assert records(tmp_path) == expected
    told = ", ".join(sorted(expected)[:4])
    assert done.stderr == f"autotrack: child processes recorded in {told} and 3 more\n"


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_worker_that_is_terminated_on_its_way_out_leaves_its_record(
    tmp_path: Path, method: str
) -> None:
    """A pool that is left tells its workers to go, and terminates them right after."""
    script = f"""
        import multiprocessing
        import os
        import signal
        from multiprocessing import util
        from training import train

        def work(epochs):
            train(epochs)
            util.Finalize(None, os.kill, args=(os.getpid(), signal.SIGTERM), exitpriority=0)
            return os.getpid()

        if __name__ == "__main__":
            pool = multiprocessing.get_context("{method}").Pool(1)
            print("child", *pool.map(work, [1]))
            pool.close()
            pool.join()
    """
    done = tracked(tmp_path, script, "script.py")
    child = done.stdout.split()[-1]
    assert records(tmp_path) == {f"out/child-{child}": list(range(4))}


def test_a_parent_that_trains_is_not_disturbed_by_its_fork(tmp_path: Path) -> None:
    script = """
        import os
        from training import train
        train(1)
        child = os.fork()
        train(1 if child else 3)
        if child:
            os.waitpid(child, 0)
            print("child", child)
    """
    done = tracked(tmp_path, script, "script.py")
    child = done.stdout.split()[-1]
    assert records(tmp_path) == {"out": list(range(8)), f"out/child-{child}": list(range(12))}
    both = [autotrack.read(tmp_path / folder) for folder in ("out", f"out/child-{child}")]
    np.testing.assert_array_equal(both[0]["Loss/train"].value[4:], both[1]["Loss/train"].value[:4])


def test_each_worker_of_torchrun_records_when_asked(tmp_path: Path) -> None:
    script = """
        import torch.distributed
        from training import train
        torch.distributed.init_process_group("gloo")
        train(1)
        torch.distributed.destroy_process_group()
    """
    torchrun = ("-m", "torch.distributed.run", "--nproc-per-node", "2")
    done = tracked(tmp_path, script, *torchrun, "script.py", options=("--ranks", "all"))
    assert done.returncode == 0, done.stderr
    assert records(tmp_path) == {"out/rank0": [0, 1, 2, 3], "out/rank1": [0, 1, 2, 3]}


@pytest.mark.parametrize("outside", [False, True], ids=["run torchrun", "torchrun run"])
@pytest.mark.parametrize("ranks", ["0", "all"])
def test_torchrun_inside_and_outside_record_and_say_the_same(
    ranks: str, outside: bool, tmp_path: Path
) -> None:
    """Replicas with gradients averaged by DistributedDataParallel, against what the loop writes."""
    # A replica that outlives its process group ends one process in four by `std::terminate`,
    # where processors are scarce, without autotrack too: it goes first.
    script = """
        import gc
        import torch
        import torch.distributed as dist
        from torch.nn.parallel import DistributedDataParallel

        dist.init_process_group("gloo")
        torch.manual_seed(0)
        model = DistributedDataParallel(torch.nn.Linear(3, 1))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        torch.manual_seed(dist.get_rank())
        for epoch in range(2):
            for _ in range(4):
                loss = model(torch.randn(8, 3)).square().mean()
                optimizer.zero_grad()
                loss.backward()
                norm = torch.cat([p.grad.flatten() for p in model.parameters()]).norm()
                optimizer.step()
                with open(f"said-{dist.get_rank()}", "a") as file:
                    print(loss.item(), norm.item(), file=file)
        del model, loss, optimizer
        gc.collect()
        dist.destroy_process_group()
    """
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    options = ("--ranks", ranks)
    if outside:
        done = torchrun_outside(tmp_path, script, *torchrun, "script.py", options=options)
    else:
        done = tracked(tmp_path, script, *torchrun, "script.py", options=options)
    assert done.returncode == 0, done.stderr
    folders = {"0": {0: "out"}, "all": {0: "out/rank0", 1: "out/rank1"}}[ranks]
    assert records(tmp_path) == {folder: list(range(8)) for folder in folders.values()}
    for rank, folder in folders.items():
        said = [line.split() for line in (tmp_path / f"said-{rank}").read_text().splitlines()]
        history = autotrack.read(tmp_path / folder)
        for tag, by_hand in zip(
            ("Loss/train", "GradNorm/total"), zip(*said, strict=True), strict=True
        ):
            np.testing.assert_allclose(history[tag].value, np.array(by_hand, float), 1e-6)
    assert f"autotrack: recorded in {folders[0]}" in done.stderr
    # Outside, each worker is a run of its own and says so itself.
    told = len(folders) if outside else 1
    assert len(re.findall(r"gradient norm +8 ", done.stderr)) == told, done.stderr


def test_an_unmodified_script_that_shards_its_model_has_its_whole_gradient_norms(
    tmp_path: Path,
) -> None:
    """FSDP2: each rank knows its own shards only; reading puts them together."""
    script = """
        import torch
        import torch.distributed as dist
        from torch.distributed.fsdp import fully_shard

        def whole(model):
            grads = [p.grad.full_tensor().flatten() for p in model.parameters()]
            return torch.cat(grads).norm().item()

        dist.init_process_group("gloo")
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(5, 7), torch.nn.Tanh(), torch.nn.Linear(7, 3))
        fully_shard(model[0])
        fully_shard(model)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        torch.manual_seed(dist.get_rank() + 1)
        for epoch in range(2):
            for _ in range(4):
                loss = torch.nn.functional.cross_entropy(
                    model(torch.randn(8, 5)), torch.randint(3, (8,))
                )
                optimizer.zero_grad()
                loss.backward()
                before = whole(model)
                torch.nn.utils.clip_grad_norm_(model.parameters(), 0.1)
                with open(f"said-{dist.get_rank()}", "a") as file:
                    print(loss.item(), before, whole(model), file=file)
                optimizer.step()
        dist.destroy_process_group()
    """
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    done = tracked(tmp_path, script, *torchrun, "script.py", options=("--ranks", "all"))
    assert done.returncode == 0, done.stderr
    assert records(tmp_path) == {f"out/rank{rank}": list(range(8)) for rank in (0, 1)}
    said = np.loadtxt(tmp_path / "said-0")
    history = autotrack.read(tmp_path / "out")
    for column, tag in enumerate(("Loss/train", "GradNorm/total", "GradNorm/clipped")):
        np.testing.assert_allclose(history[tag].value, said[:, column], 1e-6)
    of_rank_1 = autotrack.read(tmp_path / "out/rank1")
    np.testing.assert_allclose(of_rank_1["Loss/train"].value, np.loadtxt(tmp_path / "said-1")[:, 0])


def torchrun_outside(
    directory: Path, script: str, *command: str, options: tuple[str, ...]
) -> subprocess.CompletedProcess[str]:
    """The same as `tracked`, with autotrack in each worker rather than around them."""
    (directory / "script.py").write_text(textwrap.dedent(script))
    run = ("-m", "autotrack", "run", "--logdir", "out", *options)
    return subprocess.run(
        [sys.executable, *command[:-1], *run, command[-1]],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_of_ranks_without_torchrun_the_first_records(tmp_path: Path) -> None:
    script = """
        import os
        import sys
        import torch
        from training import train

        def work(rank, store):
            torch.distributed.init_process_group(
                "gloo", init_method=f"file://{store}", rank=rank, world_size=2
            )
            train(rank + 1)
            print(f"rank {rank} {os.getpid()}\\n", end="", flush=True)

        if __name__ == "__main__":
            torch.multiprocessing.spawn(work, (os.path.abspath("store"),), nprocs=2)
    """
    done = tracked(tmp_path, script, "script.py")
    first = re.search(r"rank 0 (\d+)", done.stdout)
    assert first is not None, done.stderr
    assert records(tmp_path) == {f"out/child-{first[1]}": [0, 1, 2, 3]}


def test_ranks_that_children_make_of_themselves_are_read_together(tmp_path: Path) -> None:
    script = """
        import os
        import torch
        from training import train

        def work(rank, store):
            torch.distributed.init_process_group(
                "gloo", init_method=f"file://{store}", rank=rank, world_size=2
            )
            train(rank + 1)
            torch.distributed.destroy_process_group()

        if __name__ == "__main__":
            torch.multiprocessing.spawn(work, (os.path.abspath("store"),), nprocs=2)
    """
    tracked(tmp_path, script, "script.py", options=("--ranks", "all"))
    assert records(tmp_path) == {"out/rank0": list(range(4)), "out/rank1": list(range(8))}
    whole = autotrack.read(tmp_path / "out")
    np.testing.assert_array_equal(
        whole["Loss/train"].value, autotrack.read(tmp_path / "out/rank0")["Loss/train"].value
    )


def test_a_rank_stays_one_when_its_process_group_is_gone(tmp_path: Path) -> None:
    script = """
        import os
        import torch
        from training import train

        def work(rank, store):
            torch.distributed.init_process_group(
                "gloo", init_method=f"file://{store}", rank=rank, world_size=2
            )
            train(1)
            torch.distributed.destroy_process_group()
            print(f"rank {rank} {os.getpid()}\\n", end="", flush=True)

        if __name__ == "__main__":
            torch.multiprocessing.spawn(work, (os.path.abspath("store"),), nprocs=2)
    """
    done = tracked(tmp_path, script, "script.py")
    first = re.search(r"rank 0 (\d+)", done.stdout)
    assert first is not None, done.stderr
    assert records(tmp_path) == {f"out/child-{first[1]}": [0, 1, 2, 3]}


# -- where a process records ---------------------------------------------------------------------


@pytest.fixture
def orders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Orders:
    monkeypatch.setenv("AUTOTRACK_RUN_PID", str(os.getpid()))
    for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    return Orders(directory=str(tmp_path / "out"), options={}, home=str(tmp_path))


@pytest.mark.parametrize(
    ("first", "rank", "ranks", "expected"),
    [
        (True, None, "0", "out"),
        (True, "0", "0", "out"),
        (True, "1", "0", None),
        (True, "0", "all", "out/rank0"),
        (True, "1", "all", "out/rank1"),
        (False, None, "0", "out/child-PID"),
        (False, None, "all", "out/child-PID"),
        (False, "0", "0", "out/rank0"),
        (False, "3", "0", None),
        (False, "3", "all", "out/rank3"),
    ],
)
def test_place(
    first: bool,
    rank: str | None,
    ranks: str,
    expected: str | None,
    *,
    orders: Orders,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    if not first:
        monkeypatch.setenv("AUTOTRACK_RUN_PID", "1")
    if rank is not None:
        for name, text in {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": "4"}.items():
            monkeypatch.setenv(name, text)
    there = Orders(orders.directory, {"ranks": ranks}, orders.home).place
    here = expected and tmp_path / expected.replace("PID", str(os.getpid()))
    assert there == here


def test_a_variable_called_rank_alone_is_no_torchrun(
    orders: Orders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "7")
    assert orders.place == Path(orders.directory)


def test_children_are_listed_but_not_other_runs(orders: Orders, tmp_path: Path) -> None:
    for folder in ("child-2", "rank0", "another"):
        (tmp_path / "out" / folder).mkdir(parents=True)
        (tmp_path / "out" / folder / "events.out.tfevents.1").touch()
    (tmp_path / "out" / "child-9").mkdir()
    told = "autotrack: child processes recorded in out/child-2, out/rank0"
    assert summary(orders, None) == told


def test_orders_travel_through_the_environment(
    orders: Orders, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = {name: getattr(orders, name) for name in Orders.__dataclass_fields__}
    monkeypatch.setenv("AUTOTRACK_RUN", json.dumps(fields))
    assert Orders.received() == orders


def test_a_run_that_cannot_begin_is_said_once_and_left(
    orders: Orders, caplog: pytest.LogCaptureFixture
) -> None:
    here = launched.Process(Orders(orders.directory, {"histograms": "x"}, orders.home))
    here.begin()
    here.end()
    assert here.run is None
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert isinstance(here._guard, Guard)


def test_a_process_without_a_run_trains_undisturbed(
    orders: Orders, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a child that a rank forks which was not asked to record."""
    for name, text in {"RANK": "1", "LOCAL_RANK": "1", "WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, text)
    monkeypatch.setattr(context.Newcomer, "opened", None)
    here = launched.Process(orders)

    def train() -> float:
        here.begin()
        context.enter(here)
        model = torch.nn.Linear(2, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        loader = torch.utils.data.DataLoader(torch.ones(4, 2), batch_size=2)
        for batch in loader:
            loss = torch.nn.functional.mse_loss(model(batch), torch.zeros(2, 1))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return loss.item()

    observers.acquire()
    try:
        assert contextvars.copy_context().run(train) >= 0
    finally:
        observers.release()
    assert here.run is None


def test_a_closed_stderr_is_no_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stream = (tmp_path / "stderr").open("w")
    stream.close()
    for nobody in (stream, None):
        monkeypatch.setattr(sys, "__stderr__", nobody)
        say("text")


@pytest.mark.parametrize(
    ("modules", "idle"),
    [
        (["__main__", "multiprocessing.pool", "multiprocessing.queues"], True),
        (["__main__", "multiprocessing.pool", "multiprocessing.pool"], True),
        (["__main__", "multiprocessing.pool", "training"], False),
        (["__main__", "multiprocessing.pool", "training", "multiprocessing.queues"], False),
        (["__main__", "multiprocessing.util"], False),
    ],
)
def test_a_pool_worker_is_idle_between_its_tasks(modules: list[str], *, idle: bool) -> None:
    """Calls stacked as in a worker: each name is the module whose `worker` calls the next one."""
    call: object = lambda: sys._getframe(1)  # noqa: E731 - the innermost call asks for its caller
    for module in reversed(modules):
        scope = {"__name__": module, "call": call}
        exec("def worker():\n    return call()\n", scope)  # noqa: S102
        call = scope["worker"]
        if module != "multiprocessing.pool":
            scope["renamed"] = scope["worker"]
    assert is_idle(call()) is idle


def test_a_child_that_traces_a_model_before_it_trains(tmp_path: Path) -> None:
    """PyTorch checks what it traced: whoever stands in for the child's run must bear that."""
    script = """
        import multiprocessing
        import os
        import warnings
        import torch
        from training import train

        def work(_):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                torch.jit.trace(torch.nn.Linear(2, 1), torch.ones(3, 2))
            train(1)
            return os.getpid()

        if __name__ == "__main__":
            with multiprocessing.get_context("fork").Pool(1) as pool:
                print("child", *pool.map(work, [1]))
    """
    done = tracked(tmp_path, script, "script.py")
    assert done.returncode == 0, done.stderr
    assert f"out/child-{done.stdout.split()[-1]}" in records(tmp_path)
