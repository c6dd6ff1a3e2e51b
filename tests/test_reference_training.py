"""The reference's epochs, rounds and shards."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from skw2v._huffman import huffman_paths
from skw2v._reference import (
    NOISE,
    POSITION,
    Vectors,
    Window,
    initial_input_vectors,
    noise_pool,
    random_bits,
    stream_key,
    training_pairs,
    window_noise,
)
from skw2v._reference_objectives import (
    LOSSES,
    SAMPLED_LOSSES,
    log_probabilities,
    nce_targets,
    sampled_softmax_targets,
)
from skw2v._reference_training import (
    centers_of_contexts,
    merge_shards,
    n_rounds_per_epoch,
    owned_positions,
    round_learning_rate,
    train_reference,
)
from skw2v._sampling import alias_table, keep_thresholds, log_expected_counts, noise_distribution

LAYOUTS = [(1, 10**6), (1, 7), (3, 5), (8, 1), (50, 100), (500, 2)]


def parameters(**changes):
    defaults = {
        "architecture": "skipgram",
        "cbow_gradient": "exact",
        "loss": "negative_sampling",
        "noise": "unigram",
        "remove_accidental_hits": "auto",
        "n_components": 4,
        "window": 3,
        "dynamic_window": True,
        "n_negatives": 2,
        "noise_exponent": 0.75,
        "subsample": 0.0,
        "learning_rate": 0.1,
        "min_learning_rate": 0.01,
        "max_iter": 1,
        "seed": 7,
    }
    return SimpleNamespace(**(defaults | changes))


def train(documents, n_words, parameters, **layout):
    defaults = {
        "n_shards": 1,
        "shard_tokens": 10**6,
        "pool_size": 16,
        "group_size": 8,
    }
    token_ids = np.concatenate([*documents, []]).astype(np.int32)
    offsets = np.cumsum([0, *map(len, documents)])
    counts = np.bincount(token_ids, minlength=n_words)
    return train_reference(token_ids, offsets, counts, parameters, **(defaults | layout))


def zipf_documents(sizes, n_words=20):
    rng = np.random.default_rng(0)
    return [rng.zipf(1.5, size=size).clip(max=n_words) - 1 for size in sizes]


# --- Layout and learning rate


@pytest.mark.parametrize("n_tokens", [0, 1, 2, 10, 99, 100, 101])
@pytest.mark.parametrize(("n_shards", "shard_tokens"), LAYOUTS)
def test_every_token_is_owned_once_and_in_order(n_tokens, n_shards, shard_tokens):
    n_rounds = n_rounds_per_epoch(n_tokens, n_shards, shard_tokens)
    owned = [
        position
        for shard in range(n_shards)
        for round_index in range(n_rounds)
        for position in owned_positions(n_tokens, n_shards, shard_tokens, round_index, shard)
    ]
    assert owned == list(range(n_tokens))


def test_the_shards_of_a_round_lie_spread_over_the_stream():
    # Segments of 4: [0, 4), [4, 8), [8, 10).
    assert n_rounds_per_epoch(10, n_shards=3, shard_tokens=3) == 2
    first, second = ([owned_positions(10, 3, 3, r, s) for s in range(3)] for r in (0, 1))
    assert first == [range(3), range(4, 7), range(8, 10)]
    assert [list(owned) for owned in second] == [[3], [7], []]


def test_the_learning_rate_falls_on_a_line_to_its_floor():
    rates = [round_learning_rate(0.5, 0.25, q, 4) for q in range(6)]
    assert rates == [0.5, 0.4375, 0.375, 0.3125, 0.25, 0.25]


def test_the_learning_rate_is_a_float32():
    rate = round_learning_rate(0.025, 1e-4, 1, 3)
    assert rate == np.float32(0.025 - (0.025 - 1e-4) / 3)
    assert isinstance(rate, float)


@pytest.mark.parametrize(("n_shards", "shard_tokens"), LAYOUTS)
def test_pairs_do_not_depend_on_the_layout(n_shards, shard_tokens):
    documents = zipf_documents([0, 1, 40, 2, 90])
    token_ids = np.concatenate(documents).astype(np.int32)
    offsets = np.cumsum([0, *map(len, documents)])
    keep = keep_thresholds(np.bincount(token_ids), 2e-2)
    arguments = token_ids, offsets, keep, parameters(), 0
    shard_pairs = [
        training_pairs(*arguments, owned_positions(133, n_shards, shard_tokens, r, s))
        for s in range(n_shards)
        for r in range(n_rounds_per_epoch(133, n_shards, shard_tokens))
    ]
    assert np.concatenate(shard_pairs).tolist() == training_pairs(*arguments).tolist()

    counted = train(
        documents,
        20,
        parameters(subsample=2e-2),
        n_shards=n_shards,
        shard_tokens=shard_tokens,
    )
    assert counted.n_pairs.tolist() == [len(training_pairs(*arguments))]


# --- Training


def test_two_tokens_of_one_word_by_hand():
    # The only noise word is the center, so each window has one target, y = 1. The first window
    # finds output 0 and leaves input x alone; the second finds output x / 20.
    vectors = train([[0, 0]], 1, parameters(min_learning_rate=0.1))
    rate, x = float(np.float32(0.1)), initial_input_vectors(1, 4, 7)[0].astype(float)
    output = rate / 2 * x
    score = x @ output
    gradient = rate * (1 - 1 / (1 + math.exp(-score)))
    np.testing.assert_allclose(vectors.input_vectors[0], x + gradient * output, rtol=1e-14)
    np.testing.assert_allclose(vectors.output_vectors[0], output + gradient * x, rtol=1e-14)
    loss = math.log(2) + math.log1p(math.exp(-score))
    np.testing.assert_allclose(vectors.loss_curve, [loss / 2], rtol=1e-14)
    assert vectors.n_pairs.tolist() == [2]


def test_shards_of_a_round_start_alike_and_their_changes_add_up():
    # As above, but both windows find output 0.
    vectors = train([[0, 0]], 1, parameters(min_learning_rate=0.1), n_shards=2, shard_tokens=1)
    x = initial_input_vectors(1, 4, 7)[0].astype(float)
    np.testing.assert_array_equal(vectors.input_vectors[0], x)
    np.testing.assert_allclose(vectors.output_vectors[0], np.float32(0.1) * x, rtol=1e-14)
    np.testing.assert_allclose(vectors.loss_curve, [math.log(2)], rtol=1e-14)


def naive_skipgram(documents, n_words, p, shard_tokens, pool_size):
    """word2vec.c's loops over scalars, for one shard and groups of one context."""
    counts = np.bincount(np.concatenate(documents), minlength=n_words)
    keep = keep_thresholds(counts, p.subsample).tolist()
    threshold, alias = (
        table.tolist() for table in alias_table(noise_distribution(counts, p.noise_exponent))
    )
    rounds_per_epoch = math.ceil(counts.sum() / shard_tokens)
    fall = (p.learning_rate - p.min_learning_rate) / (p.max_iter * rounds_per_epoch)
    v = initial_input_vectors(n_words, p.n_components, p.seed).astype(float).tolist()
    u = [[0.0] * p.n_components for _ in range(n_words)]
    loss_curve = []
    for epoch in range(p.max_iter):
        position_key = stream_key(p.seed, POSITION, epoch)
        noise_key = stream_key(p.seed, NOISE, epoch)
        loss, n_pairs, position, previous_round = 0.0, 0, 0, None
        noise_loss, round_pairs, fresh_pairs = 0.0, 0, 0
        for document in documents:
            sentence = []
            for word in document:
                bits = int(random_bits(position_key, position))
                if bits % 2**32 <= keep[word]:
                    half = 1 + ((bits >> 32) * p.window >> 32)
                    sentence.append((word, half, position // shard_tokens))
                position += 1
            for i, (center, half, round_index) in enumerate(sentence):
                if round_index != previous_round:
                    loss += noise_loss * round_pairs / max(fresh_pairs, 1)
                    noise_loss, round_pairs, fresh_pairs = 0.0, 0, 0
                    rate = p.learning_rate - fall * (epoch * rounds_per_epoch + round_index)
                    rate, pool, taken, previous_round = float(np.float32(rate)), [], 0, round_index
                    for draw in range(round_index * pool_size, (round_index + 1) * pool_size):
                        bits = int(random_bits(noise_key, draw))
                        slot = (bits >> 32) * n_words >> 32
                        pool.append(slot if bits % 2**32 <= threshold[slot] else alias[slot])
                contexts = [
                    j for j in range(max(i - half, 0), min(i + half + 1, len(sentence))) if j != i
                ]
                if not contexts:
                    continue
                noise = [pool[(taken + o) % pool_size] for o in range(p.n_negatives)]
                taken += p.n_negatives
                wanted = [(center, 1)] + [(word, 0) for word in noise if word != center]
                fresh = taken <= pool_size
                for j in contexts:
                    row = v[sentence[j][0]]
                    steps = []
                    for word, label in wanted:
                        score = sum(a * b for a, b in zip(row, u[word], strict=True))
                        if label:
                            loss += math.log1p(math.exp(-score))
                        elif fresh:
                            noise_loss += math.log1p(math.exp(score))
                        steps.append((word, rate * (label - 1 / (1 + math.exp(-score)))))
                    change = [sum(g * u[word][d] for word, g in steps) for d in range(len(row))]
                    for word, g in steps:
                        u[word] = [a + g * b for a, b in zip(u[word], row, strict=True)]
                    v[sentence[j][0]] = [a + b for a, b in zip(row, change, strict=True)]
                    n_pairs += 1
                    round_pairs += 1
                    fresh_pairs += fresh
        loss += noise_loss * round_pairs / max(fresh_pairs, 1)
        loss_curve.append(loss / n_pairs)
    return v, u, loss_curve


@pytest.mark.parametrize("shard_tokens", [161, 23])
def test_sequential_training_agrees_with_naive_loops_over_scalars(shard_tokens):
    documents = [document.tolist() for document in zipf_documents([1, 60, 0, 100])]
    p = parameters(subsample=5e-2, max_iter=3, learning_rate=0.5)
    layout = {"shard_tokens": shard_tokens, "pool_size": 17}
    vectors = train(documents, 20, p, **layout, group_size=1)
    v, u, loss_curve = naive_skipgram([d for d in documents if d], 20, p, **layout)
    np.testing.assert_allclose(vectors.input_vectors, v, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(vectors.output_vectors, u, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(vectors.loss_curve, loss_curve, rtol=1e-12)


def test_every_shard_of_every_round_draws_its_own_noise(monkeypatch):
    drawn = []

    def spy(threshold, alias, seed, epoch, shard_number, pool_size):
        drawn.append((seed, epoch, shard_number))
        return noise_pool(threshold, alias, seed, epoch, shard_number, pool_size)

    monkeypatch.setattr("skw2v._reference_training.noise_pool", spy)
    train([[0, 1] * 6], 2, parameters(max_iter=2), n_shards=2, shard_tokens=2)
    assert drawn == [(7, epoch, number) for epoch in (0, 1) for number in range(6)]


def test_a_lone_token_uses_up_no_noise():
    # Four words, so that some of the pool's first draws differ from the next. The lone token comes
    # first, and must not shift the noise of the windows after it.
    fixed = parameters(dynamic_window=False)
    taken = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "skw2v._reference_training.window_noise",
            lambda pool, number, k: taken.append(number) or window_noise(pool, number, k),
        )
        train([[3], [0, 1, 2]], 4, fixed)
    assert taken == [0, 1, 2]


NEVER_MOVED = {"learning_rate": 1e-300, "min_learning_rate": 1e-300, "dynamic_window": False}


def test_the_first_loss_of_softmax_is_that_of_a_guess_by_frequency():
    # Two of four tokens are word 0; two words that never occur count as half a token each.
    still = parameters(loss="softmax", **NEVER_MOVED)
    expected = (2 * math.log(5 / 2) + 2 * math.log(5 / 1)) / 4
    found = train([[0, 1, 0, 2]], 5, still).loss_curve[0]
    assert math.isclose(found, expected, rel_tol=1e-7)  # the biases start in float32


def test_the_first_loss_of_hierarchical_softmax_is_a_coin_for_each_node():
    still = parameters(loss="hierarchical_softmax", window=1, **NEVER_MOVED)
    # Paths of 1, 3, 3, 2 nodes; at a window of 1 the ends have one pair, the others two.
    document = [0, 0, 3, 0, 1, 2, 3, 0]
    lengths = np.array([1, 3, 3, 2])
    assert np.diff(huffman_paths(np.bincount(document)).offsets).tolist() == lengths.tolist()
    expected = np.average(lengths[document], weights=[1, 2, 2, 2, 2, 2, 2, 1]) * math.log(2)
    assert math.isclose(train([document], 4, still).loss_curve[0], expected)


@pytest.mark.parametrize("remove", [True, False])
@pytest.mark.parametrize("loss", ["nce", "sampled_softmax"])
def test_the_first_loss_of_objectives_with_noise(loss, remove):
    # The first window alone is fresh; scores are the log of the share less the offset. The second's
    # noise counts as the first's, under a softmax with its true part.
    still = parameters(loss=loss, remove_accidental_hits=remove, n_negatives=4, **NEVER_MOVED)
    counts, pool_size = np.array([1, 1]), 5
    table = alias_table(noise_distribution(counts, 0.75))
    pool = noise_pool(*table, 7, 0, shard_number=0, pool_size=pool_size)
    assert 0 in pool[:4]
    log_expected = log_expected_counts([0.5, 0.5], 4).astype(float)
    choose = nce_targets if loss == "nce" else sampled_softmax_targets
    first, second = (
        choose(center, window_noise(pool, number, 4), log_expected, remove)
        for number, center in enumerate([0, 1])
    )
    score = float(np.float32(math.log(0.5))) - log_expected[0]  # of either word
    if loss == "nce":
        softplus = math.log1p(math.exp(score))
        true = [targets.weights[0] * softplus - score for targets in (first, second)]
        expected = (sum(true) + 2 * first.weights[1:].sum() * softplus) / 2
    else:
        expected = math.log(first.weights.sum())
    vectors = train([[0, 1]], 2, still, pool_size=pool_size)
    np.testing.assert_allclose(vectors.loss_curve, [expected], rtol=1e-14)


@pytest.mark.parametrize("loss", LOSSES)
def test_only_objectives_with_noise_draw_a_pool(loss, monkeypatch):
    drawn = []

    def spy(*arguments):
        drawn.append(arguments)
        return noise_pool(*arguments)

    monkeypatch.setattr("skw2v._reference_training.noise_pool", spy)
    train([[0, 1] * 6], 2, parameters(loss=loss), n_shards=2, shard_tokens=6, pool_size=3)
    assert len(drawn) == (2 if loss in SAMPLED_LOSSES else 0)


@pytest.mark.parametrize("loss", LOSSES)
def test_noise_follows_the_parameter(loss):
    by_noise = [
        train([[0, 1, 1, 2] * 4], 4, parameters(loss=loss, noise=noise)).output_vectors
        for noise in ("unigram", "log_uniform")
    ]
    assert np.array_equal(*by_noise) is (loss not in SAMPLED_LOSSES)


def test_the_changes_of_shards_add_up_in_every_matrix():
    before = Vectors(np.array([[1.0]]), np.array([[2.0]]), np.array([3.0]))
    privates = [
        Vectors(np.array([[1.5]]), np.array([[2.0]]), np.array([4.0])),
        Vectors(np.array([[0.25]]), np.array([[5.0]]), np.array([5.0])),
    ]
    merged = merge_shards(before, privates)
    assert [matrix.item() for matrix in merged] == [0.75, 5.0, 6.0]
    assert [matrix.item() for matrix in before] == [1.0, 2.0, 3.0]


def test_cbow_takes_its_gradient_from_the_parameters_unless_told():
    documents = [[0, 1, 2, 0, 3]] * 3
    exact, word2vec = (
        train(documents, 4, parameters(architecture="cbow", cbow_gradient=way))
        for way in ("exact", "word2vec")
    )
    told = train(documents, 4, parameters(architecture="cbow"), cbow_gradient="word2vec")
    assert np.array_equal(told.input_vectors, word2vec.input_vectors)
    assert not np.array_equal(exact.input_vectors, word2vec.input_vectors)


@pytest.mark.parametrize("architecture", ["skipgram", "cbow"])
@pytest.mark.parametrize("loss", LOSSES)
def test_a_single_word_trains(loss, architecture):
    p = parameters(loss=loss, architecture=architecture)
    vectors = train([[0, 0, 0]], 1, p)
    n_output = 0 if loss == "hierarchical_softmax" else 1
    assert vectors.output_vectors.shape == (n_output, 4)
    assert vectors.output_bias.shape == (n_output,)
    assert np.all(np.isfinite(vectors.input_vectors))
    # There is nothing to tell apart, unless noise is told from the truth.
    certain = loss in ("hierarchical_softmax", "sampled_softmax", "softmax")
    assert (vectors.loss_curve[0] == 0.0) == certain


CLUSTERS = {"n_components": 8, "max_iter": 4, "learning_rate": 0.2}


def train_clusters(p, **layout):
    """Two clusters of five words that never meet; every document has one of them."""
    rng = np.random.default_rng(0)
    documents = [rng.integers(0, 5, size=10) + 5 * (d % 2) for d in range(60)]
    vectors = train(documents, 10, p, **layout)
    assert vectors.loss_curve[-1] < vectors.loss_curve[0]
    probabilities = log_probabilities(
        vectors.input_vectors,
        Vectors(vectors.input_vectors, vectors.output_vectors, vectors.output_bias),
        np.bincount(np.concatenate(documents)),
        p,
    )
    together = np.equal.outer(np.arange(10) // 5, np.arange(10) // 5)
    return vectors, probabilities[together], probabilities[~together]


@pytest.mark.parametrize(
    ("architecture", "cbow_gradient"),
    [("skipgram", "exact"), ("cbow", "exact"), ("cbow", "word2vec")],
)
@pytest.mark.parametrize(("n_shards", "shard_tokens"), [(1, 16), (4, 4)])
def test_training_finds_planted_clusters(architecture, cbow_gradient, n_shards, shard_tokens):
    p = parameters(architecture=architecture, cbow_gradient=cbow_gradient, **CLUSTERS)
    _, together, apart = train_clusters(p, n_shards=n_shards, shard_tokens=shard_tokens)
    assert together.min() > apart.max()


@pytest.mark.parametrize("architecture", ["skipgram", "cbow"])
@pytest.mark.parametrize("loss", LOSSES)
def test_every_objective_finds_planted_clusters(loss, architecture):
    p = parameters(loss=loss, architecture=architecture, **CLUSTERS)
    vectors, together, apart = train_clusters(p, n_shards=2, shard_tokens=4)
    assert together.min() > apart.max()
    assert vectors.output_bias.any() == (loss in ("nce", "sampled_softmax", "softmax"))


@pytest.mark.parametrize("architecture", ["skipgram", "cbow"])
@pytest.mark.parametrize("documents", [[], [[]], [[0]], [[0], [1], []]])
def test_without_pairs_nothing_is_trained(architecture, documents):
    # Two further tokens keep the noise distribution alive; each is a document by itself.
    documents = [*documents, [0], [1]]
    vectors = train(documents, 2, parameters(architecture=architecture, max_iter=2))
    np.testing.assert_array_equal(vectors.input_vectors, initial_input_vectors(2, 4, 7))
    assert not vectors.output_vectors.any()
    assert vectors.loss_curve.tolist() == [0.0, 0.0]
    assert vectors.n_pairs.tolist() == [0, 0]


def test_a_pool_smaller_than_a_windows_noise_is_refused():
    with pytest.raises(ValueError, match="pool_size=3 is smaller than n_negatives=4"):
        train([[0, 1]], 2, parameters(n_negatives=4), pool_size=3)


def test_an_unknown_loss_is_refused():
    with pytest.raises(ValueError, match=r"one of .*'softmax'\), got 'hinge'"):
        train([[0, 1]], 2, parameters(loss="hinge"))


def test_windows_turned_around_by_hand():
    # Positions 0 1 2 3 hold words 5 6 5 7; the windows of 0 and 2.
    windows = [Window(0, np.array([1, 2])), Window(2, np.array([1, 3]))]
    found = centers_of_contexts(windows, np.array([5, 6, 5, 7]))
    assert found == [(6, [5, 5]), (5, [5]), (7, [5])]
