"""Vectors for the words of documents that training has not seen, made of their n-grams."""

import numpy as np

from skw2v import _kernels
from skw2v._corpus import encode_as
from skw2v._rows import BLOCK
from skw2v._subwords import parts_of_unseen
from skw2v._vocabulary import find_ids


def encode_with_unseen(documents, vocabulary, trained, parameters, n_threads):
    """Encode documents with the words of a vocabulary, and with others that share n-grams with it.

    Parameters
    ----------
    documents : skw2v.EncodedDocuments
    vocabulary : skw2v._vocabulary.Vocabulary
    trained : skw2v._trainer.TrainedVectors
        With subwords.
    parameters : skw2v._parameters.TrainingParameters
        It was trained with.
    n_threads : int
        The result does not depend on it.

    Returns
    -------
    corpus : skw2v._corpus.Corpus
        Ids from n_words on are unseen words'. Tokens that share no n-gram are left out.
    vectors : ndarray of shape (n_words + n_unseen, n_components), dtype float32
        Rows of words that do not occur are undefined: they take no memory.
    """
    ids = find_ids(documents.tokens, vocabulary.index)
    occurs = np.zeros(len(ids), dtype=bool)
    occurs[documents.token_ids] = True
    unseen = np.flatnonzero(occurs & (ids < 0))
    words = list(map(documents.tokens.__getitem__, unseen.tolist()))
    if words and isinstance(words[0], str):
        offsets, parts = parts_of_unseen(
            words, parameters.subword, parameters.n_buckets, trained.subwords
        )
        has_parts = np.diff(offsets) > 0
        unseen, offsets = unseen[has_parts], np.append(0, offsets[1:][has_parts])
        ids[unseen] = len(vocabulary) + np.arange(len(unseen))
    else:
        unseen, offsets, parts = unseen[:0], np.zeros(1, np.int64), np.empty(0, np.int32)
    corpus = encode_as(ids, documents, vocabulary)
    d = trained.input_vectors.shape[1]
    vectors = np.empty((len(vocabulary) + len(unseen), d), dtype=np.float32)
    used = ids[occurs & (ids >= 0) & (ids < len(vocabulary))]
    vectors[used] = trained.input_vectors[used]
    vectors[len(vocabulary) :] = _composed(trained.subword_vectors, offsets, parts, n_threads)
    return corpus, vectors


def _composed(subword_vectors, part_offsets, parts, n_threads):
    """The means of the rows that each word is made of; the same bits as in training."""
    used, parts = np.unique(parts, return_inverse=True)
    d = subword_vectors.shape[1]
    stride = -(-d // BLOCK) * BLOCK
    rows = np.zeros((max(len(used), 1), stride), dtype=np.float32)
    rows[: len(used), :d] = subword_vectors[used]
    out = np.empty((len(part_offsets) - 1, stride), dtype=np.float32)
    _kernels.compose(part_offsets, parts.astype(np.int32), rows, out, n_threads)
    return out[:, :d]
