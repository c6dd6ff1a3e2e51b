# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""n-grams of words -> buckets -> rows, document by document, and no n-gram as an object.

Called by `_ngrams.py`. An n-gram's hash takes in its words one after the other, each time by the
finaliser of SplitMix64, a bijection of 64 bits that spreads them; the bucket is what is left of it
by the number of buckets. Fitted models keep buckets, so neither may change.
"""

from cython.parallel cimport prange
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memmove

import numpy as np

from skw2v._kernels cimport skw2v_random_bits


cdef inline uint32_t bucket_of(const int32_t *words, int64_t n, uint64_t n_buckets) noexcept nogil:
    cdef:
        uint64_t bits = 0
        int64_t i
    for i in range(n):
        bits = skw2v_random_bits(bits + <uint64_t> words[i], 0)
    return <uint32_t> (bits % n_buckets)


def mark_buckets(
    const int32_t[::1] token_ids,  # IN
    const int64_t[::1] document_offsets,  # IN
    int64_t shortest,
    int64_t longest,
    uint8_t[::1] marks,  # OUT, one a bucket
):
    """Set the marks of the buckets that n-grams of ``shortest`` to ``longest`` words fall into."""
    cdef:
        const int32_t *ids
        uint64_t n_buckets = marks.shape[0]
        int64_t d, n, start
    if token_ids.shape[0] == 0:
        return
    ids = &token_ids[0]
    with nogil:
        for d in range(document_offsets.shape[0] - 1):
            for n in range(shortest, longest + 1):
                for start in range(document_offsets[d], document_offsets[d + 1] - n + 1):
                    marks[bucket_of(ids + start, n, n_buckets)] = 1


# ---- rows ---------------------------------------------------------------------------------------

# Which buckets have which rows. A table of all buckets takes a millisecond to fill; so for few
# n-grams there may be none, and `buckets` are searched.
cdef struct Rows:
    int64_t shortest
    int64_t longest
    uint64_t n_buckets
    int32_t n_words
    const uint32_t *buckets  # that have a row, rising
    int64_t n_ngrams
    const int32_t *row_of  # each bucket's row or -1; NULL: search `buckets`


cdef inline int32_t row_of(const Rows *rows, uint32_t bucket) noexcept nogil:
    """The row of a bucket, -1 if it has none."""
    cdef:
        int64_t n = rows.n_ngrams, half
        const uint32_t *at = rows.buckets
    if rows.row_of != NULL:
        return rows.row_of[bucket]
    while n > 1:
        half = n // 2
        at += half * (at[half - 1] < bucket)  # no branch, which could not be foreseen
        n -= half
    if n == 0 or at[0] != bucket:
        return -1
    return <int32_t> (rows.n_words + (at - rows.buckets))


cdef int64_t write_document(
    const Rows *rows, const int32_t *words, int64_t n_words, int32_t *out
) noexcept nogil:
    """Write a document's rows, the shorter n-grams first; how many."""
    cdef:
        int64_t n, start, n_written = 0
        int32_t row
    if rows.shortest == 1:
        memcpy(out, words, n_words * sizeof(int32_t))
        n_written = n_words
    for n in range(max(rows.shortest, 2), rows.longest + 1):
        for start in range(n_words - n + 1):
            row = row_of(rows, bucket_of(words + start, n, rows.n_buckets))
            out[n_written] = row
            n_written += row >= 0  # else the next one takes its place
    return n_written


def write_rows(
    const int32_t[::1] token_ids,  # IN
    const int64_t[::1] document_offsets,  # IN
    int64_t shortest,
    int64_t longest,
    uint64_t n_buckets,
    int32_t n_words,
    const uint32_t[::1] buckets,  # IN
    const int32_t[::1] row_of_bucket,  # IN, or None
    int32_t[::1] out,  # OUT
    int64_t[::1] out_offsets,  # IN and OUT
    int n_threads,
):
    """Write each document's words (if ``shortest`` is 1) and n-grams that have a row to ``out``.

    ``out_offsets`` comes with room for all n-grams of every document, and goes with as much as
    those take that have a row, at the beginning of ``out``.
    """
    cdef:
        Rows rows
        const int32_t *ids
        int32_t *first
        int64_t n_documents = document_offsets.shape[0] - 1, d, begin, end
        int block, n_blocks = min(16 * n_threads, n_documents)
        int64_t[::1] n_written = np.empty(n_documents, np.int64)
    if out.shape[0] == 0:
        return
    ids, first = &token_ids[0], &out[0]
    rows.shortest, rows.longest = shortest, longest
    rows.n_buckets, rows.n_words = n_buckets, n_words
    rows.buckets = &buckets[0] if buckets.shape[0] else NULL
    rows.n_ngrams = buckets.shape[0]
    rows.row_of = &row_of_bucket[0] if row_of_bucket is not None else NULL
    for block in prange(n_blocks, nogil=True, num_threads=n_threads, schedule="dynamic"):
        for d in range(n_documents * block // n_blocks, n_documents * (block + 1) // n_blocks):
            n_written[d] = write_document(&rows, ids + document_offsets[d],
                                          document_offsets[d + 1] - document_offsets[d],
                                          first + out_offsets[d])
    with nogil:
        end = 0
        for d in range(n_documents):
            begin, out_offsets[d] = out_offsets[d], end
            if begin != end:
                memmove(first + end, first + begin, n_written[d] * sizeof(int32_t))
            end += n_written[d]
        out_offsets[n_documents] = end
