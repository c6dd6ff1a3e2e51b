"""What a bug report needs to know about the machine."""

import platform
import sys
from importlib import import_module

DEPENDENCIES = ("numpy", "scipy", "sklearn", "joblib", "threadpoolctl")


def show_versions():
    """Print the versions and the machine's traits that skw2v's speed and results depend on.

    Put its output into every bug report.

    Examples
    --------
    >>> import skw2v
    >>> skw2v.show_versions()  # doctest: +ELLIPSIS
    skw2v: ...
    """
    for name, value in _facts().items():
        print(f"{name}: {value}")


def _facts():
    from skw2v import __version__, _kernels
    from skw2v._threads import effective_n_threads

    openmp = _kernels.openmp_enabled()
    return {
        "skw2v": __version__,
        "python": sys.version.replace("\n", " "),
        "machine": platform.platform(),
        **{name: import_module(name).__version__ for name in DEPENDENCIES},
        "instruction set": f"{_kernels.isa()} (SKW2V_ISA forces one)",
        "OpenMP": "yes" if openmp else "no: built without it, training uses one thread",
        "threads": effective_n_threads(None),
    }
