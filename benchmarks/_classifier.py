"""The classifier that all contestants end in, and its strengths C to choose from.

A logistic regression that is followed to its minimum: what it says is a property of the features,
not of where a solver stopped.
"""

import warnings
from collections.abc import Sequence

import numpy as np
import scipy.sparse
from _textclass import Documents

# Two values for each power of ten, around the best of every set: features of unit variance want a
# small C, rows of norm 1 a large one. At the largest the penalty hardly counts any more, which is
# what some sets of long documents want, of TF-IDF's rows as well; at ten times as much a fit stops
# where the one before it has ended.
STANDARDISED = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
NORMALISED = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0, 10_000.0)

# Rows of more components than the first are rotated, for up to so many training documents (the
# matrix of their products has to fit). The jitter lets duplicates have a Cholesky factor.
ROTATED_FROM = 500
ROTATED_UP_TO = 12_000
ROTATED_JITTER = 1e-5

# Documents have all columns of a cluster or none, so that so many at a time are multiplied as a
# dense matrix of the documents that have some: where they fill this share of it.
COLUMNS_AT_ONCE = 200
DENSE_FROM = 0.25

# When L-BFGS stops. At scikit-learn's 1e-4 it stops long before a large C has had its say, after
# as few as 17 steps on SST-2 with C = 1000, 1.4 points of accuracy away from where it leads.
CLASSIFIER = {"tol": 1e-6, "max_iter": 1000}


def scores_by_c(
    features, test_features, train: Documents, test: Documents, grid: Sequence[float]
) -> dict[float, float]:
    """The accuracy with each C. A classifier starts where that of the smaller C ended."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    classifier, scores = LogisticRegression(**CLASSIFIER, warm_start=True), {}
    for c in sorted(grid):
        with warnings.catch_warnings():  # a few columns and a large C: the last thousandth is slow
            warnings.simplefilter("ignore", ConvergenceWarning)
            classifier.set_params(C=c).fit(features, train.labels)
        scores[c] = float(classifier.score(test_features, test.labels))
    return scores


def rotated(features, test_features):
    """The same documents with a column for each training document, where that is less work.

    A rotation onto the space that the training documents span: what a linear classifier with a
    ridge penalty learns and says is the same, since it sees the documents' products alone.
    """
    from scipy.linalg import cholesky, solve_triangular

    n_documents, n_columns = features.shape
    if not (scipy.sparse.issparse(features) and features.nnz > ROTATED_FROM * n_documents):
        return features, test_features
    if n_columns <= n_documents or n_documents > ROTATED_UP_TO:
        return features, test_features
    products, test_products = products_with(features, [features, test_features])
    products = products.astype(np.float64)
    products[np.diag_indices(n_documents)] += ROTATED_JITTER * products.trace() / n_documents
    factor = cholesky(products, lower=True, overwrite_a=True, check_finite=False)
    test_factor = solve_triangular(factor, test_products.T, lower=True, check_finite=False)
    return factor.astype(np.float32), np.ascontiguousarray(test_factor.T, dtype=np.float32)


def products_with(features, others) -> list[np.ndarray]:
    """Every row of each of `others` with every row of `features`, all of them sparse."""
    features, others = features.tocsc(), [other.tocsc() for other in others]
    results = [np.zeros((other.shape[0], features.shape[0]), np.float32) for other in others]
    is_thin = np.zeros(features.shape[1], dtype=bool)
    for start in range(0, features.shape[1], COLUMNS_AT_ONCE):
        columns = slice(start, start + COLUMNS_AT_ONCE)
        block, rows = filled_rows(features[:, columns])
        if block.nnz < DENSE_FROM * block.shape[0] * block.shape[1]:
            is_thin[columns] = True
            continue
        dense = block.toarray()
        for result, other in zip(results, others, strict=True):
            other_block, other_rows = filled_rows(other[:, columns])
            result[np.ix_(other_rows, rows)] += other_block.toarray() @ dense.T
    thin = features[:, is_thin].T
    for result, other in zip(results, others, strict=True):
        result += (other[:, is_thin] @ thin).toarray()
    return results


def filled_rows(matrix):
    """The rows that have something, and which they are."""
    is_filled = np.zeros(matrix.shape[0], dtype=bool)
    is_filled[matrix.indices] = True
    rows = np.flatnonzero(is_filled)
    return matrix.tocsr()[rows], rows
