"""Labels to class numbers: what `y` may be."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, issparse
from sklearn.utils import assert_all_finite, column_or_1d
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target


@dataclass(frozen=True, eq=False)
class ReadLabels:
    """The classes of documents, by number.

    Attributes
    ----------
    names : ndarray of shape (n_classes,)
        Distinct labels, sorted; of an indicator matrix the numbers of its columns.
    offsets : ndarray of shape (n_documents + 1,), int64
        Document d has ``classes[offsets[d]:offsets[d + 1]]``.
    classes : ndarray of shape (n_labels,), int32
    is_multilabel : bool
    """

    names: np.ndarray
    offsets: np.ndarray
    classes: np.ndarray
    is_multilabel: bool

    def counts(self, document_weight):
        """The weight of the documents of each class, float64."""
        weight = None
        if document_weight is not None:
            weight = np.repeat(document_weight, np.diff(self.offsets))
        counts = np.bincount(self.classes, weight, minlength=len(self.names))
        return counts.astype(np.float64)


def read_labels(y, n_documents, loss, names=None):
    """Check the labels of documents and number them.

    Parameters
    ----------
    y : array-like of shape (n_documents,), or indicator matrix (n_documents, n_classes)
        The latter with `loss="ova"` alone; may be sparse.
    n_documents : int
    loss : str
    names : ndarray of shape (n_classes,), default=None
        All the labels there may be, sorted. None: those of `y`.

    Returns
    -------
    labels : ReadLabels

    Raises
    ------
    ValueError
        If `y` is missing, has NaN or infinity, is no classification target, has not `n_documents`
        rows, has a label that is not among `names`, fewer than two classes, or several labels a
        document with another loss.
    """
    if y is None:
        raise ValueError(
            "this classifier requires y to be passed, but the target y is None; pass the class of "
            "each document"
        )
    if not issparse(y):
        y = np.asarray(y)
    assert_all_finite(y, input_name="y")
    check_classification_targets(y)
    kind = type_of_target(y, input_name="y")
    if y.shape[0] != n_documents:
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: {n_documents} documents "
            f"and {y.shape[0]} rows of y; pass one for each"
        )
    if kind == "multilabel-indicator":
        return _read_indicators(y, loss, names)
    if kind not in ("binary", "multiclass"):
        raise ValueError(
            f"Unknown label type: {kind}; expected one class a document, or an indicator matrix "
            'with loss="ova"'
        )
    y = column_or_1d(y, warn=True)
    if names is None:
        names, classes = np.unique(y, return_inverse=True)
        if len(names) < 2:
            raise ValueError(
                "a classifier needs documents of at least 2 classes, but the data contains only "
                f"one class: {names.tolist()[0]!r}"
            )
    else:
        classes = np.minimum(np.searchsorted(names, y), len(names) - 1)
        if np.any(strange := names[classes] != y):
            raise ValueError(
                f"y contains {y[strange].tolist()[0]!r}, which is none of the {len(names)} "
                "classes; name all classes in the first call of partial_fit (classes=...)"
            )
    offsets = np.arange(n_documents + 1, dtype=np.int64)
    return ReadLabels(names, offsets, classes.astype(np.int32), False)


def named_classes(classes):
    """All the labels that a stream may have, sorted.

    Raises
    ------
    ValueError
        If there are fewer than two.
    """
    names = np.unique(np.asarray(classes))
    if len(names) < 2:
        raise ValueError(
            f"classes={names.tolist()!r}: a classifier needs at least 2 classes; name all that "
            "the stream may have, or leave classes out and have them in the first batch"
        )
    return names


def class_weights(class_weight, y, labels):
    """The weight that each document has by its class, or None.

    Raises
    ------
    ValueError
        If a document may have several classes.
    """
    if class_weight is None:
        return None
    if labels.is_multilabel:
        raise ValueError(
            f"class_weight={class_weight!r:.50} is for one class a document, but y has several; "
            "pass sample_weight instead"
        )
    return compute_sample_weight(class_weight, np.asarray(y).ravel())


def indicators(is_in):
    """Decisions (n_documents, n_classes) as scikit-learn has them of several labels: 0 and 1."""
    return is_in.astype(np.int64)


def _read_indicators(y, loss, names):
    if loss != "ova":
        raise ValueError(
            f"y is an indicator matrix, with several classes a document maybe, and loss={loss!r} "
            'takes one; set loss="ova"'
        )
    y = csr_array(y)
    y.eliminate_zeros()
    y.sum_duplicates()
    if names is not None and y.shape[1] != len(names):
        raise ValueError(
            f"y has {y.shape[1]} columns, and there are {len(names)} classes; pass one for each"
        )
    if names is not None and not np.array_equal(names, np.arange(y.shape[1])):
        raise ValueError(
            f"classes={names.tolist()!r:.60}, but those of an indicator matrix are the numbers of "
            f"its columns, 0 to {y.shape[1] - 1}; leave classes out"
        )
    names = np.arange(y.shape[1])
    return ReadLabels(names, y.indptr.astype(np.int64), y.indices.astype(np.int32), True)
