"""Words made of parts, in plain Python and NumPy float64: the specification of ``_subwords``."""

import numpy as np


def fnv1a(text):
    """FNV-1a with 32 bits, over the characters' code points."""
    value = 2166136261
    for character in text:
        value = (value ^ ord(character)) * 16777619 % 2**32
    return value


def ngrams(word, shortest, longest):
    """The character n-grams of "<word>", but for the marks alone."""
    marked = f"<{word}>"
    return [
        marked[start : start + n]
        for n in range(shortest, longest + 1)
        for start in range(len(marked) - n + 1)
        if n > 1 or 0 < start < len(marked) - 1
    ]


def word_parts(words, subword, n_buckets):
    """For each word the rows that its input vector is the mean of, rising; and the buckets in use.

    Row w is word w's own, and row n_words + b that of the b-th bucket in use.
    """
    buckets_of = [
        sorted({fnv1a(ngram) % n_buckets for ngram in ngrams(w, *subword)}) for w in words
    ]
    used = sorted(set().union(*buckets_of))
    row_of = {bucket: len(words) + place for place, bucket in enumerate(used)}
    return [[w, *map(row_of.get, buckets)] for w, buckets in enumerate(buckets_of)], used


def compose(subword_vectors, parts):
    """The input vectors: the mean of each word's subword vectors."""
    return np.array([np.mean(subword_vectors[rows], axis=0) for rows in parts])


def spread(subword_vectors, parts, change):
    """Add to each subword vector, in place, what the words that have it as a part change by."""
    for rows, of_word in zip(parts, change, strict=True):
        subword_vectors[rows] += of_word
