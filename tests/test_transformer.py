"""What Word2VecTransformer learns, offers and remembers."""

import dataclasses
import inspect
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

import skw2v
from skw2v import Word2VecTransformer, _fitting

EMBEDDINGS = ["input", "output", "sum", "mean", "concat"]
POOLINGS = ["mean", "sum", "max", "min"]
LOSSES = ["negative_sampling", "nce", "sampled_softmax", "hierarchical_softmax", "softmax"]
DOCUMENTS = ["the cat sat on the mat", "the dog sat on the cat", "dog and cat", "nothing"]


def small(**parameters):
    return Word2VecTransformer(
        **{"n_components": 7, "min_count": 2, "max_iter": 2, "random_state": 0} | parameters
    )


@pytest.fixture
def count_training(monkeypatch):
    """The parameters of every training that takes place."""
    calls = []

    def counting(corpus, word_counts, parameters, **options):
        calls.append(parameters)
        return original(corpus, word_counts, parameters, **options)

    original = _fitting.train
    monkeypatch.setattr(_fitting, "train", counting)
    return calls


def test_fitted_attributes():
    fitted = small().fit(DOCUMENTS)
    assert fitted.vocabulary_ == {"the": 0, "cat": 1, "dog": 2, "on": 3, "sat": 4}
    assert list(fitted.vocabulary_) == ["the", "cat", "dog", "on", "sat"]
    assert fitted.word_counts_.tolist() == [4, 3, 2, 2, 2]
    assert fitted.word_counts_.dtype == np.int64
    for vectors in (fitted.input_vectors_, fitted.output_vectors_, fitted.summed_vectors_):
        assert vectors.shape == (5, 7)
        assert vectors.dtype == np.float32
    np.testing.assert_array_equal(
        fitted.summed_vectors_, fitted.input_vectors_ + fitted.output_vectors_
    )
    assert fitted.output_bias_.tolist() == [0] * 5
    assert fitted.n_iter_ == 2
    assert fitted.loss_curve_.shape == (2,)
    assert fitted.loss_curve_.dtype == np.float64
    assert not hasattr(fitted, "n_features_in_")


@pytest.mark.parametrize("architecture", ["skipgram", "cbow"])
@pytest.mark.parametrize("loss", LOSSES)
def test_what_each_loss_fits(loss, architecture):
    fitted = small(loss=loss, architecture=architecture, subsample=0).fit(DOCUMENTS)
    n_outputs = 4 if loss == "hierarchical_softmax" else 5
    assert fitted.input_vectors_.shape == (5, 7)
    assert fitted.output_vectors_.shape == (n_outputs, 7)
    assert fitted.output_vectors_.any()
    assert fitted.output_bias_.shape == (n_outputs,)
    assert fitted.output_bias_.dtype == np.float32
    assert fitted.output_bias_.any() == (loss in ("nce", "sampled_softmax", "softmax"))
    assert (fitted.loss_curve_ > 0).all()
    assert hasattr(fitted, "summed_vectors_") == (loss != "hierarchical_softmax")


@pytest.mark.parametrize("loss", LOSSES)
def test_a_vocabulary_of_one_word_fits(loss):
    fitted = small(loss=loss, subsample=0).fit(["word word word"])
    assert fitted.transform(["word"]).shape == (1, 7)
    assert len(fitted.output_vectors_) == (loss != "hierarchical_softmax")
    assert fitted.output_vectors_.shape[1] == 7
    assert np.isfinite(fitted.loss_curve_).all()


