"""One line at the bottom of a terminal that everything else scrolls above.

The terminal itself keeps the line free: its scrolling region ends one row earlier, as package
managers do it for their progress. Nothing of the person's output is touched or replaced, so prints,
progress bars and child processes write as ever. DEC STD 070; xterm's control sequences DECSTBM
(scrolling region), DECSC/DECRC (save and restore the cursor), IND (down, scrolling).
"""

from __future__ import annotations

import os

_SAVE, _RESTORE = "\x1b7", "\x1b8"
_DOWN, _UP = "\x1bD", "\x1b[A"
_WHOLE = "\x1b[r"
_LEAST_ROWS = 4


class StatusLine:
    """The bottom line of the terminal behind a file descriptor; `close` gives the row back."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._size: os.terminal_size | None = None

    @property
    def columns(self) -> int:
        """How wide the terminal is now, in cells."""
        return os.get_terminal_size(self._descriptor).columns

    def show(self, text: str) -> None:
        """Put `text`, which is no wider than the terminal, into the line."""
        size = os.get_terminal_size(self._descriptor)
        if size.lines < _LEAST_ROWS:
            return
        parts = []
        if size != self._size:
            # A row is made free below the cursor, which stays in its column.
            parts = [_DOWN, _UP, _SAVE, f"\x1b[1;{size.lines - 1}r", _RESTORE]
            self._size = size
        parts += [_SAVE, f"\x1b[{size.lines};1H\x1b[2K", text, "\x1b[0m", _RESTORE]
        # In one piece, so that nothing of the person's comes between.
        os.write(self._descriptor, "".join(parts).encode())

    def close(self) -> None:
        """Clear the line and let the terminal scroll over all its rows again."""
        if self._size is None:
            return
        rows, self._size = self._size.lines, None
        parts = [_SAVE, f"\x1b[{rows};1H\x1b[2K", _WHOLE, _RESTORE]
        os.write(self._descriptor, "".join(parts).encode())
