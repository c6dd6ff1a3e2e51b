"""A real corpus that every installation already has: the docstrings of the scientific Python stack.

The text comes from source files and `ast`; no module is imported for it and nothing is downloaded.
"""

import ast
import gc
import importlib.util
import inspect
import os
import platform
import sysconfig
import warnings
import zlib
from collections import Counter
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import numpy as np
import scipy
import sklearn
from sklearn.utils import Bunch

__all__ = ["load_docstrings"]

_SUBSETS = ("train", "test", "all")

# Shorter docstrings ("Return the name.") say nothing about the place they stand in.
_MIN_WORDS = 10

# A class needs enough documents on both sides of the split to be learned and to be measured.
_MIN_TRAIN_DOCUMENTS = 30
_MIN_TEST_DOCUMENTS = 8

_SKIPPED_FOLDERS = {
    # Inputs rather than prose, and files that are meant not to parse.
    *("test", "tests", "__pycache__"),
    # Somebody else's code, of which several packages carry a copy.
    *("externals", "array_api_compat", "array_api_extra", "site-packages", "dist-packages"),
    # Programs, and not everywhere installed with the standard library.
    *("idlelib", "lib2to3", "turtledemo"),
}

_DOCUMENTED_NODES = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)

# What can hold a statement; expressions, most of a tree, need no visit.
_BLOCK_NODES = (ast.stmt, ast.ExceptHandler, ast.match_case)


def load_docstrings(*, subset="all"):
    """Load the docstrings of numpy, scipy, scikit-learn and the standard library, as documents.

    The docstrings of modules, classes and functions, private ones included, and the strings that
    ``add_newdoc`` calls attach to compiled code, as they stand in the ``.py`` sources of what is
    installed here: about 12,000 documents and 1.5 million words. Documents under 10 words are left
    out, and so are tests and vendored code. Of documents that are equal the first is kept.

    A class is a subpackage: ``"scipy.sparse"``, ``"sklearn.ensemble"``, ``"stdlib.email"``.
    Modules outside any subpackage, and subpackages with fewer than 30 documents in the training
    set or 8 in the test set, form the class of their package: ``"sklearn"``, ``"stdlib"``. What is
    still too small is left out, so every class occurs in both sets.

    Training and test set have no module in common: the docstrings of one module repeat each
    other's sentences. Which set a module belongs to depends on its name alone: to the test set if
    the CRC-32 of the name in UTF-8 is divisible by 4.

    Parameters
    ----------
    subset : {"train", "test", "all"}, default="all"
        Which documents to return. ``target`` and ``target_names`` mean the same in all three.

    Returns
    -------
    docstrings : :class:`~sklearn.utils.Bunch`
        With these fields, in an order that depends on the installed sources alone:

        - data : list of str, the n documents, cleaned of indentation as by `inspect.cleandoc`;
        - target : ndarray of shape (n,), dtype int64, an index into ``target_names``;
        - target_names : list of str, the classes, sorted;
        - modules : list of str, per document the module it stands in, such as
          ``"scipy.sparse._csr"`` or ``"stdlib.json.decoder"``; use it as ``groups`` in
          cross-validation;
        - versions : dict of str to str, the versions that were read, under the names ``"python"``,
          ``"numpy"``, ``"scipy"`` and ``"scikit-learn"``. Another version is another text.

    Raises
    ------
    ValueError
        If ``subset`` is none of the three.
    FileNotFoundError
        If no source files are installed.

    Notes
    -----
    The first call parses about 1,800 files, in a few seconds; the process remembers the result.

    Examples
    --------
    >>> from skw2v.datasets import load_docstrings
    >>> train, test = load_docstrings(subset="train"), load_docstrings(subset="test")
    >>> set(train.modules) & set(test.modules)
    set()
    >>> sorted(set(test.target)) == sorted(set(train.target))
    True
    >>> "scipy.sparse" in train.target_names
    True
    """
    if subset not in _SUBSETS:
        raise ValueError(
            f"subset={subset!r} is unknown; pass one of {', '.join(map(repr, _SUBSETS))}"
        )
    documents, modules, classes = _read_corpus()
    target_names = sorted(set(classes))
    target_of = {name: target for target, name in enumerate(target_names)}
    chosen = [
        i
        for i, module in enumerate(modules)
        if subset == "all" or _is_test_module(module) == (subset == "test")
    ]
    return Bunch(
        data=[documents[i] for i in chosen],
        target=np.array([target_of[classes[i]] for i in chosen], dtype=np.int64),
        target_names=target_names,
        modules=[modules[i] for i in chosen],
        versions={
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "scikit-learn": sklearn.__version__,
        },
        DESCR=load_docstrings.__doc__,
    )


