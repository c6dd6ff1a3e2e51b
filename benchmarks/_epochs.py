"""Seconds of the epochs in a fit of `EmbeddingClassifier`, without what `fit` does besides."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch


@contextmanager
def epochs_timed() -> Iterator[list[float]]:
    """A list that gets the seconds of the epochs of each `fit` inside: drawing, training and the
    copy of the result, without tokens, vocabulary, n-grams and the vectors' start."""
    from skw2v import _classifier_fitting

    seconds = []
    run_epochs = _classifier_fitting.run_epochs

    def timed(*args, **kwargs):
        start = time.perf_counter()
        trained = run_epochs(*args, **kwargs)
        seconds.append(time.perf_counter() - start)
        return trained

    with patch.object(_classifier_fitting, "run_epochs", timed):
        yield seconds
