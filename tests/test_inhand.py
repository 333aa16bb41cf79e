"""Which batch is used, by the order in which a loader gives them and a program uses them."""

from __future__ import annotations

import itertools
from weakref import ref

from autotrack.capture.inhand import InHand
from autotrack.timeline import LoaderClock


class Batch:
    """Can be referred to weakly."""


class Loader:
    """A loader's pass, told to both as the capture tells it."""

    def __init__(self) -> None:
        self.clock = LoaderClock()
        self.in_hand = InHand(self.clock)
        self.start()

    def start(self) -> None:
        self.in_hand.pass_started()
        self.clock.started(0, None)

    def give(self, batch: Batch, size: int = 4) -> None:
        self.in_hand.came(0, batch, size)
        self.clock.loaded(0)

    def end(self) -> None:
        self.in_hand.pass_ended()
        self.clock.finished(0)


def test_a_batch_that_is_done_with_is_let_go():
    loader, batch = Loader(), Batch()
    known = ref(batch)
    loader.give(batch)
    assert not loader.in_hand.use()
    assert loader.in_hand.batch is batch
    del batch
    loader.give(Batch())
    assert known() is None


def test_of_batches_drawn_ahead_the_one_before_is_used_and_in_the_end_the_last():
    loader, batches = Loader(), [Batch() for _ in range(4)]
    loader.give(batches[0])
    for used, drawn in itertools.pairwise(batches):
        loader.give(drawn)
        assert loader.in_hand.use()
        assert loader.in_hand.drawn_ahead() is used
    loader.end()
    assert loader.in_hand.drawn_ahead() is batches[-1]
    assert loader.in_hand.drawn_ahead() is None


def test_the_next_pass_may_be_an_ordinary_one():
    loader = Loader()
    loader.give(Batch())
    loader.give(Batch())
    assert loader.in_hand.use()
    loader.start()
    loader.give(Batch())
    assert not loader.in_hand.use()
    loader.end()
    assert loader.in_hand.drawn_ahead() is None


def test_a_size_is_known_in_training_unless_another_one_is_ahead():
    loader = Loader()
    loader.give(Batch(), size=4)
    assert loader.in_hand.size_in_training(again=False) == 4
    loader.start()
    loader.give(Batch(), size=4)
    loader.give(Batch(), size=4)
    assert loader.in_hand.size_in_training(again=False) == 4
    loader.give(Batch(), size=3)
    assert loader.in_hand.size_in_training(again=False) is None
    assert loader.in_hand.size_in_training(again=True) is None
