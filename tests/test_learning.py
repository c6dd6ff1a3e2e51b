"""Statistical sense: what is planted in synthetic text comes out of the vectors."""

import numpy as np
import pytest

from skw2v import Word2VecTransformer
from skw2v._huffman import huffman_paths
from skw2v._sampling import noise_distribution

ARCHITECTURES = ["skipgram", "cbow"]
SAMPLED_LOSSES = ["negative_sampling", "nce", "sampled_softmax"]
LOSSES = [*SAMPLED_LOSSES, "hierarchical_softmax", "softmax"]
by_architecture = pytest.mark.parametrize("architecture", ARCHITECTURES)

N_TRAINED = 2000  # of the planted documents; the others are held out


def learn(documents, **parameters):
    return Word2VecTransformer(
        **{
            "n_components": 15,
            "min_count": 1,
            "subsample": 0,
            "window": 5,
            "learning_rate": 0.05,
            "max_iter": 8,
            "random_state": 0,
        }
        | parameters
    ).fit(documents)


@pytest.fixture(
    scope="module",
    params=[(loss, architecture) for loss in LOSSES for architecture in ARCHITECTURES],
    ids=", ".join,
)
def model(request):
    """What is trained: loss and architecture."""
    loss, architecture = request.param
    return {"loss": loss, "architecture": architecture}


@pytest.fixture(scope="module")
def learned(planted, model):
    return learn(planted.documents[:N_TRAINED], **model)


def cosines(vectors):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit @ unit.T


def topics_of_words(planted, fitted):
    """The topic of each word by id; -1 for the common words."""
    return np.array([planted.topic_of.get(word, -1) for word in fitted.vocabulary_])


# --- Vectors


def test_neighbours_recover_planted_topics(planted, learned):
    topics = topics_of_words(planted, learned)
    of_a_topic = topics >= 0
    topics = topics[of_a_topic]
    for embedding in ["input", "sum"][: 1 if learned.loss == "hierarchical_softmax" else 2]:
        similar = cosines(learned.word_vectors(embedding).vectors[of_a_topic])
        np.fill_diagonal(similar, -1)
        neighbours = similar.argsort(axis=1)[:, -5:]
        assert (topics[neighbours] == topics[:, None]).mean() > 0.95


def test_documents_of_a_topic_have_similar_features(planted, learned):
    features = learned.transform(planted.documents)
    labels = np.array(planted.labels)
    centroids = np.array([features[labels == topic].mean(axis=0) for topic in range(10)])
    distance = ((features[:, None] - centroids) ** 2).sum(axis=2)
    assert (distance.argmin(axis=1) == labels).mean() > 0.95


@by_architecture
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


# --- Probabilities


def probabilities(fitted):
    """p(center | context) of all words given a context of one word, from fitted attributes alone.

    Row i: given word i.
    """
    hidden, outputs = (
        vectors.astype(np.float64) for vectors in (fitted.input_vectors_, fitted.output_vectors_)
    )
    scores = hidden @ outputs.T
    if fitted.loss == "hierarchical_softmax":
        offsets, nodes, labels = huffman_paths(fitted.word_counts_)
        steps = 1 / (1 + np.exp((1 - 2 * labels) * scores[:, nodes]))
        return np.multiply.reduceat(steps, offsets[:-1], axis=1)
    if fitted.loss == "negative_sampling":
        scores += np.log(noise_distribution(fitted.word_counts_, fitted.noise_exponent))
    unnormalised = np.exp(scores + fitted.output_bias_)
    return unnormalised / unnormalised.sum(axis=1, keepdims=True)


def test_probabilities_are_those_the_text_was_made_with(planted, learned):
    """Beside a word of a topic stand 11 more of it and 4 common ones, and none of other topics."""
    topics, p = topics_of_words(planted, learned), probabilities(learned)
    of_a_topic = topics >= 0
    weights = learned.word_counts_[of_a_topic]
    own = (p * (topics[:, None] == topics)).sum(axis=1)[of_a_topic]
    common = p[:, ~of_a_topic].sum(axis=1)[of_a_topic]
    assert np.average(own, weights=weights) == pytest.approx(11 / 15, abs=0.1)
    assert np.average(common, weights=weights) == pytest.approx(4 / 15, abs=0.1)
    assert np.average(1 - own - common, weights=weights) < 0.05


