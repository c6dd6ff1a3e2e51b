"""The engine on documents and their classes, held to the reference; and its bits."""

from collections.abc import Mapping
from functools import cache, partial
from itertools import pairwise
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skw2v import _kernels
from skw2v._classifier_fitting import _draw
from skw2v._corpus import Corpus
from skw2v._document_trainer import DocumentTrainer, DrawnDocuments, Labels, shares
from skw2v._layout import Layout, choose_document_layout
from skw2v._ngrams import make_ngrams, with_ngrams
from skw2v._parameters import BIASED_LOSSES, TrainingParameters
from skw2v._reference_classifier import (
    document_order,
    document_shares,
    initial_classifier,
    train_classifier,
)
from skw2v._training import learning_rates
from skw2v._transfer import StartingRows

ISAS = _kernels.available_isas()
by_isa = pytest.mark.parametrize("isa", ISAS)
MODELS = {
    "softmax": {"loss": "softmax"},
    "ova": {"loss": "ova"},
    "nce": {"loss": "nce"},
    "nce without hits": {"loss": "nce", "remove_accidental_hits": True},
    "nce, log_uniform": {"loss": "nce", "noise": "log_uniform"},
    "sampled_softmax": {"loss": "sampled_softmax"},
    "sampled_softmax with hits": {"loss": "sampled_softmax", "remove_accidental_hits": False},
    "hierarchical_softmax": {"loss": "hierarchical_softmax"},
}
by_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


class Case(NamedTuple):
    """Documents by their lengths; those of a class have some words of their own."""

    lengths: list
    n_classes: int = 3
    layout: tuple = (1, 10_000)
    changes: Mapping = MappingProxyType({})
    n_inputs: int = 40
    n_epochs: int = 2


def short(n, seed=0):
    return np.random.default_rng(seed).integers(1, 12, size=n).tolist()


CASES = {
    "sequential": Case(short(40)),
    "one shard in short rounds": Case(short(40), layout=(1, 9), n_epochs=3),
    "shards that share all classes": Case(short(60), layout=(4, 12), n_epochs=3),
    "shards that share few of many classes": Case(short(60), 200, (8, 12)),
    "most shards": Case(short(150), 5, (_kernels.MAX_SHARDS, 3)),
    "a share for every token": Case(short(25), 4, (7, 1)),
    "two classes": Case(short(40), 2, (4, 10)),
    "more classes than rows": Case(short(50), 70, (4, 20), n_inputs=5),
    "one row": Case(short(20), 3, (3, 10), n_inputs=1),
    "long documents beside short ones": Case([1, 300, 2, 1, 1, 150, 3, 1] * 2, 3, (4, 40)),
    "documents longer than a shard": Case([30, 41, 37, 29, 55, 33], 3, (3, 10)),
    "empty documents": Case([0, 5, 0, 0, 7, 3, 0, 9, 1, 0] * 3, 4, (4, 11)),
    "one document": Case([23], 3, (4, 10)),
    "a pool of one document's noise": Case(short(40), 9, (3, 30, 7), {"n_negatives": 7}),
    "a pool no multiple of it": Case(short(60), 9, (3, 50, 13)),
    "whole blocks of columns": Case(short(40), 17, (4, 12), {"n_components": 15}),
    "a lone column": Case(short(40), 3, (4, 12), {"n_components": 1}),
    "curvature in a block of its own": Case(short(40), 3, (4, 12), {"n_components": 16}),
    "a high rate": Case(short(60), 3, (8, 10), {"learning_rate": 1.2}),
    "frozen rows": Case(short(60), 3, (4, 12), {"trainable": "new"}),
    "frozen rows, many classes": Case(short(60), 90, (4, 12), {"trainable": "new"}, 12),
    "a frozen table": Case(short(60), 3, (4, 12), {"trainable": "none"}),
    "a frozen table, one shard": Case(short(60), 3, (1, 12), {"trainable": "none"}),
}


class Text(NamedTuple):
    documents: list
    classes: list  # of lists
    n_inputs: int
    n_classes: int
    orders: list

    @property
    def lengths(self):
        return np.array([len(rows) for rows in self.documents], dtype=np.int64)

    @property
    def corpus(self):
        ids = np.concatenate([*self.documents, []]).astype(np.int32)
        return Corpus(ids, np.append(0, np.cumsum(self.lengths)).astype(np.int64))

    @property
    def labels(self):
        flat = np.concatenate([*self.classes, []]).astype(np.int32)
        counts = np.bincount(flat, minlength=self.n_classes).astype(np.float64)
        offsets = np.append(0, np.cumsum([*map(len, self.classes)])).astype(np.int64)
        return Labels(offsets, flat, counts, float(len(self.documents)))


