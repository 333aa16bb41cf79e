"""How figures look: type, lines and sizes, whatever a person's own Matplotlib settings are."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import matplotlib as mpl
import numpy as np
from matplotlib import font_manager
from matplotlib.colors import LinearSegmentedColormap, to_hex, to_rgb

from autotrack.reports.palette import current

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SIZE = (6.4, 3.7)
"""Width and height of a figure of one panel, in inches."""

DPI = 200

TITLE_POINTS = 11.0
TEXT_POINTS = 8.5
TITLE_PAD = 10.0

_LEGIBLE = 4.5
_LINEAR_BELOW = 0.04045
# Luminance of a grey that black and white are read on alike.
_MIDDLE = 0.18

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
    # Names of parameters and runs hold $ and _ that are no formulas.
    "text.parse_math": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.labelsize": TEXT_POINTS + 0.5,
    "axes.labelpad": 5.0,
    "axes.titlesize": TITLE_POINTS,
    "axes.titleweight": "bold",
    "axes.titlepad": TITLE_PAD,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.xmargin": 0.0,
    "axes.ymargin": 0.06,
    "axes.unicode_minus": True,
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
    # Text stays text: it can be searched, copied and set in the reader's own font.
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
    # Identifiers inside an SVG are the same for the same figure.
    "svg.hashsalt": "autotrack",
}


@contextmanager
def applied() -> Iterator[None]:
    """While this lasts, Matplotlib draws in this style; after it, with the person's settings."""
    settings = {**_settings(), **_coloured()}
    with mpl.rc_context(cast("Any", settings)), warnings.catch_warnings():
        # A letter that no installed font has is drawn as a box; in an SVG it is there as text.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def background() -> str:
    """What a figure is painted on: the palette's paper, or nothing."""
    return "none" if current().clear else current().paper


def stroke(colour: str, width: float) -> dict[str, Any]:
    """Colour, width and dashes of a line, as keywords of Matplotlib's `plot`."""
    dash = current().dash(colour)
    style = (0, dash) if dash else "-"
    return {"color": colour, "linewidth": width * current().stroke, "linestyle": style}


def ramp(colours: tuple[str, ...]) -> LinearSegmentedColormap:
    """A colour map through colours at even distances."""
    return LinearSegmentedColormap.from_list("autotrack", list(colours))


def letters(colour: str) -> str:
    """The colour of a text that belongs to a line of `colour`: the same hue, legible on the paper.

    Legible is a contrast to the paper of at least 4.5 (WCAG 2, level AA).
    """
    rgb, paper = np.array(to_rgb(colour)), np.array(to_rgb(current().paper))
    end = 1.0 if _luminance(paper) < _MIDDLE else 0.0
    while _contrast(rgb, paper) < _LEGIBLE:
        rgb = end + (rgb - end) * 0.97
    return to_hex((rgb[0], rgb[1], rgb[2]))


def text_on(colour: Any) -> str:
    """Black or white, whichever is better read on a surface of `colour`."""
    surface = np.array(to_rgb(colour))
    black, white = np.zeros(3), np.ones(3)
    return "#000000" if _contrast(black, surface) > _contrast(white, surface) else "#ffffff"


def _contrast(one: Floats, other: Floats) -> float:
    dark, bright = sorted((_luminance(one), _luminance(other)))
    return (bright + 0.05) / (dark + 0.05)


def _luminance(rgb: Floats) -> float:
    linear = np.where(rgb <= _LINEAR_BELOW, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def _coloured() -> dict[str, Any]:
    """The settings that hold colours, from the current palette."""
    now = current()
    return {
        "text.color": now.ink,
        "axes.edgecolor": now.rule,
        "axes.facecolor": "none" if now.clear else now.paper,
        "axes.labelcolor": now.soft_ink,
        "axes.titlecolor": now.ink,
        "grid.color": now.grid,
        "xtick.color": now.rule,
        "ytick.color": now.rule,
        "xtick.labelcolor": now.soft_ink,
        "ytick.labelcolor": now.soft_ink,
        "axes.linewidth": 0.8 * now.stroke,
        "grid.linewidth": 0.8 * now.stroke,
        "savefig.facecolor": background(),
    }


@cache
def _settings() -> dict[str, Any]:
    defaults = cast("dict[str, Any]", mpl.rcParamsDefault)
    settings = {name: defaults[name] for name in defaults if name not in _NOT_OURS}
    installed = set(font_manager.fontManager.get_font_names())
    fallbacks = [name for name in _FALLBACK_FONTS if name in installed]
    return {**settings, **_OURS, "font.family": ["DejaVu Sans", *fallbacks]}
