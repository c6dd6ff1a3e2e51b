"""Words as sets of parts: the word itself and its character n-grams, hashed into buckets.

A word's input vector is the mean of the subword vectors of its parts, so that words which share
n-grams learn from each other, and a word that was never seen has a vector, too (Bojanowski et al.
2017, "Enriching Word Vectors with Subword Information"). The paper writes a sum; its program,
fastText, takes the mean, and so do we: a step on the mean is then a step on the word, at any number
of parts, and learning rates mean what they mean without subwords.

    words ──make_subwords──> Subwords (which rows of one matrix each word is made of)

Only buckets that some word of the vocabulary falls into have a row. fastText keeps a row for each
of its two million, most of which stay as they were drawn and add noise to words it has not seen.
"""

from dataclasses import dataclass

import numpy as np

_FNV_OFFSET = np.uint32(2166136261)
_FNV_PRIME = np.uint32(16777619)


# Not slotted: pickles keep these by name, so that a later field cannot shift an earlier one.
@dataclass(frozen=True, eq=False)
class Subwords:
    """Which rows of the matrix of subword vectors each word is made of.

    Row w is word w's own; row n_words + b is the b-th bucket's.

    Attributes
    ----------
    part_offsets : ndarray of shape (n_words + 1,), int64
        Word w is made of the rows ``parts[part_offsets[w]:part_offsets[w + 1]]``.
    parts : ndarray of shape (n_parts,), int32
    buckets : ndarray of shape (n_ngrams,), uint32
        The buckets that have a row, rising.
    """

    part_offsets: np.ndarray
    parts: np.ndarray
    buckets: np.ndarray

    @property
    def n_words(self):
        return len(self.part_offsets) - 1

    @property
    def n_rows(self):
        return self.n_words + len(self.buckets)

    def rows_in(self, larger):
        """Where each row is in subwords of at least the same words and buckets."""
        places = np.searchsorted(larger.buckets, self.buckets)
        return np.append(np.arange(self.n_words), larger.n_words + places)


def make_subwords(words, subword, n_buckets, buckets=()):
    """The parts of the words of a vocabulary.

    Parameters
    ----------
    words : list of str
    subword : (int, int)
        Length of the shortest and of the longest n-gram, in characters.
    n_buckets : int
        n-grams are hashed to 0 ... n_buckets - 1.
    buckets : array-like of uint32, default=()
        That have a row in any case.

    Returns
    -------
    subwords : Subwords

    Raises
    ------
    ValueError
        If the words are no strings.
    """
    if words and not isinstance(words[0], str):
        raise ValueError(
            f"subword={tuple(subword)} cuts words into characters, but the tokens of the documents "
            f"are {type(words[0]).__name__}; pass str tokens or set subword=None"
        )
    word_of, bucket_of = _ngrams(words, subword, n_buckets)
    has_row = np.zeros(n_buckets, dtype=bool)
    has_row[bucket_of] = has_row[np.asarray(buckets, dtype=np.uint32)] = True
    row_of = len(words) - 1 + np.cumsum(has_row, dtype=np.int32)
    offsets = _offsets(word_of, len(words)) + np.arange(len(words) + 1)  # its own row is the first
    parts = np.empty(offsets[-1], dtype=np.int32)
    parts[offsets[:-1]] = np.arange(len(words))
    parts[np.arange(len(word_of)) + word_of + 1] = row_of[bucket_of]
    return Subwords(offsets, parts, np.flatnonzero(has_row).astype(np.uint32))


def parts_of_unseen(words, subword, n_buckets, subwords):
    """The parts of words outside the vocabulary: those of their n-grams that have a row.

    Parameters
    ----------
    words : list of str
    subword, n_buckets
        As for `make_subwords`.
    subwords : Subwords

    Returns
    -------
    part_offsets : ndarray of shape (len(words) + 1,), int64
        Nothing between two that are alike: no n-gram of the word has been trained.
    parts : ndarray of shape (n_parts,), int32
    """
    word_of, bucket_of = _ngrams(words, subword, n_buckets)
    places = np.searchsorted(subwords.buckets, bucket_of)
    known = np.append(subwords.buckets, 0)[places] == bucket_of
    known &= places < len(subwords.buckets)
    parts = (subwords.n_words + places[known]).astype(np.int32)
    return _offsets(word_of[known], len(words)), parts


def _offsets(word_of, n_words):
    """Where each word's entries begin, and where the last one's end."""
    return np.append(0, np.cumsum(np.bincount(word_of, minlength=n_words)))


def _ngrams(words, subword, n_buckets):
    """Distinct pairs (word's position, bucket) over the n-grams of "<word>", in order.

    All words at once: step i of a hash runs over every character that has i more to its right.
    """
    shortest, longest = subword
    text = "".join(f"<{word}>" for word in words)
    characters = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    lengths = np.fromiter(map(len, words), np.int64, len(words)) + 2
    word_of = np.repeat(np.arange(len(words)), lengths)
    left = np.cumsum(lengths)[word_of] - np.arange(len(characters))  # in the word, from here on
    hashes = np.full(len(characters), _FNV_OFFSET)
    pairs = [np.empty(0, dtype=np.int64)]
    for n in range(1, min(longest, lengths.max(initial=0)) + 1):
        here = len(characters) - n + 1
        hashes = (hashes[:here] ^ characters[n - 1 :]) * _FNV_PRIME
        if n < shortest:
            continue
        whole = left[:here] >= n
        if n == 1:  # the two marks alone say nothing
            whole &= (left[:here] > 1) & (left[:here] < lengths[word_of])
        starts = np.flatnonzero(whole)
        pairs.append(word_of[starts] * n_buckets + hashes[starts] % np.uint32(n_buckets))
    pairs = np.sort(np.concatenate(pairs))
    pairs = pairs[np.append(True, pairs[1:] != pairs[:-1])[: len(pairs)]]
    return pairs // n_buckets, (pairs % n_buckets).astype(np.uint32)