@by_architecture
def test_probabilities_along_the_paths_of_a_tree_sum_to_one(planted, architecture):
    fitted = learn(planted.documents[:500], loss="hierarchical_softmax", architecture=architecture)
    p = probabilities(fitted)
    assert p.max() > 30 / len(p)  # far from even
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-12)


# --- Scores of held-out documents


def entropy(*shares):
    shares = np.array(shares)
    return -(shares * np.log(shares)).sum()


def best_score(architecture):
    """The score of a model that knows how the planted text is made.

    The other 15 words of a document are independent of each other given its topic. A context of
    one word tells the topic if it is one of the 12 in 16 that belong to it; a wider one tells it
    almost always.
    """
    weights = 1 / np.arange(1, 31)
    within = entropy(*weights / weights.sum())  # a topic or the common words
    if architecture == "cbow":
        return -(within + entropy(12 / 16, 4 / 16))
    topic_known = entropy(11 / 15, 4 / 15)
    topic_unknown = entropy(*[12 / 15 / 10] * 10, 3 / 15)
    return -(within + 12 / 16 * topic_known + 4 / 16 * topic_unknown)


def test_held_out_score_rises_with_training_almost_to_the_best_there_is(planted, model, learned):
    documents, held_out = planted.documents[:N_TRAINED], planted.documents[N_TRAINED:]
    untrained = learn(documents, learning_rate=1e-9, min_learning_rate=0, max_iter=1, **model)
    briefly = learn(documents, max_iter=1, **model)
    scores = [fitted.score(held_out) for fitted in (untrained, briefly, learned)]
    assert scores[0] + 0.5 < scores[1] < scores[2]
    best = best_score(model["architecture"])
    assert best - 0.2 < scores[2] < best + 0.03  # some held-out words are more likely than most


@by_architecture
@pytest.mark.parametrize("loss", SAMPLED_LOSSES)
def test_more_noise_words_raise_the_loss_but_not_the_score(planted, loss, architecture):
    one, ten = (
        learn(
            planted.documents[:1000],
            loss=loss,
            architecture=architecture,
            n_negatives=n_negatives,
            learning_rate=0.1,
        )
        for n_negatives in (1, 10)
    )
    more_loss = ten.loss_curve_[-1] - one.loss_curve_[-1]
    assert more_loss > 0.5
    scores = [fitted.score(planted.documents[1000:]) for fitted in (one, ten)]
    assert abs(scores[1] - scores[0]) < more_loss / 3


# --- The loss curve


def test_loss_falls(learned):
    curve = learned.loss_curve_
    early, late = curve[:4].mean(), curve[4:].mean()
    assert curve[0] > early > late > curve[-1] > 0
    if learned.loss not in SAMPLED_LOSSES:  # no noise, so every epoch has the same to predict
        assert (np.diff(curve) < 0).all()


@by_architecture
@pytest.mark.parametrize("loss", ["negative_sampling", "hierarchical_softmax", "softmax"])
def test_loss_at_no_learning_is_that_of_zero_scores(planted, loss, architecture):
    """A mean over true pairs, whose centers are the text's words, each as often as it occurs."""
    documents = planted.documents[:500]
    fitted = learn(
        documents,
        loss=loss,
        architecture=architecture,
        learning_rate=1e-12,
        min_learning_rate=0,
        n_negatives=4,
        max_iter=2,
    )
    curve = fitted.loss_curve_
    by_frequency = entropy(*fitted.word_counts_ / fitted.word_counts_.sum())
    if loss == "negative_sampling":  # a noise word that is the center itself is skipped
        assert (curve < 5 * np.log(2) * 1.0001).all()
        np.testing.assert_allclose(curve, 5 * np.log(2), rtol=0.02)
    elif loss == "softmax":  # the biases start there
        np.testing.assert_allclose(curve, by_frequency, rtol=0.02)
    else:  # a coin for each node; a Huffman code is at most a bit a word above the entropy
        assert (by_frequency * 0.98 < curve).all()
        assert (curve < by_frequency * 1.02 + np.log(2)).all()


# --- Seeds


def test_a_seed_changes_the_vectors_but_not_what_they_mean(planted):
    one, two = (
        learn(planted.documents, random_state=seed, max_iter=5).input_vectors_ for seed in (0, 1)
    )
    assert not np.allclose(one, two)
    upper = np.triu_indices(len(one), 1)
    assert np.corrcoef(cosines(one)[upper], cosines(two)[upper])[0, 1] > 0.8
