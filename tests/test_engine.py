"""The engine held to the reference: what it trains, in which order, and what comes out of it."""

import dataclasses
from collections import Counter
from functools import cache
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skw2v import _kernels, _trainer, _training
from skw2v._corpus import Corpus
from skw2v._layout import Layout, choose_layout
from skw2v._parameters import BIASED_LOSSES, TrainingParameters
from skw2v._reference import initial_input_vectors, noise_pool, training_pairs, training_windows
from skw2v._reference_training import (
    n_rounds_per_epoch,
    owned_positions,
    round_learning_rate,
    train_reference,
)
from skw2v._sampling import alias_table, keep_thresholds, noise_probabilities

ISAS = _kernels.available_isas()
by_isa = pytest.mark.parametrize("isa", ISAS)

LOSSES = ["negative_sampling", "nce", "sampled_softmax", "hierarchical_softmax", "softmax"]
MODELS = {
    f"{architecture}, {loss}": {"architecture": architecture, "loss": loss}
    for loss in LOSSES
    for architecture in ("skipgram", "cbow")
}
MODELS |= {
    "cbow, exact": {"architecture": "cbow", "cbow_gradient": "exact"},
    "skipgram, nce without hits": {"loss": "nce", "remove_accidental_hits": True},
    "skipgram, sampled_softmax with hits": {
        "loss": "sampled_softmax",
        "remove_accidental_hits": False,
    },
    "skipgram, negative_sampling with hits": {"remove_accidental_hits": False},
    "skipgram, nce, log_uniform": {"loss": "nce", "noise": "log_uniform"},
}
by_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


# --- The one place that knows how to make an engine, a layout, a set of parameters.


def make_layout(n_shards, shard_tokens, pool_size=16, group_size=_kernels.MAX_GROUP):
    return Layout(
        n_shards=n_shards, shard_tokens=shard_tokens, pool_size=pool_size, group_size=group_size
    )


def make_parameters(**changes):
    defaults = {"n_components": 20, "window": 4, "subsample": 0.0, "max_iter": 1, "seed": 7}
    return TrainingParameters(**(defaults | changes))


class Text(NamedTuple):
    corpus: Corpus
    counts: np.ndarray

    @property
    def n_tokens(self):
        return self.corpus.n_tokens


def make_text(documents, n_words=None):
    token_ids = np.concatenate([*documents, []]).astype(np.int32)
    offsets = np.cumsum([0, *map(len, documents)], dtype=np.int64)
    return Text(Corpus(token_ids, offsets), np.bincount(token_ids, minlength=n_words or 0))


def alias_table_of(text, parameters):
    return alias_table(
        noise_probabilities(text.counts, parameters.noise, parameters.noise_exponent)
    )


