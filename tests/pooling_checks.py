"""Small documents and estimators that the tests of poolings share."""

import numpy as np
from scipy import sparse
from sklearn.base import clone

from skw2v import Word2VecTransformer

WORDS = [f"w{i}" for i in range(30)]
UNKNOWN = ["", "unknown", "w3", "w3 w3 w3", "w1 unknown w2", " ".join(WORDS * 3)]


def random_documents():
    """Random ones, of 0 to 11 words: some empty, some of one word, many with repeated words."""
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.full(30, 0.5), size=3)
    return [" ".join(rng.choice(WORDS, n % 12, p=shares[n % 3])) for n in range(100)]


def dense(features):
    return features.toarray() if sparse.issparse(features) else features


def small(**parameters):
    return Word2VecTransformer(
        **{
            "n_components": 7,
            "min_count": 1,
            "max_iter": 2,
            "learning_rate": 0.1,
            "random_state": 0,
            "n_clusters": 4,
        }
        | parameters
    )


def clone_of(model, **parameters):
    """The same fitted estimator with other parameters; the one that tests share stays as it is."""
    copy = clone(model)
    copy.__dict__ |= vars(model)
    return copy.set_params(**parameters)
