"""Are the packages there, and in versions that autotrack supports?"""

from __future__ import annotations

import platform
from importlib import metadata
from typing import TYPE_CHECKING

from autotrack.doctor._check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NEEDED = (
    ("torch", (2, 4)),
    ("numpy", (1, 26)),
    ("matplotlib", (3, 8)),
    ("tensorboard", (2, 16)),
    ("google-crc32c", (1, 5)),
)


def examine(_logdir: Path) -> Iterator[Check]:
    """Name versions, and whether checksums are computed in C."""
    from autotrack import __version__

    system = f"Python {platform.python_version()} on {platform.platform(terse=True)}"
    yield Check("autotrack", "good", f"{__version__}, {system}")
    for name, least in _NEEDED:
        yield _version(name, least)
    yield _checksum()


def _version(name: str, least: tuple[int, int]) -> Check:
    wanted = f"{least[0]}.{least[1]}"
    cure = f"python -m pip install '{name}>={wanted}'"
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Check(name, "bad", "not installed", cure)
    numbers = [part for part in version.split(".")[:2] if part.isdigit()]
    if tuple(int(part) for part in numbers) < least:
        return Check(name, "bad", f"{version} is older than {wanted}", cure)
    return Check(name, "good", version)


def _checksum() -> Check:
    try:
        import google_crc32c
    except ImportError as error:
        return Check("checksums", "bad", f"google_crc32c cannot be imported: {error}")
    if google_crc32c.implementation == "c":
        return Check("checksums", "good", "computed in C")
    cure = "python -m pip install --force-reinstall google-crc32c, which ships a wheel with C"
    return Check("checksums", "poor", "computed in Python: the record costs more", cure)
