"""Whose frames are looked at, and what looking leaves behind."""

from __future__ import annotations

import ast
import asyncio
import gc
import sys
import types
import weakref

import numpy as np
import pytest
import torch
from torch import nn

import autotrack
from autotrack import frames
from autotrack.loopscope import LoopScope


def test_loops_of_the_standard_library_are_not_the_persons():
    found = []

    async def train():
        for epoch in range(2):  # noqa: B007 - a loop as people write it
            found.append([loop.targets for loop in LoopScope().site().loops])  # noqa: PERF401

    asyncio.run(train())
    # pytest's own loops lie further out; nothing of asyncio stands between
    assert [loops[0] for loops in found] == [("epoch",)] * 2
    files = {code.co_filename for code, _ in LoopScope().site().lines}
    assert not any("asyncio" in name for name in files)


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="frames keep no copy of their locals")
def test_reading_a_variable_keeps_nothing_alive():
    class Batch:
        pass

    def read():
        return frames.variables(sys._getframe(1))["epoch"]

    def loop():
        epoch = 7  # noqa: F841 - read from outside
        batch = Batch()
        alive = weakref.ref(batch)
        read()
        del batch
        gc.collect()
        return alive()

    assert loop() is None


def test_a_function_that_shows_its_locals_is_left_alone():
    def look():
        return frames.variables(sys._getframe(1))

    def configured(lr=0.1):
        config = locals()
        later = 3
        return look(), config

    seen, config = configured()
    assert seen == {}
    assert "later" not in config
    assert config["lr"] == 0.1


def test_calling_eval_on_a_model_is_not_asking_for_locals():
    class Model:
        def eval(self):
            return self

    def train():
        epoch = 4  # noqa: F841 - read from outside
        Model().eval()
        return frames.variable(sys._getframe(0), "epoch")

    assert train() == 4


def test_the_attributes_of_something_are_no_locals():
    """`vars(args)` stands in many a function that trains: for its configuration."""

    def train(args):
        epoch = 5  # noqa: F841 - read from outside
        config = {**vars(args), "names": dir(args)}
        return frames.variable(sys._getframe(0), "epoch"), config

    seen, config = train(types.SimpleNamespace(lr=0.1))
    assert seen == 5
    assert config["lr"] == 0.1


def with_vars():
    return frames.variables(sys._getframe(0)), vars()


def with_dir():
    return frames.variables(sys._getframe(0)), dir()


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="a function's locals are no copy any more")
@pytest.mark.parametrize("asks", [with_vars, with_dir])
def test_a_function_that_asks_for_its_own_is_left_alone(asks):
    assert asks()[0] == {}


def one_step(model, optimizer):
    loss = model(torch.ones(4, 2)).pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def test_a_thread_that_a_coroutine_waits_for_is_observed_like_itself(tmp_path):
    here, there = nn.Linear(2, 1), nn.Linear(2, 1)
    optimizers = [torch.optim.SGD(m.parameters(), lr=0.1) for m in (here, there)]

    async def both():
        with autotrack.tracking(logdir=tmp_path) as run:
            away = [await asyncio.to_thread(one_step, there, optimizers[1]) for _ in range(2)]
            losses = [one_step(here, optimizers[0]) for _ in range(3)]
        return run, [losses, away]

    run, expected = asyncio.run(both())
    found = [s.value.tolist() for t, s in run.history.items() if t.startswith("Loss/train/")]
    assert sorted(found) == sorted(np.float32(losses).tolist() for losses in expected)


def test_another_thread_in_the_parser_costs_no_epochs(monkeypatch):
    parse = ast.parse
    answers = [SystemError("AST constructor recursion depth mismatch"), None]

    def busy(*args, **kwargs):
        if answers and (error := answers.pop(0)) is not None:
            raise error
        return parse(*args, **kwargs)

    monkeypatch.setattr(ast, "parse", busy)
    for epoch in range(1):  # noqa: B007 - a loop as people write it
        loops = LoopScope().site().loops
    assert loops[0].targets == ("epoch",)
    assert not answers


def one_epoch():
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _epoch in range(1):
        model(torch.ones(3, 2)).sum().backward()
        optimizer.step()


def failing(*_):
    msg = "our own mistake"
    raise RuntimeError(msg)


def test_our_own_mistake_in_reading_loops_is_raised_where_that_is_asked_for(monkeypatch, caplog):
    monkeypatch.setattr("autotrack.loopscope._own_nodes", failing)
    with pytest.raises(RuntimeError, match="our own"), autotrack.tracking(strict=True):
        one_epoch()
    with autotrack.tracking(strict=False) as run:
        one_epoch()
    assert len(run.history["Loss/train"].x) == 1
    assert "loops" in run.coverage.failed
    assert "our own mistake" in caplog.text


def test_a_source_that_is_no_python_any_more_is_nobodys_mistake(monkeypatch):
    monkeypatch.setattr("autotrack.loopscope._source_lines", lambda _: ["for epoch in"])
    with autotrack.tracking(strict=True) as run:
        one_epoch()
    assert len(run.history["Loss/train"].x) == 1
