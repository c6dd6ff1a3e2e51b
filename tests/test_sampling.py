"""Noise distribution, alias table and keep thresholds."""

import doctest
import math
from decimal import localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skw2v import _sampling
from skw2v._sampling import (
    alias_table,
    initial_biases,
    keep_thresholds,
    log_expected_counts,
    log_uniform_distribution,
    natural_exp,
    natural_log,
    noise_distribution,
    noise_probabilities,
)

EXPONENTS = [0.75, 0.0, 0.5, 1.0, 0.6, -0.5]


def zipf_counts(n_words):
    return 10_000_000 // np.arange(1, n_words + 1) ** 1.1 + 1


def slot_masses(threshold, alias):
    """What the table gives to each word, in units of 1 / (n_words * 2**32): exact integers."""
    own = threshold.astype(np.int64) + 1
    masses = own.copy()
    np.add.at(masses, alias, 2**32 - own)
    return masses


def test_examples_run():
    result = doctest.testmod(_sampling)
    assert result.failed == 0
    assert result.attempted >= 15


# --- noise_distribution


@pytest.mark.parametrize("exponent", EXPONENTS)
def test_noise_is_proportional_to_the_power_of_the_count(exponent):
    counts = np.array([1000, 400, 400, 7, 1])
    weights = np.array([float(count) ** exponent for count in counts])
    np.testing.assert_allclose(
        noise_distribution(counts, exponent), weights / weights.sum(), rtol=1e-14
    )


@pytest.mark.parametrize("exponent", EXPONENTS)
def test_words_without_tokens_are_never_noise(exponent):
    probabilities = noise_distribution([5, 0, 3, 0], exponent)
    assert probabilities[[1, 3]].tolist() == [0.0, 0.0]
    assert math.isclose(probabilities.sum(), 1.0)


@pytest.mark.parametrize("exponent", [300.0, -300.0])
def test_extreme_exponents_neither_overflow_nor_vanish(exponent):
    expected = [1.0, 0.0] if exponent > 0 else [0.0, 1.0]
    np.testing.assert_allclose(noise_distribution([10**9, 10], exponent), expected, atol=1e-300)


def test_noise_does_not_depend_on_the_decimal_context_of_the_caller():
    counts = zipf_counts(50)
    expected = noise_distribution(counts, 0.6)
    with localcontext(prec=3):
        assert noise_distribution(counts, 0.6).tobytes() == expected.tobytes()


def test_noise_does_not_depend_on_the_order_of_words():
    counts = zipf_counts(10_000)
    expected = noise_distribution(counts, 0.75)
    for seed in range(5):
        shuffled = np.random.default_rng(seed).permutation(len(counts))
        found = noise_distribution(counts[shuffled], 0.75)
        assert found.tobytes() == expected[shuffled].tobytes()


@pytest.mark.parametrize("counts", [[], [0], [0, 0]])
def test_noise_without_any_token_is_an_error(counts):
    with pytest.raises(ValueError, match=f"none of the {len(counts)} words occurs"):
        noise_distribution(counts, 0.75)


# --- log_uniform_distribution, noise_probabilities


@pytest.mark.parametrize("n_words", [1, 2, 3, 1000])
def test_log_uniform_noise_is_tensorflows_by_rank(n_words):
    counts = zipf_counts(n_words)
    # log1p, since log((r + 2) / (r + 1)) has lost digits before the logarithm is taken.
    expected = [math.log1p(1 / (rank + 1)) / math.log(n_words + 1) for rank in range(n_words)]
    np.testing.assert_allclose(log_uniform_distribution(counts), expected, rtol=1e-15)
    assert math.isclose(math.fsum(expected), 1.0)


def test_log_uniform_noise_ranks_by_falling_count_then_by_id():
    by_rank = log_uniform_distribution([9, 8, 7, 6, 5])
    assert np.all(np.diff(by_rank) < 0)
    #                ranks:      3, 1, 4, 0, 2
    found = log_uniform_distribution([0, 7, 0, 8, 7])
    assert found.tolist() == by_rank[[3, 1, 4, 0, 2]].tolist()


def test_the_parameter_noise_picks_the_distribution():
    counts = [1, 9, 4]
    for noise, expected in [
        ("unigram", noise_distribution(counts, 0.5)),
        ("log_uniform", log_uniform_distribution(counts)),
    ]:
        assert noise_probabilities(counts, noise, 0.5).tolist() == expected.tolist()
    with pytest.raises(ValueError, match="got 'uniform'"):
        noise_probabilities(counts, "uniform", 0.5)


