"""The report page: one file with everything a record says, to be opened from disk.

Every curve is an SVG in the file, so that it reads without JavaScript; the script adds values under
the pointer, zoom and the choice of axes. Nothing is loaded from anywhere: the page forbids it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
import numpy as np
from markupsafe import Markup

from autotrack import findings
from autotrack._version import __version__
from autotrack.reports import palette
from autotrack.reports.intervals import interval_sentence
from autotrack.reports.page.about import about
from autotrack.reports.page.cards import Places, cards
from autotrack.reports.page.charts import charts
from autotrack.reports.page.confusion import matrices
from autotrack.reports.page.course import course
from autotrack.reports.page.distributions import distributions
from autotrack.reports.page.epochs import by_epoch
from autotrack.reports.page.heading import heading
from autotrack.reports.page.layers import layer_maps
from autotrack.reports.page.lines import Store
from autotrack.reports.page.panels import Panel, panel
from autotrack.reports.page.scale import RunScale
from autotrack.reports.positions import TimeAxis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autotrack.findings import Finding
    from autotrack.history import History

NAME = "report.html"

_TEMPLATES = "templates"
# How wide the first chart and the others are on a screen.
_MAIN_PIXELS, _SMALL_PIXELS = 1000, 280


def write(
    history: History,
    directory: str | os.PathLike[str],
    found: Sequence[Finding] | None = None,
) -> Path:
    """Write the page of a run as `report.html` into a directory and return where it is.

    `found` are the findings, looked for where they are not given. The file appears whole or not at
    all; the directory is made where it is missing.
    """
    path = Path(directory) / NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    text = render(history, found)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        # half of a letter pair, as file names may hold, has no place in UTF-8
        unfinished.write_bytes(text.encode("utf-8", errors="replace"))
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def render(history: History, found: Sequence[Finding] | None = None) -> str:
    """Return the page of a run as text."""
    known = findings.find(history) if found is None else list(found)
    # curves carry colours of the style that is chosen; the page has its own two
    with palette.chosen("light"):
        return _render(history, known)


def _render(history: History, found: list[Finding]) -> str:
    axis = TimeAxis.of(history)
    shown, left_out = charts(history, axis)
    run = RunScale.of(axis, [line.x for chart in shown for line in chart.lines])
    panels = [panel(chart, run) for chart in shown]
    maps, confusion = layer_maps(history, run), matrices(history)
    parameters, known_parameters = distributions(history, _parameters(found))
    sections = {
        name
        for name, part in (
            ("by-layer", maps),
            ("confusion", confusion),
            ("distributions", parameters),
        )
        if part
    }
    script = _source("page.js")
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            heading=heading(history, run.axis),
            verdict=findings.verdict(history, found),
            cards=cards(found, Places(panels, run, sections)),
            panels=panels,
            left_out=left_out,
            run=run,
            ticks_of_run={True: run.ticks(_MAIN_PIXELS), False: run.ticks(_SMALL_PIXELS)},
            epochs=by_epoch(history),
            maps=maps,
            parameters=parameters,
            known_parameters=known_parameters,
            snapshots=interval_sentence(history, "snapshots"),
            matrices=confusion,
            coverage=history.coverage,
            about=about(history),
            version=__version__,
            light=palette.LIGHT,
            dark=palette.DARK,
            style=Markup(_source("page.css")),  # noqa: S704 - a file of ours
            script=Markup(script),  # noqa: S704 - a file of ours
            script_hash=_hash(script),
            data=_json({"run": course(history, run), "charts": _data(panels)}),
        )
    )


def _parameters(found: list[Finding]) -> list[str]:
    """The parameters that the findings speak of."""
    tags = [evidence.tag for finding in found for evidence in finding.evidence]
    return [tag.partition("/")[2] for tag in tags if tag.startswith(("Weights/", "Gradients/"))]


def _data(panels: list[Panel]) -> list[dict[str, Any]]:
    store = Store()
    for one in panels:
        store.lines += one.chart.lines
    lines = iter(store.data())
    return [one.data([next(lines) for _ in one.chart.lines]) for one in panels]


def _json(data: Any) -> Markup:
    """Data as JSON that ends no script element, whatever names are in it."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"), default=_plain)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # noqa: S704 - no markup is left in it


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} has no place on the page")


def _hash(script: str) -> str:
    """What the page's policy names: this script may run, and no other."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")


def _source(name: str) -> str:
    return (files(__package__) / _TEMPLATES / name).read_text("utf-8")


def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FunctionLoader(_source),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