def make_text(case, loss):
    """Under "ova" documents have none to three classes, else one; some are drawn twice."""
    rng = np.random.default_rng(1)
    documents, classes = [], []
    for length in case.lengths:
        of_document = rng.integers(0, case.n_classes, size=1).tolist()
        own = (7 * of_document[0] + rng.integers(0, 3, size=length)) % case.n_inputs
        common = rng.integers(0, case.n_inputs, size=length)
        documents.append(np.where(rng.random(length) < 0.6, own, common))
        if loss == "ova":
            n = rng.integers(0, min(4, case.n_classes + 1))
            of_document = sorted(rng.choice(case.n_classes, size=n, replace=False).tolist())
        classes.append(of_document)
    there = np.flatnonzero(case.lengths)
    drawn = np.concatenate([there, there[::5]])
    orders = [document_order(drawn, 7, epoch) for epoch in range(case.n_epochs)]
    return Text(documents, classes, case.n_inputs, case.n_classes, orders)


def make_parameters(case, model):
    return TrainingParameters(
        **{
            "architecture": "document",
            "n_components": 20,
            "learning_rate": 0.7,
            "n_negatives": 4,
            "seed": 7,
            "max_iter": case.n_epochs,
        }
        | dict(case.changes)
        | model
    )


def make_layout(n_shards, shard_tokens, pool_size=16):
    return Layout(n_shards, shard_tokens, pool_size, 1)


def rows_to_start_from(text, parameters):
    """Every second row is given, where only new ones are trained; and the reference's start."""
    start = initial_classifier(
        text.n_inputs, text.labels.counts.astype(int), len(text.documents), parameters
    )
    known = np.arange(text.n_inputs) % 2 == 0
    matrix = np.random.default_rng(3).normal(size=start.input_vectors.shape).astype(np.float32)
    start.input_vectors[known] = matrix[known]
    start.output_vectors[:] = 0.0
    return StartingRows(known, matrix[known], None, None), start


def train(text, parameters, layout, *, n_threads=1, isa=None):
    init = None
    if parameters.trainable != "all":
        init, _ = rows_to_start_from(text, parameters)
    trainer = DocumentTrainer(
        text.corpus,
        text.labels,
        text.n_inputs,
        parameters,
        n_threads=n_threads,
        init=init,
        layout=layout,
        isa=isa,
    )
    for epoch, order in enumerate(text.orders):
        drawn = DrawnDocuments(np.ascontiguousarray(order, dtype=np.int64), text.lengths[order])
        trainer.run_epoch(drawn, partial(learning_rates, epoch=epoch, parameters=parameters))
    return trainer.finish()


def train_by_reference(text, parameters, layout):
    start, frozen = None, ()
    if parameters.trainable != "all":
        _, start = rows_to_start_from(text, parameters)
        frozen = range(0, text.n_inputs, 1 if parameters.trainable == "none" else 2)
    return train_classifier(
        text.documents,
        text.classes,
        text.n_inputs,
        text.n_classes,
        parameters,
        text.orders,
        layout,
        start,
        list(frozen),
    )


@cache
def expected_of(name, model):
    case, model = CASES[name], dict(model)
    text = make_text(case, model["loss"])
    return train_by_reference(text, make_parameters(case, model), make_layout(*case.layout))


@by_isa
@by_model
@pytest.mark.parametrize("name", CASES)
def test_training_is_the_reference(name, model, isa):
    case = CASES[name]
    text, parameters = make_text(case, model["loss"]), make_parameters(case, model)
    expected = expected_of(name, tuple(model.items()))
    found = train(text, parameters, make_layout(*case.layout), isa=isa)
    for matrix in ("input_vectors", "output_vectors", "output_bias"):
        array, of_reference = getattr(found, matrix), getattr(expected, matrix)
        assert array.dtype == np.float32
        assert array.shape == of_reference.shape
        size = np.abs(of_reference).max(initial=1.0)
        np.testing.assert_allclose(array, of_reference, rtol=5e-5, atol=5e-5 * size)
    np.testing.assert_allclose(found.loss_curve, expected.loss_curve, rtol=3e-5)
    assert found.n_iter == case.n_epochs


# --- The same bits


@pytest.fixture(scope="module")
def long_cases():
    """Some hundred documents: words that all shards share, and words that none do."""
    lengths = np.random.default_rng(0).integers(0, 25, size=250).tolist()
    return [
        Case([*lengths, 900], 4, (8, 40), n_inputs=2000),
        Case([*lengths, 900], 500, (16, 30), {"trainable": "new"}, 2000),
    ]


def result_bytes(trained):
    arrays = trained.input_vectors, trained.output_vectors, trained.output_bias, trained.loss_curve
    return [array.tobytes() for array in arrays]


