"""What `autotrack run` was asked for, and what that means for this process."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autotrack.directory import holds_record
from autotrack.ranks import rank

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Orders:
    """What the command line asked for, as it travels to every process in `AUTOTRACK_RUN`.

    `options` are all fields of Config but `logdir`; `home` is where the command was given.
    """

    directory: str
    options: Mapping[str, Any]
    home: str
    quiet: bool = False

    @classmethod
    def received(cls) -> Orders:
        """Return the orders of this process's `autotrack run`."""
        return cls(**json.loads(os.environ["AUTOTRACK_RUN"]))

    @property
    def place(self) -> Path | None:
        """Where this process records, or None where it shall not: a rank that was not asked for."""
        directory, told = Path(self.directory), torchrun_rank()
        if told not in (None, "0") and self.options.get("ranks") != "all":
            return None
        alone = told is None or self.options.get("ranks") != "all"
        if alone and (is_first() or (told is not None and is_launched_by_the_first())):
            return directory
        return directory / (f"child-{os.getpid()}" if told is None else f"rank{told}")

    @property
    def place_of_rank(self) -> Path | None:
        """Where the folders of ranks belong, for a child that made a process group of its own."""
        here = rank()
        if is_first() or here is None or torchrun_rank() is not None:
            return None
        directory = Path(self.directory)
        taken = self.options.get("ranks") != "all" or holds_record(directory / f"rank{here}")
        return None if taken else directory

    def shown(self, directory: Path) -> Path:
        """Return a directory as seen from where the command was given."""
        home = Path(self.home)
        return directory.relative_to(home) if directory.is_relative_to(home) else directory


def torchrun_rank() -> str | None:
    """Return the rank of a worker of `torchrun`, known by the variables that torchrun sets."""
    started = {"LOCAL_RANK", "WORLD_SIZE"} <= os.environ.keys()
    return os.environ.get("RANK") if started else None


def is_first() -> bool:
    """Whether this is the process that the command line became, rather than a child of it."""
    return os.environ.get("AUTOTRACK_RUN_PID") == str(os.getpid())


def is_launched_by_the_first() -> bool:
    """Whether the command line became the very `torchrun` that started this worker."""
    started = "TORCHELASTIC_RUN_ID" in os.environ
    return started and os.environ.get("AUTOTRACK_RUN_PID") == str(os.getppid())
