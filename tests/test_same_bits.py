"""The same bits, whatever trains them: threads, processes, containers, AVX2 and AVX-512."""

import json
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

from skw2v import Word2VecTransformer, _kernels, _trainer

SCRIPT = Path(__file__).with_name("fingerprint.py")
fingerprint = runpy.run_path(str(SCRIPT))["fingerprint"]
classifier_fingerprint = runpy.run_path(str(SCRIPT))["classifier_fingerprint"]
CASES = [
    {"architecture": architecture, "n_components": n_components}
    for architecture in ("skipgram", "cbow")
    for n_components in (1, 33, 100)
]
# Biases lie in a column of their own, which is the 17th or the 8th. As few documents as will make
# several shards, because these are many cases.
CASES_OF_LOSSES = [
    {"loss": loss, "architecture": architecture, "n_components": n_components}
    | {"n_documents": 300, "embedding": "input"}
    for loss in ("nce", "sampled_softmax", "hierarchical_softmax", "softmax")
    for architecture, n_components in (("skipgram", 16), ("cbow", 7))
]
# And what is learned for poolings, by logarithms and linear algebra.
CASES_OF_LOSSES += [{"pooling": ["tfidf", "sif"], "n_components": 9, "n_documents": 300}]
CLASSIFIERS = [
    {"loss": loss, "n_components": n_components, "ngram_range": [1, 2], "n_documents": 300}
    for loss, n_components in (
        ("softmax", 7),
        ("ova", 16),
        ("nce", 15),
        ("sampled_softmax", 33),
        ("hierarchical_softmax", 16),
    )
]


@pytest.fixture(scope="module")
def documents(planted):
    """Some 16,000 tokens: several rounds of several shards; with empty documents among them."""
    documents = list(planted.documents[:1000])
    documents[::50] = [""] * 20
    return documents


@pytest.fixture(scope="module")
def expected(documents):
    return [fingerprint(documents, **case) for case in CASES]


@pytest.fixture(scope="module")
def expected_of_losses(documents):
    return [fingerprint(documents, **case) for case in CASES_OF_LOSSES]


@pytest.fixture(scope="module")
def expected_of_classifiers(documents):
    return [classifier_fingerprint(documents, **case) for case in CLASSIFIERS]


@pytest.fixture(scope="module")
def fresh(documents, run_python, tmp_path_factory):
    """Instruction set and fingerprints in a fresh process."""
    path = tmp_path_factory.mktemp("documents") / "documents.json"
    path.write_text(json.dumps(documents), encoding="utf-8")

    def run(cases, classifiers=(), **environment):
        kinds = [*(("transformer", case) for case in cases)]
        kinds += [("classifier", case) for case in classifiers]
        return json.loads(run_python(SCRIPT, path, json.dumps(kinds), **environment))

    return run


def numpy_features(*prefixes):
    """NumPy's names of the instruction sets it has chosen here, as its variable wants them."""
    chosen = [name for name in __cpu_dispatch__ if __cpu_features__[name]]
    return " ".join(name for name in chosen if name.startswith(prefixes))


@pytest.mark.parametrize("n_jobs", [1, 2, 3, 8, -1, -2])
def test_at_any_number_of_threads(documents, expected, n_jobs):
    assert [fingerprint(documents, n_jobs=n_jobs, **case) for case in CASES] == expected


@pytest.mark.parametrize("n_jobs", [1, 2, 3, 8])
def test_of_every_loss_at_any_number_of_threads(documents, expected_of_losses, n_jobs):
    found = [fingerprint(documents, n_jobs=n_jobs, **case) for case in CASES_OF_LOSSES]
    assert found == expected_of_losses


@pytest.mark.parametrize("n_jobs", [1, 2, 3, 8])
def test_of_classifiers_at_any_number_of_threads(documents, expected_of_classifiers, n_jobs):
    found = [classifier_fingerprint(documents, n_jobs=n_jobs, **case) for case in CLASSIFIERS]
    assert found == expected_of_classifiers


def test_every_case_has_shards_that_threads_can_share(documents, monkeypatch):
    layouts = []

    def choose_layout(*arguments):
        layouts.append(chosen(*arguments))
        return layouts[-1]

    chosen = _trainer.choose_layout
    monkeypatch.setattr(_trainer, "choose_layout", choose_layout)
    for case in CASES + CASES_OF_LOSSES:
        fingerprint(documents, max_iter=1, **case)
    assert len(layouts) == len(CASES + CASES_OF_LOSSES)
    assert all(layout.n_shards >= 4 for layout in layouts)


