"""How a corpus is cut into rounds and shards: as much at once as trains like one after the other.

A function of corpus and parameters, never of the threads. docs/engine.rst has the measurements
behind the bounds on a round.
"""

from dataclasses import dataclass

import numpy as np

from skw2v import _kernels, _tree
from skw2v._sampling import kept_counts

# How often the kept tokens of a round may meet on the same word, and the step it was measured at:
# rate, mean contexts of window 5, targets of 5 negatives.
MAX_COLLISIONS = 2.0
REFERENCE_STEP = 0.025 * 6 * 6
# Kept tokens of a round under hierarchical softmax, whose root every one of them moves: skip-gram
# once a context, CBOW once a window.
MAX_TREE_TOKENS = 512
# How far a round may pull a softmax's bias towards its aim; from 2 on it swings ever further.
MAX_BIAS_PULL = 0.5
# Products of a round of the full softmax: some tenths of a second, in which Ctrl-C has to wait.
MAX_SOFTMAX_PRODUCTS = 2**30

MAX_ROUND_TOKENS = 4096
MIN_ROUNDS = 8
MAX_SHARDS = 16
# A shard has a fixed cost; under a softmax it copies the whole output matrix.
MIN_SHARD_TOKENS = {"hierarchical_softmax": 64, "softmax": 48}
USUAL_MIN_SHARD_TOKENS = 32
LONE_SHARD_TOKENS = 128
MAX_COPIED_FLOATS = 2**28

# Shards of a round of documents, and documents of a shard at rates up to 1. A shard has a fixed
# cost, and copies the words it shares: of short documents it takes more, up to so many words.
DOCUMENT_SHARDS = 4
SHARD_DOCUMENTS, MAX_SHARD_DOCUMENTS = 16, 32
SHORT_SHARD_WORDS = 512
MIN_SHARD_DOCUMENTS = 8
LONE_SHARD_DOCUMENTS = 64

MAX_GROUP_STEP = 0.4  # contexts of a group x learning rate
NOISE_POOL = 32
MAX_POOL_UPDATES = 64  # of a row of the pool in one shard
MIN_HOT_TOUCHES = 0.5  # of a node by a shard, from which on every shard takes a copy of it


@dataclass(frozen=True, slots=True)
class Layout:
    """n_shards train side by side in a round, shard_tokens tokens each; every shard draws pool_size
    noise words; a window's contexts train in groups of at most group_size."""

    n_shards: int
    shard_tokens: int
    pool_size: int
    group_size: int


