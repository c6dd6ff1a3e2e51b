"""Words made of parts: n-grams, composing, spreading, and training beside the reference."""

import dataclasses
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skw2v import Word2VecTransformer, _kernels, _training
from skw2v._corpus import Corpus
from skw2v._layout import Layout
from skw2v._parameters import POOLINGS, TrainingParameters, check_subword
from skw2v._reference_pooling import aggregated_residuals, nearest_clusters
from skw2v._reference_subwords import compose, fnv1a, ngrams, spread, word_parts
from skw2v._reference_training import train_reference
from skw2v._subwords import make_subwords, parts_of_unseen
from skw2v._trainer import Trainer

LOSSES = ("negative_sampling", "nce", "sampled_softmax", "hierarchical_softmax", "softmax")
WORDS = ["walk", "walks", "walked", "talk", "talks", "talked", "run", "running", "banana", "a"]
SUBWORD, N_BUCKETS = (2, 4), 50  # so few that n-grams collide


def make_parameters(**changes):
    defaults = {
        "n_components": 5,
        "window": 2,
        "n_negatives": 3,
        "subsample": 0.0,
        "learning_rate": 0.05,
        "min_learning_rate": 0.01,
        "max_iter": 2,
        "seed": 11,
        "subword": SUBWORD,
        "n_buckets": N_BUCKETS,
    }
    return TrainingParameters(**(defaults | changes))


def make_layout(n_shards, shard_tokens):
    return Layout(n_shards=n_shards, shard_tokens=shard_tokens, pool_size=8, group_size=4)


@pytest.fixture(scope="module")
def text():
    rng = np.random.default_rng(0)
    lengths = [30, 0, 1, 45, 24]
    token_ids = rng.integers(0, len(WORDS), sum(lengths)).astype(np.int32)
    corpus = Corpus(token_ids, np.cumsum([0, *lengths], dtype=np.int64))
    return corpus, np.bincount(token_ids, minlength=len(WORDS))


def train(text, parameters, layout=None, *, n_threads=1, isa=None, words=WORDS, **options):
    subwords = make_subwords(words, parameters.subword, parameters.n_buckets)
    return _training.train(
        *text,
        parameters,
        n_threads=n_threads,
        layout=layout,
        isa=isa,
        subwords=subwords,
        **options,
    )


# --- n-grams


def test_hash_has_the_published_values():
    # http://www.isthe.com/chongo/tech/comp/fnv/: the offset basis, and test vectors of FNV-1a.
    assert fnv1a("") == 0x811C9DC5
    assert fnv1a("a") == 0xE40C292C
    assert fnv1a("foobar") == 0xBF9CF968


def test_ngrams_of_the_papers_example():
    # Bojanowski et al. (2017), section 3.2: "where" with n = 3.
    assert ngrams("where", 3, 3) == ["<wh", "whe", "her", "ere", "re>"]
    assert ngrams("a", 1, 3) == ["a", "<a", "a>", "<a>"]


def test_ngrams_are_fasttexts(tmp_path):
    fasttext = pytest.importorskip("fasttext")
    words = ["walks", "a", "it", "überall", "слово", "x_1"]
    path = tmp_path / "text.txt"
    path.write_text(" ".join(words), encoding="utf-8")
    model = fasttext.train_unsupervised(
        str(path), minCount=1, dim=2, minn=3, maxn=6, bucket=1000, thread=1, verbose=0
    )
    for word in words:
        _, *theirs = model.get_subwords(word)[0]
        assert sorted(theirs) == sorted(ngrams(word, 3, 6))


@given(
    words=st.lists(st.text(max_size=9), min_size=1, max_size=6, unique=True),
    lengths=st.tuples(st.integers(1, 4), st.integers(0, 3)),
    n_buckets=st.sampled_from([1, 7, 1000, 2_000_000, 2**31 - 1]),
)
def test_parts_are_the_reference(words, lengths, n_buckets):
    if n_buckets == 2**31 - 1:
        n_buckets = 10**7
    subword = (lengths[0], sum(lengths))
    expected, used = word_parts(words, subword, n_buckets)
    subwords = make_subwords(words, subword, n_buckets)
    assert subwords.buckets.tolist() == used
    assert subwords.n_rows == len(words) + len(used)
    found = np.split(subwords.parts, subwords.part_offsets[1:-1])
    assert [rows.tolist() for rows in found] == expected


def test_lone_surrogates_are_characters_like_others():
    subwords = make_subwords(["\ud800x", "\U0001f600"], (2, 3), 1000)
    expected, _ = word_parts(["\ud800x", "\U0001f600"], (2, 3), 1000)
    assert subwords.parts.tolist() == [row for rows in expected for row in rows]


