"""What `load_docstrings` promises, on the sources that are installed and on small made-up ones."""

import gc
import json
import os
import subprocess
import sys
import textwrap
import zlib
from pathlib import Path

import numpy as np
import pytest

from skw2v import datasets
from skw2v.datasets import load_docstrings


@pytest.fixture
def corpus_of(tmp_path, monkeypatch):
    """Return a function that reads the corpus of a made-up package instead of the installed ones.

    One document makes a class here, and the smallest docstring counts.
    """

    def read(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else textwrap.dedent(text).encode())
        monkeypatch.setattr(datasets, "_source_roots", lambda: {"made": tmp_path})
        monkeypatch.setattr(datasets, "_MIN_WORDS", 1)
        monkeypatch.setattr(datasets, "_MIN_TRAIN_DOCUMENTS", 0)
        monkeypatch.setattr(datasets, "_MIN_TEST_DOCUMENTS", 0)
        return datasets._read_corpus.__wrapped__()

    return read


def test_is_a_corpus_of_the_promised_size():
    docstrings = load_docstrings()
    assert 9_000 < len(docstrings.data) < 16_000
    assert 1.1e6 < sum(len(document.split()) for document in docstrings.data) < 2.2e6
    assert {"scipy.sparse", "sklearn.ensemble", "stdlib"} <= set(docstrings.target_names)
    assert all(len(document.split()) >= 10 for document in docstrings.data)


def test_fields_are_parallel():
    docstrings = load_docstrings()
    assert len(docstrings.data) == len(docstrings.target) == len(docstrings.modules)
    assert docstrings.target.dtype == np.int64
    assert docstrings.target_names == sorted(docstrings.target_names)
    for module, target in zip(docstrings.modules, docstrings.target, strict=True):
        assert f"{module}.".startswith(f"{docstrings.target_names[target]}.")


def test_train_and_test_share_no_module_and_make_up_all():
    train, test = load_docstrings(subset="train"), load_docstrings(subset="test")
    assert not set(train.modules) & set(test.modules)
    assert sorted(train.data + test.data) == sorted(load_docstrings(subset="all").data)
    assert 0.15 < len(test.data) / (len(train.data) + len(test.data)) < 0.4


def test_every_class_can_be_learned_and_measured():
    train, test = load_docstrings(subset="train"), load_docstrings(subset="test")
    assert train.target_names == test.target_names
    n_classes = len(train.target_names)
    assert n_classes >= 20
    assert np.bincount(train.target, minlength=n_classes).min() >= 30
    assert np.bincount(test.target, minlength=n_classes).min() >= 8


def test_garbage_collection_goes_on_afterwards(corpus_of):
    assert gc.isenabled()
    with pytest.raises(FileNotFoundError):
        corpus_of({"data.txt": "no code"})
    assert gc.isenabled()


def test_no_document_occurs_twice():
    data = load_docstrings().data
    assert len(set(data)) == len(data)


def test_docstrings_of_compiled_functions_are_there():
    modules = set(load_docstrings().modules)
    assert "scipy.special._add_newdocs" in modules
    assert any(m.startswith("numpy.") and m.endswith("._add_newdocs") for m in modules)


def test_says_which_versions_were_read():
    versions = load_docstrings(subset="test").versions
    assert versions["numpy"] == np.__version__
    assert set(versions) == {"python", "numpy", "scipy", "scikit-learn"}


def test_a_fresh_process_reads_the_same_text_and_imports_nothing_for_it():
    script = """
        import json, sys, zlib
        from skw2v.datasets import load_docstrings
        before = set(sys.modules)
        docstrings = load_docstrings()
        text = json.dumps([docstrings.data, docstrings.modules, docstrings.target.tolist()])
        new = {name.partition(".")[0] for name in set(sys.modules) - before}
        print(zlib.crc32(text.encode()))
        print(json.dumps(sorted(new & {"numpy", "scipy", "sklearn", "tkinter", "turtle", "email"})))
    """
    repository = str(Path(datasets.__file__).parents[1])
    seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    fresh = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": repository},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n")
    docstrings = load_docstrings()
    text = json.dumps([docstrings.data, docstrings.modules, docstrings.target.tolist()])
    assert fresh[0] == str(zlib.crc32(text.encode()))
    assert fresh[1] == "[]"


