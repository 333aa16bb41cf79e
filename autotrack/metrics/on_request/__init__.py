"""Metrics that are computed only where `metrics=` asks for them, and loaded only then."""