def test_unseen_words_have_the_trained_ngrams_alone():
    subwords = make_subwords(["walked", "talking"], (3, 3), 10**6)
    offsets, parts = parts_of_unseen(["talked", "xyz", ""], (3, 3), 10**6, subwords)
    assert offsets.tolist() == [0, 6, 6, 6]  # <ta tal alk lke ked ed>
    rows = {bucket: 2 + place for place, bucket in enumerate(subwords.buckets.tolist())}
    expected = sorted(rows[fnv1a(ngram) % 10**6] for ngram in ngrams("talked", 3, 3))
    assert parts.tolist() == expected


def test_rows_of_smaller_subwords_are_found_in_larger_ones():
    small = make_subwords(["walk", "talk"], (2, 3), N_BUCKETS)
    large = make_subwords(["walk", "talk", "banana"], (2, 3), N_BUCKETS, small.buckets)
    places = small.rows_in(large)
    assert places[:2].tolist() == [0, 1]
    assert (large.buckets[places[2:] - 3] == small.buckets).all()


def test_ints_have_no_ngrams():
    with pytest.raises(ValueError, match="are int; pass str tokens or set subword=None"):
        make_subwords([1, 2], (3, 6), 100)


@pytest.mark.parametrize("subword", [(3,), (0, 3), (4, 3), (3.0, 6), (True, 3), "36", [3, 4, 5]])
def test_lengths_that_make_no_sense_are_refused(subword):
    with pytest.raises(ValueError, match=r"expected the lengths .* as in \(3, 6\)"):
        check_subword(subword)


# --- Composing


@pytest.mark.parametrize("isa", _kernels.available_isas())
@pytest.mark.parametrize("stride", [16, 48, 64, 112])
def test_rows_are_composed_as_the_reference_says(stride, isa):
    rng = np.random.default_rng(stride)
    subwords = make_subwords(WORDS, SUBWORD, N_BUCKETS)
    rows = rng.normal(size=(subwords.n_rows, stride)).astype(np.float32)
    out = np.full((len(WORDS), stride), np.nan, dtype=np.float32)
    _kernels.compose(
        subwords.part_offsets, subwords.parts, rows, out, 2, bias_column=stride - 1, isa=isa
    )
    expected = compose(rows.astype(np.float64), word_parts(WORDS, SUBWORD, N_BUCKETS)[0])
    np.testing.assert_allclose(out[:, :-1], expected[:, :-1], rtol=0, atol=1e-6)
    assert (out[:, -1] == 1).all()


def test_a_word_without_parts_is_composed_of_nothing():
    out = np.ones((1, 16), dtype=np.float32)
    none = np.zeros(2, dtype=np.int64), np.zeros(0, dtype=np.int32)
    _kernels.compose(*none, np.ones((1, 16), dtype=np.float32), out, 1)
    assert not out.any()


def test_a_word_moves_by_its_change_where_it_shares_no_part():
    parts = [[0, 2, 3], [1, 4]]
    subword_vectors = np.arange(10.0).reshape(5, 2)
    before = compose(subword_vectors, parts)
    change = np.array([[1.0, -2.0], [0.5, 0.0]])
    spread(subword_vectors, parts, change)
    np.testing.assert_allclose(compose(subword_vectors, parts), before + change)


# --- Training


@pytest.mark.parametrize("isa", _kernels.available_isas())
@pytest.mark.parametrize("layout", [(1, 1), (1, 1000), (3, 7), (16, 4)], ids=str)
@pytest.mark.parametrize("architecture", ["skipgram", "cbow"])
@pytest.mark.parametrize("loss", LOSSES)
def test_trains_as_the_reference_does(text, loss, architecture, layout, isa):
    parameters = make_parameters(loss=loss, architecture=architecture)
    layout = make_layout(*layout)
    corpus, counts = text
    parts, _ = word_parts(WORDS, SUBWORD, N_BUCKETS)
    expected = train_reference(
        corpus.token_ids,
        corpus.document_offsets,
        counts,
        parameters,
        parts=parts,
        **dataclasses.asdict(layout),
    )
    trained = train(text, parameters, layout, isa=isa)
    for name in ("input_vectors", "output_vectors", "output_bias", "subword_vectors"):
        found, wanted = getattr(trained, name), getattr(expected, name)
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=2e-5, err_msg=name)
    np.testing.assert_allclose(trained.loss_curve, expected.loss_curve, rtol=1e-4)