def test_hierarchical_softmax_has_no_output_vectors_of_words(count_training):
    message = "'hierarchical_softmax' has them for the inner nodes of its tree alone; use embedding"
    fitted = small(loss="hierarchical_softmax").fit(DOCUMENTS)
    with pytest.raises(AttributeError, match="summed_vectors_ needs an output vector for every"):
        fitted.summed_vectors_  # noqa: B018
    np.testing.assert_array_equal(fitted.word_vectors().vectors, fitted.input_vectors_)
    for embedding in EMBEDDINGS[1:]:
        with pytest.raises(ValueError, match=f"embedding='{embedding}' needs.*{message}"):
            fitted.word_vectors(embedding)
        fitted.set_params(embedding=embedding)
        for call in (fitted.transform, fitted.fit, fitted.fit_transform):
            with pytest.raises(ValueError, match=f"embedding='{embedding}' needs.*{message}"):
                call(DOCUMENTS)
        with pytest.raises(ValueError, match=message):
            fitted.get_feature_names_out()
        # What was fitted counts, not what is set.
        with pytest.raises(ValueError, match=message):
            fitted.set_params(loss="negative_sampling").transform(DOCUMENTS)
        fitted.set_params(loss="hierarchical_softmax")
    assert len(count_training) == 1
    with pytest.raises(ValueError, match="embedding is 'both'; expected 'input'"):
        fitted.word_vectors("both")


def test_the_oov_rate_is_the_share_of_tokens_without_a_vector():
    with pytest.raises(NotFittedError):
        small().oov_rate(DOCUMENTS)
    model = small(stop_words=["on"], min_count=2).fit(DOCUMENTS)
    assert model.oov_rate(DOCUMENTS) == 3 / 14  # mat, and, nothing
    assert model.oov_rate(model.encode(DOCUMENTS)) == 3 / 14
    assert model.oov_rate(iter(["The EMU sat on", b"emu", ["on", "cat"], ""])) == 3 / 6
    assert (model.oov_rate(["cat"]), model.oov_rate(["emu"])) == (0.0, 1.0)
    assert np.isnan(model.oov_rate([]))
    assert np.isnan(model.oov_rate(["", "a ?"]))
    with pytest.raises(TypeError, match="document 1 is None"):
        model.oov_rate(["cat", None])


def test_training_gets_every_parameter(count_training):
    given = {
        "architecture": "cbow",
        "cbow_gradient": "exact",
        "loss": "sampled_softmax",
        "n_components": 3,
        "window": 2,
        "dynamic_window": False,
        "n_negatives": 4,
        "noise": "unigram",
        "noise_exponent": 0.5,
        "remove_accidental_hits": False,
        "subsample": 0.5,
        "learning_rate": 0.03,
        "min_learning_rate": 0.01,
        "max_iter": 1,
        "subword": (2, 3),
        "n_buckets": 100,
        "trainable": "new",
    }
    small(**given).fit(DOCUMENTS)
    (parameters,) = count_training
    assert {name: getattr(parameters, name) for name in given} == given
    assert dataclasses.asdict(parameters).keys() == given.keys() | {"seed"}


@pytest.mark.parametrize(
    ("model", "ignored"),
    [
        ({"architecture": "skipgram"}, {"cbow_gradient": "exact"}),
        ({"noise": "log_uniform"}, {"noise_exponent": 1.0}),
        *(
            ({"loss": loss, "architecture": "cbow"}, {name: value})
            for loss in ("hierarchical_softmax", "softmax")
            for name, value in [
                ("n_negatives", 20),
                ("noise", "log_uniform"),
                ("noise_exponent", 1.0),
                ("remove_accidental_hits", False),
            ]
        ),
    ],
    ids=str,
)
def test_what_a_model_ignores_changes_nothing(model, ignored, count_training, tmp_path):
    one, two = (
        small(**model, **changes, subsample=0, memory=tmp_path).fit(DOCUMENTS)
        for changes in ({}, ignored)
    )
    np.testing.assert_array_equal(one.output_vectors_, two.output_vectors_)
    assert len(count_training) == 1


@pytest.mark.parametrize(
    ("model", "heeded"),
    [
        ({"architecture": "cbow"}, {"cbow_gradient": "exact"}),
        *(
            ({"loss": loss}, change)
            for loss in ("negative_sampling", "nce", "sampled_softmax")
            for change in (
                {"n_negatives": 3},
                {"noise": "log_uniform"},
                {"noise_exponent": 1.0},
                {"remove_accidental_hits": loss == "nce"},
            )
        ),
    ],
    ids=str,
)
def test_what_a_model_heeds_changes_something(model, heeded):
    one, two = (small(**model, **changes, subsample=0).fit(DOCUMENTS) for changes in ({}, heeded))
    assert not np.array_equal(one.output_vectors_, two.output_vectors_)


