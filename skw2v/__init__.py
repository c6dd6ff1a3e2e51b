"""skw2v: word2vec as a scikit-learn estimator."""

__version__ = "0.1.0"
