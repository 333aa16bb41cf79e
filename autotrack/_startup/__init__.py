"""The folder that `PYTHONPATH` names below `autotrack run`; `sitecustomize` is all it holds."""