@pytest.mark.parametrize("loss", ["negative_sampling", "nce"])
def test_same_bits_at_any_thread_count(text, loss):
    parameters, layout = make_parameters(loss=loss), make_layout(16, 4)
    results = [train(text, parameters, layout, n_threads=n) for n in (1, 2, 3, 8)]
    for other in results[1:]:
        assert other.input_vectors.tobytes() == results[0].input_vectors.tobytes()
        assert other.subword_vectors.tobytes() == results[0].subword_vectors.tobytes()


def test_a_word_that_is_its_only_part_trains_as_a_whole(text):
    """n-grams longer than any word leave its own row: the mean of one."""
    parameters = make_parameters(subword=(30, 40))
    layout = make_layout(3, 7)
    subwords = train(text, parameters, layout)
    whole = _training.train(*text, parameters, n_threads=1, layout=layout)
    # The parts gain what the words change by, which rounds where the change was taken.
    np.testing.assert_allclose(subwords.input_vectors, whole.input_vectors, rtol=0, atol=1e-6)


def test_training_goes_on_to_the_same_bits(text):
    parameters = make_parameters(max_iter=4, min_learning_rate=0.05)
    at_once = train(text, parameters)
    half = train(text, dataclasses.replace(parameters, max_iter=2))
    resumed = train(text, parameters, start=half)
    assert resumed.subword_vectors.tobytes() == at_once.subword_vectors.tobytes()
    assert resumed.input_vectors.tobytes() == at_once.input_vectors.tobytes()


def test_a_snapshot_is_what_training_would_return(text):
    parameters = make_parameters()
    subwords = make_subwords(WORDS, SUBWORD, N_BUCKETS)
    trainer = Trainer(text[1], parameters, 100, n_threads=1, subwords=subwords)
    trainer.run_epoch(text[0], lambda n: np.full(n, 0.05, dtype=np.float32))
    snapshot = trainer.snapshot()
    trainer.keep()
    trainer.run_epoch(text[0], lambda n: np.full(n, 0.05, dtype=np.float32))
    assert snapshot.input_vectors.tobytes() != trainer.snapshot().input_vectors.tobytes()
    finished = trainer.finish()
    assert snapshot.input_vectors.tobytes() == finished.input_vectors.tobytes()
    assert snapshot.subword_vectors.tobytes() == finished.subword_vectors.tobytes()


# --- The estimator

DOCUMENTS = [
    "the walker walks",
    "a talker talks",
    "walking and talking",
    "she walked he talked",
] * 6


def make_transformer(**changes):
    defaults = {"n_components": 6, "min_count": 6, "subword": (3, 5), "random_state": 0}
    return Word2VecTransformer(**(defaults | changes))


def test_unseen_words_have_the_mean_of_their_ngrams():
    model = make_transformer().fit(DOCUMENTS)
    assert "talkers" not in model.vocabulary_
    rows = {bucket: place for place, bucket in enumerate(model._trained.subwords.buckets.tolist())}
    buckets = {fnv1a(ngram) % model.n_buckets for ngram in ngrams("talkers", 3, 5)}
    known = [len(model.vocabulary_) + rows[bucket] for bucket in buckets if bucket in rows]
    assert 0 < len(known) < len(buckets)
    expected = model.subword_vectors_[known].mean(axis=0)
    np.testing.assert_allclose(model.transform([["talkers"]])[0], expected, atol=1e-7)


def test_known_words_have_their_input_vectors():
    model = make_transformer().fit(DOCUMENTS)
    words = list(model.vocabulary_)
    np.testing.assert_array_equal(model.transform([[w] for w in words]), model.input_vectors_)


def test_words_that_share_no_ngram_are_skipped():
    model = make_transformer().fit(DOCUMENTS)
    assert not model.transform([["qqqqq"], []]).any()
    with_it, without = model.transform([["talks", "qqqqq"], ["talks"]])
    np.testing.assert_array_equal(with_it, without)


def test_other_embeddings_skip_unseen_words():
    model = make_transformer(embedding="sum").fit(DOCUMENTS)
    assert not model.transform([["talkers"]]).any()


@pytest.mark.parametrize("pooling", [*POOLINGS, ["mean", "tfidf"]], ids=str)
def test_fit_transform_is_fit_and_transform_where_rare_words_have_vectors(pooling):
    documents = [*DOCUMENTS, "a rare talkative walkabout"]
    model = make_transformer(pooling=pooling, n_clusters=2)
    at_once = model.fit_transform(document for document in documents)
    in_two = make_transformer(pooling=pooling, n_clusters=2).fit(documents).transform(documents)
    at_once, in_two = (f.toarray() if hasattr(f, "toarray") else f for f in (at_once, in_two))
    np.testing.assert_array_equal(at_once, in_two)


