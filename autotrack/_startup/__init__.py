"""The folder that `PYTHONPATH` names below `autotrack run`; it holds one module, `sitecustomize`."""