def make_engine(text, parameters, layout, stride=None, **changes):
    """An engine on fresh matrices, and the matrices."""
    biased = parameters.loss in BIASED_LOSSES
    n_outputs = len(text.counts) - (parameters.loss == "hierarchical_softmax")
    n_columns = parameters.n_components + biased
    stride = stride or -(-n_columns // 16) * 16
    matrices = np.zeros((2, len(text.counts), stride), dtype=np.float32)
    _kernels.init_vectors(*matrices, parameters.n_components, parameters.seed, 1, 0, biased)
    keep_threshold = keep_thresholds(text.counts, parameters.subsample)
    arguments = {
        name: getattr(parameters, name)
        for name in ("seed", "architecture", "cbow_gradient", "window", "dynamic_window")
    }
    arguments |= dataclasses.asdict(layout)
    arguments |= _trainer.word_objective(text.counts, keep_threshold, parameters, layout)
    arguments |= changes
    corpus = text.corpus
    engine = _kernels.Engine(
        corpus.token_ids,
        corpus.document_offsets,
        keep_threshold,
        matrices[0],
        matrices[1, :n_outputs],
        **arguments,
    )
    return engine, matrices


def train(text, parameters, layout, *, n_threads=1, isa=None):
    return _training.train(
        text.corpus, text.counts, parameters, n_threads=n_threads, layout=layout, isa=isa
    )


def train_by_reference(text, parameters, layout):
    return train_reference(
        text.corpus.token_ids,
        text.corpus.document_offsets,
        text.counts,
        parameters,
        cbow_gradient=parameters.cbow_gradient,
        **dataclasses.asdict(layout),
    )


def zipf_documents(sizes, n_words=30, seed=0):
    rng = np.random.default_rng(seed)
    return [(rng.zipf(1.3, size=size) - 1) % n_words for size in sizes]


def result_bytes(vectors):
    return (
        vectors.input_vectors.tobytes(),
        vectors.output_vectors.tobytes(),
        vectors.output_bias.tobytes(),
        np.asarray(vectors.loss_curve).tobytes(),
    )


# --- What is trained


LAYOUTS = [(1, 10_000), (1, 7), (3, 5), (8, 1), (16, 8), (50, 100), (_kernels.MAX_SHARDS, 2)]
TEXTS = {
    "empty documents": (zipf_documents([0, 40, 0, 0, 25, 1, 0, 0, 60, 0]), {}),
    "one-token documents": (zipf_documents([1] * 50 + [2] + [1] * 50), {}),
    "a document longer than any shard": (zipf_documents([3, 400, 2]), {}),
    "one document": (zipf_documents([257]), {"window": 9}),
    "heavy subsampling": (zipf_documents([90, 0, 300, 5, 8]), {"subsample": 1e-3}),
    "everything dropped": ([[0] * 300, [0] * 20], {"subsample": 1e-9}),
    "windows wider than documents": (zipf_documents([1, 2, 5, 3, 6] * 8), {"window": 30}),
    "windows wider than shards": (zipf_documents([150, 40]), {"window": 25, "subsample": 0.05}),
    "fixed windows": (zipf_documents([120, 3, 1, 70]), {"dynamic_window": False}),
    "one token": ([[0]], {}),
    "one word": ([[0] * 100], {}),
}


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
@pytest.mark.parametrize(("documents", "changes"), TEXTS.values(), ids=TEXTS)
def test_pairs_and_noise_are_the_reference_round_by_round(documents, changes, layout):
    text, parameters = make_text(documents), make_parameters(**changes)
    n_shards, shard_tokens = layout
    layout = make_layout(n_shards, shard_tokens)
    noise_table = alias_table_of(text, parameters)
    engine, _ = make_engine(text, parameters, layout)
    assert engine.n_rounds == n_rounds_per_epoch(text.n_tokens, n_shards, shard_tokens)
    for epoch in (0, 1, 4):
        pairs_of = pairs_by_position(text, parameters, epoch)
        engine.start_epoch(epoch)
        for round_index in range(engine.n_rounds):
            for shard, (centers, contexts, pool) in enumerate(engine.planned()):
                owned = owned_positions(text.n_tokens, n_shards, shard_tokens, round_index, shard)
                expected = [pair for position in owned for pair in pairs_of.get(position, ())]
                assert list(zip(centers, contexts, strict=True)) == expected
                if expected:  # without pairs the pool is not needed, and may not have been drawn
                    number = round_index * n_shards + shard
                    noise = noise_pool(*noise_table, parameters.seed, epoch, number, 16)
                    assert pool == noise.tolist()
            engine.run(np.zeros(1, dtype=np.float32), 1)
        assert not any(any(shard) for shard in engine.planned())


def pairs_by_position(text, parameters, epoch):
    """(center id, context id) of every pair of an epoch, by the center's position."""
    ids, keep = text.corpus.token_ids, keep_thresholds(text.counts, parameters.subsample)
    windows = training_windows(ids, text.corpus.document_offsets, keep, parameters, epoch)
    return {
        window.center_pos: [
            (ids[window.center_pos], context) for context in ids[window.context_pos]
        ]
        for window in windows
    }


documents_of_few_words = st.lists(
    st.lists(st.integers(0, 4), max_size=40), min_size=1, max_size=12
).filter(any)


@settings(max_examples=60)
@given(
    documents=documents_of_few_words,
    n_shards=st.integers(1, _kernels.MAX_SHARDS),
    shard_tokens=st.integers(1, 50),
    window=st.integers(1, 20),
    dynamic_window=st.booleans(),
    subsample=st.sampled_from([0.0, 0.3, 0.01]),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_pairs_of_an_epoch_are_the_same_in_any_layout(
    documents, n_shards, shard_tokens, window, dynamic_window, subsample, seed
):
    text = make_text(documents)
    parameters = make_parameters(
        window=window, dynamic_window=dynamic_window, subsample=subsample, seed=seed
    )
    engine, _ = make_engine(text, parameters, make_layout(n_shards, shard_tokens))
    engine.start_epoch(2)
    found = Counter()
    for _ in range(engine.n_rounds):
        for centers, contexts, _ in engine.planned():
            found.update(zip(centers, contexts, strict=True))
        engine.run(np.full(1, 0.025, dtype=np.float32), 2)
    expected = training_pairs(
        text.corpus.token_ids,
        text.corpus.document_offsets,
        keep_thresholds(text.counts, parameters.subsample),
        parameters,
        2,
    )
    assert found == Counter(map(tuple, expected.tolist()))
    assert engine.epoch_loss()[1] == len(expected)


# --- What comes out


class Training(NamedTuple):
    documents: list
    changes: dict
    layout: tuple = (1, 10_000)
    n_words: int | None = None


TRAININGS = {
    "sequential": Training(zipf_documents([200, 3, 0, 97]), {"max_iter": 3}),
    "shards": Training(zipf_documents([260, 1, 139]), {"max_iter": 3}, (4, 9)),
    "many shards": Training(zipf_documents([400], 300), {"max_iter": 2}, (_kernels.MAX_SHARDS, 3)),
    "subsampled": Training(
        zipf_documents([300, 200]), {"subsample": 1e-2, "window": 8, "max_iter": 2}, (3, 20)
    ),
    "fixed windows": Training(
        zipf_documents([90, 110], 100), {"dynamic_window": False, "n_components": 3}, (2, 25)
    ),
    "small groups": Training(zipf_documents([200], 60), {"window": 12}, (2, 10, 16, 3)),
    "one pair at a time": Training(zipf_documents([200], 60), {"window": 12}, (2, 10, 16, 1)),
    "groups that fill up": Training(
        zipf_documents([240], 200), {"window": 25, "dynamic_window": False}, (2, 40)
    ),
    "a pool of one window": Training(zipf_documents([250]), {"n_negatives": 7}, (3, 11, 7)),
    "a pool no multiple of a window": Training(zipf_documents([250]), {}, (3, 11, 13)),
    "many noise words": Training(zipf_documents([200]), {"n_negatives": 20}, (2, 15, 45)),
    "no min learning rate": Training(zipf_documents([200]), {"min_learning_rate": 0.0}, (2, 15)),
    "noise of one word": Training(
        [[0, 1] + [0] * 40 + [1, 0, 2]], {"n_negatives": 200, "noise_exponent": 2.0}, (1, 9, 200)
    ),
    # Noise that repeats, noise equal to the center, contexts equal to each other and the center.
    "one word": Training([[0] * 60], {"max_iter": 2, "window": 10}),
    "two words": Training(zipf_documents([150], 2), {"max_iter": 2, "window": 7}, (2, 6)),
    "five words": Training(zipf_documents([200, 20], 5), {"max_iter": 3, "window": 9}, (3, 7)),
    "a run of one word": Training(
        [np.concatenate([*zipf_documents([40]), [3] * 80, *zipf_documents([40], seed=1)])],
        {"window": 10},
        (2, 12),
    ),
    "words that never occur": Training(zipf_documents([100]), {"max_iter": 2}, (2, 9), 40),
    "nothing kept": Training([[0] * 50], {"subsample": 1e-9, "max_iter": 2}, (2, 9)),
    "one token": Training([[], [0], []], {"max_iter": 2}),
}


def prepare(name, model):
    case = TRAININGS[name]
    # A rate above the default: more is learned, and what goes wrong shows.
    parameters = make_parameters(**({"learning_rate": 0.05} | case.changes | model))
    return make_text(case.documents, case.n_words), parameters, make_layout(*case.layout)


@cache
def expected_vectors(name, model):
    return train_by_reference(*prepare(name, dict(model)))


@by_isa
@by_model
@pytest.mark.parametrize("name", TRAININGS)
def test_training_is_the_reference(name, model, isa):
    """Whole runs: vectors and loss curve.

    Each of some thousand steps on a row adds a rounding (6e-8 of entries up to 2), and later steps
    enlarge it where a rate of 0.05 overshoots. The largest error seen is 1.5e-5; one pair too many
    or too few moves entries by 6e-4 even at the start, when they are smallest (0.05 x 0.5 x 0.025).
    The loss is a mean over many pairs, gathered in float64; the largest error seen is 2e-6, where
    five words overshoot. A pair too many would show as 1e-4.
    """
    expected = expected_vectors(name, tuple(model.items()))
    found = train(*prepare(name, model), isa=isa)
    for matrix in ("input_vectors", "output_vectors", "output_bias"):
        array = getattr(found, matrix)
        assert array.dtype == np.float32
        np.testing.assert_allclose(array, getattr(expected, matrix), rtol=0, atol=5e-5)
    np.testing.assert_allclose(found.loss_curve, expected.loss_curve, rtol=5e-6, atol=0)
    assert found.n_iter == len(found.loss_curve)


@pytest.mark.parametrize("max_iter", [1, 3, 7])
@pytest.mark.parametrize("n_rounds", [1, 2, 13, 1000])
@pytest.mark.parametrize("rates", [(0.025, 1e-4), (0.1, 0.0), (0.05, 0.05)])
def test_learning_rates_are_the_reference(max_iter, n_rounds, rates):
    parameters = make_parameters(
        max_iter=max_iter, learning_rate=rates[0], min_learning_rate=rates[1]
    )
    found = [_training.learning_rates(n_rounds, epoch, parameters) for epoch in range(max_iter)]
    total = max_iter * n_rounds
    expected = [round_learning_rate(*rates, index, total) for index in range(total)]
    # To the last bit of float32: the two may order their products differently.
    np.testing.assert_allclose(np.concatenate(found), expected, rtol=1.2e-7, atol=1e-12)
    assert found[0].dtype == np.float32


def test_every_epoch_reports_its_own_loss():
    told = []
    text, parameters = make_text(zipf_documents([300])), make_parameters(max_iter=4)
    found = _training.train(
        text.corpus,
        text.counts,
        parameters,
        n_threads=2,
        layout=make_layout(2, 40),
        on_epoch=told.append,
    )
    assert [report.epoch for report in told] == [0, 1, 2, 3]
    assert [report.loss for report in told] == found.loss_curve.tolist()
    assert all(report.words_per_second > 0 for report in told)


# --- The same bits


@pytest.fixture(scope="module")
def long_text():
    """Some 12,000 tokens: frequent words that all shards share, rare ones that none share."""
    return make_text(zipf_documents([0, 5000, 1, 3, 6500, 0, 700], n_words=400))


LONG_LAYOUTS = [make_layout(16, 64), make_layout(5, 33), make_layout(_kernels.MAX_SHARDS, 16)]


@by_isa
@by_model
@pytest.mark.parametrize("layout", LONG_LAYOUTS, ids=str)
def test_same_bits_at_any_number_of_threads(long_text, layout, model, isa):
    parameters = make_parameters(max_iter=2, subsample=1e-2, **model)
    one, *others = (
        result_bytes(train(long_text, parameters, layout, n_threads=n, isa=isa))
        for n in (1, 2, 3, 8)
    )
    for other in others:
        assert other == one


@by_model
@pytest.mark.parametrize("calls", [[1], [7, 1, 3], [0, 50, 0]], ids=str)
def test_same_bits_however_the_rounds_are_divided_into_calls(long_text, model, calls):
    parameters, layout = make_parameters(subsample=1e-2, **model), LONG_LAYOUTS[1]
    results = []
    for sizes in ([10**6], calls):
        engine, matrices = make_engine(long_text, parameters, layout)
        losses = []
        for epoch in range(2):
            engine.start_epoch(epoch)
            rates = np.linspace(0.05, 0.01, engine.n_rounds, dtype=np.float32)
            done = turn = 0
            while done < engine.n_rounds:
                chunk = rates[done : done + sizes[turn % len(sizes)]]
                engine.run(chunk, 1 + turn % 3)
                done += len(chunk)
                turn += 1
            losses.append(engine.epoch_loss())
        results.append((matrices.tobytes(), losses))
    assert results[0] == results[1]


@pytest.mark.skipif(not {"avx2", "avx512"} <= {*ISAS}, reason="needs AVX2 and AVX-512")
@by_model
@pytest.mark.parametrize("n_components", [1, 3, 15, 16, 17, 31, 32, 33, 64, 65, 97, 100, 300])
def test_same_bits_on_avx2_and_avx512(long_text, model, n_components):
    parameters = make_parameters(
        n_components=n_components, subsample=1e-2, n_negatives=8, learning_rate=0.05, **model
    )
    narrow, wide = (
        result_bytes(train(long_text, parameters, LONG_LAYOUTS[0], isa=isa))
        for isa in ("avx2", "avx512")
    )
    assert narrow == wide


@by_isa
@by_model
def test_the_padding_of_rows_stays_zero(model, isa):
    text, parameters = make_text(zipf_documents([500])), make_parameters(n_components=17, **model)
    engine, matrices = make_engine(text, parameters, make_layout(4, 20), stride=48, isa=isa)
    engine.start_epoch(0)
    engine.run(np.full(engine.n_rounds, 0.05, dtype=np.float32), 2)
    if parameters.loss in BIASED_LOSSES:
        assert (matrices[0, :, 17] == 1.0).all()
        assert matrices[1, :, 17].any()
        matrices[:, :, 17] = 0.0
    assert matrices[1, :, :17].any()
    assert not matrices[:, :, 17:].any()


def test_words_that_never_come_up_keep_their_vectors():
    text, parameters = make_text([[0, 1, 0, 1, 1]], n_words=4), make_parameters()
    found = train(text, parameters, make_layout(1, 3))
    start = initial_input_vectors(4, parameters.n_components, parameters.seed)
    assert found.input_vectors[2:].tobytes() == start[2:].tobytes()
    assert not found.output_vectors[2:].any()
    assert found.output_vectors[:2].any()


# --- The layout that training chooses


@settings(max_examples=100)
@given(
    counts=st.lists(st.integers(0, 10**6), min_size=1, max_size=30).filter(any),
    window=st.integers(1, 200),
    n_negatives=st.integers(1, 100),
    subsample=st.sampled_from([0.0, 1e-3, 1e-9]),
    learning_rate=st.floats(1e-6, 10.0),
    dynamic_window=st.booleans(),
)
def test_the_chosen_layout_is_one_the_engine_runs(counts, subsample, **changes):
    parameters = make_parameters(subsample=subsample, **changes)
    counts = np.array(counts)
    keep = keep_thresholds(counts, subsample)
    layout = choose_layout(counts.sum(), counts, keep, parameters)
    engine, _ = make_engine(make_text([[0, 1, 1, 0]]), parameters, layout)
    assert engine.n_rounds >= 1


def test_training_takes_the_chosen_layout_where_none_is_given(long_text):
    parameters = make_parameters()
    keep = keep_thresholds(long_text.counts, parameters.subsample)
    layout = choose_layout(long_text.n_tokens, long_text.counts, keep, parameters)
    found, expected = (train(long_text, parameters, choice) for choice in (None, layout))
    assert result_bytes(found) == result_bytes(expected)


# --- Errors


def test_more_rounds_than_the_epoch_has_are_refused():
    text, layout = make_text(zipf_documents([100])), make_layout(2, 10)
    engine, matrices = make_engine(text, make_parameters(), layout)
    engine.start_epoch(0)
    assert engine.n_rounds == 5
    engine.run(np.full(3, 0.05, dtype=np.float32), 1)
    before, planned = matrices.tobytes(), engine.planned()
    with pytest.raises(ValueError, match="3 rounds from round 3 are more than 5"):
        engine.run(np.full(3, 0.05, dtype=np.float32), 1)
    assert (matrices.tobytes(), engine.planned()) == (before, planned)
    engine.run(np.full(2, 0.05, dtype=np.float32), 1)
    with pytest.raises(ValueError, match="1 rounds from round 5"):
        engine.run(np.full(1, 0.05, dtype=np.float32), 1)
    engine.start_epoch(1)
    engine.run(np.full(5, 0.05, dtype=np.float32), 1)


@by_model
def test_an_epoch_may_be_left_and_begun_again(model):
    text, parameters, layout = (
        make_text(zipf_documents([400])),
        make_parameters(**model),
        LONG_LAYOUTS[1],
    )
    results = []
    for left in (False, True):
        engine, matrices = make_engine(text, parameters, layout)
        if left:
            engine.start_epoch(0)
        engine.start_epoch(1)
        engine.run(np.full(engine.n_rounds, 0.05, dtype=np.float32), 1)
        results.append((matrices.tobytes(), engine.epoch_loss()))
    assert results[0] == results[1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_shards": 0}, "n_shards=0"),
        ({"n_shards": _kernels.MAX_SHARDS + 1}, f"n_shards={_kernels.MAX_SHARDS + 1}"),
        ({"group_size": 0}, "group_size=0"),
        ({"group_size": _kernels.MAX_GROUP + 1}, f"group_size={_kernels.MAX_GROUP + 1}"),
        ({"shard_tokens": 0}, "shard_tokens=0"),
        ({"pool_size": 4}, "pool_size=4, n_negatives=5"),
        ({"stride": 20}, "20"),
        ({"isa": "sse9"}, "sse9.*baseline"),
        ({"pool_size": 0, "n_negatives": 0}, "pool_size=0, has_noise="),
        ({"bias_column": 32}, "bias_column=32"),
        ({"loss": "hierarchical_softmax"}, "with no paths"),
        ({"offsets": np.zeros(3, np.float32)}, "offsets has 3 entries, expected"),
        ({"loss": "softmax"}, r"hot_rows=\(0, 0\)"),
        ({"hot_rows": (3, 99)}, r"hot_rows=\(3, 99\)"),
    ],
    ids=str,
)
def test_what_the_kernels_cannot_run_is_refused(changes, message):
    text, layout = make_text(zipf_documents([100])), make_layout(2, 10)
    with pytest.raises(ValueError, match=message):
        make_engine(text, make_parameters(), layout, **changes)
