"""Sphinx settings; `make docs` builds with warnings as errors and without the network."""

import skw2v

project = "skw2v"
author = "The skw2v developers"
copyright = "2026, the skw2v developers"
version = release = skw2v.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx-mathjax-offline",  # formulas are drawn without the network, too
    "numpydoc",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "_templates"]
autosummary_generate = True
default_role = "literal"
nitpicky = False

numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

html_theme = "pydata_sphinx_theme"
html_title = "skw2v"
html_show_sourcelink = False
html_sidebars = {"**": []}
html_theme_options = {
    "show_prev_next": False,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
}
