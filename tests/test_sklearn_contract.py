"""Word2VecTransformer among scikit-learn's own."""

import pickle
import re
from email.message import Message
from inspect import signature

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numeric_adapter import NumericAdapter
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError, SkipTestWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.utils import estimator_checks, estimator_html_repr, get_tags
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from skw2v import Word2VecTransformer
from skw2v._sklearn import documentation_template


def small(**parameters):
    return Word2VecTransformer(
        **{
            "n_components": 16,
            "min_count": 1,
            "max_iter": 5,
            "learning_rate": 0.05,
            "random_state": 0,
        }
        | parameters
    )


@pytest.fixture
def documents(planted):
    return planted.documents[:300]


@pytest.fixture
def labels(planted):
    return planted.labels[:300]


def test_pipeline_classifies(planted):
    model = make_pipeline(small(), LogisticRegression(max_iter=1000))
    scores = cross_val_score(model, planted.documents[:1000], planted.labels[:1000], cv=2)
    assert scores.min() > 0.8  # chance is 0.1


def test_clone_keeps_every_parameter():
    estimator = small(
        window=3,
        embedding="sum",
        n_jobs=2,
        loss="nce",
        noise="log_uniform",
        cbow_gradient="exact",
        init={"word": [0.0] * 16},
        trainable="new",
    )
    copy = clone(estimator)
    assert copy is not estimator
    assert copy.get_params() == estimator.get_params()


@pytest.mark.parametrize("loss", ["negative_sampling", "nce", "hierarchical_softmax"])
def test_pickle_keeps_the_result(documents, loss):
    fitted = small(loss=loss).fit(documents)
    copy = pickle.loads(pickle.dumps(fitted))
    assert copy.vocabulary_ == fitted.vocabulary_
    for name in ("loss_curve_", "input_vectors_", "output_vectors_", "output_bias_"):
        np.testing.assert_array_equal(getattr(copy, name), getattr(fitted, name))
    assert hasattr(copy, "summed_vectors_") == hasattr(fitted, "summed_vectors_")
    np.testing.assert_array_equal(copy.transform(documents), fitted.transform(documents))
    assert copy.score(documents) == fitted.score(documents)


def test_unfitted_pickle_stays_unfitted(documents):
    copy = pickle.loads(pickle.dumps(small()))
    assert not hasattr(copy, "vocabulary_")
    check_is_fitted(copy.fit(documents))


def test_pandas_output_keeps_the_index_of_a_series(documents):
    series = pd.Series(documents, index=[f"row{i}" for i in range(len(documents))])
    estimator = small().set_output(transform="pandas")
    expected = small().fit_transform(documents)
    for frame in (estimator.fit_transform(series), estimator.transform(series)):
        assert isinstance(frame, pd.DataFrame)
        assert frame.index.equals(series.index)
        assert frame.columns.tolist() == estimator.get_feature_names_out().tolist()
        assert (frame.dtypes == np.float32).all()
        np.testing.assert_array_equal(frame.to_numpy(), expected)


def test_polars_output(documents):
    estimator = small().set_output(transform="polars")
    frame = estimator.fit_transform(pl.Series(documents))
    assert isinstance(frame, pl.DataFrame)
    assert frame.columns == estimator.get_feature_names_out().tolist()
    assert set(frame.dtypes) == {pl.Float32}
    np.testing.assert_array_equal(frame.to_numpy(), small().fit_transform(documents))


def test_output_follows_embedding_and_config(documents):
    fitted = small().fit(documents).set_params(embedding="concat")
    with config_context(transform_output="pandas"):
        assert fitted.transform(documents).shape == (300, 32)
    assert fitted.transform(documents).shape == (300, 32)


def test_feature_union(documents):
    union = FeatureUnion([("tfidf", TfidfVectorizer()), ("w2v", small())])
    features = union.fit_transform(documents)
    names = union.get_feature_names_out()
    assert features.shape == (300, len(names))
    assert names[-1] == "w2v__word2vectransformer15"
    np.testing.assert_array_equal(
        features[:, -16:].toarray().astype(np.float32), small().fit_transform(documents)
    )


