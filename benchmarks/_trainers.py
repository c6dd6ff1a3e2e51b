"""One training run of each library on a prepared text, timed the same way.

What is timed: `model.train` of gensim, after `build_vocab_from_freq` (which also draws its initial
vectors and plants its Huffman tree), and `skw2v._training.train` from the beginning of its first
epoch, which is when the same has been done. Reading the text and building the vocabulary are timed
for neither.
"""

import itertools
import time
from typing import NamedTuple

import numpy as np
from _common import PreparedText, Settings

GENSIM_MODES = ("corpus_file", "lists")


class Run(NamedTuple):
    """Seconds of training, the in-vocabulary words it went through, and the input vectors.

    `vectors` has a row for each word of the prepared text, in its order; None if not asked for.
    """

    seconds: float
    n_tokens_trained: int
    vectors: np.ndarray | None

    @property
    def words_per_second(self) -> float:
        return self.n_tokens_trained / self.seconds


def timed_training(
    text: PreparedText, settings: Settings, *, n_threads: int, seed: int, layout=None
):
    """(seconds, skw2v's `TrainedVectors`); `layout` as in `skw2v._training.train`."""
    from skw2v._training import train

    corpus, counts = corpus_of(text), text.counts()
    parameters = settings.training_parameters(seed)
    epochs_begun = []
    trained = train(
        corpus,
        counts,
        parameters,
        n_threads=n_threads,
        layout=layout,
        on_epoch_begin=lambda *_: epochs_begun.append(time.perf_counter()),
    )
    return time.perf_counter() - epochs_begun[0], trained


def corpus_of(text: PreparedText):
    """The prepared text as skw2v's `Corpus`."""
    from skw2v._corpus import Corpus

    return Corpus(token_ids=text.token_ids(), document_offsets=text.document_offsets())


def train_skw2v(
    text: PreparedText, settings: Settings, *, n_threads: int, seed: int, keep_vectors: bool = False
) -> Run:
    seconds, trained = timed_training(text, settings, n_threads=n_threads, seed=seed)
    return Run(
        seconds,
        text.n_tokens * settings.max_iter,
        trained.input_vectors if keep_vectors else None,
    )


def train_gensim(
    text: PreparedText,
    settings: Settings,
    mode: str,
    *,
    n_threads: int,
    seed: int,
    keep_vectors: bool = False,
) -> Run:
    """Train gensim on a file in LineSentence format ("corpus_file") or on token lists ("lists")."""
    from gensim.models import Word2Vec

    words = text.words()
    model = Word2Vec(**settings.gensim_parameters(seed, n_threads))
    model.build_vocab_from_freq(
        dict(zip(words, text.counts().tolist(), strict=True)), corpus_count=text.n_documents
    )
    corpus = (
        {"corpus_file": str(text.line_sentences)}
        if mode == "corpus_file"
        else {"corpus_iterable": _token_lists(text, words)}
    )
    start = time.perf_counter()
    _, n_tokens_trained = model.train(
        **corpus,
        total_examples=text.n_documents if mode == "lists" else None,
        total_words=text.n_tokens,
        epochs=settings.max_iter,
    )
    seconds = time.perf_counter() - start
    vectors = model.wv.vectors[[model.wv.key_to_index[word] for word in words]]
    return Run(seconds, n_tokens_trained, vectors if keep_vectors else None)


def _token_lists(text: PreparedText, words: list[str]) -> list[list[str]]:
    tokens = [words[token_id] for token_id in text.token_ids().tolist()]
    offsets = text.document_offsets().tolist()
    return [tokens[i:j] for i, j in itertools.pairwise(offsets)]


def train_by_name(contestant: str, text: PreparedText, settings: Settings, **options) -> Run:
    """Train "skw2v", or gensim in the mode that `contestant` names."""
    if contestant == "skw2v":
        return train_skw2v(text, settings, **options)
    return train_gensim(text, settings, contestant, **options)


def seconds_of(contestant: str, text: PreparedText, settings: Settings, **options):
    """(seconds of training, in-vocabulary words trained): what a timing needs of a run."""
    run = train_by_name(contestant, text, settings, **options)
    return run.seconds, run.n_tokens_trained


def kept_share(text: PreparedText, settings: Settings) -> float:
    """The share of the words trained on that subsampling is expected to keep."""
    from skw2v._sampling import keep_thresholds

    keep = (keep_thresholds(text.counts(), settings.subsample) + np.float64(1)) / 2**32
    return float(keep[text.token_ids()].mean())