@pytest.mark.parametrize("loss", ["negative_sampling", "nce", "sampled_softmax"])
def test_accidental_hits_are_removed_where_tensorflow_removes_them(loss):
    auto, as_tensorflow = (
        small(loss=loss, remove_accidental_hits=hits, subsample=0).fit(DOCUMENTS)
        for hits in ("auto", np.bool_(loss != "nce"))
    )
    np.testing.assert_array_equal(auto.output_vectors_, as_tensorflow.output_vectors_)


def test_fit_returns_self_and_leaves_parameters_alone():
    unfitted = small(memory=None)
    before = unfitted.get_params()
    assert unfitted.fit(DOCUMENTS) is unfitted
    assert unfitted.get_params() == before


@pytest.mark.parametrize("embedding", ["input", "concat"])
def test_a_list_of_poolings_stands_side_by_side(embedding):
    fitted = small(embedding=embedding, pooling=["max", "mean", "min"])
    features = fitted.fit_transform(DOCUMENTS)
    expected = [
        fitted.set_params(pooling=pooling).transform(DOCUMENTS)
        for pooling in ("max", "mean", "min")
    ]
    np.testing.assert_array_equal(features, np.hstack(expected))
    fitted.set_params(pooling=["max", "mean", "min"])
    assert len(fitted.get_feature_names_out()) == features.shape[1]


@pytest.mark.parametrize("embedding", EMBEDDINGS)
@pytest.mark.parametrize("pooling", POOLINGS)
def test_transform_pools_the_embedding(embedding, pooling):
    fitted = small(embedding=embedding, pooling=pooling).fit(DOCUMENTS)
    v, w = fitted.input_vectors_.astype(float), fitted.output_vectors_.astype(float)
    vectors = {
        "input": v,
        "output": w,
        "sum": v + w,
        "mean": (v + w) / 2,
        "concat": np.hstack([v, w]),
    }[embedding]
    expected = [
        getattr(np, pooling)(
            [vectors[fitted.vocabulary_[t]] for t in document.split() if t in fitted.vocabulary_]
            or [np.zeros(vectors.shape[1])],
            axis=0,
        )
        for document in DOCUMENTS
    ]
    # Few documents at once and many take different ways through the vocabulary.
    for repeats in (1, 3):
        features = fitted.transform(DOCUMENTS * repeats)
        assert features.dtype == np.float32
        np.testing.assert_allclose(features, expected * repeats, rtol=1e-5, atol=1e-7)
    assert not features[-1].any()
    assert len(fitted.get_feature_names_out()) == features.shape[1]


def test_fit_transform_is_fit_then_transform_but_analyses_once():
    analysed = []

    def analyzer(document):
        analysed.append(document)
        return document.split()

    features = small(analyzer=analyzer).fit_transform(DOCUMENTS)
    assert analysed == DOCUMENTS
    np.testing.assert_array_equal(features, small().fit(DOCUMENTS).transform(DOCUMENTS))


def test_transform_parameters_never_retrain(count_training):
    fitted = small().fit(DOCUMENTS)
    for embedding in EMBEDDINGS:
        for pooling in POOLINGS:
            fitted.set_params(embedding=embedding, pooling=pooling).transform(DOCUMENTS)
    assert len(count_training) == 1


def test_no_documents_give_no_rows():
    fitted = small(embedding="sum").fit(DOCUMENTS)
    assert fitted.transform([]).shape == (0, 7)
    assert fitted.set_output(transform="pandas").transform(iter(())).shape == (0, 7)


def test_feature_names():
    fitted = small(n_components=2, embedding="concat").fit(DOCUMENTS)
    assert fitted.get_feature_names_out().tolist() == [f"word2vectransformer{i}" for i in range(4)]