@pytest.mark.parametrize("output", ["default", "pandas"])
def test_column_transformer_takes_one_text_column(documents, output):
    table = pd.DataFrame({"n": np.arange(300.0), "text": documents}, index=np.arange(300) + 7)
    columns = ColumnTransformer([("w2v", small(), "text")], remainder="passthrough")
    columns.set_output(transform=output)
    features = columns.fit_transform(table)
    np.testing.assert_array_equal(
        np.asarray(features)[:, :16].astype(np.float32), small().fit_transform(documents)
    )
    assert columns.get_feature_names_out()[0] == "w2v__word2vectransformer0"
    if output == "pandas":
        assert features.index.equals(table.index)


def test_grid_search_in_two_processes(documents, labels, tmp_path):
    model = Pipeline([("w2v", small()), ("classify", LogisticRegression(max_iter=1000))])
    grid = {"w2v__embedding": ["input", "concat"], "w2v__pooling": ["mean", "max"]}
    scores = []
    for n_jobs, memory in ((1, None), (2, None), (2, str(tmp_path))):
        search = GridSearchCV(model.set_params(w2v__memory=memory), grid, cv=2, n_jobs=n_jobs)
        search.fit(documents, labels)
        scores.append(search.cv_results_["mean_test_score"].tolist())
        assert len(search.predict(documents[:3])) == 3
    assert scores[0] == scores[1] == scores[2]
    assert any(tmp_path.iterdir())


def test_grid_search_without_labels_in_two_processes(documents):
    grid = {"loss": ["negative_sampling", "hierarchical_softmax"], "n_negatives": [1, 5]}
    scores = [
        GridSearchCV(small(max_iter=1), grid, cv=2, n_jobs=n_jobs)
        .fit(documents)
        .cv_results_["mean_test_score"]
        .tolist()
        for n_jobs in (1, 2)
    ]
    assert np.isfinite(scores[0]).all()
    assert scores[0] == scores[1]


def test_score_at_the_end_of_a_pipeline(documents):
    model = Pipeline([("w2v", small())]).fit(documents)
    assert model.score(documents) == model[-1].score(documents)


def test_is_fitted_from_the_first_fit_that_succeeds(documents):
    estimator = small()
    with pytest.raises(ValueError, match="no documents"):
        estimator.fit([])
    with pytest.raises(NotFittedError):
        check_is_fitted(estimator)
    check_is_fitted(estimator.fit(documents))


def test_tags():
    tags = get_tags(small())
    assert tags.input_tags.string
    assert tags.input_tags.one_d_array
    assert not tags.input_tags.two_d_array
    assert not tags.input_tags.sparse
    assert not tags.input_tags.allow_nan
    assert tags.requires_fit
    assert not tags.no_validation
    assert not tags.target_tags.required
    assert not tags.non_deterministic
    assert tags.transformer_tags.preserves_dtype == []  # a text has none


def test_repr_shows_what_was_set():
    assert repr(Word2VecTransformer(window=3)) == "Word2VecTransformer(window=3)"


@pytest.mark.parametrize("loss", ["negative_sampling", "hierarchical_softmax"])
def test_html_repr_has_no_dead_links(documents, loss):
    # The documentation has no address yet, and scikit-learn's has no page of this class.
    assert documentation_template() == ""
    for estimator in (small(loss=loss), small(loss=loss).fit(documents)):
        html = estimator_html_repr(estimator)
        assert "Word2VecTransformer" in html
        assert "href" not in html


def test_html_repr_links_to_the_page_of_the_class_once_there_is_an_address(monkeypatch):
    metadata = Message()
    metadata["Project-URL"] = "Source, https://example.org/code"
    metadata["Project-URL"] = "Documentation, https://example.org/docs/"
    monkeypatch.setattr("importlib.metadata.metadata", lambda name: metadata)
    documentation_template.cache_clear()
    try:
        # docs/api.rst has the class under the module "skw2v", whose pages sphinx names so.
        page = 'href="https://example.org/docs/generated/skw2v.Word2VecTransformer.html"'
        assert page in estimator_html_repr(small())
    finally:
        documentation_template.cache_clear()


@pytest.mark.skipif(
    not has_fit_parameter(Word2VecTransformer, "sample_weight"), reason="fit takes no weights"
)
def test_a_weight_is_a_number_of_repetitions(documents, global_random_seed):
    weights = np.random.default_rng(global_random_seed).integers(0, 4, size=len(documents))
    repeated = small().fit(np.repeat(documents, weights))
    weighted = small()
    features = weighted.fit_transform(documents, sample_weight=weights)
    assert weighted.vocabulary_ == repeated.vocabulary_
    for name in ("word_counts_", "loss_curve_", "input_vectors_", "output_vectors_"):
        np.testing.assert_array_equal(getattr(weighted, name), getattr(repeated, name))
    np.testing.assert_array_equal(features, repeated.transform(documents))


