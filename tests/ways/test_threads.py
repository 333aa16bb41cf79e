"""Threads that train: below `autotrack run` each is a run; a coroutine's run follows its thread."""

from __future__ import annotations

import asyncio
import contextvars
import os
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import autotrack
from autotrack import context

ROOT = Path(__file__).parents[2]

TRAIN = """
    import sys
    import threading
    import torch
    from torch import nn
    from torch.nn.functional import cross_entropy

    def train(seed, epochs, say=None):
        generator = torch.Generator().manual_seed(seed)
        x = torch.randn(24, 4, generator=generator)
        y = (x.sum(1) > 0).long()
        weight = torch.zeros(4, 2, requires_grad=True)
        optimizer = torch.optim.SGD([weight], lr=0.1)
        seen = []
        for epoch in range(epochs):
            for start in range(0, 24, 8):
                optimizer.zero_grad()
                loss = cross_entropy(x[start:start + 8] @ weight, y[start:start + 8])
                loss.backward()
                seen.append(loss.item().hex())
                optimizer.step()
        # in one piece: `print` lets another thread in between
        sys.stdout.write(" ".join(["losses", str(seed), *seen]) + "\\n")
        sys.stdout.flush()
"""


def launched(folder, script, *options):
    (folder / "training.py").write_text(textwrap.dedent(TRAIN))
    (folder / "script.py").write_text(textwrap.dedent(script))
    console = str(ROOT / "tests" / "console_script.py")
    return subprocess.run(
        [sys.executable, console, "run", "--logdir", "out", *options, "script.py"],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
        timeout=100,
        env={**os.environ, "PYTHONPATH": str(ROOT), "AUTOTRACK_STRICT": "1"},
    )


def printed(done):
    """The losses by seed, as single precision numbers."""
    lines = [line.split() for line in done.stdout.splitlines() if line.startswith("losses ")]
    return {
        int(seed): torch.tensor([float.fromhex(v) for v in values]).tolist()
        for _, seed, *values in lines
    }


def recorded(folder):
    return {
        path.parent.relative_to(folder).as_posix(): autotrack.read(path.parent)
        for path in sorted(folder.rglob("*.tfevents.*"))
    }


def test_a_thread_that_trains_alone_has_the_directory(tmp_path):
    script = """
        import torch, threading
        from training import train
        thread = threading.Thread(target=train, args=(3, 2))
        thread.start()
        thread.join()
    """
    done = launched(tmp_path, script)
    (history,) = recorded(tmp_path).values()
    assert history.directory == tmp_path / "out"
    assert history["Loss/train"].value.tolist() == printed(done)[3]
    assert history["Loss/train"].epoch.tolist() == [0, 0, 0, 1, 1, 1]
    assert history["Accuracy/train"].x.tolist() == [0, 1]
    assert done.stderr.startswith("autotrack: recorded in out (tracking took ")


def test_threads_side_by_side_and_the_first_one_are_a_run_each(tmp_path):
    script = """
        import torch, threading
        from training import train
        together = threading.Barrier(3)
        def work(seed):
            together.wait()
            train(seed, 10)
        threads = [threading.Thread(target=work, args=(seed,)) for seed in (1, 2)]
        for thread in threads:
            thread.start()
        work(0)
        for thread in threads:
            thread.join()
        again = threading.Thread(target=train, args=(4, 2))
        again.start()
        again.join()
    """
    done = launched(tmp_path, script)
    losses = printed(done)
    histories = recorded(tmp_path)
    assert set(histories) == {"out", "out/thread-2", "out/thread-3", "out/thread-4"}
    found = sorted(history["Loss/train"].value.tolist() for history in histories.values())
    assert found == sorted(losses.values())
    assert "out/thread-2" in done.stderr


