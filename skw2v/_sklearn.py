"""The one door to names that scikit-learn keeps private, and to what its older versions lack."""

import functools
import importlib.metadata

from scipy.sparse import issparse
from sklearn.base import _fit_context
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils._set_output import _get_output_config
from sklearn.utils.multiclass import _check_partial_fit_first_call as check_first_call

try:  # from 1.9 on it is configured which of SciPy's two interfaces sparse output has
    from sklearn.utils._sparse import _align_api_if_sparse as sparse_as_configured
except ImportError:
    from scipy.sparse import csr_matrix as sparse_as_configured

__all__ = [
    "HasMethods",
    "Interval",
    "StrOptions",
    "check_first_call",
    "documentation_template",
    "keep_index",
    "sparse_as_configured",
    "validated",
]

# Checks every parameter before the method runs; raises InvalidParameterError, which names it.
validated = _fit_context(prefer_skip_nested_validation=True)


@functools.cache
def documentation_template():
    """Where scikit-learn's HTML shows that an estimator is documented: a `_doc_link_template`.

    The address is the "Documentation" among the project's URLs (pyproject.toml), so it stands in
    one place. While there is none, the template is empty: no link rather than a dead one.
    """
    try:
        urls = importlib.metadata.metadata("skw2v").get_all("Project-URL") or []
    except importlib.metadata.PackageNotFoundError:
        urls = []
    for url in urls:
        label, _, address = url.partition(", ")
        if label == "Documentation":
            return address.rstrip("/") + "/generated/skw2v.{estimator_name}.html"
    return ""


def keep_index(features, X, estimator):
    """Give features the index of a pandas Series where `set_output` asks for a DataFrame.

    scikit-learn does so by itself from 1.8 on; before, it keeps the index of a DataFrame alone, and
    a ColumnTransformer fails over the features of a column.

    Parameters
    ----------
    features : ndarray or sparse matrix, of shape (n_documents, n_features)
        What `estimator.transform(X)` has computed.
    X : iterable of documents
        What it was given.
    estimator : estimator
        Its `set_output` decides, or scikit-learn's configuration.

    Returns
    -------
    features : ndarray, sparse matrix or pandas.DataFrame
        The columns get their names from scikit-learn, which refuses sparse ones.
    """
    if issparse(features) or _get_output_config("transform", estimator)["dense"] != "pandas":
        return features
    import pandas as pd

    return pd.DataFrame(features, index=X.index) if isinstance(X, pd.Series) else features
