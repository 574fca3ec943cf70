"""Sphinx for the web edition; `build.py` writes the sources that it reads."""

import re
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT)]
import pages  # noqa: E402

about = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

project, release, author = "Learn · Prune · Fuse", about["version"], about["authors"][0]["name"]
extensions = ["myst_nb", "sphinx_design", "sphinx.ext.autodoc", "numpydoc"]
nb_execution_mode = "off"
nb_mime_priority_overrides = [("html", "application/javascript", 10), ("html", "text/html", 20)]
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
# Everything comes from the site itself, so that it works without a network and from a folder.
mathjax_path = "mathjax/tex-svg.js"
html_static_path = [str(ROOT / "docs" / "_build" / "source" / "_static")]
exclude_patterns = ["_static/**", "files/**"]
html_css_files, html_js_files = ["course.css"], ["course.js"]
html_theme, html_title, html_context = "sphinx_book_theme", project, {"default_mode": "auto"}
html_theme_options = {
    "navbar_persistent": [], "use_download_button": False, "use_fullscreen_button": False, "show_navbar_depth": 1,
    "show_toc_level": 2, "repository_url": pages.repository(), "use_repository_button": bool(pages.repository()),
    "use_issues_button": bool(pages.repository()), "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark"}
html_copy_source = html_show_sourcelink = html_use_index = False
numpydoc_show_class_members = False
autodoc_member_order, autodoc_typehints = "bysource", "none"
add_module_names = False
default_role = "code"


def plain_stars(_app, _what, _name, _thing, _options, lines):
    """In docstrings a star in parentheses is one, as in (N, *shape)."""
    lines[:] = [re.sub(r"(?<=[(,] )\*(?=\w)|(?<=\()\*(?=\w)", r"\\*", line) for line in lines]


def setup(app):
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", plain_stars, priority=100)
