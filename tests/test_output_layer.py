"""The output layer's kernels: held to the float64 reference, and the same bits whoever computes."""

import numpy as np
import pytest
from scipy import sparse

from skw2v import _kernels
from skw2v._output_layer import permutation, square_lengths
from skw2v._output_training import (
    OutputParameters,
    OutputRows,
    as_samples,
    mean_square_length,
    train_epochs,
)
from skw2v._reference_output_layer import sample_order, train_output_layer

ISAS = _kernels.available_isas()
LOSSES = ["nce", "sampled_softmax", "softmax"]
by_isa = pytest.mark.parametrize("isa", ISAS)
by_loss = pytest.mark.parametrize("loss", LOSSES)
by_kind = pytest.mark.parametrize("kind", ["float32", "float64", "csr"])


def draw_problem(n_features, n_classes=11, n_samples=53, density=0.6):
    """Samples with zeros in them, and labels of which some are frequent; every class occurs."""
    rng = np.random.default_rng([n_features, n_classes])
    labels = rng.permutation(
        np.concatenate([np.arange(n_classes), n_classes * rng.random(n_samples - n_classes) ** 2])
    ).astype(np.int32)
    X = rng.normal(size=(n_samples, n_features)) * (rng.random((n_samples, n_features)) < density)
    X[:2] = 0.0  # rows without a non-zero
    return X.astype(np.float32).astype(np.float64), labels


def as_kind(X, kind):
    return sparse.csr_matrix(X) if kind == "csr" else np.ascontiguousarray(X, dtype=kind)


def train(X, labels, *, n_threads=1, isa=None, seed=5, **parameters):
    samples, counts = as_samples(X), np.bincount(labels)
    mean_square = mean_square_length(samples, len(labels), n_threads)
    rows = OutputRows(X.shape[1], counts, mean_square, seed)
    parameters = OutputParameters(**{"max_iter": 2, "batch_size": 20} | parameters)
    epochs = train_epochs(rows, samples, labels, parameters, n_threads=n_threads, isa=isa)
    return rows, [loss for loss, _ in epochs]


# Targets a block, a block and one, several; groups of one sample, of an odd number, of 16.
SHAPES = [(1, 1), (3, 2), (16, 7), (17, 8), (33, 9), (50, 20)]


@by_isa
@by_loss
@by_kind
def test_training_is_the_reference(loss, kind, isa):
    for n_features, n_negatives in SHAPES:
        X, labels = draw_problem(n_features)
        for noise, distinct, hits in [
            ("unigram", False, "auto"),
            ("unigram", True, "auto"),
            ("log_uniform", True, loss == "nce"),
        ]:
            chosen = {
                "distinct_noise": distinct,
                "loss": loss,
                "n_negatives": n_negatives,
                "noise": noise,
                "remove_accidental_hits": hits,
            }
            rows, loss_curve = train(as_kind(X, kind), labels, isa=isa, **chosen)
            parameters = OutputParameters(max_iter=2, batch_size=20, **chosen)
            expected = train_output_layer(X, labels, 11, parameters, 5)
            np.testing.assert_allclose(rows.weights, expected.coef, rtol=2e-5, atol=1e-5)
            np.testing.assert_allclose(rows.biases, expected.intercept, rtol=2e-5, atol=1e-5)
            np.testing.assert_allclose(loss_curve, expected.loss_curve, rtol=1e-5)
            assert np.abs(rows.weights).max() > 1e-2
            assert not rows.padded[:, n_features + 1 :].any()


@by_loss
@by_kind
def test_same_bits_at_any_number_of_threads(loss, kind, monkeypatch):
    monkeypatch.setattr("skw2v._output_training.LEAST_WORK", 1)  # or few threads would be used
    for n_classes in (11, 200):  # threads share the columns of few classes, or else the classes
        X, labels = draw_problem(50, n_classes, n_classes + 40)
        one, *others = (
            train(as_kind(X, kind), labels, loss=loss, n_threads=n, batch_size=100, max_iter=1)
            for n in (1, 2, 3, 8)
        )
        for other in others:
            assert one[0].padded.tobytes() == other[0].padded.tobytes()
            assert one[1] == other[1]


@pytest.mark.skipif(not {"avx2", "avx512"} <= {*ISAS}, reason="needs AVX2 and AVX-512")
@by_loss
@by_kind
def test_avx2_and_avx512_train_to_the_same_bits(loss, kind):
    for n_features, n_negatives in SHAPES:
        X, labels = draw_problem(n_features)
        narrow, wide = (
            train(as_kind(X, kind), labels, loss=loss, n_negatives=n_negatives, isa=isa)
            for isa in ("avx2", "avx512")
        )
        assert narrow[0].padded.tobytes() == wide[0].padded.tobytes()
        assert narrow[1] == wide[1]


