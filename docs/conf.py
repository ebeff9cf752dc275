"""Sphinx configuration of the documentation site."""

import sys
import warnings
from pathlib import Path

import torch
from sphinx_gallery.sorting import ExplicitOrder

import sktime_tsd

sys.path.insert(0, str(Path(__file__).parent))
from floors import floors

torch.set_num_threads(1)  # networks this small gain nothing from a second thread

project = "sktime_tsd"
author = "sktime_tsd developers"
copyright = "sktime_tsd developers"  # noqa: A001 - Sphinx reads this name
version = release = sktime_tsd.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.doctest",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "_templates", "examples", "sg_execution_times.rst"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
nitpicky = False

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

# names in single backquotes link to the reference, if they are in it
default_role = "py:obj"
toc_object_entries_show_parents = "hide"

html_theme = "pydata_sphinx_theme"
html_title = "sktime_tsd"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_show_sourcelink = False
html_theme_options = {
    "navigation_with_keys": True,
    "show_toc_level": 2,
    "header_links_before_dropdown": 6,
    "footer_start": ["copyright"],
    "footer_end": [],
    "navbar_end": ["theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
}
html_sidebars = {"index": [], "results/README": [], "development": []}

sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"/plot_",
    "within_subsection_order": ExplicitOrder(
        [
            "plot_minirocket.py",
            "plot_embedding.py",
            "plot_student_size.py",
            "plot_ecg_reasons.py",
            "plot_motions.py",
            "plot_search.py",
            "plot_own_network.py",
            "plot_cascade.py",
            "plot_onnxruntime.py",
        ]
    ),
    "abort_on_example_error": True,
    "parallel": 2,
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_memory": False,
    "write_computation_times": False,
    "image_scrapers": ("matplotlib",),
    "matplotlib_animations": False,
}

warnings.filterwarnings("error", module="sktime_tsd")

# The report is written by a command. Its page is also read as a plain file, hence no toctree there.
_REPORT = """

```{toctree}
:hidden:

main/report
```
"""


def _complete(app, docname, source):
    if docname == "results/README":
        source[0] += _REPORT
    if docname == "development":
        source[0] = source[0].replace("<!-- floors -->", floors())


def setup(app):
    """Register this site's own steps with Sphinx."""
    app.connect("source-read", _complete)