def trained_case(case, model, **how):
    text, parameters = make_text(case, model["loss"]), make_parameters(case, model)
    return result_bytes(train(text, parameters, make_layout(*case.layout), **how))


@by_isa
@by_model
def test_same_bits_at_any_number_of_threads(long_cases, model, isa):
    for case in long_cases:
        text, parameters = make_text(case, model["loss"]), make_parameters(case, model)
        layout = make_layout(*case.layout)
        one, *others = (
            result_bytes(train(text, parameters, layout, n_threads=n, isa=isa))
            for n in (1, 2, 3, 8)
        )
        assert all(other == one for other in others)


@pytest.mark.skipif(not {"avx2", "avx512"} <= {*ISAS}, reason="needs AVX2 and AVX-512")
@by_model
@pytest.mark.parametrize("n_components", [1, 14, 15, 16, 17, 31, 100])
def test_same_bits_on_avx2_and_avx512(model, n_components):
    case = Case(short(200), 19, (8, 20), {"n_components": n_components})
    narrow, wide = (trained_case(case, model, isa=isa) for isa in ("avx2", "avx512"))
    assert narrow == wide


@by_model
def test_a_training_that_goes_on_has_the_bits_of_one_that_was_not_interrupted(model):
    case = Case(short(60), 5, (4, 12), n_epochs=3)
    text, parameters = make_text(case, model["loss"]), make_parameters(case, model)
    trained = None
    for epoch, order in enumerate(text.orders):
        trainer = DocumentTrainer(
            text.corpus,
            text.labels,
            text.n_inputs,
            parameters,
            n_threads=1,
            start=trained,
            layout=make_layout(*case.layout),
        )
        drawn = DrawnDocuments(order, text.lengths[order])
        trainer.run_epoch(drawn, partial(learning_rates, epoch=epoch, parameters=parameters))
        trained = trainer.finish()
    assert result_bytes(trained) == trained_case(case, model)


# --- What stays


@by_isa
@by_model
def test_the_own_columns_of_input_rows_stay(model, isa):
    """Padding and curvature 0, the bias's partner 1; the padding of output rows 0."""
    case = Case(short(80), 5, (4, 12), {"n_components": 13})
    text, parameters = make_text(case, model["loss"]), make_parameters(case, model)
    trainer = DocumentTrainer(
        text.corpus,
        text.labels,
        text.n_inputs,
        parameters,
        n_threads=2,
        layout=make_layout(*case.layout),
        isa=isa,
    )
    order = text.orders[0]
    trainer.run_epoch(
        DrawnDocuments(order, text.lengths[order]), lambda n: np.full(n, 0.5, np.float32)
    )
    is_biased = parameters.loss in BIASED_LOSSES
    input_rows, output_rows = trainer._trained_rows
    assert (input_rows[:, 13] == is_biased).all()
    assert not input_rows[:, 13 + is_biased :].any()
    assert output_rows[:, : 13 + is_biased].any()
    assert not output_rows[:, 14 + is_biased :].any()


@by_model
def test_rows_without_documents_and_frozen_ones_keep_their_bits(model):
    for trainable, stay in (("all", slice(40, 50)), ("new", slice(0, 50, 2)), ("none", slice(50))):
        case = Case(short(60), 5, (4, 12), {"trainable": trainable}, n_inputs=50)
        text = make_text(case, model["loss"])
        parameters = make_parameters(case, model)
        text = text._replace(documents=[rows % 40 for rows in text.documents])
        found = train(text, parameters, make_layout(*case.layout))
        _, start = rows_to_start_from(text, parameters)
        if trainable == "all":
            start = initial_classifier(50, text.labels.counts, len(text.documents), parameters)
        expected = start.input_vectors.astype(np.float32)
        assert found.input_vectors[stay].tobytes() == expected[stay].tobytes()
        assert trainable == "none" or (found.input_vectors != expected).any()


@by_model
def test_an_epoch_without_documents_is_one_all_the_same(model):
    case = Case([3, 0], 3)
    text, parameters = make_text(case, model["loss"]), make_parameters(case, model)
    text = text._replace(orders=[np.array([], dtype=np.int64)] * 2)
    found = train(text, parameters, make_layout(*case.layout))
    assert found.loss_curve.tolist() == [0.0, 0.0]
    lengths = np.linalg.norm(found.output_vectors, axis=1)
    np.testing.assert_allclose(lengths, 4.0, rtol=0.8)  # as they have started


# --- Rows of n-grams are rows like others


