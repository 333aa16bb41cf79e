"""Numbers of steps and epochs, from the order of events alone. Pure Python, no torch.

Epoch numbers are the person's own, and never go back: where the person's number starts over, ours
run on from the last.
"""

from __future__ import annotations

from dataclasses import dataclass, field

#: Without epochs, loader restarts or evaluations, a training pass is this many steps.
STRETCH = 100
#: Passes over more loaders than this are not remembered.
MOST_LOADERS = 1024


@dataclass(slots=True, eq=False, repr=False)
class EpochCounter:
    """Turns the numbers a loop shows into numbers that never go back."""

    current: int | None = None
    _seen: tuple[object, int] | None = None
    _offset: int = 0

    def at(self, loop: object, number: int) -> int:
        """Return the epoch for the loop's own `number`; `loop` tells one loop from another."""
        seen = (loop, number)
        if seen != self._seen:
            restarted = self._seen is not None and (number < self._seen[1] or loop != self._seen[0])
            if restarted and self.current is not None and number + self._offset <= self.current:
                self._offset = self.current + 1 - number
            self._seen = seen
            self.current = max(
                number + self._offset,
                self.current if self.current is not None else number + self._offset,
            )
        assert self.current is not None
        return self.current

    def again(self) -> int:
        """Return the next epoch for the number shown last: another training begins with it."""
        assert self.current is not None
        assert self._seen is not None
        self.current += 1
        self._offset = self.current - self._seen[1]
        return self.current

    def peek(self, loop: object, number: int) -> int:
        """Return the epoch that `at` would, without moving on."""
        return EpochCounter(self.current, self._seen, self._offset).at(loop, number)


@dataclass(slots=True, eq=False, repr=False)
class LoaderPass:
    """One iteration over one loader."""

    serial: int
    length: int | None = None
    batches: int = 0
    finished: bool = False
    trained: bool = False
    evaluated: bool = False
    # The call sites that trained while batches of this loader came; the first one in this pass,
    # how often it did, and how often it has come back since all batches were used. `over` is the
    # last pass begun when this one finished.
    sites: set[int] = field(default_factory=set)
    site: int | None = None
    calls: int = 0
    replayed: int = 0
    over: int = 0


@dataclass(slots=True, eq=False, repr=False)
class LoaderClock:
    """Counts the passes over the training loader, for loops that show no epoch number."""

    passes: dict[int, LoaderPass] = field(default_factory=dict)
    sampled: set[int] = field(default_factory=set)
    primary: int | None = None
    trained: set[int] = field(default_factory=set)
    epoch: int = -1
    _serial: int = 0

    def started(self, loader: int, length: int | None) -> None:
        """A pass over `loader` starts; `length` is its number of batches where that is known."""
        last = self.passes.get(loader)
        if last and last.trained and last.batches == 1 and not last.finished and length != 1:
            # `next(iter(loader))`: batches are drawn, the loader is not passed over.
            self.sampled.add(loader)
        self._serial += 1
        self.passes.pop(loader, None)
        sites = last.sites if last is not None else set()
        self.passes[loader] = LoaderPass(self._serial, length, sites=sites)
        self._forget_the_oldest()

    def _forget_the_oldest(self) -> None:
        """Keep no more than the last passes where each step makes a loader of its own."""
        if len(self.passes) > MOST_LOADERS:
            oldest = next(loader for loader in self.passes if loader != self.primary)
            del self.passes[oldest]
            self.trained.discard(oldest)
            self.sampled.discard(oldest)

    def loaded(self, loader: int) -> None:
        """The pass over `loader` hands out a batch."""
        if (current := self.passes.get(loader)) is not None:
            current.batches += 1

    def finished(self, loader: int) -> None:
        """The pass over `loader` has run to its end."""
        if (current := self.passes.get(loader)) is not None:
            current.finished = True
            current.over = self._serial

    def evaluate(self, loader: int) -> None:
        """Evaluation takes batches of the running pass over `loader`."""
        if (current := self.passes.get(loader)) is not None:
            current.evaluated = True

    def is_again(self, loader: int, site: int, *, same_data: bool = False) -> bool:
        """Whether a training step at `site` uses no batch of `loader`, the last that gave one.

        Batches of the training loader come again (`itertools.cycle`), or were drawn before the
        evaluation in between. `same_data` says that training and evaluation look at one target.
        """
        home = self.passes.get(self.primary) if self.primary is not None else None
        current = self.passes.get(loader)
        if home is None or current is None or site not in home.sites:
            return False
        if current is home:
            return home.finished and home.calls > 0
        drawn = current.finished or (
            current.evaluated
            and not same_data
            and (current.batches > 1 or home.replayed > 0 or home.over >= current.serial)
        )
        return drawn and not current.trained and loader not in self.trained

    def has_one_left(self, loader: int) -> bool:
        """Whether of a pass that has run to its end the last batch has not been used yet."""
        current = self.passes.get(loader)
        return current is not None and current.finished and current.calls == current.batches - 1

    def train_again(self, site: int) -> int | None:
        """A training step uses a batch of the training pass again: a round of them is a pass."""
        assert self.primary is not None
        home = self.passes[self.primary]
        if not home.finished or home.calls < home.batches:
            # The batch was drawn before others were looked at.
            return self.train(self.primary, site)
        if site == home.site:
            self.epoch += home.replayed % home.calls == 0
            home.replayed += 1
        return self.epoch if self.epoch >= 0 else None

    def train(self, loader: int, site: int = 0) -> int | None:
        """A training step uses a batch of `loader`: return the number of the training pass."""
        current = self.passes.get(loader)
        if current is None or loader in self.sampled:
            return None
        if current.evaluated and current.finished and loader not in self.trained:
            # Evaluation has passed over it; training takes its own from no loader.
            return None
        before = self.passes.get(self.primary) if self.primary is not None else None
        if before is None or before.finished:
            self.primary = loader
        self.trained.add(loader)
        if not current.finished or 0 < current.calls < current.batches:
            current.sites.add(site)
            current.site = site if current.site is None else current.site
            current.calls += site == current.site
        if not current.trained:
            current.trained = True
            if loader == self.primary:
                self.epoch += 1
        return self.epoch if self.epoch >= 0 else None

    def is_plain_training(self, loader: int, site: int) -> bool:
        """Whether training at `site` is in the middle of a pass over its one loader."""
        current = self.passes.get(loader)
        return (
            current is not None
            and loader == self.primary
            and loader not in self.sampled
            and current.trained
            and not current.finished
            and current.site == site
        )

    @property
    def primary_is_finished(self) -> bool:
        """Whether the last pass over the training loader ran to its end."""
        current = self.passes.get(self.primary) if self.primary is not None else None
        return current is not None and current.finished

    def in_training_pass(self, loader: int | None) -> bool:
        """Whether `loader` is in the middle of a pass that training uses."""
        current = self.passes.get(loader) if loader is not None else None
        return current is not None and current.trained and not current.finished


@dataclass(slots=True, eq=False, repr=False)
class Stretch:
    """The passes of a training that has neither epochs nor a loader: from evaluation to evaluation.

    Until there has been one, a pass is so many steps.
    """

    steps: int = 0
    evaluated: bool = False

    def step(self) -> bool:
        """Count a step; True when the pass is full."""
        self.steps += 1
        return not self.evaluated and self.steps >= STRETCH
