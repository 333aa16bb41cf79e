"""Turns what PyTorch did into moments: numbered training batches, steps and evaluation passes."""