def choose_layout(n_tokens, word_counts, keep_threshold, parameters):
    """Shards, rounds and groups for a corpus.

    Shards of a round do not see each other's changes. What that costs depends on how often they
    change the same row: with p the words' shares of the kept tokens, R kept tokens meet on the same
    word about R * sum(p**2) times. On Wikipedia (rate .025, window 5, 5 negatives) 4.8 wobbled in
    the first epoch, 10 diverged, and 2 is as good as sequential; a step's size grows with the rate,
    the window and the number of noise words, so the bound shrinks with them. A vocabulary of a few
    words is left with one shard, the honest answer.

    The root of a Huffman tree is touched by every token and its children by half of them. Plain
    sums bear that too, in small rounds: 512 kept tokens are as good as sequential, 1,024 diverge. A
    full softmax moves all its rows with every pair, but each by its probability only; its hottest
    parameter is the commonest word's bias.
    """
    kept = kept_counts(word_counts, keep_threshold)
    n_kept = kept.sum()
    round_kept = _kept_tokens_of_a_round(kept / n_kept, parameters)
    # A round in tokens of the corpus, dropped ones included.
    round_tokens = round_kept * (word_counts.sum() / n_kept)
    round_tokens = min(round_tokens, MAX_ROUND_TOKENS, n_tokens / MIN_ROUNDS)
    min_shard_tokens = MIN_SHARD_TOKENS.get(parameters.loss, USUAL_MIN_SHARD_TOKENS)
    most_shards = min(MAX_SHARDS, round_tokens // min_shard_tokens)
    if parameters.loss == "softmax":
        n_copied = len(word_counts) * (parameters.n_components + 16 + _kernels.MAX_GROUP)
        most_shards = min(most_shards, MAX_COPIED_FLOATS // n_copied)
    n_shards, shard_tokens = 1, LONE_SHARD_TOKENS
    if most_shards >= 2:
        # A power of two, so that two, four or eight threads get equal shares.
        n_shards = 2 ** int(np.log2(most_shards))
        shard_tokens = int(round_tokens // n_shards)
    # A noise word is trained again and again while its shard lasts; widely, it needs company.
    draws = shard_tokens * n_kept / word_counts.sum() * parameters.n_negatives
    pool_size = min(int(draws * _mean_contexts(parameters) / MAX_POOL_UPDATES), int(draws) + 1)
    pool_size = max(pool_size, NOISE_POOL, parameters.n_negatives)
    # Contexts of one window move its targets at once: at a high rate, fewer.
    group_size = int(np.clip(MAX_GROUP_STEP / parameters.learning_rate, 1, _kernels.MAX_GROUP))
    return Layout(n_shards, shard_tokens, pool_size, group_size)


def _mean_contexts(parameters):
    return parameters.window + 1 if parameters.dynamic_window else 2 * parameters.window


def _kept_tokens_of_a_round(share, parameters):
    """How many tokens may train at once; `share` is each word's of the kept tokens."""
    loss, rate = parameters.loss, parameters.learning_rate
    n_targets = parameters.n_negatives + 1
    if loss in ("hierarchical_softmax", "softmax"):
        n_targets = 6  # that a step moves far; paths and vocabularies are longer, but known better
    step = rate * _mean_contexts(parameters) * n_targets
    if parameters.architecture == "cbow":
        step /= 2  # one step a window, not one a context: even a quarter trained as well
    gentleness = min(1.0, REFERENCE_STEP / step)
    n_kept = MAX_COLLISIONS * gentleness / np.sum(share * share)
    if loss == "hierarchical_softmax":
        n_kept = min(n_kept, MAX_TREE_TOKENS * gentleness)
    if loss == "softmax":
        n_steps = 1 if parameters.architecture == "cbow" else _mean_contexts(parameters)
        pull = rate * n_steps * np.max(share * (1.0 - share))
        n_kept = min(n_kept, MAX_BIAS_PULL / max(pull, np.finfo(float).tiny))
        n_kept = min(n_kept, MAX_SOFTMAX_PRODUCTS / (len(share) * parameters.n_components))
    return n_kept


def choose_document_layout(n_documents, n_tokens, parameters):
    """Shards and rounds of documents, whose classes all shards move.

    A merge takes of the classes' summed changes what their curvature allows (kernels/body.h), so
    the bound is not on what diverges but on what learns as well as one document after the other:
    four shards of 16 documents, of up to 32 where they are short, of fewer at rates above 1.
    """
    n_documents, n_tokens = max(n_documents, 1), max(n_tokens, 1)
    of_short = SHORT_SHARD_WORDS * n_documents / n_tokens
    of_shard = min(max(of_short, SHARD_DOCUMENTS), MAX_SHARD_DOCUMENTS)
    of_round = DOCUMENT_SHARDS * of_shard * min(1.0, 1.0 / parameters.learning_rate)
    of_round = min(of_round, n_documents / MIN_ROUNDS)
    n_shards, of_shard = 1, LONE_SHARD_DOCUMENTS
    most = min(DOCUMENT_SHARDS, of_round / MIN_SHARD_DOCUMENTS)
    if most >= 2:
        n_shards = 2 ** int(np.log2(most))
        of_shard = of_round / n_shards
    shard_tokens = max(1, int(of_shard * n_tokens / n_documents))
    return Layout(n_shards, shard_tokens, max(NOISE_POOL, parameters.n_negatives), 1)


def n_hot_nodes(paths, kept, steps):
    """How many nodes at the top of a Huffman tree many shards of a round pass through.

    `kept` has how often each target is trained, and a shard trains `steps` of them. Nodes are
    numbered by rising count, so the last ones are the top of the tree; here they are counted by
    what subsampling leaves of it, and the two orders differ a little.
    """
    share = _tree.weight_passing(paths.offsets, paths.nodes, kept / kept.sum())
    return int(np.count_nonzero(share * steps > MIN_HOT_TOUCHES))
