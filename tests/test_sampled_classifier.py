"""SampledClassifier among scikit-learn's own: contract, bits, learning, strange input."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from skw2v import SampledClassifier

LOSSES = ["nce", "sampled_softmax", "softmax"]


@parametrize_with_checks([SampledClassifier(), *(SampledClassifier(loss) for loss in LOSSES[1:])])
def test_scikit_learn_contract(estimator, check):
    check(estimator)