def test_scikit_learn_chooses_no_checks_for_text():
    with pytest.warns(SkipTestWarning, match="Can't test estimator Word2VecTransformer"):
        checks = [check.func.__name__ for _, check in estimator_checks_generator(small())]
    assert checks == ["check_estimator_cloneable"]


# So here are those that read no numbers ...
@pytest.mark.parametrize(
    "check",
    [
        "check_do_not_raise_errors_in_init_or_set_params",
        "check_estimator_cloneable",
        "check_estimator_repr",
        "check_estimator_tags_renamed",
        "check_get_feature_names_out_error",
        "check_get_params_invariance",
        "check_mixin_order",
        "check_no_attributes_set_in_init",
        "check_param_validation",
        "check_parameters_default_constructible",
        "check_set_params",
        "check_transformers_unfitted",
        "check_valid_tag_types",
    ],
)
def test_checks_that_read_no_data(check):
    getattr(estimator_checks, check)("Word2VecTransformer", Word2VecTransformer())


# ... and NumericAdapter takes the rest to Word2VecTransformer. A few words are all there are: none
# is thinned out, and a second thread on a busy machine would only be waited for.
def numeric(**parameters):
    return NumericAdapter(
        n_components=3, min_count=1, subsample=0, max_iter=2, random_state=0, n_jobs=1, **parameters
    )


NUMERIC = [
    numeric(),
    numeric(architecture="cbow", loss="hierarchical_softmax"),
    numeric(loss="softmax", embedding="concat", pooling="max"),
    numeric(loss="nce", pooling=["tfidf", "sif"]),
]
EXPECTED_FAILED_CHECKS = {
    "check_sample_weight_equivalence_on_dense_data": "It shuffles the documents of one of two "
    "estimators, and training goes through them in order. Without the shuffle they are the same: "
    "test_a_weight_is_a_number_of_repetitions.",
}

CHECKS = parametrize_with_checks(
    NUMERIC, expected_failed_checks=lambda estimator: EXPECTED_FAILED_CHECKS
)


# A list, because scikit-learn 1.6 makes it a generator, which pytest 9.1 warns about.
@pytest.mark.parametrize(CHECKS.args[0], list(CHECKS.args[1]), **CHECKS.kwargs)
def test_checks_of_transformers(estimator, check, monkeypatch):
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")  # else the check of array dispatch skips itself
    check(estimator)


OTHER_KINDS = {
    "classif|regress|cluster|outlier|supervised|class_weight|decision_proba": "They predict.",
    "sample_weight": "Chosen by scikit-learn as soon as `fit` takes weights.",
    "check_fit_non_negative": "For estimators that refuse negative numbers.",
    "check_nonsquare_error": "For estimators that take a matrix of distances.",
    "check_sparsify_coefficients": "For linear models.",
    "check_transformers_unfitted_stateless": "For transformers that have nothing to fit.",
}


def checks_not_chosen():
    """Every check of an estimator that `parametrize_with_checks` does not make for a transformer.

    scikit-learn runs them on its own estimators alone: feature names, `set_output`, constraints.
    """
    chosen = {check.func.__name__ for _, check in estimator_checks_generator(NUMERIC[0])}
    for name, check in vars(estimator_checks).items():
        if name.startswith("check_") and name not in chosen:
            parameters = signature(check).parameters.values()
            required = [each.name for each in parameters if each.default is each.empty]
            if len(required) == 2 and required[0] == "name":  # the other one is an estimator
                yield name


# Some fit a table and transform an array, or the other way round.
@pytest.mark.filterwarnings("ignore:X .* feature names:UserWarning")
@pytest.mark.parametrize(
    "check",
    [name for name in checks_not_chosen() if not re.search("|".join(OTHER_KINDS), name)],
)
@pytest.mark.parametrize("estimator", NUMERIC, ids=lambda estimator: estimator.loss)
def test_checks_that_scikit_learn_keeps_for_itself(estimator, check):
    getattr(estimator_checks, check)("NumericAdapter", estimator)
