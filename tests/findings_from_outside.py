"""A rule that somebody else wrote."""

from autotrack.findings import Evidence, Finding


def always(history):
    yield Finding("always", "note", "A run", "It is one.", (), (Evidence("", str(len(history))),))
