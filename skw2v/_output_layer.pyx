# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The door to the output layer's kernels: memoryviews to C structs, phases of batches over threads.

Called by `_output_training.py` alone.
"""

from cython.parallel cimport parallel, prange
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.string cimport memset

import numpy as np

from skw2v._kernels cimport (
    SKW2V_LINK_SIGMOID,
    SKW2V_LINK_SOFTMAX,
    SKW2V_MAX_GROUP,
    SKW2V_PURPOSE_NOISE,
    SKW2V_PURPOSE_POSITION,
    choose_body,
    skw2v_below,
    skw2v_body,
    skw2v_output_batch,
    skw2v_output_body,
    skw2v_output_layer,
    skw2v_random_bits,
    skw2v_stream_key,
)


MAX_GROUP = SKW2V_MAX_GROUP
PARTS_A_THREAD = 4  # of all classes: where another program takes a core, its thread takes fewer
LEAST_CLASSES_A_THREAD = 16  # with fewer, threads share the columns of a row instead


def permutation(uint64_t seed, uint64_t epoch, int64_t n):
    """The numbers 0 .. n - 1 in an order keyed on (seed, epoch), int32: Fisher and Yates' shuffle.
    """
    cdef:
        uint64_t key = skw2v_stream_key(seed, SKW2V_PURPOSE_POSITION, epoch)
        int32_t[::1] order = np.arange(n, dtype=np.int32)
        int32_t held
        int64_t i, other
    for i in range(n - 1, 0, -1):
        other = skw2v_below(skw2v_random_bits(key, <uint64_t> i), <uint32_t> (i + 1))
        held = order[i]
        order[i] = order[other]
        order[other] = held
    return np.asarray(order)


def square_lengths(samples, double[::1] out, int n_threads):
    """Fill ``out`` with the square of each row's length; ``samples`` as for `OutputLayer`.

    In double, in eight lanes: the same bits on every machine.
    """
    cdef:
        const float[:, ::1] floats
        const double[:, ::1] doubles
        const int64_t[::1] row_offsets
        const float[::1] values
        int64_t row, n = out.shape[0]
    if isinstance(samples, tuple):
        row_offsets, _, values = samples
        for row in prange(n, nogil=True, num_threads=n_threads, schedule="static"):
            out[row] = square_length(&values[row_offsets[row]],
                                     row_offsets[row + 1] - row_offsets[row])
    elif samples.dtype == np.float32:
        floats = samples
        for row in prange(n, nogil=True, num_threads=n_threads, schedule="static"):
            out[row] = square_length(&floats[row, 0], floats.shape[1])
    else:
        doubles = samples
        for row in prange(n, nogil=True, num_threads=n_threads, schedule="static"):
            out[row] = square_length(&doubles[row, 0], doubles.shape[1])


ctypedef fused real:
    float
    double


cdef inline double square_length(const real *x, int64_t n) noexcept nogil:
    cdef:
        double[8] lanes
        double total = 0.0
        int64_t j
        int lane
    for lane in range(8):
        lanes[lane] = 0.0
    for j in range(n // 8):
        for lane in range(8):
            lanes[lane] += <double> x[8 * j + lane] * <double> x[8 * j + lane]
    for j in range(n // 8 * 8, n):
        lanes[j % 8] += <double> x[j] * <double> x[j]
    for lane in range(8):
        total += lanes[lane]
    return total


cdef class OutputLayer:
    """The rows of the classes, and the samples they are trained on.

    Every argument is kept alive and read in place.

    Parameters
    ----------
    rows : ndarray of float32, shape (n_classes, stride)
        Trained in place; stride a multiple of 16 and above n_features + 1. Column n_features has
        what `constant`, as a feature of every sample, is weighted with; the rest are zeros.
    samples : ndarray of shape (n_samples, n_features), float32 or float64, or tuple
        Of CSR: row offsets (int64), columns (int32) and values (float32). A row is a multiple of 16
        entries, each column once, the constant among them; column n_features + 1 is padding.
    labels : ndarray of int32, shape (n_samples,)
    offsets : ndarray of float32, (n_classes rounded up to a multiple of 8,)
        Subtracted from each class's scores.
    noise : tuple of ndarray, or None
        An alias table, (threshold, alias), or a table that draws each class once, (borders, first),
        of int64 and int32; None for the softmax over all classes.
    softmax : bool
        Else the link is the sigmoid.
    n_negatives, remove_hits, group_size
        Noise classes that `group_size` samples share; whether noise equal to the true class is
        left out.
    batch_size : int
    """

    cdef skw2v_output_layer layer
    cdef const skw2v_output_body *body
    cdef object alive
    cdef double[::1] losses
    cdef int64_t batch_size

    def __cinit__(
        self,
        float[:, ::1] rows,
        samples,
        const int32_t[::1] labels,
        const float[::1] offsets,
        *,
        int64_t n_features,
        float constant,
        noise,
        bint softmax,
        int n_negatives,
        bint remove_hits,
        int64_t batch_size,
        int group_size,
        isa=None,
    ):
        cdef:
            const float[:, ::1] floats
            const double[:, ::1] doubles
            const int64_t[::1] row_offsets
            const int32_t[::1] columns, alias, first
            const int64_t[::1] borders
            const uint32_t[::1] threshold
            const float[::1] values
            float[:, ::1] hidden, gradients, group_offsets
            float[::1] label, weight
            int32_t[:, ::1] drawn
            int64_t n_classes = rows.shape[0], stride = rows.shape[1], n_groups, n_blocks
            int64_t n_samples = labels.shape[0]
            skw2v_output_layer *layer = &self.layer
            const skw2v_body *body = choose_body(isa)
        if stride % 16 or stride < n_features + 2 or offsets.shape[0] != (n_classes + 7) // 8 * 8:
            raise ValueError(f"{stride=}, {n_features=}, {n_classes=}, {offsets.shape[0]=}")
        if not (1 <= group_size <= SKW2V_MAX_GROUP and batch_size >= 1 and n_negatives >= 0):
            raise ValueError(f"{group_size=}, {batch_size=}, {n_negatives=}")
        if (noise is None) != (n_negatives == 0) or (noise is None and not softmax):
            has_noise = noise is not None
            raise ValueError(f"{has_noise=}, {n_negatives=}, {softmax=}")
        memset(layer, 0, sizeof(skw2v_output_layer))
        self.body = body.output_layer
        batch_size = min(batch_size, max(n_samples, 1))
        self.batch_size = batch_size
        n_groups = (batch_size + group_size - 1) // group_size
        n_blocks = ((n_classes if noise is None else 1 + n_negatives) + 7) // 8
        is_csr = isinstance(samples, tuple)
        if is_csr:
            row_offsets, columns, values = samples
            # Empty arrays have no first entry to point to.
            layer.row_offsets = &row_offsets[0]
            layer.columns = &columns[0] if columns.shape[0] else NULL
            layer.values = &values[0] if values.shape[0] else NULL
        elif samples.dtype == np.float32:
            floats = samples
            layer.floats = &floats[0, 0]
        else:
            doubles = samples
            layer.doubles = &doubles[0, 0]
        layer.labels = &labels[0]
        layer.n_features = n_features
        layer.constant = constant
        layer.link = SKW2V_LINK_SOFTMAX if softmax else SKW2V_LINK_SIGMOID
        layer.remove_hits = remove_hits
        layer.n_negatives = n_negatives
        if noise is not None and noise[0].dtype == np.int64:
            borders, first = noise
            if borders.shape[0] != n_classes + 1 or first.shape[0] != n_negatives + 1:
                raise ValueError(f"{borders.shape[0]=}, {first.shape[0]=}, {n_negatives=}")
            layer.borders = &borders[0]
            layer.first = &first[0]
        elif noise is not None:
            threshold, alias = noise
            layer.alias_threshold = &threshold[0]
            layer.alias = &alias[0]
        layer.offsets = &offsets[0]
        layer.n_classes = n_classes
        layer.stride = stride
        layer.n_blocks = n_blocks
        layer.group_size = group_size
        layer.rows = &rows[0, 0]
        label = np.zeros(8 * n_blocks, np.float32)
        label[0] = 1.0
        weight = np.zeros(8 * n_blocks, np.float32)
        weight[: n_classes if noise is None else 1 + n_negatives] = 1.0
        layer.label = &label[0]
        layer.weight = &weight[0]
        hidden = aligned_rows(1 if is_csr else batch_size, stride)
        layer.gradient_size = n_blocks * 8 * (group_size + group_size % 2) + 16
        gradients = aligned_rows(n_groups, layer.gradient_size)
        group_offsets = np.empty((n_groups, 1 if noise is None else 8 * n_blocks), np.float32)
        drawn = np.empty((n_groups, max(n_negatives, 1)), np.int32)
        self.losses = np.empty(n_groups)
        layer.hidden = &hidden[0, 0]
        layer.gradients = &gradients[0, 0]
        layer.group_offsets = &group_offsets[0, 0]
        layer.noise = &drawn[0, 0]
        layer.losses = &self.losses[0]
        self.alive = (rows, samples, labels, offsets, noise, label, weight, hidden, gradients,
                      group_offsets, drawn)

    def run(
        self,
        const int32_t[::1] order,
        const float[::1] rates,
        *,
        uint64_t seed,
        uint64_t epoch,
        int64_t position,
        int n_threads,
    ):
        """Train the samples of ``order``, a batch for each rate; returns the sum of their losses.

        ``position`` is that of the first one in its epoch. Releases the GIL.
        """
        cdef:
            skw2v_output_layer *layer = &self.layer
            const skw2v_output_body *body = self.body
            const double *losses = layer.losses
            uint64_t noise_key = skw2v_stream_key(seed, SKW2V_PURPOSE_NOISE, epoch)
            int64_t n_samples = order.shape[0], batch_size = self.batch_size
            int64_t n_batches = rates.shape[0], b, i
            int g = layer.group_size, n_groups, group, part
            int n_parts = PARTS_A_THREAD * n_threads
            double loss = 0.0
            skw2v_output_batch batch
        if (n_samples + batch_size - 1) // batch_size != n_batches:
            raise ValueError(f"{n_samples} samples in {n_batches} batches of {batch_size}")
        layer.by_columns = (
            layer.row_offsets == NULL and layer.n_classes < LEAST_CLASSES_A_THREAD * n_threads
        )
        with nogil:
            for b in range(n_batches):
                batch = batch_at(order, rates, b, batch_size, position, noise_key)
                n_groups = (batch.n + g - 1) // g
                with parallel(num_threads=n_threads):
                    for group in prange(n_groups, schedule="dynamic"):
                        body.load(layer, &batch, group)
                        if layer.n_negatives:
                            body.score_noise(layer, &batch, group)
                    if layer.n_negatives:
                        for part in prange(n_threads, schedule="static"):
                            body.update_noise(layer, &batch, part, n_threads)
                    else:
                        for part in prange(n_parts, schedule="dynamic"):
                            body.score_classes(layer, &batch, part, n_parts)
                        for group in prange(n_groups, schedule="dynamic"):
                            body.link_classes(layer, &batch, group)
                        for part in prange(n_parts, schedule="dynamic"):
                            body.update_classes(layer, &batch, part, n_parts)
                for i in range(n_groups):
                    loss = loss + losses[i]
        return loss


cdef skw2v_output_batch batch_at(
    const int32_t[::1] order, const float[::1] rates, int64_t b, int64_t batch_size,
    int64_t position, uint64_t noise_key,
) noexcept nogil:
    cdef skw2v_output_batch batch
    batch.samples = &order[b * batch_size]
    batch.position = position + b * batch_size
    batch.n = <int32_t> min(batch_size, order.shape[0] - b * batch_size)
    batch.noise_key = noise_key
    batch.rate = rates[b]
    return batch


def aligned_rows(int64_t n_rows, int64_t n_columns):
    """An array of float32 whose rows begin at multiples of 64 bytes; what is in it is undefined.

    ``n_columns`` must be a multiple of 16.
    """
    memory = np.empty(n_rows * n_columns + 16, dtype=np.float32)
    start = -(memory.ctypes.data // 4) % 16
    return memory[start : start + n_rows * n_columns].reshape(n_rows, n_columns)