def test_analyzer_parameters_match_count_vectorizers():
    ours = inspect.signature(Word2VecTransformer).parameters
    theirs = inspect.signature(CountVectorizer).parameters
    for name in (
        "input",
        "encoding",
        "decode_error",
        "strip_accents",
        "lowercase",
        "preprocessor",
        "tokenizer",
        "stop_words",
        "token_pattern",
        "analyzer",
        "max_features",
        "vocabulary",
    ):
        assert ours[name].default == theirs[name].default
        assert ours[name].kind is inspect.Parameter.KEYWORD_ONLY


def test_given_vocabulary_fixes_the_ids():
    fitted = small(vocabulary=["sat", "cat", "unseen"]).fit(DOCUMENTS)
    assert fitted.vocabulary_ == {"sat": 0, "cat": 1, "unseen": 2}
    assert fitted.word_counts_.tolist() == [2, 3, 0]
    assert np.isfinite(fitted.input_vectors_).all()


def test_documents_of_ids():
    walks = [[1, 2, 3, 2], (3, 2, 1), np.array([2, 3])]
    fitted = small(min_count=1).fit(walks)
    assert fitted.vocabulary_ == {2: 0, 3: 1, 1: 2}
    assert fitted.transform([[2], [9], []])[:, 0].tolist() == [
        fitted.input_vectors_[0, 0],
        0,
        0,
    ]


def test_word_vectors_offers_any_embedding():
    fitted = small().fit(DOCUMENTS)
    for embedding, expected in [
        ("input", fitted.input_vectors_),
        ("output", fitted.output_vectors_),
        ("sum", fitted.summed_vectors_),
    ]:
        word_vectors = fitted.word_vectors(embedding)
        assert isinstance(word_vectors, skw2v.WordVectors)
        assert list(word_vectors.words) == list(fitted.vocabulary_)
        np.testing.assert_array_equal(word_vectors.vectors, expected)
    with pytest.raises(ValueError, match="embedding is 'both'; expected 'input'"):
        fitted.word_vectors("both")


def test_nothing_is_offered_before_fit():
    unfitted = small()
    for call in (unfitted.word_vectors, unfitted.get_feature_names_out):
        with pytest.raises(NotFittedError):
            call()
    with pytest.raises(NotFittedError):
        unfitted.transform(DOCUMENTS)
    assert not hasattr(unfitted, "summed_vectors_")


def test_random_state_none_draws_a_new_seed_every_time():
    one, two = (small(random_state=None).fit(DOCUMENTS) for _ in range(2))
    assert not np.array_equal(one.input_vectors_, two.input_vectors_)


def test_random_state_instance_moves_on():
    state = np.random.RandomState(0)
    estimator = small(random_state=state)
    one = estimator.fit(DOCUMENTS).input_vectors_
    two = estimator.fit(DOCUMENTS).input_vectors_
    assert not np.array_equal(one, two)
    np.testing.assert_array_equal(one, small(random_state=0).fit(DOCUMENTS).input_vectors_)


def test_silent_by_default_and_one_line_an_epoch_if_verbose(capsys):
    small().fit(DOCUMENTS)
    assert capsys.readouterr() == ("", "")
    small(verbose=1, max_iter=3).fit(DOCUMENTS)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert "epoch 3 of 3: loss " in lines[2]
    assert lines[2].endswith(" words/s")