# --- natural_log, natural_exp, log_expected_counts


def test_natural_log_is_good_to_two_ulp():
    rng = np.random.default_rng(0)
    x = np.concatenate(
        [
            rng.uniform(0.25, 4.0, 20_000),
            2.0 ** rng.uniform(-1000, 1000, 20_000),
            1.0 + rng.normal(size=2000) * 1e-9,
            [1.0, 2.0, math.sqrt(0.5), 5e-324, 2.0**-1022, np.finfo(float).max],
        ]
    )
    expected = np.array([math.log(value) for value in x])
    error = np.abs(natural_log(x) - expected)
    assert np.max(error / np.spacing(np.maximum(np.abs(expected), 5e-324))) <= 2.0
    assert natural_log(1.0) == 0.0


def test_golden_natural_logs():
    # Worked out with 40 decimals and rounded. The same on every machine, as no library's log is.
    assert float(natural_log(12345.678)).hex() == "0x1.2d79559791e31p+3"
    assert float(natural_log(1e-9)).hex() == "-0x1.4b927f32bffb8p+4"


def test_natural_exp_is_good_to_two_ulp():
    x = np.concatenate([np.random.default_rng(0).uniform(-700, 700, 20_000), [0.0, 1.0, -1e-300]])
    expected = np.array([math.exp(value) for value in x])
    assert np.max(np.abs(natural_exp(x) - expected) / np.spacing(expected)) <= 2.0
    assert natural_exp([0.0, -1e300]).tolist() == [1.0, 0.0]


def test_golden_natural_exps():
    # Worked out with 40 decimals and rounded.
    assert float(natural_exp(-12.345)).hex() == "0x1.240572f47cb82p-18"
    assert float(natural_exp(0.3)).hex() == "0x1.599058c8c1a96p+0"


@pytest.mark.parametrize("n_draws", [1, 5, 20])
def test_expected_counts_are_draws_times_probability(n_draws):
    probabilities = noise_distribution([1000, 400, 7, 1], 0.75)
    found = log_expected_counts(probabilities, n_draws)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.log(n_draws * probabilities), rtol=2**-23)


def test_words_without_probability_are_expected_as_often_as_the_table_draws_them():
    probabilities = np.array([0.5, 0.0, 0.5, 0.0])
    masses = slot_masses(*alias_table(probabilities))
    expected = np.log(5 * masses / (4 * 2**32))
    np.testing.assert_allclose(log_expected_counts(probabilities, 5), expected, rtol=1e-6)


# --- initial_biases


@pytest.mark.parametrize("subsample", [0.0, 1e-2])
def test_biases_start_at_the_log_of_the_share_of_kept_tokens(subsample):
    counts = np.array([900, 90, 9, 0, 1])
    thresholds = keep_thresholds(counts, subsample)
    kept = np.array([900, 90, 9, 0.5, 1]) * (thresholds + 1.0) / 2**32
    found = initial_biases(counts, thresholds)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.log(kept / kept.sum()), rtol=2**-22)
    assert math.isclose(np.exp(found.astype(float)).sum(), 1.0, rel_tol=1e-6)


# --- Fractions, which sample_weight makes


@pytest.mark.parametrize("exponent", EXPONENTS)
def test_tables_depend_on_the_ratios_of_counts_not_on_their_sum(exponent):
    counts = np.array([1000, 400, 3, 0, 7, 1])
    fractions = counts * 2.0**-16
    for table in (
        lambda counts: noise_distribution(counts, exponent),
        log_uniform_distribution,
        lambda counts: keep_thresholds(counts, 1e-2),
        lambda counts: initial_biases(counts, keep_thresholds(counts, 1e-2)),
    ):
        np.testing.assert_array_equal(table(fractions), table(counts))


@pytest.mark.parametrize("exponent", EXPONENTS)
def test_a_fraction_is_not_rounded_to_a_whole_count(exponent):
    found = noise_distribution([2.9, 0.7], exponent)
    np.testing.assert_allclose(found[0] / found[1], (2.9 / 0.7) ** exponent, rtol=1e-14)


# --- alias_table


def test_alias_table_of_equal_words_never_uses_the_alias():
    threshold, alias = alias_table([0.25] * 4)
    assert threshold.tolist() == [2**32 - 1] * 4
    assert (threshold.dtype, alias.dtype) == (np.uint32, np.int32)


