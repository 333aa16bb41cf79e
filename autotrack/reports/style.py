"""How figures look: colours, type and sizes, whatever a person's own Matplotlib settings are."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import matplotlib as mpl
import numpy as np
from matplotlib import font_manager
from matplotlib.colors import to_hex, to_rgb

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

INK = "#222222"
SOFT_INK = "#5f6368"
RULE = "#b8bcc2"
GRID = "#e9ebee"
PAPER = "#ffffff"
ALARM = "#a50026"

BLUE = "#0072b2"
VERMILLION = "#d55e00"
GREEN = "#009e73"
PURPLE = "#cc79a7"
ORANGE = "#e69f00"
SKY = "#56b4e9"

# Okabe and Ito's palette without yellow, which is too pale for a line on white paper.
COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, INK)

DEPTH = "plasma"
"""Colour map of layers, first to last: even in lightness, so also an order without colours."""

TIME = ("#c9dcec", "#7fb2d8", "#2f7fb8", "#0b4a80", "#06264a")
"""Colours of moments, early to late."""

SIZE = (6.4, 3.7)
"""Width and height of a figure of one panel, in inches."""

DPI = 200

TITLE_POINTS = 11.0
TEXT_POINTS = 8.5
TITLE_PAD = 10.0

_LEGIBLE = 4.5
_LINEAR_BELOW = 0.04045

_FALLBACK_FONTS = (
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "Noto Sans",
    "Arial Unicode MS",
    "Segoe UI Emoji",
)

# Settings that belong to the person's session and have no say in how a figure looks.
_NOT_OURS = frozenset(
    [
        "backend",
        "backend_fallback",
        "figure.hooks",
        "figure.max_open_warning",
        "figure.raise_window",
        "interactive",
        "savefig.directory",
        "tk.window_focus",
        "toolbar",
        "webagg.address",
        "webagg.open_in_browser",
        "webagg.port",
        "webagg.port_retries",
    ]
)

_OURS: dict[str, Any] = {
    "font.size": TEXT_POINTS,
    "text.color": INK,
    # Names of parameters and runs hold $ and _ that are no formulas.
    "text.parse_math": False,
    "axes.edgecolor": RULE,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.labelcolor": SOFT_INK,
    "axes.labelsize": TEXT_POINTS + 0.5,
    "axes.labelpad": 5.0,
    "axes.titlesize": TITLE_POINTS,
    "axes.titleweight": "bold",
    "axes.titlecolor": INK,
    "axes.titlepad": TITLE_PAD,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.xmargin": 0.0,
    "axes.ymargin": 0.06,
    "axes.unicode_minus": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": SOFT_INK,
    "ytick.labelcolor": SOFT_INK,
    "xtick.labelsize": TEXT_POINTS,
    "ytick.labelsize": TEXT_POINTS,
    "xtick.major.size": 3.0,
    "ytick.major.size": 0.0,
    "xtick.minor.size": 0.0,
    "ytick.minor.size": 0.0,
    "lines.linewidth": 1.4,
    "lines.solid_capstyle": "round",
    "lines.solid_joinstyle": "round",
    "path.simplify_threshold": 0.2,
    "figure.dpi": DPI,
    "savefig.dpi": DPI,
    "savefig.facecolor": PAPER,
    # Text stays text: it can be searched, copied and set in the reader's own font.
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
    # Identifiers inside an SVG are the same for the same figure.
    "svg.hashsalt": "autotrack",
}


@contextmanager
def applied() -> Iterator[None]:
    """While this lasts, Matplotlib draws in this style; after it, with the person's settings."""
    with mpl.rc_context(cast("Any", _settings())), warnings.catch_warnings():
        # A letter that no installed font has is drawn as a box; in an SVG it is there as text.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def letters(colour: str) -> str:
    """The colour of a text that belongs to a line of `colour`: the same hue, dark enough to read.

    Dark enough is a contrast to white of at least 4.5 (WCAG 2, level AA).
    """
    rgb = np.array(to_rgb(colour))
    while _contrast(rgb) < _LEGIBLE:
        rgb *= 0.97
    return to_hex((rgb[0], rgb[1], rgb[2]))


def _contrast(rgb: NDArray[np.float64]) -> float:
    linear = np.where(rgb <= _LINEAR_BELOW, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(1.05 / (linear @ (0.2126, 0.7152, 0.0722) + 0.05))


@cache
def _settings() -> dict[str, Any]:
    defaults = cast("dict[str, Any]", mpl.rcParamsDefault)
    settings = {name: defaults[name] for name in defaults if name not in _NOT_OURS}
    installed = set(font_manager.fontManager.get_font_names())
    fallbacks = [name for name in _FALLBACK_FONTS if name in installed]
    return {**settings, **_OURS, "font.family": ["DejaVu Sans", *fallbacks]}