def test_unseen_words_weigh_what_a_word_of_no_document_weighs():
    model = make_transformer(pooling="tfidf").fit(DOCUMENTS)
    vectors = make_transformer().fit(DOCUMENTS).transform([["talks"], ["talkers"]])
    n, df = len(DOCUMENTS), model.document_frequencies_[model.vocabulary_["talks"]]
    idf = np.log((1 + n) / (1 + np.array([df, 0]))) + 1
    expected = idf @ vectors / idf.sum()
    np.testing.assert_allclose(model.transform([["talks", "talkers"]])[0], expected, atol=1e-7)


def test_unseen_words_are_in_the_nearest_cluster():
    model = make_transformer(pooling="vlawe", n_clusters=3).fit(DOCUMENTS)
    words = ["talks", "talkers", "walkings"]
    vectors = make_transformer().fit(DOCUMENTS).transform([[word] for word in words])
    n, df = len(DOCUMENTS), model.document_frequencies_[model.vocabulary_["talks"]]
    idf = np.log((1 + n) / (1 + np.array([df, 0, 0]))) + 1
    centers = model._learned_poolings["vlawe"].residuals.centers
    expected = aggregated_residuals(
        np.array([0, 1, 1, 2]),
        np.array([0, 4]),
        vectors,
        nearest_clusters(vectors, centers),
        centers,
        idf,
    )
    features = model.transform([["talks", "talkers", "talkers", "walkings"]])
    np.testing.assert_allclose(features.toarray(), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("pooling", [["mean", "sif"], "vlawe"])
def test_features_do_not_depend_on_the_other_documents(pooling):
    model = make_transformer(pooling=pooling, n_clusters=3).fit(DOCUMENTS)
    documents = ["talkers walk", "walkers", "the unheard of walkway", ""]
    together, *alone = (
        f.toarray() if hasattr(f, "toarray") else f
        for f in map(model.transform, [documents, *([document] for document in documents)])
    )
    np.testing.assert_array_equal(together, np.vstack(alone))


def test_a_stream_that_grows_keeps_what_it_has_learned():
    model = make_transformer(grow_vocabulary=True, min_count=2, total_words=1000)
    model.partial_fit(DOCUMENTS)
    buckets, n_words = model._trained.subwords.buckets, len(model.vocabulary_)
    before = dict(zip(buckets.tolist(), model.subword_vectors_[n_words:], strict=True))
    model.partial_fit(["unrelated zebra", "unrelated zebra"])
    grown = model._trained.subwords.buckets.tolist()
    after = dict(zip(grown, model.subword_vectors_[len(model.vocabulary_) :], strict=True))
    assert set(before) < set(after)
    untouched = [
        b
        for b in before
        if b
        not in {fnv1a(g) % model.n_buckets for w in ("unrelated", "zebra") for g in ngrams(w, 3, 5)}
    ]
    assert len(untouched) > 10
    for bucket in untouched:
        np.testing.assert_array_equal(after[bucket], before[bucket])


def test_warm_start_goes_on_to_the_same_bits():
    settings = {"learning_rate": 0.05, "min_learning_rate": 0.05, "warm_start": True}
    model = make_transformer(max_iter=2, **settings).fit(DOCUMENTS)
    model.set_params(max_iter=4).fit(DOCUMENTS)
    at_once = make_transformer(max_iter=4, **settings).fit(DOCUMENTS)
    assert model.subword_vectors_.tobytes() == at_once.subword_vectors_.tobytes()
    with pytest.raises(ValueError, match=r"cannot go on with subword=\(2, 3\)"):
        model.set_params(subword=(2, 3)).fit(DOCUMENTS)


def test_memory_knows_words_by_their_letters(tmp_path):
    """The same ids and counts, other words: without n-grams one training, with them two."""
    remembering, forgetful = (make_transformer(memory=m, min_count=1) for m in (tmp_path, None))
    for word in ("walk", "talk"):
        documents = [[word, "b", word, "c"]] * 8
        found, expected = (
            model.fit(documents).transform([["walker"], ["talker"]])
            for model in (remembering, forgetful)
        )
        assert expected.any(axis=1).tolist() == [True, True]  # both have "alk" in common with it
        np.testing.assert_array_equal(found, expected)


def test_a_pickle_keeps_the_ngrams():
    model = make_transformer(early_stopping=True, subsample=0, min_count=3).fit(DOCUMENTS)
    loaded = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(loaded.transform(["talkers"]), model.transform(["talkers"]))


def test_subword_vectors_are_there_with_subword_alone():
    with pytest.raises(AttributeError, match=r"after a fit with subword"):
        _ = make_transformer(subword=None).fit(DOCUMENTS).subword_vectors_
