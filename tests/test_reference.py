"""The reference's choices: random bits, initial vectors, windows, noise."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from skw2v._reference import (
    COIN_MASK,
    INIT,
    NOISE,
    POSITION,
    half_windows,
    initial_input_vectors,
    kept_tokens,
    mix64,
    noise_pool,
    random_bits,
    stream_key,
    training_pairs,
    training_windows,
    window_noise,
)
from skw2v._sampling import alias_table, keep_thresholds, noise_distribution

KEEP_ALL = 2**32 - 1


def parameters(**changes):
    defaults = {"window": 3, "dynamic_window": True, "seed": 7}
    return SimpleNamespace(**(defaults | changes))


# --- Random bits


def python_mix64(z):
    """SplitMix64's finaliser with Python's unbounded integers."""
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) % 2**64
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) % 2**64
    return z ^ (z >> 31)


def python_bits(seed, purpose, epoch, counter):
    golden = 0x9E3779B97F4A7C15
    purpose_key = python_mix64((seed + golden * (purpose + 1)) % 2**64)
    key = python_mix64((purpose_key + golden * (epoch + 1)) % 2**64)
    return python_mix64((key + golden * (counter + 1)) % 2**64)


def test_random_bits_are_the_published_stream_of_splitmix64():
    # First outputs for seed 1234567, as published with the generator.
    assert random_bits(1234567, np.arange(5)).tolist() == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


def test_mix64_agrees_with_unbounded_integers():
    words = [0, 1, 2**32, 2**63, 2**64 - 1, 0x0123456789ABCDEF]
    assert mix64(np.array(words, dtype=np.uint64)).tolist() == [python_mix64(z) for z in words]
    assert int(mix64(12345)) == python_mix64(12345)


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1])
def test_streams_agree_with_unbounded_integers(seed):
    for purpose in (POSITION, NOISE, INIT):
        for epoch in (0, 3):
            bits = random_bits(stream_key(seed, purpose, epoch), np.array([0, 1, 2**40]))
            assert bits.tolist() == [
                python_bits(seed, purpose, epoch, counter) for counter in (0, 1, 2**40)
            ]


def test_golden_random_bits():
    # Worked out once with unbounded integers: the seal on every fitted model.
    assert stream_key(0, POSITION, 0) == 0xA706DD2F4D197E6F
    assert random_bits(stream_key(42, NOISE, 1), np.arange(2)).tolist() == [
        0xC6CC343DAA0F53BF,
        0x8C5D59F082132129,
    ]


def test_streams_of_seeds_purposes_and_epochs_differ():
    keys = {
        stream_key(seed, purpose, epoch)
        for seed in range(20)
        for purpose in (POSITION, NOISE, INIT)
        for epoch in range(20)
    }
    assert len(keys) == 20 * 3 * 20


# --- Initial vectors


def test_initial_vectors_are_uniform_around_zero():
    vectors = initial_input_vectors(500, 40, seed=3)
    assert vectors.dtype == np.float32
    assert np.abs(vectors).max() <= 0.5 / 40
    uniform = stats.kstest(vectors.ravel().astype(float) * 40 + 0.5, "uniform")
    assert uniform.pvalue > 0.01


def test_initial_vector_entry_by_hand():
    bits = python_bits(9, INIT, 0, 2 * 4 + 3)
    expected = np.float32((((bits >> 40) + 0.5) / 2**24 - 0.5) / 4)
    assert initial_input_vectors(5, 4, seed=9)[2, 3] == expected


def test_initial_rows_do_not_depend_on_the_size_of_the_vocabulary():
    few, many = initial_input_vectors(3, 7, seed=1), initial_input_vectors(9, 7, seed=1)
    assert few.tobytes() == many[:3].tobytes()


# --- Subsampling and windows


def test_keep_rates_match_the_thresholds():
    counts = np.array([60_000, 30_000, 9_000, 1_000])
    token_ids = np.repeat(np.arange(4), counts)
    thresholds = keep_thresholds(counts, 1e-2)
    kept = kept_tokens(token_ids, thresholds, seed=5, epoch=0)
    for word, count in enumerate(counts):
        probability = (int(thresholds[word]) + 1) / 2**32
        outcome = stats.binomtest(int(kept[token_ids == word].sum()), int(count), probability)
        assert outcome.pvalue > 0.01


def test_a_token_whose_coin_equals_the_threshold_is_kept():
    coin = python_bits(5, POSITION, 0, 0) % 2**32
    for threshold, kept in [(coin - 1, False), (coin, True)]:
        thresholds = np.array([threshold], dtype=np.uint32)
        assert kept_tokens(np.array([0]), thresholds, seed=5, epoch=0).tolist() == [kept]


def test_every_epoch_keeps_other_tokens():
    token_ids = np.zeros(1000, dtype=np.int32)
    thresholds = np.array([2**31 - 1], dtype=np.uint32)
    first, second = (kept_tokens(token_ids, thresholds, 0, epoch) for epoch in (0, 1))
    assert 400 < np.sum(first != second) < 600


def test_half_windows_are_uniform_and_independent_of_subsampling():
    n_tokens, window = 60_000, 5
    half = half_windows(n_tokens, window, True, seed=2, epoch=0)
    kept = kept_tokens(
        np.zeros(n_tokens, dtype=int), np.array([2**31 - 1], dtype=np.uint32), seed=2, epoch=0
    )
    table = np.array([np.bincount(half[kept == k], minlength=6)[1:] for k in (False, True)])
    assert half.min() == 1
    assert half.max() == window
    assert stats.chisquare(table.sum(axis=0)).pvalue > 0.01
    assert stats.chi2_contingency(table).pvalue > 0.01


def test_fixed_windows_are_all_full():
    assert half_windows(4, 6, False, seed=0, epoch=0).tolist() == [6] * 4


def test_pairs_of_a_short_text_by_hand():
    token_ids = np.array([4, 2, 3, 0, 1], dtype=np.int32)
    offsets = np.array([0, 3, 3, 5])  # the second document is empty
    keep = np.full(5, KEEP_ALL, dtype=np.uint32)
    pairs = training_pairs(
        token_ids, offsets, keep, parameters(window=1, dynamic_window=False), epoch=0
    )
    expected = [[4, 2], [2, 4], [2, 3], [3, 2], [0, 1], [1, 0]]
    assert pairs.tolist() == expected


def test_windows_reach_over_dropped_tokens():
    token_ids = np.array([1, 0, 0, 0, 2], dtype=np.int32)
    bits = random_bits(stream_key(7, POSITION, 0), np.arange(5)) & COIN_MASK
    keep = np.array([0, KEEP_ALL, KEEP_ALL], dtype=np.uint32)
    assert bits[1:4].min() > 0  # so that threshold 0 drops every token of word 0
    windows = training_windows(
        token_ids, np.array([0, 5]), keep, parameters(window=1, dynamic_window=False), epoch=0
    )
    assert [(w.center_pos, w.context_pos.tolist()) for w in windows] == [(0, [4]), (4, [0])]


def naive_pairs(documents, keep_threshold, window, seed, epoch):
    """word2vec.c's loop, with Python's integers and lists."""
    pairs, position = [], 0
    for document in documents:
        sentence = []
        for word in document:
            bits = python_bits(seed, POSITION, epoch, position)
            if bits % 2**32 <= keep_threshold[word]:
                sentence.append((word, 1 + ((bits >> 32) * window >> 32)))
            position += 1
        for i, (center, half) in enumerate(sentence):
            for j in range(i - half, i + half + 1):
                if j != i and 0 <= j < len(sentence):
                    pairs.append([center, sentence[j][0]])
    return pairs


@pytest.mark.parametrize("epoch", [0, 1])
def test_pairs_agree_with_a_naive_loop(epoch):
    rng = np.random.default_rng(0)
    documents = [rng.zipf(1.5, size=n).clip(max=20) - 1 for n in (0, 1, 40, 2, 0, 300)]
    token_ids = np.concatenate(documents).astype(np.int32)
    offsets = np.concatenate([[0], np.cumsum([len(document) for document in documents])])
    keep = keep_thresholds(np.bincount(token_ids, minlength=20), 2e-2)
    pairs = training_pairs(token_ids, offsets, keep, parameters(window=4), epoch)
    lists = [document.tolist() for document in documents]
    assert pairs.tolist() == naive_pairs(lists, keep.tolist(), 4, seed=7, epoch=epoch)
    assert 100 < len(pairs) < 1500


def test_no_token_kept_means_no_pairs():
    token_ids = np.zeros(50, dtype=np.int32)
    offsets = np.array([0, 50])
    pairs = training_pairs(token_ids, offsets, np.zeros(1, np.uint32), parameters(), epoch=0)
    assert pairs.shape == (0, 2)


# --- Noise


def test_noise_pool_follows_the_distribution():
    probabilities = noise_distribution([500, 100, 20, 20, 3], 0.75)
    pool = noise_pool(*alias_table(probabilities), 1, 0, shard_number=0, pool_size=100_000)
    observed = np.bincount(pool, minlength=5)
    assert stats.chisquare(observed, probabilities * len(pool)).pvalue > 0.01


def test_noise_draws_by_hand():
    threshold, alias = alias_table(noise_distribution([500, 100, 20, 20, 3], 0.75))
    expected = []
    for draw in range(3 * 8, 4 * 8):  # shard number 3, pool of 8
        bits = python_bits(1, NOISE, 2, draw)
        slot = (bits >> 32) * 5 >> 32
        expected.append(slot if bits % 2**32 <= threshold[slot] else alias[slot])
    assert noise_pool(threshold, alias, 1, 2, shard_number=3, pool_size=8).tolist() == expected


def test_a_slot_whose_coin_equals_the_threshold_gives_its_own_word():
    bits = python_bits(5, NOISE, 0, 0)
    slot, coin = (bits >> 32) * 2 >> 32, bits % 2**32
    alias = np.array([1, 0])
    for threshold, word in [(coin - 1, 1 - slot), (coin, slot)]:
        thresholds = np.full(2, threshold, dtype=np.uint32)
        assert noise_pool(thresholds, alias, 5, 0, shard_number=0, pool_size=1).tolist() == [word]


def test_windows_take_the_pool_in_turn():
    pool = np.arange(100, 107)
    taken = [window_noise(pool, window_number, 3).tolist() for window_number in range(3)]
    assert taken == [[100, 101, 102], [103, 104, 105], [106, 100, 101]]
