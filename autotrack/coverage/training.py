"""Whether training was seen: backward, steps, losses, accuracy, epochs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autotrack.coverage._lines import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from autotrack.capture.training import Seen, Training
    from autotrack.coverage.account import Account


def training_lines(account: Account) -> list[Line]:
    """Return the lines about training."""
    training, tallies = account.training, account.tallies
    seen = training.seen
    steps = sum(stream.steps for stream in training.streams) - account.missed
    epochs = max((stream.epochs for stream in training.streams), default=0)
    losses = tallies.of_streams(training.streams, "Loss/train")
    why = account.off("Loss") or _why_no_loss(account)
    return [
        Line("backward", seen.backwards, _how_backward(seen), why_no_backward(account)),
        Line("steps", steps, _how_steps(training), _why_no_steps(account)),
        Line("loss", losses.count, _how_loss(seen), why, losses.first),
        _score_line(account),
        Line("epochs", epochs, _how_epochs(training), _why_no_epochs(account)),
    ]


_ONCE = "outside of every loop and to weights of no optimizer"
_IDLE = "to weights that no optimizer holds and nothing moved"


def _how_backward(seen: Seen) -> str:
    others = [
        f"{count:,} more, {where}, {'belongs' if count == 1 else 'belong'} to no training"
        for count, where in ((seen.aside, "in eval()"), (seen.once, _ONCE), (seen.idle, _IDLE))
        if count
    ]
    return "; ".join(["calls of backward", *others])


def why_no_backward(account: Account) -> str:
    """Return the likely reason why no backward was seen."""
    if "capture" in account.failed:
        return account.off("Loss")
    return next(why for likely, why in _likely_reasons(account) if likely)


def _likely_reasons(account: Account) -> Iterator[tuple[object, str]]:
    """Yield what would show in a run without a backward, and the reason it points to."""
    capture, elsewhere = account.capture, account.elsewhere
    yield (
        any(stream.steps for stream in account.training.streams),
        (
            "an optimizer stepped without one, so the gradients were put there by hand "
            "(torch.autograd.grad, torch.func) or by compiled code; log(...) records the loss"
        ),
    )
    yield (
        elsewhere.transforms,
        (
            "gradients came from torch.func (grad, vmap, ...), which calls no backward; "
            "log(...) records the loss"
        ),
    )
    yield (
        elsewhere.threads,
        (
            "it ran in another thread while this one was at work; "
            "open the run in the function that the thread calls"
        ),
    )
    yield (
        account.training.seen.once,
        (
            f"the only one is {_ONCE}; one that trains stands in a loop, or comes again from the "
            "same place"
        ),
    )
    yield (
        account.training.seen.idle,
        (
            "all of them went to weights that no optimizer holds and that did not move: gradients "
            "were looked at, as of an attack, and nothing was trained"
        ),
    )
    yield (
        capture.criteria.waiting,
        (
            "losses with gradients were computed but not backwarded: what torch.autograd.grad is "
            "asked about is taken for no training, log(...) records such a loss; or the run ended "
            "before the first backward"
        ),
    )
    yield (
        elsewhere.children_worked,
        (
            "it likely ran in the child processes that were started: "
            "open the run in the function that they call, or use `autotrack run`"
        ),
    )
    yield (
        account.evaluation.coverage.passes or capture.loaders.passes,
        (
            "there was only evaluation in this thread; a training in another thread or process "
            "needs the run opened there, or `autotrack run`"
        ),
    )
    yield (
        True,
        (
            "PyTorch computed no loss in this thread while the run was open: the training ran "
            "before or after it, or in another thread or process; open the run around it there"
        ),
    )


def _how_steps(training: Training) -> str:
    stepped = [name for s in training.streams if s.steps for name in s.optimizers()]
    ways = ["steps of " + ", ".join(stepped)] if stepped else []
    if training.by_hand.ever:
        ways.append("every backward to weights that no optimizer holds")
    return "; ".join(ways)


def _why_no_steps(account: Account) -> str:
    if account.training.seen.skipped:
        return "the gradient scaler skipped every step: gradients were not finite"
    if account.training.seen.backwards:
        return "backward ran, but no optimizer that holds those weights stepped inside the run"
    return "no optimizer stepped inside the run"


def _how_loss(seen: Seen) -> str:
    functions = ", ".join(sorted(seen.functions))
    return f"the value of backward, fed by {functions}" if functions else "the value of backward"


def _why_no_loss(account: Account) -> str:
    seen = account.training.seen
    if not seen.backwards:
        return why_no_backward(account)
    if not seen.losses and account.surroundings.transfer.saw_parts:
        return (
            "the loss is spread over several processes, and this one holds a part; "
            "log(name, loss.full_tensor()) records it"
        )
    if not seen.losses:
        return "backward was not called on one number; log(...) records what is known in the loop"
    if seen.cleared:
        return (
            "zero_grad came between backward and step, so the losses led to no step; "
            "call it before backward, or after step"
        )
    return _why_no_steps(account)


def _score_line(account: Account) -> Line:
    """Accuracy, or for regression R2 and MAE."""
    streams = account.training.streams
    fits = account.tallies.of_streams(streams, "MAE/train")
    if fits.count:
        how = "predictions and targets of the criterion, which fits numbers"
        return Line("R2 and MAE", fits.count, how, since=fits.first)
    accuracy = account.tallies.of_streams(streams, "Accuracy/train")
    how = "predictions and targets of the criterion"
    why = (
        account.off("Accuracy")
        or account.surroundings.absent.get("Accuracy/train")
        or _why_no_accuracy(account)
    )
    return Line("accuracy", accuracy.count, how, why, accuracy.first)


def _why_no_accuracy(account: Account) -> str:
    seen = account.training.seen
    if not seen.backwards:
        return "no backward was seen, so no prediction was trained"
    if not seen.functions:
        return (
            "no loss of torch.nn and no criterion module fed a backward, so nothing shows "
            "predictions and targets; log(...) records it"
        )
    if seen.cleared:
        return "zero_grad came between backward and step, so nothing shows what was trained on"
    if account.capture.criteria.in_parts:
        return (
            "scores or targets are spread over several processes, and this one holds a part; "
            "log(...) records it"
        )
    functions = ", ".join(sorted(seen.functions))
    return (
        f"{functions} did not compare scores with one class each (soft, mixed or continuous "
        "targets have no right answer, and losses masked by hand do not say which count); "
        "log(...) records it"
    )


def _how_epochs(training: Training) -> str:
    loop = training.epochs.loop
    if training.epochs.is_stated:
        return "as stated by epoch=..."
    if loop is None:
        return "passes over the training loader"
    return f"the loop variable {loop.epoch_variable}"


def _why_no_epochs(account: Account) -> str:
    training = account.training
    if not training.seen.backwards:
        return "no backward was seen"
    if training.epochs.is_stated:
        return "epoch=... found no whole number in the frames around the training step"
    return (
        "no loop variable or range around the step is called an epoch, and no loader was passed "
        "over; everything is by step. epoch='name' says which variable counts"
    )
