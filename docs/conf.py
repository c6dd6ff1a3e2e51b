"""Sphinx settings; `make docs` builds with warnings as errors and without the network."""

import os
import shutil
from pathlib import Path

from cycler import cycler

import skw2v

project = "skw2v"
author = "The skw2v developers"
copyright = "2026, the skw2v developers"
version = release = skw2v.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "matplotlib.sphinxext.plot_directive",
    "sphinx-mathjax-offline",  # formulas are drawn without the network, too
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "_templates"]
autosummary_generate = True
default_role = "literal"
nitpicky = False

numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

# Figures are drawn by docs/figures/*.py as the pages are built.
plot_formats = ["svg"]
plot_html_show_formats = False
plot_html_show_source_link = False
plot_apply_rcparams = True
plot_rcparams = {
    "axes.axisbelow": True,
    "axes.prop_cycle": cycler(
        # Okabe and Ito's colours, as in skw2v.display.
        color=["#0072b2", "#d55e00", "#009e73", "#a6559d", "#b07d00", "#3a9bd6", "#333333"]
    ),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 10.5,
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "legend.fontsize": 9.5,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "svg.hashsalt": "skw2v",  # the same file from every build
}

# Programs of examples/ as pages. Those run that need nothing to be downloaded or installed, on what
# they have of their own: no reader's folder decides what a page shows.
os.environ.pop("SKW2V_DATA", None)
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "generated/gallery",
    "filename_pattern": "what_an_embedding_layer_learns",
    "run_stale_examples": True,  # they show the library, which may have changed
    "download_all_examples": False,
    "min_reported_time": float("inf"),
    "write_computation_times": False,
    "show_signature": False,
}

html_theme = "pydata_sphinx_theme"
html_title = "skw2v"
html_show_sourcelink = False
html_sidebars = {"**": []}
html_theme_options = {
    "show_prev_next": False,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
}


def setup(app):
    app.connect("builder-inited", draw_anew)
    app.connect("autodoc-skip-member", skip_made_members)


def draw_anew(app):
    """Forget drawn figures: they show the library, which may have changed where they have not."""
    shutil.rmtree(Path(app.doctreedir).parent / "plot_directive", ignore_errors=True)


def skip_made_members(app, what, name, member, skip, options):
    """Leave out what nobody wrote: the fields of named tuples, of which Python says no more than
    their number, and scikit-learn's metadata requests, which refer to pages of its own."""
    is_field = str(getattr(member, "__doc__", "")).startswith("Alias for field")
    is_request = name.startswith("set_") and name.endswith("_request")
    return True if is_field or is_request else None