@pytest.mark.parametrize("n_negatives", [3, 40, 199])
def test_few_and_many_of_many_distinct_classes_are_the_reference(n_negatives):
    X, labels = draw_problem(5, 200, 260)
    chosen = {"n_negatives": n_negatives, "noise": "log_uniform", "max_iter": 1, "batch_size": 50}
    rows, loss_curve = train(X, labels, **chosen)
    expected = train_output_layer(X, labels, 200, OutputParameters(**chosen), 5)
    np.testing.assert_allclose(rows.weights, expected.coef, rtol=2e-5, atol=1e-5)
    np.testing.assert_allclose(loss_curve, expected.loss_curve, rtol=1e-5)


@by_kind
def test_all_classes_as_noise_without_hits_are_the_softmax(kind):
    X, labels = draw_problem(20)
    full, full_curve = train(as_kind(X, kind), labels, loss="softmax")
    for n_negatives in (11, 500):  # there are 11 classes
        found, loss_curve = train(
            as_kind(X, kind), labels, loss="sampled_softmax", n_negatives=n_negatives
        )
        np.testing.assert_allclose(found.weights, full.weights, rtol=2e-5, atol=1e-6)
        np.testing.assert_allclose(loss_curve, full_curve, rtol=1e-6)


def test_same_bits_with_repeated_noise_at_any_number_of_threads(monkeypatch):
    monkeypatch.setattr("skw2v._output_training.LEAST_WORK", 1)
    X, labels = draw_problem(50, 200, 240)
    one, three = (
        train(X, labels, distinct_noise=False, n_threads=n, batch_size=100)[0] for n in (1, 3)
    )
    assert one.padded.tobytes() == three.padded.tobytes()


@by_loss
def test_float64_trains_to_the_bits_of_float32(loss):
    X, labels = draw_problem(20)
    single, double = (train(as_kind(X, kind), labels, loss=loss) for kind in ("float32", "float64"))
    assert single[0].padded.tobytes() == double[0].padded.tobytes()


@pytest.mark.parametrize("factor", [2.0**-30, 2.0**7, 2.0**30])
@by_loss
def test_the_scale_of_the_features_does_not_matter(loss, factor):
    X, labels = draw_problem(20)
    plain, scaled = (train(features, labels, loss=loss)[0] for features in (X, factor * X))
    np.testing.assert_array_equal(scaled.weights * np.float32(factor), plain.weights)
    np.testing.assert_array_equal(scaled.biases, plain.biases)


@pytest.mark.parametrize("factor", [0.0, 1e-30, 1e20, 1e200])
def test_lengths_out_of_range_are_refused(factor):
    X, _ = draw_problem(20)
    for features in (factor * X, sparse.csr_matrix(factor * X)):
        samples = as_samples(features)
        if factor == 0.0:
            assert mean_square_length(samples, len(X), 1) == 0.0
            continue
        with pytest.raises(ValueError, match="Scale the features"):
            mean_square_length(samples, len(X), 1)


def test_square_lengths_are_numpys():
    for n_features in (1, 7, 8, 9, 50):
        X, _ = draw_problem(n_features)
        for kind in ("float32", "float64", "csr"):
            found = np.empty(len(X))
            square_lengths(as_samples(as_kind(X, kind)), found, 2)
            np.testing.assert_allclose(found, (X**2).sum(axis=1), rtol=1e-13)


@pytest.mark.parametrize("n", [1, 2, 3, 100])
def test_the_order_is_the_reference(n):
    for epoch in (0, 3):
        np.testing.assert_array_equal(permutation(11, epoch, n), sample_order(n, 11, epoch))


def test_sparse_rows_in_any_state_are_one_matrix():
    X, labels = draw_problem(20)
    tidy = sparse.csr_matrix(X)
    untidy = sparse.csr_matrix(
        (np.repeat(tidy.data / 2, 2), np.repeat(tidy.indices, 2), 2 * tidy.indptr), X.shape
    )
    wide = tidy.copy()
    wide.indices, wide.indptr = wide.indices.astype(np.int64), wide.indptr.astype(np.int64)
    expected = train(tidy, labels)[0].padded.tobytes()
    for same in (untidy, wide):
        n_stored = same.nnz
        assert train(same, labels)[0].padded.tobytes() == expected
        assert same.nnz == n_stored  # what was passed stays as it was


def test_labels_without_samples_cost_nothing_but_their_rows():
    X, labels = draw_problem(20)
    counts = np.append(np.bincount(labels), 0)
    for loss in LOSSES:
        rows = OutputRows(20, counts, 10.0, 1)
        (outcome,) = train_epochs(rows, X, labels, OutputParameters(loss, max_iter=1), n_threads=1)
        assert np.isfinite(outcome[0])
        assert np.isfinite(rows.padded).all()