def test_a_thread_that_only_takes_gradients_opens_no_run(tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr(context.Newcomer, "opened", lambda: opened.append("run"))

    def work(what):
        context.enter(context.Newcomer())
        place = torch.ones(3, requires_grad=True)
        what(place.square().sum(), place)

    with autotrack.tracking(logdir=tmp_path):
        for what in (torch.autograd.grad, lambda loss, _: loss.backward()):
            thread = threading.Thread(target=work, args=(what,))
            thread.start()
            thread.join()
            # Backward, on the other hand, shows that a thread trains.
            assert bool(opened) is (what is not torch.autograd.grad)


def test_an_evaluation_without_training_is_told(tmp_path):
    script = """
        import torch
        from torch.nn.functional import cross_entropy
        with torch.no_grad():
            cross_entropy(torch.randn(4, 2), torch.tensor([0, 1, 0, 1]))
    """
    done = launched(tmp_path, script)
    assert "an evaluation without a training was seen" in done.stderr
    assert not (tmp_path / "out").exists()


# -- a coroutine's thread ------------------------------------------------------------------------


def made(seed):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(24, 4, generator=generator)
    model = nn.Linear(4, 2)
    loader = DataLoader(TensorDataset(x, (x.sum(1) > 0).long()), batch_size=8)
    return model, torch.optim.SGD(model.parameters(), lr=0.1), loader


def train_epoch(model, optimizer, loader, seen):
    for x, y in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        seen.append(loss.item())
        optimizer.step()


def validate(model, loader, seen):
    with torch.no_grad():
        losses = [nn.functional.cross_entropy(model(x), y).item() for x, y in loader]
    seen.append(sum(losses) / len(losses))


def float32(values):
    return torch.tensor(values).tolist()


def test_a_tracked_coroutine_is_followed_into_the_threads_it_waits_for(tmp_path):
    train_seen, val_seen = [], []

    @autotrack.track(logdir=tmp_path / "run", strict=True)
    async def train():
        model, optimizer, loader = made(0)
        _, _, other = made(1)
        for _ in range(4):
            await asyncio.to_thread(train_epoch, model, optimizer, loader, train_seen)
            await asyncio.to_thread(validate, model, other, val_seen)
            await asyncio.sleep(0)

    asyncio.run(train())
    history = autotrack.read(tmp_path / "run")
    assert history["Loss/train"].value.tolist() == float32(train_seen)
    assert history["Loss/train"].epoch.tolist() == [e for e in range(4) for _ in range(3)]
    assert history["Loss/val"].value.tolist() == pytest.approx(val_seen, rel=1e-6)
    assert history["Loss/val"].x.tolist() == [0, 1, 2, 3]


def test_two_threads_of_one_coroutine_are_not_mixed(tmp_path):
    """Both inherit the run; it is the first one's, to the end, and the coverage says so."""
    seen = {0: [], 1: []}
    first, second = threading.Event(), threading.Event()

    def work(seed):
        model, optimizer, loader = made(seed)
        if seed:
            first.wait(20)
        for _ in range(3):
            train_epoch(model, optimizer, loader, seen[seed])
            first.set()
            if not seed:
                second.wait(20)
        second.set()

    @autotrack.track(logdir=tmp_path / "run", strict=True)
    async def train():
        await asyncio.gather(*(asyncio.to_thread(work, seed) for seed in (0, 1)))

    asyncio.run(train())
    history = autotrack.read(tmp_path / "run")
    assert history["Loss/train"].value.tolist() == float32(seen[0])
    assert any("another thread" in note for note in history.coverage["notes"])


def test_a_thread_with_a_copy_of_the_context_disturbs_nothing(tmp_path):
    seen, others = [], []
    with autotrack.tracking(logdir=tmp_path / "run", strict=True):
        context = contextvars.copy_context()
        parts = made(0)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(context.run, train_epoch, *made(1), others).result()
            train_epoch(*parts, seen)
            pool.submit(context.run, train_epoch, *made(1), others).result()
        train_epoch(*parts, seen)
    history = autotrack.read(tmp_path / "run")
    assert history["Loss/train"].value.tolist() == float32(seen)
    assert len(others) == 6


def test_a_task_that_begins_while_it_is_handed_in_is_no_part_of_the_run(tmp_path, monkeypatch):
    """A new pool's first thread may be at work before `submit` has returned."""
    seen, others, begun = [], [], threading.Event()
    # What waits below `submit` is the library's, as it is where the system decides so.
    library = {"start": threading.Thread.start, "begun": begun, "__name__": "threading"}
    source = "def start_and_wait(thread):\n    start(thread)\n    begun.wait(20)\n"
    exec(compile(source, threading.__file__, "exec"), library)  # noqa: S102 - the lines above

    def work(parts):
        train_epoch(*parts, others)
        begun.set()

    with autotrack.tracking(logdir=tmp_path / "run", strict=True):
        context, parts = contextvars.copy_context(), made(0)
        with ThreadPoolExecutor(1) as pool, monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", library["start_and_wait"])
            pool.submit(context.run, work, made(1)).result()
        train_epoch(*parts, seen)
    history = autotrack.read(tmp_path / "run")
    assert history["Loss/train"].value.tolist() == float32(seen)
    assert len(others) == 3
