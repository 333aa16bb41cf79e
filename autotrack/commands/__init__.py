"""One file a command, found by its name: each has a click command called like its file."""