def test_memory_keys_on_what_training_depends_on(tmp_path, count_training, capsys):
    def fit(documents=DOCUMENTS, **parameters):
        return small(memory=tmp_path, **parameters).fit(documents)

    first = fit()
    for same in (
        {"memory": str(tmp_path)},
        {"memory": joblib.Memory(str(tmp_path), verbose=0)},
        {"n_jobs": 1},
        {"verbose": 1},
        {"embedding": "sum", "pooling": "max"},
        {"pooling": "scdv", "n_clusters": 2},
        {"pooling": "vlawe", "n_clusters": 2},
        {"learning_rate": np.float64(0.05), "window": np.int64(10)},
        {"cbow_gradient": "exact"},  # skip-gram ignores it
        {"analyzer": str.split, "random_state": np.random.RandomState(0)},
    ):
        again = small(**{"memory": tmp_path} | same).fit(DOCUMENTS)
        np.testing.assert_array_equal(again.input_vectors_, first.input_vectors_)
        np.testing.assert_array_equal(again.loss_curve_, first.loss_curve_)
    assert len(count_training) == 1
    for other in (
        {"random_state": 1},
        {"window": 4},
        {"documents": DOCUMENTS[:-2]},
        {"loss": "nce"},
        {"remove_accidental_hits": False},
        {"noise": "log_uniform"},
    ):
        fit(**other)
    assert len(count_training) == 7
    assert capsys.readouterr() == ("", "")


def test_memory_keeps_no_training_that_cannot_come_again(tmp_path):
    fitted = small(memory=tmp_path, random_state=None).fit(DOCUMENTS)
    assert fitted.input_vectors_.any()
    assert not list(tmp_path.iterdir())


def test_grid_over_embedding_and_pooling_trains_once_a_fold(tmp_path, count_training, planted):
    model = make_pipeline(small(memory=tmp_path), DecisionTreeClassifier(max_depth=2))
    grid = {"word2vectransformer__embedding": EMBEDDINGS, "word2vectransformer__pooling": POOLINGS}
    GridSearchCV(model, grid, cv=3, refit=False).fit(planted.documents[:200], planted.labels[:200])
    assert len(count_training) == 3


def test_features_from_read_only_vectors():
    """As joblib hands them to its workers, and a memory-mapped cache to fit."""
    fitted = small().fit(DOCUMENTS)
    expected = fitted.transform(DOCUMENTS)
    fitted.input_vectors_.flags.writeable = False
    np.testing.assert_array_equal(fitted.transform(DOCUMENTS), expected)


def test_cache_may_be_memory_mapped(tmp_path):
    memory = joblib.Memory(tmp_path, mmap_mode="r", verbose=0)
    expected = small().fit_transform(DOCUMENTS)
    for _ in range(2):
        features = small(memory=memory).fit_transform(DOCUMENTS)
        np.testing.assert_array_equal(features, expected)


def test_clone_of_fitted_is_unfitted():
    with pytest.raises(NotFittedError):
        clone(small().fit(DOCUMENTS)).transform(DOCUMENTS)


def test_docstring_covers_every_parameter():
    documented = inspect.getdoc(Word2VecTransformer)
    section = documented[documented.index("Parameters\n") : documented.index("Attributes\n")]
    for name, parameter in inspect.signature(Word2VecTransformer).parameters.items():
        (line,) = [line for line in section.splitlines() if line.startswith(f"{name} : ")]
        default = parameter.default
        if name == "token_pattern":
            continue
        shown = line.split("default=")[1]
        assert eval(shown) == default


def test_show_versions_says_what_a_bug_report_needs(capsys):
    skw2v.show_versions()
    printed = capsys.readouterr().out
    for name in ("skw2v: " + skw2v.__version__, "numpy: ", "instruction set: ", "OpenMP: "):
        assert name in printed


def test_package_offers_what_it_lists():
    for name in skw2v.__all__:
        assert getattr(skw2v, name) is not None
        assert name in dir(skw2v)
    with pytest.raises(AttributeError, match="no attribute 'doc2vec'"):
        skw2v.doc2vec  # noqa: B018


def test_the_package_docstring_maps_every_room():
    package = Path(skw2v.__file__).parent
    for room in package.glob("*.py*"):
        if room.suffix in (".py", ".pyx") and room.name != "__init__.py":
            assert f" {room.name} " in skw2v.__doc__


def test_import_costs_next_to_nothing(run_python):
    printed = run_python("""
import sys, sklearn
before = set(sys.modules)
import skw2v
print(sorted(set(sys.modules) - before))
from skw2v import Word2VecTransformer
print("matplotlib" in sys.modules)
""")
    assert printed.splitlines() == ["['skw2v']", "False"]
