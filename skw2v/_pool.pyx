# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The door to the pooling kernels: memoryviews to C structs, documents over threads.

Called by `_pooling.py` alone.
"""

from cython.parallel cimport prange, threadid
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdlib cimport free, malloc

import numpy as np

from skw2v._kernels cimport (
    SKW2V_POOL_MAX,
    SKW2V_POOL_MEAN,
    SKW2V_POOL_MIN,
    SKW2V_POOL_SUM,
    SKW2V_POOL_WEIGHTED_MEAN,
    choose_body,
    skw2v_body,
    skw2v_cluster_room,
    skw2v_pooling,
)


POOLINGS = {
    "mean": SKW2V_POOL_MEAN,
    "sum": SKW2V_POOL_SUM,
    "max": SKW2V_POOL_MAX,
    "min": SKW2V_POOL_MIN,
    "weighted_mean": SKW2V_POOL_WEIGHTED_MEAN,
}


def pool(
    const int32_t[::1] token_ids,
    const int64_t[::1] document_offsets,
    const float[:, ::1] vectors,
    pooling,
    float[:, ::1] out,
    int n_threads,
    int64_t column=0,
    const double[::1] weights=None,
    const double[::1] removed=None,
):
    """Pool each document's token vectors into its row of ``out``, from ``column`` on.

    A token's vector counts ``weights[id]`` times ("max" and "min" ignore it); "mean" divides by the
    number of tokens all the same, "weighted_mean" by the sum of their weights. ``removed`` is a
    unit vector: what a row has of it is taken away.
    """
    cdef:
        skw2v_pooling how
        const skw2v_body *body = choose_body(None)
        int64_t n_documents = document_offsets.shape[0] - 1, d
        const int32_t *ids = &token_ids[0] if token_ids.shape[0] else NULL
        double[:, ::1] sums
        # Many small blocks: where another library's idle threads still spin on a core, the thread
        # that shares it takes fewer of them.
        int block, n_blocks = min(16 * n_threads, n_documents)
    if n_documents == 0:
        return
    how.vectors = &vectors[0, 0]
    how.n_components = vectors.shape[1]
    how.kind = POOLINGS[pooling]
    how.weights = &weights[0] if weights is not None else NULL
    how.removed = &removed[0] if removed is not None else NULL
    sums = np.empty((n_blocks, how.n_components))
    for block in prange(n_blocks, nogil=True, num_threads=n_threads, schedule="dynamic"):
        for d in range(n_documents * block // n_blocks, n_documents * (block + 1) // n_blocks):
            body.pool_document(&how, ids + document_offsets[d],
                               document_offsets[d + 1] - document_offsets[d],
                               &sums[block, 0], &out[d, column])


def pool_clusters(
    const int32_t[::1] token_ids,
    const int64_t[::1] document_offsets,
    const float[:, ::1] vectors,
    const int64_t[::1] word_offsets,
    const int32_t[::1] clusters,
    const double[::1] weights,
    int n_clusters,
    double threshold,
    int32_t[:, ::1] occurrences,
    int32_t[:, ::1] columns,
    float[:, ::1] values,
    int64_t[::1] n_kept,
    const double[::1] scales=None,
    const float[:, ::1] centers=None,
    double center_share=0.0,
    double neighbor_share=0.0,
    const double[::1] times_weights=None,
):
    """Sum each document's token vectors cluster by cluster, scale to length 1, drop what is small.

    Word w is in ``clusters[e]`` with ``weights[e]``, for e from ``word_offsets[w]`` to before
    ``word_offsets[w + 1]``; its vector is multiplied by ``scales[w]`` (None: 1) and loses
    ``center_share`` of its cluster's center (None: nothing). To it comes ``neighbor_share`` of the
    vectors of the tokens before and after it, their components shifted by one place, forwards for
    the one before. A word that occurs t times in a document counts ``times_weights[t - 1]`` times
    (None: t). Row i of ``columns`` and ``values``,
    as wide as all the clusters' components, gets ``n_kept[i]`` entries: those at least
    ``threshold`` away from zero.

    ``occurrences`` is scratch: a row of n_words zeros for each thread, which they are again
    afterwards.
    """
    cdef:
        skw2v_pooling how
        const skw2v_body *body = choose_body(None)
        int64_t n_documents = document_offsets.shape[0] - 1, d
        const int32_t *ids = &token_ids[0] if token_ids.shape[0] else NULL
        int n_threads = occurrences.shape[0]
        double[:, ::1] sums, totals
        uint8_t[:, ::1] has
        skw2v_cluster_room *rooms
        int thread, block, n_blocks = min(16 * n_threads, n_documents)
    if n_documents == 0:
        return
    how.vectors = &vectors[0, 0]
    how.n_components = vectors.shape[1]
    how.word_offsets = &word_offsets[0]
    how.clusters = &clusters[0]
    how.weights = &weights[0]
    how.n_clusters = n_clusters
    how.threshold = threshold
    how.scales = &scales[0] if scales is not None else NULL
    how.centers = &centers[0, 0] if centers is not None else NULL
    how.center_share = center_share
    how.neighbor_share = neighbor_share
    how.times_weights = &times_weights[0] if times_weights is not None else NULL
    sums = np.empty((n_threads, n_clusters * how.n_components))
    totals = np.empty((n_threads, n_clusters))
    has = np.empty((n_threads, n_clusters), dtype=np.uint8)
    rooms = <skw2v_cluster_room *> malloc(n_threads * sizeof(skw2v_cluster_room))
    if rooms == NULL:
        raise MemoryError
    for thread in range(n_threads):
        rooms[thread].sums = &sums[thread, 0]
        rooms[thread].totals = &totals[thread, 0]
        rooms[thread].has = &has[thread, 0]
        rooms[thread].occurrences = &occurrences[thread, 0]
    for block in prange(n_blocks, nogil=True, num_threads=n_threads, schedule="dynamic"):
        for d in range(n_documents * block // n_blocks, n_documents * (block + 1) // n_blocks):
            n_kept[d] = body.pool_clusters(&how, ids + document_offsets[d],
                                           document_offsets[d + 1] - document_offsets[d],
                                           rooms + threadid(), &columns[d, 0],
                                           &values[d, 0])
    free(rooms)


def nearest_centers(
    const float[:, ::1] vectors,
    const float[:, ::1] centers,
    int32_t[::1] nearest,
    double[::1] lengths,
    int n_threads,
):
    """Which center is nearest to each vector once it has length 1, -1 for zeros; and lengths."""
    cdef:
        const skw2v_body *body = choose_body(None)
        int64_t row, n_components = vectors.shape[1]
        int32_t n_centers = centers.shape[0]
    for row in prange(vectors.shape[0], nogil=True, num_threads=n_threads, schedule="static"):
        nearest[row] = body.nearest_center(&vectors[row, 0], &centers[0, 0], n_centers,
                                           n_components, &lengths[row])


def count_documents(
    const int32_t[::1] token_ids,
    const int64_t[::1] document_offsets,
    const double[::1] document_weight,
    double[::1] out,
):
    """Add the weights of the documents that have each word to ``out``, one a word.

    ``document_weight`` may be None: all 1.
    """
    cdef:
        int64_t d, i
        int32_t word
        double weight = 1.0
        int64_t[::1] last_seen = np.full(out.shape[0], -1, dtype=np.int64)
    for d in range(document_offsets.shape[0] - 1):
        if document_weight is not None:
            weight = document_weight[d]
        for i in range(document_offsets[d], document_offsets[d + 1]):
            word = token_ids[i]
            if last_seen[word] != d:
                last_seen[word] = d
                out[word] += weight