@pytest.mark.parametrize(
    "parameters",
    [
        {"window": 30, "learning_rate": 0.1},
        {"dynamic_window": False, "n_negatives": 1},
        {"subsample": 0, "max_features": 20},
        {"subsample": 1e-4, "noise_exponent": 0.3},
        {"loss": "nce", "noise": "log_uniform", "remove_accidental_hits": True},
        {"loss": "sampled_softmax", "n_negatives": 20, "remove_accidental_hits": False},
        {"architecture": "cbow", "cbow_gradient": "exact"},
    ],
    ids=str,
)
def test_at_any_number_of_threads_with_other_parameters(documents, parameters):
    one, three = (
        fingerprint(documents, n_components=20, n_jobs=n_jobs, **parameters) for n_jobs in (1, 3)
    )
    assert one == three


def test_a_fingerprint_sees_a_difference(documents, expected):
    for other in (
        fingerprint(documents, random_state=4, **CASES[0]),
        fingerprint(documents[::-1], **CASES[0]),
        fingerprint(documents, pooling="max", **CASES[0]),
    ):
        assert other != expected[0]


def test_a_fingerprint_sees_biases_and_scores(documents, monkeypatch):
    case = {"loss": "hierarchical_softmax", "embedding": "input"}  # whose score needs no biases
    before = fingerprint(documents[:300], **case)
    for name, value in (
        ("output_bias_", property(lambda fitted: np.ones(3))),  # hides the instance's
        ("score", lambda fitted, documents: -1.0),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(Word2VecTransformer, name, value, raising=False)
            assert fingerprint(documents[:300], **case) != before


@pytest.mark.parametrize(
    "environment", [{"PYTHONHASHSEED": "0"}, {"PYTHONHASHSEED": "1", "OMP_NUM_THREADS": "1"}]
)
def test_in_a_fresh_process_under_any_hash_seed(
    fresh, expected, expected_of_classifiers, environment
):
    found = fresh(CASES, CLASSIFIERS, **environment)
    assert found["fingerprints"] == expected + expected_of_classifiers


@pytest.mark.parametrize("numpy_too", [False, True], ids=["", "NumPy held to it too"])
@pytest.mark.parametrize("isa", ["avx2", "avx512"])
def test_on_avx2_and_avx512(
    fresh, expected, expected_of_losses, expected_of_classifiers, isa, numpy_too
):
    if _kernels.isa() == "baseline" or isa not in _kernels.available_isas():
        pytest.skip(f"this processor has no {isa}, or the tests run on the portable kernels")
    environment = {"SKW2V_ISA": isa}
    if numpy_too:
        # What NumPy has beyond the set that is named.
        features = numpy_features("AVX512", "X86_V4") if isa == "avx2" else numpy_features("")
        if not features:
            pytest.skip("NumPy uses nothing here that could be switched off")
        environment["NPY_DISABLE_CPU_FEATURES"] = features
    found = fresh(CASES + CASES_OF_LOSSES, CLASSIFIERS, **environment)
    of_all = expected + expected_of_losses + expected_of_classifiers
    assert found == {"isa": isa, "fingerprints": of_all}


def test_the_portable_kernels_agree_among_themselves(fresh):
    one, two = (
        fresh(CASES + CASES_OF_LOSSES, CLASSIFIERS, SKW2V_ISA="baseline", OMP_NUM_THREADS=str(n))
        for n in (1, 2)
    )
    assert one == two
    assert one["isa"] == "baseline"


@pytest.mark.parametrize(
    "container",
    [
        tuple,
        np.array,
        lambda documents: np.array(documents, dtype=object),
        pd.Series,
        lambda documents: pd.Series(documents, dtype="string", index=documents),
        pl.Series,
        lambda documents: [*iter(documents)],
        lambda documents: [document.split() for document in documents],
        lambda documents: [np.array(document.split()) for document in documents],
        lambda documents: [document.encode() for document in documents],
    ],
)
def test_from_any_container(documents, container):
    documents = documents[:300]
    assert fingerprint(container(documents), n_components=5) == fingerprint(
        documents, n_components=5
    )


@pytest.mark.parametrize("embedding", ["input", "output", "sum", "mean", "concat"])
@pytest.mark.parametrize("pooling", ["mean", "sum", "max", ["min", "mean"]], ids=str)
def test_a_row_does_not_depend_on_the_others(documents, embedding, pooling):
    fitted = Word2VecTransformer(
        n_components=35, max_iter=1, random_state=0, embedding=embedding, pooling=pooling
    ).fit(documents)
    long = " ".join(documents[:50])
    some = [long, *documents[:20], long]
    together = fitted.transform(some)
    for n_jobs in (1, 3):
        fitted.set_params(n_jobs=n_jobs)
        alone = [fitted.transform([document])[0] for document in some]
        assert np.array(alone).tobytes() == together.tobytes()
    assert fitted.transform(documents)[:20].tobytes() == together[1:21].tobytes()
