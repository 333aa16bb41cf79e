"""`python -m autotrack`."""

from __future__ import annotations

from autotrack.cli import main

if __name__ == "__main__":
    main(prog_name="autotrack")