def _is_test_module(module):
    return zlib.crc32(module.encode()) % 4 == 0


@lru_cache(maxsize=1)
def _read_corpus():
    """Return three tuples of equal length: documents, their modules, their classes."""
    roots = _source_roots()
    documents, modules, homes = [], [], []
    seen = set()
    with _garbage_collection_paused():
        for package, root in roots.items():
            for path in _source_files(root):
                module, home = _name_module(package, path.relative_to(root))
                for document in _docstrings_of(path.read_bytes()):
                    if document not in seen and len(document.split()) >= _MIN_WORDS:
                        seen.add(document)
                        documents.append(document)
                        modules.append(module)
                        homes.append(home)
    if not documents:
        raise FileNotFoundError(
            "found no docstrings: there are no .py files under "
            f"{', '.join(map(str, roots.values()))}; install the packages with their sources"
        )
    in_test = [_is_test_module(module) for module in modules]
    classes = _merge_small_classes(homes, in_test)
    kept = [i for i, name in enumerate(classes) if name is not None]
    return tuple(tuple(column[i] for i in kept) for column in (documents, modules, classes))


@contextmanager
def _garbage_collection_paused():
    """Syntax trees are many objects and no cycles: collecting takes half the time, in vain."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _source_roots():
    roots = {}
    for package in ("numpy", "scipy", "sklearn"):
        (folder,) = importlib.util.find_spec(package).submodule_search_locations
        roots[package] = Path(folder)
    roots["stdlib"] = Path(sysconfig.get_path("stdlib"))
    return roots


def _source_files(root):
    """Yield the ``.py`` files under ``root`` in an order no file system has a say in."""
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = sorted(set(subfolders) - _SKIPPED_FOLDERS)
        for name in sorted(names):
            if name.endswith(".py"):
                yield Path(folder, name)


def _name_module(package, path):
    """Return the dotted name of a module and the subpackage (or package) it lies in."""
    parts = path.with_suffix("").parts
    if parts[-1] == "__init__":
        parts = parts[:-1]
        home = parts[:1]
    else:
        home = parts[:-1][:1]
    return ".".join((package, *parts)), ".".join((package, *home))


def _docstrings_of(source):
    """Yield the docstrings of one file's bytes in the order in which they stand there."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes in other people's code
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return
    pending = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, _DOCUMENTED_NODES):
            document = ast.get_docstring(node)
            if document:
                yield document
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            yield from _added_docstrings(node.value)
        children = [c for c in ast.iter_child_nodes(node) if isinstance(c, _BLOCK_NODES)]
        pending.extend(reversed(children))


def _added_docstrings(call):
    """Yield the texts of a call such as ``add_newdoc("numpy", "ndarray", ("ndim", "..."))``."""
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    if "add_newdoc" not in name:
        return
    for argument in call.args:
        for node in ast.walk(argument):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                # Names of places, the other strings here, fall to the minimum length.
                yield inspect.cleandoc(node.value)


def _merge_small_classes(homes, in_test):
    """Return a class per document: its home, or the package if that is small, or None."""
    classes = list(homes)
    for is_last_resort in (False, True):
        n_train = Counter(c for c, test in zip(classes, in_test, strict=True) if not test)
        n_test = Counter(c for c, test in zip(classes, in_test, strict=True) if test)
        for i, name in enumerate(classes):
            if n_train[name] < _MIN_TRAIN_DOCUMENTS or n_test[name] < _MIN_TEST_DOCUMENTS:
                classes[i] = None if is_last_resort else name.partition(".")[0]
    return classes
