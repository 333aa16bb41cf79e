"""How the documentation is built: `make docs`."""

from importlib.metadata import version as version_of

project = "autotrack"
author = "the autotrack authors"
copyright = f"2026, {author}"  # noqa: A001 - Sphinx asks for this name
release = version = version_of("torch-autotrack")

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "autotrack"

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
# classes of other projects have their pages elsewhere; our own must be found
nitpick_ignore_regex = [("py:class", r"(?!autotrack\.).*|autotrack\.decorator\.F")]