def test_what_a_caller_does_to_the_result_stays_with_the_caller():
    first = load_docstrings(subset="test")
    document = first.data[0]
    first.data.clear()
    first.versions.clear()
    second = load_docstrings(subset="test")
    assert second.data[0] == document
    assert second.versions


@pytest.mark.parametrize("subset", ["Train", None, 1, ["train"]])
def test_an_unknown_subset_is_named_in_the_error(subset):
    with pytest.raises(ValueError, match=r"subset=.* pass one of 'train', 'test', 'all'"):
        load_docstrings(subset=subset)


def test_missing_sources_say_what_to_do(corpus_of):
    with pytest.raises(FileNotFoundError, match="install the packages with their sources"):
        corpus_of({"data.txt": "no code"})


def test_modules_classes_and_functions_give_documents_wherever_they_stand(corpus_of):
    source = '''
        """Module."""
        if True:
            class Outer:
                """Class

                    indented

                once.
                """
                def method(self):
                    """Method."""
                    def inner():
                        "Inner."
        else:
            try:
                async def coroutine():
                    """Coroutine."""
            except ImportError:
                def function():
                    """Function."""
        def silent():
            x = """Not a docstring."""
    '''
    documents, modules, _ = corpus_of({"m.py": source})
    assert documents == (
        "Module.",
        "Class\n\n    indented\n\nonce.",
        "Method.",
        "Inner.",
        "Coroutine.",
        "Function.",
    )
    assert set(modules) == {"made.m"}


def test_added_docstrings_give_documents(corpus_of):
    source = '''
        add_newdoc("a.b", "f", """
            F does this.
            """)
        core.add_newdoc("a.b", "C", [("g", "G does that."), ("h", "H too.")])
        print("not documentation")
    '''
    documents, _, _ = corpus_of({"m.py": source})
    assert {"F does this.", "G does that.", "H too."} <= set(documents)
    assert "not documentation" not in documents


def test_files_that_do_not_parse_are_skipped(corpus_of):
    files = {
        "a.py": '"""Kept."""',
        "b.py": '"""Lost."""\ndef broken(:',
        "c.py": b'"""Lost \xff."""',
        "d.py": b'"""Lost."""\0',
        "e.py": b'# coding: latin-1\n"""Caf\xe9."""',
        "f.py": '"""Escape \\d."""',
    }
    assert corpus_of(files)[0] == ("Kept.", "Café.", "Escape \\d.")


def test_tests_and_vendored_code_are_skipped(corpus_of):
    files = {
        "a/kept.py": '"""Kept."""',
        "a/tests/test_kept.py": '"""Lost."""',
        "externals/b.py": '"""Lost too."""',
        "site-packages/c.py": '"""Lost as well."""',
        "d.txt": '"""Lost again."""',
    }
    assert corpus_of(files)[0] == ("Kept.",)


def test_the_first_of_equal_documents_is_kept(corpus_of):
    files = {"b.py": '"""Same."""', "a.py": '"""Same."""', "c.py": '"""Other."""'}
    documents, modules, _ = corpus_of(files)
    assert documents == ("Same.", "Other.")
    assert modules == ("made.a", "made.c")


def test_modules_have_the_names_they_are_imported_by(corpus_of):
    files = {
        "__init__.py": '"""Package."""',
        "loose.py": '"""Loose."""',
        "sub/__init__.py": '"""Subpackage."""',
        "sub/deep/leaf.py": '"""Leaf."""',
    }
    _, modules, classes = corpus_of(files)
    assert modules == ("made", "made.loose", "made.sub", "made.sub.deep.leaf")
    assert classes == ("made", "made", "made.sub", "made.sub")


def test_small_classes_join_their_package_and_what_stays_small_is_left_out(monkeypatch):
    monkeypatch.setattr(datasets, "_MIN_TRAIN_DOCUMENTS", 2)
    monkeypatch.setattr(datasets, "_MIN_TEST_DOCUMENTS", 1)
    homes = ["a.big"] * 3 + ["a.small"] * 2 + ["a"] + ["b.lonely"] * 2
    in_test = [True, False, False, False, True, False, False, True]
    merged = datasets._merge_small_classes(homes, in_test)
    assert merged == ["a.big"] * 3 + ["a"] * 3 + [None] * 2