@by_model
def test_n_grams_train_as_in_the_reference(model):
    text = make_text(Case(short(50), 3), model["loss"])
    ngrams = make_ngrams(text.corpus, text.n_inputs, (1, 2), 30)
    corpus = with_ngrams(text.corpus, ngrams)
    offsets = corpus.document_offsets
    text = text._replace(
        documents=np.split(corpus.token_ids, offsets[1:-1]), n_inputs=ngrams.n_rows
    )
    parameters, layout = make_parameters(CASES["sequential"], model), make_layout(4, 20)
    found = train(text, parameters, layout)
    expected = train_by_reference(text, parameters, layout)
    np.testing.assert_allclose(found.input_vectors, expected.input_vectors, rtol=2e-5, atol=5e-5)
    assert len(found.input_vectors) == 40 + len(ngrams.buckets) > 60


# --- The order of an epoch, and its shares


def test_documents_are_drawn_as_in_the_reference():
    lengths = np.array([3, 0, 1, 2, 5])
    corpus = Corpus(np.zeros(11, np.int32), np.append(0, np.cumsum(lengths)))
    for epoch in range(3):
        drawn = _draw(corpus, None, 7, epoch)
        assert drawn.order.tolist() == document_order([0, 2, 3, 4], 7, epoch).tolist()
        assert drawn.lengths.tolist() == lengths[drawn.order].tolist()
        weighted = _draw(corpus, np.array([2.0, 5.0, 0.0, 1.0, 3.0]), 7, epoch)
        assert weighted.order.tolist() == document_order([0, 0, 3, 4, 4, 4], 7, epoch).tolist()
        assert (weighted.n_documents, weighted.n_tokens) == (6, 23)


def test_a_fractional_weight_is_drawn_anew_in_every_epoch():
    corpus = Corpus(np.zeros(200, np.int32), np.arange(201))
    counts = [np.bincount(_draw(corpus, np.full(200, 1.3), 7, e).order) for e in range(20)]
    assert {*np.concatenate(counts)} == {1, 2}
    assert abs(np.mean(counts) - 1.3) < 0.03
    assert (counts[0] != counts[1]).any()


lists_of_lengths = st.lists(st.integers(1, 50), min_size=1, max_size=60)


@given(lengths=lists_of_lengths, shard_tokens=st.integers(1, 100))
def test_shares_are_the_reference(lengths, shard_tokens):
    places = shares(np.array(lengths), shard_tokens).tolist()
    found = [[*range(*ends)] for ends in pairwise(places)]
    assert found == document_shares(range(len(lengths)), lengths, shard_tokens)


@given(lengths=lists_of_lengths, shard_tokens=st.integers(1, 100))
def test_shares_have_every_document_once_and_fit_the_engines_memory(lengths, shard_tokens):
    places = shares(np.array(lengths), shard_tokens)
    assert (places[0], places[-1]) == (0, len(lengths))
    assert (np.diff(places) > 0).all()
    tokens = np.add.reduceat(lengths, places[:-1])
    assert tokens.max() < shard_tokens + max(lengths)  # all but the last begin within a multiple
    assert np.diff(places).max() <= shard_tokens
    assert len(tokens) <= -(-sum(lengths) // shard_tokens)


@given(
    lengths=lists_of_lengths,
    learning_rate=st.floats(1e-6, 100.0),
    n_negatives=st.integers(1, 100),
)
def test_the_chosen_layout_is_one_the_engine_runs(lengths, learning_rate, n_negatives):
    parameters = TrainingParameters(
        architecture="document", learning_rate=learning_rate, n_negatives=n_negatives
    )
    layout = choose_document_layout(len(lengths), sum(lengths), parameters)
    assert 1 <= layout.n_shards <= _kernels.MAX_SHARDS
    assert layout.shard_tokens >= 1
    assert layout.pool_size >= n_negatives
    assert layout.group_size == 1


def rounds_of(n_words, learning_rate=1.0):
    """Shards, and documents of a round, where all have so many words."""
    parameters = TrainingParameters(architecture="document", learning_rate=learning_rate)
    layout = choose_document_layout(10_000, 10_000 * n_words, parameters)
    return layout.n_shards, layout.n_shards * layout.shard_tokens / n_words


def test_a_round_has_fewer_documents_at_a_higher_rate():
    assert rounds_of(128, learning_rate=0.1) == (4, 64)
    assert rounds_of(128, learning_rate=1.0) == (4, 64)
    assert rounds_of(128, learning_rate=2.0) == (4, 32)
    assert choose_document_layout(10, 100, TrainingParameters()).n_shards == 1


def test_a_round_has_more_documents_where_they_are_short():
    assert rounds_of(8) == rounds_of(16) == (4, 128)
    assert rounds_of(32) == (4, 64)
    assert rounds_of(8, learning_rate=2.0) == (4, 64)
