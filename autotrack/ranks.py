"""Which of several training processes this is, and whether and where it records."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from autotrack.errors import UsageError

if TYPE_CHECKING:
    from autotrack.config import Config


# What a process group has told this process; it may be destroyed before anything is written.
_told: dict[int, int] = {}


def rank() -> int | None:
    """Return this process's rank, or None where it trains alone.

    The process group knows; else one that was there when this was asked before, else the variables
    that `torchrun` sets.
    """
    distributed = sys.modules.get("torch.distributed")
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        _told[os.getpid()] = int(distributed.get_rank())
    if (told := _told.get(os.getpid())) is not None:
        return told
    # `RANK` alone may be anything of the person's.
    if {"RANK", "LOCAL_RANK", "WORLD_SIZE"} <= os.environ.keys():
        return int(os.environ["RANK"])
    return None


def folder(config: Config) -> str | None:
    """Return the folder in the run's directory that this process records into.

    Empty for the directory itself; None where this process shall not record. Raises UsageError
    where all ranks shall record and nothing tells them the same directory.
    """
    here = rank()
    if config.ranks != "all":
        return "" if here in (None, 0) else None
    if here is None:
        return ""
    if config.logdir is None:
        msg = 'ranks="all" needs logdir=...: every rank must know the same directory'
        raise UsageError(msg)
    return f"rank{here}"
