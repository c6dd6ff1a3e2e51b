"""Statistical sense: what is planted in synthetic text comes out of the vectors."""

import numpy as np
import pytest

from skw2v import Word2VecTransformer

ARCHITECTURES = ["skipgram", "cbow"]


def learn(documents, **parameters):
    return Word2VecTransformer(
        **{
            "n_components": 30,
            "min_count": 1,
            "subsample": 0,
            "learning_rate": 0.05,
            "max_iter": 10,
            "random_state": 0,
        }
        | parameters
    ).fit(documents)


@pytest.fixture(scope="module", params=["skipgram", "cbow"])
def learned(planted, request):
    return learn(planted.documents, architecture=request.param)


def cosines(vectors):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit @ unit.T


@pytest.mark.parametrize("embedding", ["input", "sum"])
def test_neighbours_recover_planted_topics(planted, learned, embedding):
    words = [word for word in learned.vocabulary_ if word in planted.topic_of]
    topics = np.array([planted.topic_of[word] for word in words])
    ids = [learned.vocabulary_[word] for word in words]
    vectors = learned.word_vectors(embedding).vectors[ids]
    similar = cosines(vectors)
    np.fill_diagonal(similar, -1)
    neighbours = similar.argsort(axis=1)[:, -5:]
    assert (topics[neighbours] == topics[:, None]).mean() > 0.95


def test_documents_of_a_topic_have_similar_features(planted, learned):
    features = learned.transform(planted.documents)
    labels = np.array(planted.labels)
    centroids = np.array([features[labels == topic].mean(axis=0) for topic in range(10)])
    distance = ((features[:, None] - centroids) ** 2).sum(axis=2)
    assert (distance.argmin(axis=1) == labels).mean() > 0.95


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_input_and_output_vectors_play_different_roles(architecture):
    """a3 and b3 always come together, and never beside themselves or another number."""
    draw = np.random.RandomState(0)
    documents = [[f"a{i}", f"b{i}"] for i in draw.randint(15, size=4000)]
    fitted = learn(documents, architecture=architecture, window=1)
    ids = fitted.vocabulary_
    scores = fitted.input_vectors_ @ fitted.output_vectors_.T
    for i in range(15):
        a, b = ids[f"a{i}"], ids[f"b{i}"]
        assert scores[a].argmax() == b
        assert scores[b].argmax() == a
        assert scores[a, b] > 1
        assert scores[a, a] < 0


def test_words_that_meet_score_higher_than_words_that_do_not(planted, learned):
    topics = np.array([planted.topic_of.get(word, -1) for word in learned.vocabulary_])
    scores = learned.input_vectors_ @ learned.output_vectors_.T
    known = topics >= 0
    same = (topics[:, None] == topics) & known[:, None] & known
    other = (topics[:, None] != topics) & known[:, None] & known
    assert scores[same].mean() > scores[other].mean() + 1


def test_loss_falls_below_that_of_an_untrained_model(learned):
    # At the start all scores are 0: log(2) for the pair and for each of its 5 noise words.
    assert learned.loss_curve_[-1] < learned.loss_curve_[0] < 6 * np.log(2)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_loss_at_no_learning_is_that_of_zero_scores(planted, architecture):
    """A mean over true pairs; a noise word that is the target itself is skipped."""
    fitted = learn(
        planted.documents[:500],
        architecture=architecture,
        learning_rate=1e-12,
        min_learning_rate=0,
        n_negatives=4,
        max_iter=2,
    )
    expected = 5 * np.log(2)
    assert (fitted.loss_curve_ < expected * 1.0001).all()
    np.testing.assert_allclose(fitted.loss_curve_, expected, rtol=0.02)


def test_a_seed_changes_the_vectors_but_not_what_they_mean(planted):
    one, two = (
        learn(planted.documents, random_state=seed, max_iter=5).input_vectors_ for seed in (0, 1)
    )
    assert not np.allclose(one, two)
    upper = np.triu_indices(len(one), 1)
    assert np.corrcoef(cosines(one)[upper], cosines(two)[upper])[0, 1] > 0.8
