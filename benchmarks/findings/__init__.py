"""How far autotrack's findings can be trusted: healthy runs, faulty twins, and the score."""
