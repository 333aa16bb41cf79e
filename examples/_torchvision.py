"""torchvision's datasets and transforms, also beside a PyTorch that was built without CUDA.

The torchvision wheels on the package index are built for PyTorch with CUDA. Beside a CPU-only
PyTorch their compiled operators do not load, and `import torchvision` stops at the names of two of
them. Datasets and transforms use no such operator, so declaring the two names is enough.
"""

from __future__ import annotations

import torch

__all__ = ["datasets", "transforms"]

try:
    from torchvision import datasets, transforms
except RuntimeError as error:
    if "torchvision::nms" not in str(error):
        raise
    # the declarations live as long as this object
    _names = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for _name in ("nms", "qnms"):
        _schema = f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        _names.define(_schema)  # type: ignore[no-untyped-call]
    from torchvision import datasets, transforms
