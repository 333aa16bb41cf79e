"""Saves the figures of a run as files that appear whole or not at all."""

from __future__ import annotations

import base64
import html
import importlib
import os
import pkgutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from autotrack.errors import UsageError
from autotrack.reports import palette, style

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from matplotlib.figure import Figure

    from autotrack.findings import Finding
    from autotrack.history import History

FORMATS = ("png", "svg", "pdf")

# Without these, the same record gives other files each time it is drawn.
_METADATA: dict[str, dict[str, str | None]] = {
    "png": {},
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
}
_MEDIA_TYPES = {".png": "image/png", ".svg": "image/svg+xml"}


@dataclass(frozen=True)
class Report:
    """The files of a report: `paths`, the page first; figures are in `directory`.

    `verdict` and `findings` are what the run says in words. In a notebook it shows the figures.
    """

    directory: Path
    paths: list[Path]
    verdict: str = ""
    findings: list[Finding] = field(default_factory=list)

    def __str__(self) -> str:
        if not self.paths:
            return f"nothing to draw in {self.directory}"
        words = [self.verdict] if self.verdict else []
        words += [f"{finding.severity}: {finding.title}" for finding in self.findings]
        return "\n".join([*words, *(str(path) for path in self.paths)])

    def _repr_html_(self) -> str:
        shown = _one_format_each(self.paths)
        pictures = "".join(_picture(path) for path in shown)
        links = "<br>".join(html.escape(str(path)) for path in self.paths if path not in shown)
        words = f"<p>{html.escape(self.verdict)}</p>" if self.verdict else ""
        return f'<div style="max-width: 900px">{words}{pictures}{links}</div>'


def save_all(
    history: History,
    directory: str | os.PathLike[str] | None = None,
    formats: Sequence[str] = ("png",),
    look: str = "light",
) -> Report:
    """Save figures, the page `report.html` and `findings.json`.

    They go to `directory`; without one, the page and the findings to the run's own directory and
    the figures to `figures` in it. Raises what `save` raises.
    """
    from autotrack import findings, jsontext
    from autotrack.reports import page

    home = Path(directory) if directory is not None else Path(history.directory)
    drawn = save(history, home if directory is not None else home / "figures", formats, look)
    found = findings.find(history)
    verdict = findings.verdict(history, found)
    written = page.write(history, home, found)
    everything = {"verdict": verdict, "findings": findings.as_json(found)}
    told = home / "findings.json"
    told.write_text(jsontext.dumps(everything, indent=2) + "\n", "utf-8", "replace")
    return Report(drawn.directory, [written, *drawn.paths, told], verdict, found)


def save(
    history: History,
    directory: str | os.PathLike[str],
    formats: Sequence[str] = ("png",),
    look: str = "light",
) -> Report:
    """Draw every figure for which the record has numbers and save it in a directory.

    Files are named `<figure>.<format>`, the overview first in the report. The directory is made
    where it is missing; files of the same name are replaced. `look` is light, dark or print. Raises
    UsageError (a ValueError) for a format other than png, svg and pdf, and for any other look,
    before anything is written.
    """
    formats = _checked(formats)
    directory = Path(directory)
    paths: list[Path] = []
    with palette.chosen(look):
        directory.mkdir(parents=True, exist_ok=True)
        for name, draw in figures():
            figure = draw(history)
            if figure is not None:
                paths += [write(figure, directory / f"{name}.{kind}", kind) for kind in formats]
    return Report(directory, paths)


def figures() -> Iterator[tuple[str, Callable[[History], Figure | None]]]:
    """Name and drawing function of every figure in this folder, the overview first."""
    names = sorted(module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]))
    names.sort(key=lambda name: name != "overview")
    for name in names:
        module = importlib.import_module(f"{__package__}.{name}")
        draw = getattr(module, "draw", None)
        if draw is not None and not hasattr(module, "SEVERAL_RUNS"):
            yield name, draw


def _checked(formats: Sequence[str]) -> tuple[str, ...]:
    asked = (formats,) if isinstance(formats, str) else tuple(formats)
    for kind in asked:
        if kind not in FORMATS:
            raise UsageError(
                f"figures cannot be saved as {kind!r}; possible formats: {', '.join(FORMATS)}"
            )
    return tuple(dict.fromkeys(asked))


def write(figure: Figure, path: Path, kind: str) -> Path:
    """Save a figure in the format `kind`, in the style that is chosen now."""
    # Who looks while this runs sees the old file or the new one, never half of one.
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        with style.applied():
            figure.savefig(unfinished, format=kind, metadata=_METADATA[kind])
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def _one_format_each(paths: list[Path]) -> list[Path]:
    """One path a figure, of those that a browser shows."""
    first: dict[str, Path] = {}
    for path in paths:
        if path.suffix in _MEDIA_TYPES:
            first.setdefault(path.stem, path)
    return list(first.values())


def _picture(path: Path) -> str:
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    source = f"data:{_MEDIA_TYPES[path.suffix]};base64,{data}"
    return f'<img src="{source}" alt="{html.escape(path.stem)}" style="max-width: 100%"><br>'
