"""What autotrack raises at a person: each error names the object and the way out."""

from __future__ import annotations


class AutotrackError(Exception):
    """The root of every error that autotrack raises on purpose."""


class UsageError(AutotrackError, ValueError):
    """An argument or option that cannot work; the message says what would."""


class NoRunError(AutotrackError, RuntimeError):
    """Something needs a run and there is none."""


class NestedRunError(AutotrackError, RuntimeError):
    """A model or optimizer that another active run already tracks was given to a second one."""


class RecordNotFoundError(AutotrackError, FileNotFoundError):
    """A directory that was to be read holds no record."""
