"""What training decides around the kernels: layout, rates, rows, the number of threads."""

import numpy as np
import pytest

from skw2v import _kernels
from skw2v._corpus import Corpus
from skw2v._layout import MAX_COLLISIONS, choose_layout
from skw2v._parameters import TrainingParameters
from skw2v._reference import initial_input_vectors
from skw2v._reference_training import round_learning_rate
from skw2v._rounds import Team
from skw2v._rows import Rows
from skw2v._sampling import keep_thresholds
from skw2v._training import learning_rates, train


def layout_of(counts, **parameters):
    parameters = TrainingParameters(**parameters)
    keep = keep_thresholds(counts, parameters.subsample)
    return choose_layout(int(np.sum(counts)), np.asarray(counts), keep, parameters)


ZIPF = (10**6 / np.arange(1, 30_001)).astype(np.int64)


# --- Layout


def test_a_round_meets_on_the_same_word_no_more_often_than_trains_well():
    layout = layout_of(ZIPF, subsample=0)
    share = ZIPF / ZIPF.sum()
    collisions = layout.n_shards * layout.shard_tokens * np.sum(share**2)
    assert 0.5 * MAX_COLLISIONS < collisions <= MAX_COLLISIONS


def test_a_few_words_are_left_with_one_shard():
    assert layout_of([500] * 20, subsample=0).n_shards == 1


def test_rounds_shrink_as_steps_grow():
    def round_tokens(**parameters):
        layout = layout_of(ZIPF, **parameters)
        return layout.n_shards * layout.shard_tokens

    usual = round_tokens()
    assert round_tokens(learning_rate=0.05) < usual
    assert round_tokens(window=10) < usual
    assert round_tokens(dynamic_window=False) < usual
    assert round_tokens(n_negatives=20) < usual
    # A lower rate is no reason for larger rounds: their bound was found at the usual one.
    assert round_tokens(learning_rate=0.01) == usual


def test_a_large_vocabulary_trains_in_full_rounds():
    assert layout_of(np.full(10**5, 50), subsample=0).n_shards == 16


def test_contexts_train_in_smaller_groups_at_higher_rates():
    sizes = [layout_of(ZIPF, learning_rate=rate).group_size for rate in (0.001, 0.025, 0.1, 1.0)]
    assert sizes == [_kernels.MAX_GROUP, 16, 4, 1]


def test_the_noise_pool_grows_with_the_work_of_its_shard_and_not_beyond():
    assert 32 <= layout_of(ZIPF).pool_size < 50
    assert layout_of([500] * 20, window=1).pool_size == 32
    assert layout_of(ZIPF, n_negatives=50).pool_size >= 50
    wide = layout_of(ZIPF, window=100)
    assert 50 < wide.pool_size <= wide.shard_tokens * 5


# --- Learning rates


@pytest.mark.parametrize("minimum", [0.0, 1e-4, 0.025])
def test_rates_are_the_references(minimum):
    parameters = TrainingParameters(learning_rate=0.025, min_learning_rate=minimum, max_iter=3)
    rates = np.concatenate([learning_rates(7, epoch, parameters) for epoch in range(3)])
    expected = [round_learning_rate(0.025, minimum, number, 21) for number in range(21)]
    assert rates.dtype == np.float32
    np.testing.assert_array_equal(rates, np.float32(expected))


# --- Rows


@pytest.mark.parametrize(("n_rows", "n_columns"), [(1, 1), (5, 16), (5, 17), (9000, 100)])
def test_rows_are_aligned_and_compact_in_place(n_rows, n_columns):
    rows = Rows(n_rows, n_columns)
    assert rows.padded.ctypes.data % 64 == 0
    assert rows.padded.strides[0] % 64 == 0
    expected = np.arange(n_rows * n_columns, dtype=np.float32).reshape(n_rows, n_columns)
    rows.padded[:] = np.nan
    rows.padded[:, :n_columns] = expected
    compacted = rows.compacted(n_columns)
    np.testing.assert_array_equal(compacted, expected)
    assert compacted.flags.c_contiguous
    assert compacted.base.nbytes == expected.nbytes


def test_vectors_start_alike_however_many_rows_are_filled_at_once(monkeypatch):
    # Documents of one token: nothing is trained.
    corpus = Corpus(np.arange(50, dtype=np.int32), np.arange(51))
    parameters = TrainingParameters(n_components=5, max_iter=1, seed=3)
    at_once = train(corpus, np.ones(50), parameters, n_threads=2)
    monkeypatch.setattr("skw2v._trainer.FLOATS_PER_INIT", 7 * 16)
    in_pieces = train(corpus, np.ones(50), parameters, n_threads=2)
    np.testing.assert_array_equal(at_once.input_vectors, initial_input_vectors(50, 5, 3))
    np.testing.assert_array_equal(in_pieces.input_vectors, at_once.input_vectors)


# --- The number of threads


def run(team, speed_of, seconds, call=0.1):
    """Let the team work for so long; returns the seconds spent at each number of threads."""
    spent = {}
    while seconds > 0:
        n_threads = team.n_threads
        length = call / 4 if team.on_trial else call
        team.report(speed_of(n_threads), length)
        spent[n_threads] = spent.get(n_threads, 0.0) + length
        seconds -= length
    return spent


def test_an_idle_machine_gets_all_threads_almost_all_the_time():
    spent = run(Team(8), lambda n_threads: 100.0 * n_threads, 60)
    assert spent[8] > 0.99 * sum(spent.values())


def test_a_busy_machine_gets_the_number_that_is_fastest():
    team = Team(8)
    run(team, lambda n_threads: 100.0 / n_threads, 20)
    assert run(team, lambda n_threads: 100.0 / n_threads, 10)[1] > 8


def test_threads_come_back_when_the_machine_is_free_again():
    team = Team(8)
    run(team, lambda n_threads: 100.0 / n_threads, 20)
    run(team, lambda n_threads: 100.0 * n_threads, 60)
    assert run(team, lambda n_threads: 100.0 * n_threads, 10)[8] > 8


def test_a_sudden_slowdown_is_looked_into_at_once():
    team = Team(2)
    run(team, lambda n_threads: 100.0 * n_threads, 30)
    assert 1 in run(team, lambda n_threads: 10.0, 0.5)


def test_calls_too_short_to_judge_change_nothing():
    team = Team(2)
    for speed in (100.0, 10.0, 1.0):  # the first rounds of a run, one or two a call
        team.report(speed, 0.001)
        assert team.n_threads == 2


def test_a_team_of_one_stays():
    assert set(run(Team(1), lambda n_threads: 1.0, 10)) == {1}


def test_a_team_never_grows_beyond_what_was_asked_for():
    assert max(run(Team(6), lambda n_threads: 100.0 / n_threads, 60)) == 6
    assert max(run(Team(3), lambda n_threads: 100.0 * n_threads, 60)) == 3
