"""What an evaluation pass is called: `val`, `test`, `train_eval`, or one of these with a suffix.

The person's own words decide, the nearest first: a string that a loop or a parameter holds
(`for phase in ["train", "val"]`), the loader's variable, the arguments, targets and functions named
on the lines that lead to the criterion, and last the functions those lines stand in.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from autotrack import frames

if TYPE_CHECKING:
    from autotrack.frames import Line
    from autotrack.loopscope import LoopScope, Site

_WORDS = {
    "val": (
        "val",
        "valid",
        "validation",
        "validate",
        "dev",
        "eval",
        "evaluate",
        "evaluation",
        "holdout",
    ),
    "test": ("test", "testing", "tst"),
    "train_eval": ("train", "training"),
}
_PHASE_OF = {word: phase for phase, words in _WORDS.items() for word in words}
_GLUED = re.compile(
    rf"([xy]?)({'|'.join(_PHASE_OF)})((?:data)?(?:loaders?|sets?)|data|dl|ds|iter|batch(?:es)?|loss)?"
)
_GENERIC = frozenset(
    {
        "loader",
        "loaders",
        "dataloader",
        "dataloaders",
        "dl",
        "data",
        "dataset",
        "set",
        "ds",
        "iter",
        "batches",
        "batch",
        "x",
        "y",
        "inputs",
        "targets",
        "labels",
        "images",
        "self",
        "loss",
        "losses",
        "model",
        "criterion",
        "acc",
    }
)
# Words for what is evaluated in place of the model, or what is done to its inputs.
_VARIANTS = frozenset(
    {
        "adv",
        "adversarial",
        "average",
        "averaged",
        "avg",
        "ema",
        "fgsm",
        "pgd",
        "shadow",
        "student",
        "swa",
        "teacher",
    }
)
# What comes of a model, not what goes into it.
_RESULTS = frozenset({"logits", "out", "output", "outputs", "outs", "pred", "preds", "scores"})
# So many passes' names are kept, by their loader and model.
_MOST_GIVEN = 256
# An evaluation after each step asks for the same names again and again.
_MOST_TEXTS = 4096
# A longer string is no name of a split.
_LONGEST_NAME = 40
_SPLIT_NAMES = frozenset(
    {"split", "phase", "mode", "stage", "subset", "partition", "which", "kind", "name"}
)


class Said(NamedTuple):
    """The phase that the person states, and the strings of theirs that may name one."""

    stated: str | None
    strings: tuple[str, ...]


class _Evaluated(NamedTuple):
    """What a pass looked at: the loader's number, the model's, and the words on the way there."""

    loader: int | None
    model: int | None
    words: tuple[str, ...]


class Phases:
    """Names evaluation passes, the same data always by the same name."""

    def __init__(self, scope: LoopScope) -> None:
        self._scope = scope
        self._names: dict[tuple[Any, ...], str] = {}
        self._this_period: dict[str, _Evaluated] = {}
        # What a pass of one loader with one model was called, by the person's words for it.
        self._given: dict[tuple[Any, ...], str] = {}
        self._training_codes: set[int] = set()
        self._training_lines: tuple[Line, ...] = ()
        self._training_loops: set[object] = set()

    def training_at(self, site: Site) -> None:
        """Remember the functions training runs in: their names say nothing about evaluation."""
        if site.lines is not self._training_lines:
            self._training_lines = site.lines
            self._training_codes.update(id(code) for code, _ in site.lines)
            self._training_loops.update(loop.key for loop in site.loops)

    def forget(self) -> None:
        """Another model is trained from now on: its passes are called as if it were the first."""
        self._names.clear()
        self._given.clear()

    def training_goes_on(self) -> None:
        """A training step: the evaluations so far belong together no longer."""
        self._this_period.clear()

    def said_now(self, site: Site) -> Said:
        """Return what names a split now: of loop variables, and of parameters called so.

        Any string of a loop that only evaluates tells its passes apart; one of a parameter, or of a
        loop that trains as well (over models, say), counts where it says a phase.
        """
        stated = self._scope.stated.phase_now(self._scope.boundary)
        found: list[str] = []
        wanted = self._string_names(site)
        if not wanted:
            return Said(stated, ())
        for depth, frame in enumerate(frames.person_frames(self._scope.boundary)):
            if depth in wanted:
                held = frames.variables(frame)
                for name, loop in wanted[depth]:
                    text = held.get(name)
                    if isinstance(text, str) and self._tells(text, loop):
                        found.append(text)
        return Said(stated, tuple(found))

    def _tells(self, text: str, loop: object) -> bool:
        if len(text) > _LONGEST_NAME:
            return False
        return _phase_in(text) is not None or not (loop is None or loop in self._training_loops)

    def _string_names(self, site: Site) -> dict[int, list[tuple[str, object]]]:
        """Return by depth the names to read, each with its loop (None for a parameter)."""
        known = site.split_names
        if known is None:
            known = {}
            for loop, depth in zip(site.loops, site.depths, strict=True):
                names = [(target, loop.key) for target in loop.targets if "." not in target]
                known.setdefault(depth, []).extend(names)
            for depth, (code, _) in enumerate(site.lines):
                arguments = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
                named = [(a, None) for a in arguments if a in _SPLIT_NAMES]
                known.setdefault(depth, []).extend(named)
            site.split_names = known = {depth: names for depth, names in known.items() if names}
        return known

    def name(
        self,
        site: Site,
        now: Said,
        loader: int | None,
        model: int | None,
        *,
        is_training_loader: bool,
    ) -> str:
        """Return the phase of a pass that starts, by what was said at its first call.

        `model` is the number of the trained model that was called, None where none was: then it is
        another one, a moving average say.
        """
        if now.stated is not None:
            return now.stated
        strings = now.strings
        base, said = self._base(site, strings)
        if is_training_loader:
            base, said = "train_eval", ""
        extra = next((w for s in strings if (w := _word(s)) and _phase_in(s) is None), "")
        known = (base, said, extra, loader, model)
        seen = _Evaluated(loader, model, self._words_on(site))
        phase = self._given.get(known) if loader is not None else None
        if phase is None and (other := self._with_another_model(seen)) is not None:
            phase = self._beside(other, seen)
        if phase is None:
            phase = self._by_words(base, said, extra, seen)
        if loader is not None:
            # The latest last: loaders made anew for each pass must not pile up.
            self._given.pop(known, None)
            self._given[known] = phase
            if len(self._given) > _MOST_GIVEN:
                del self._given[next(iter(self._given))]
        self._this_period[phase] = seen
        return phase

    def _words_on(self, site: Site) -> tuple[str, ...]:
        said = self._said(site, site.lines[: self._own_depth(site)])
        return tuple(word for name in said for word in _words_of(name))

    def _with_another_model(self, seen: _Evaluated) -> str | None:
        """Return what this period's pass of the same loader with another model was called."""
        if seen.loader is None:
            return None
        others = self._this_period.items()
        same = [p for p, s in others if s.loader == seen.loader and s.model != seen.model]
        return same[0] if same else None

    def _beside(self, other: str, seen: _Evaluated) -> str:
        """Return a name for the same data with another model: by the words that are new."""
        name = "_".join([other, *self._news(other, seen)[:1]])
        number = 2
        while name in self._this_period:
            name, number = f"{other}_{number}", number + 1
        return name

    def _news(self, other: str, seen: _Evaluated) -> list[str]:
        """Return the words that are no other pass's, those of an average or an attack first."""
        old = {*self._this_period[other].words, *_GENERIC, *_PHASE_OF}
        return sorted((w for w in seen.words if w not in old), key=lambda w: w not in _VARIANTS)

    def _by_words(self, base: str, said: str, extra: str, seen: _Evaluated) -> str:
        loader = seen.loader
        identity = (base, said, extra, loader if not said and not extra else None)
        phase = (
            self._names.get((base, said, extra))
            if not self._taken(base, identity, loader)
            else None
        )
        if phase is None:
            phase = self._fresh(base, said, extra, seen)
            self._names.setdefault((base, said, extra), phase)
        return phase

    def _taken(self, base: str, identity: tuple[Any, ...], loader: int | None) -> bool:
        """Whether this period has seen other data under the name we would give."""
        phase = self._names.get(identity[:3])
        seen = self._this_period.get(phase) if phase is not None else None
        return seen is not None and seen.loader != loader

    def _fresh(self, base: str, said: str, extra: str, seen: _Evaluated) -> str:
        given = set(self._names.values())
        if extra and base != "train_eval":
            return f"{base}_{extra}"
        if base not in given or (base not in self._this_period and not self._others(base, said)):
            return base
        before = self._this_period.get(base)
        again = seen.loader is not None and before is not None and before.loader == seen.loader
        rest = [w for w in _words_of(said) if w not in _GENERIC and w not in _PHASE_OF]
        if again and (variants := [w for w in self._news(base, seen) if w in _VARIANTS]):
            rest = variants[:1]
        if rest and f"{base}_{'_'.join(rest)}" not in self._this_period:
            return f"{base}_{'_'.join(rest)}"
        if again:
            # Once more, by another function, as at the end of training.
            return base
        number = 2
        while f"{base}_{number}" in self._this_period:
            number += 1
        return f"{base}_{number}"

    def _others(self, base: str, said: str) -> bool:
        return any(k[0] == base and k[1] != said for k in self._names)

    def _base(self, site: Site, strings: tuple[str, ...]) -> tuple[str, str]:
        """Return the phase and the word of the person's that said it."""
        for text in strings:
            if (phase := _phase_in(text)) is not None:
                return phase, ""
        lines = site.lines[: self._own_depth(site)]
        spare = None
        for name in self._said(site, lines):
            phase = _phase_in(name)
            if phase == "train_eval" and _is_result(name):
                # `train_out` may be what a model gives in the way that training has it.
                spare = spare or (phase, name)
            elif phase is not None:
                return phase, name
        if spare is not None:
            return spare
        functions = [f for code, line in lines for f in self._scope.functions_at(code, line)]
        functions += [code.co_name for code, _ in lines if id(code) not in self._training_codes]
        for name in functions:
            # `train()` may evaluate as well: that it trains says nothing about what is evaluated.
            if (phase := _phase_in(name)) in ("val", "test"):
                return phase, name
        return "val", ""

    def _own_depth(self, site: Site) -> int:
        """Return how many inner lines are evaluation's own: not those that lead to training too."""
        shared = 0
        for here, there in zip(reversed(site.lines), reversed(self._training_lines), strict=False):
            if here != there:
                break
            shared += 1
        return len(site.lines) - shared

    def _said(self, site: Site, lines: tuple[Line, ...]) -> list[str]:
        names: list[str] = []
        for depth, (code, line) in enumerate(lines):
            for loop, at in zip(site.loops, site.depths, strict=True):
                # A loop that trains as well says nothing about what is evaluated inside it.
                trains = loop.key in self._training_loops
                if at == depth and not (loop.is_epoch_named or trains):
                    names += loop.over
            names += self._scope.names_at(code, line)
        return names


@lru_cache(_MOST_TEXTS)
def _phase_in(text: str) -> str | None:
    found = [_PHASE_OF[w] for w in _words_of(text) if w in _PHASE_OF]
    # `train_eval_loader` says both; `test_eval` and `eval_test` are tests.
    for phase in ("train_eval", "test", "val"):
        if phase in found:
            return phase
    return None


def _is_result(text: str) -> bool:
    return not _RESULTS.isdisjoint(_words_of(text))


@lru_cache(_MOST_TEXTS)
def _words_of(text: str) -> tuple[str, ...]:
    spaced = re.sub(r"([a-z])([A-Z])", r"\1_\2", text)
    words = [w for w in re.split(r"[^a-z]+", spaced.lower()) if w]
    return tuple(part for word in words for part in _parts_of(word))


def _parts_of(word: str) -> tuple[str, ...]:
    """Return both words of `testloader` or `xval`, which many write as one."""
    glued = _GLUED.fullmatch(word)
    return tuple(part for part in glued.groups() if part) if glued is not None else (word,)


def _word(text: str) -> str:
    return "_".join(re.split(r"[^a-z0-9]+", text.lower())).strip("_")
