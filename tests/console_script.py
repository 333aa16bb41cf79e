"""What the installed `autotrack` command does."""

from autotrack.cli import main

if __name__ == "__main__":
    main(prog_name="autotrack")