def test_alias_table_of_one_word():
    threshold, alias = alias_table([1.0])
    assert (threshold.tolist(), alias.tolist()) == ([2**32 - 1], [0])


def test_a_heavy_word_turned_light_is_topped_up_by_the_next():
    # In slots, the words weigh 1/2, 5/4 and 5/4: the first takes 1/2 from the second, which is left
    # with 3/4 and takes 1/4 from the third.
    threshold, alias = alias_table([1 / 6, 5 / 12, 5 / 12])
    assert alias.tolist() == [1, 2, 2]
    np.testing.assert_allclose((threshold + 1.0) / 2**32, [0.5, 0.75, 1.0], atol=1e-9)


@pytest.mark.parametrize("n_words", [1, 2, 3, 17, 1000, 100_000])
@pytest.mark.parametrize("exponent", [0.75, 0.0, 1.0])
def test_alias_table_reproduces_the_distribution(n_words, exponent):
    probabilities = noise_distribution(zipf_counts(n_words), exponent)
    masses = slot_masses(*alias_table(probabilities))
    assert masses.sum() == n_words * 2**32
    np.testing.assert_allclose(masses / (n_words * 2**32), probabilities, rtol=0, atol=2**-32)


@settings(max_examples=200, deadline=None)
@given(
    arrays(
        np.float64,
        st.integers(1, 40),
        elements=st.sampled_from([0.0, 1e-300, 1e-12, 1e-3, 0.5, 1.0, 1.0 + 2**-30, 7.0, 1e6]),
    ).filter(lambda weights: weights.sum() > 0)
)
def test_alias_table_is_exact_for_any_distribution(weights):
    probabilities = weights / weights.sum()
    threshold, alias = alias_table(probabilities)
    n_words = len(weights)
    assert np.all((alias >= 0) & (alias < n_words))
    for mass, probability in zip(slot_masses(threshold, alias), probabilities, strict=True):
        error = Fraction(int(mass), n_words * 2**32) - Fraction(float(probability))
        assert abs(error) <= Fraction(1, 2**32)


def test_a_word_of_probability_zero_gets_the_least_mass_a_slot_can_give():
    masses = slot_masses(*alias_table([0.5, 0.0, 0.5, 0.0]))
    assert masses[[1, 3]].tolist() == [1, 1]


# --- keep_thresholds


def test_keep_probability_is_that_of_word2vec_c():
    counts, subsample = np.array([700, 200, 99, 1]), 1e-2
    total = counts.sum()
    # As word2vec.c writes it: (sqrt(cn / (sample * total)) + 1) * (sample * total) / cn.
    expected = [
        min(1.0, (math.sqrt(c / (subsample * total)) + 1) * (subsample * total) / c) for c in counts
    ]
    kept = (keep_thresholds(counts, subsample) + 1.0) / 2**32
    assert expected[-1] == 1.0 > expected[0]
    np.testing.assert_allclose(kept, expected, rtol=0, atol=2**-31)


def test_keep_threshold_is_the_rounded_up_probability_less_one():
    # f = 1, t = 1/16: (4 + 1) / 16 = 0.3125 exactly.
    thresholds = keep_thresholds([8], 1 / 16)
    assert thresholds.dtype == np.uint32
    assert thresholds.tolist() == [int(0.3125 * 2**32) - 1]


def test_keep_probabilities_are_rounded_up():
    # f = 1, t = 0.01: (10 + 1) / 100 lies between two multiples of 2**-32.
    assert keep_thresholds([8], 0.01).tolist() == [math.ceil(0.11 * 2**32) - 1]


def test_subsample_zero_keeps_everything():
    assert keep_thresholds([10**9, 1, 0], 0.0).tolist() == [2**32 - 1] * 3


@pytest.mark.parametrize("counts", [[10**6, 0], [0, 0], []])
def test_words_without_tokens_are_always_kept(counts):
    kept = keep_thresholds(counts, 1e-3) == 2**32 - 1
    assert np.all(kept[np.array(counts, dtype=int) == 0])


def test_the_least_subsample_leaves_a_valid_threshold():
    assert keep_thresholds([10**9], 1e-300).tolist() == [0]


def test_rarer_words_are_kept_more():
    thresholds = keep_thresholds(zipf_counts(500), 1e-3).astype(np.int64)
    assert np.all(np.diff(thresholds) >= 0)
    assert thresholds[0] < thresholds[-1] == 2**32 - 1
