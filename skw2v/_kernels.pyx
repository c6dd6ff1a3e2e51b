# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The only door between Python and the C kernels of training.

Python validates, allocates and decides; the functions here turn memoryviews into C structs, run the
phases of a round over threads, and hand back. `Engine`, `init_vectors` and `compose` are called by
`_trainer.py`, the last one by `_unseen.py`, too; `uniforms` by `_training.py`, `random_bits` and
`log_normalizers` by `_likelihood.py`; the last section is a door for tests.
"""

import os

from cython.parallel cimport parallel, prange
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

import numpy as np

cdef extern from *:
    """
    #ifdef _OPENMP
    #include <omp.h>
    #define SKW2V_OPENMP 1
    #else
    #define SKW2V_OPENMP 0
    #define omp_get_max_threads() 1
    #define omp_get_num_threads() 1
    #define omp_get_thread_num() 0
    #define omp_get_num_procs() 1
    #endif
    #ifdef _OPENMP
    #define skw2v_barrier() _Pragma("omp barrier")
    #else
    #define skw2v_barrier()
    #endif
    """
    const int SKW2V_OPENMP
    int omp_get_max_threads() nogil
    int omp_get_num_threads() nogil
    int omp_get_thread_num() nogil
    int omp_get_num_procs() nogil
    void skw2v_barrier() nogil


MAX_GROUP = SKW2V_MAX_GROUP
MAX_SHARDS = SKW2V_MAX_SHARDS


def openmp_enabled():
    """Was the extension built with OpenMP?"""
    return bool(SKW2V_OPENMP)


def max_threads():
    """Threads that OpenMP would use for a parallel region now: OMP_NUM_THREADS, threadpoolctl."""
    return omp_get_max_threads()


cdef const skw2v_body *choose_body(name) except NULL:
    cdef const skw2v_body *body
    if name is None:
        name = os.environ.get("SKW2V_ISA") or None
    if name is None:
        body = skw2v_choose_body(NULL)
    else:
        encoded = name.encode()
        body = skw2v_choose_body(encoded)
    if body == NULL:
        raise ValueError(
            f"SKW2V_ISA={name!r} is not available; this machine can run "
            f"{', '.join(available_isas())}. Unset it to use the best one."
        )
    return body


def available_isas():
    """Names of the instruction sets whose kernels run on this machine, the best one first."""
    return [n for n in ("avx512", "avx2", "baseline") if skw2v_choose_body(n.encode()) != NULL]


def isa():
    """Name of the instruction set in use: the best one, or the one that SKW2V_ISA names."""
    return choose_body(None).name.decode()


LOSSES = {
    "negative_sampling": SKW2V_NEGATIVE_SAMPLING,
    "nce": SKW2V_NCE,
    "sampled_softmax": SKW2V_SAMPLED_SOFTMAX,
    "hierarchical_softmax": SKW2V_HIERARCHICAL_SOFTMAX,
    "softmax": SKW2V_SOFTMAX,
    "ova": SKW2V_ONE_VERSUS_REST,
}
ARCHITECTURES = {
    "skipgram": SKW2V_SKIPGRAM,
    "cbow": SKW2V_CBOW,
    "document": SKW2V_DOCUMENT,
}


cdef class Engine:
    """One training run's state: corpus, tables, matrices, streams.

    Every argument is kept alive and read in place. ``input`` (n_words, stride) and ``output``
    (n_words, stride; for hierarchical softmax a row for each node) are trained in place. With
    ``bias_column``, that column of ``input`` must be 1, and that of ``output`` holds the change of
    the biases; what they start from is in ``offsets``.
    For documents, ``labels`` (offsets, classes) say what each is to predict: output rows are those
    of classes then, the targets, which otherwise are the words. ``keep_threshold`` is None.
    ``noise`` is an alias table of the targets, (threshold, alias); ``offsets`` (n_targets,) are
    subtracted from scores; ``paths`` (offsets, 2 * nodes + labels) go with hierarchical softmax.
    ``hot_rows``, (first, end), are output rows that most shards touch: for softmax all, for
    hierarchical softmax the top of the tree. In ``curvature_column`` documents' output rows note
    how far a step bends them; input rows are 0 there. ``subwords``,
    (offsets, parts, matrix), are what the input rows of words are made of: ``matrix`` is trained,
    and ``input`` is valid after `compose`. ``frozen`` (n_words,) is 1 for words whose row of
    ``input`` stays as it is; not with ``subwords``.
    """

    cdef skw2v_engine engine
    cdef const skw2v_body *body
    cdef object alive, alive_order
    cdef int64_t epoch
    cdef int64_t next_round
    cdef readonly int64_t n_rounds

    def __cinit__(
        self,
        const int32_t[::1] token_ids,
        const int64_t[::1] document_offsets,
        const uint32_t[::1] keep_threshold,
        float[:, ::1] input,
        float[:, ::1] output,
        *,
        labels=None,
        noise=None,
        const float[::1] offsets=None,
        paths=None,
        int bias_column=-1,
        hot_rows=(0, 0),
        subwords=None,
        const uint8_t[::1] frozen=None,
        uint64_t seed,
        loss,
        bint remove_hits,
        architecture,
        cbow_gradient,
        int window,
        bint dynamic_window,
        int n_negatives,
        int pool_size,
        int group_size,
        int n_shards,
        int64_t shard_tokens,
        isa=None,
        int curvature_column=-1,
    ):
        cdef:
            const uint32_t[::1] alias_threshold
            const int32_t[::1] alias, path_steps
            const int64_t[::1] path_offsets, part_offsets, label_offsets
            const int32_t[::1] parts, label_list
            float[:, ::1] subword_rows
        if not (1 <= n_shards <= SKW2V_MAX_SHARDS and 1 <= group_size <= SKW2V_MAX_GROUP):
            raise ValueError(f"{n_shards=} or {group_size=} out of range")
        if pool_size < n_negatives or input.shape[1] % 16 or shard_tokens < 1 or window < 1:
            raise ValueError(
                f"{pool_size=}, {n_negatives=}, {shard_tokens=}, {window=}, {input.shape[1]=}"
            )
        if (pool_size > 0) != (noise is not None) or bias_column >= input.shape[1]:
            has_noise = noise is not None
            raise ValueError(f"{pool_size=}, {has_noise=}, {bias_column=}, {input.shape[1]=}")
        if (paths is None) == (loss == "hierarchical_softmax"):
            raise ValueError(f"{loss=} with {'' if paths else 'no '}paths")
        if not 0 <= hot_rows[0] <= hot_rows[1] <= output.shape[0] or (
            loss in ("softmax", "ova") and hot_rows != (0, output.shape[0])
        ):
            raise ValueError(f"{loss=} with {hot_rows=} of {output.shape[0]}")
        if (labels is None) == (architecture == "document") or (
            labels is None and loss == "ova"
        ):
            raise ValueError(f"{architecture=}, {loss=} with {'' if labels else 'no '}labels")
        n_words = input.shape[0]
        n_documents = document_offsets.shape[0] - 1
        n_targets = n_words
        if labels is not None:
            n_targets = output.shape[0] + (loss == "hierarchical_softmax")
        sizes = {
            "keep_threshold": (n_words if labels else keep_threshold.shape[0], n_words),
            "output": (output.shape[0], n_targets - (loss == "hierarchical_softmax")),
            "labels": (len(labels[0]) if labels else n_documents + 1, n_documents + 1),
            "offsets": (n_targets if offsets is None else offsets.shape[0], n_targets),
            "noise": (n_targets if noise is None else len(noise[1]), n_targets),
            "paths": (n_targets + 1 if paths is None else len(paths[0]), n_targets + 1),
            "frozen": (n_words if frozen is None else frozen.shape[0], n_words),
            "subwords": (n_words + 1 if subwords is None else len(subwords[0]), n_words + 1),
        }
        for name, (found, expected) in sizes.items():
            if found != expected:
                raise ValueError(f"{name} has {found} entries, expected {expected}")
        memset(&self.engine, 0, sizeof(self.engine))
        self.body = choose_body(isa)
        self.alive = (token_ids, document_offsets, keep_threshold, labels, noise, offsets,
                      paths, subwords, frozen, input, output)
        self.engine.token_ids = &token_ids[0]
        self.engine.document_offsets = &document_offsets[0]
        self.engine.n_tokens = token_ids.shape[0]
        self.engine.n_documents = document_offsets.shape[0] - 1
        self.engine.n_words = input.shape[0]
        self.engine.n_targets = n_targets
        if labels is not None:
            label_offsets, label_list = labels
            self.engine.label_offsets = &label_offsets[0]
            self.engine.labels = &label_list[0]
        else:
            self.engine.keep_threshold = &keep_threshold[0]
        if noise is not None:
            alias_threshold, alias = noise
            self.engine.alias_threshold = &alias_threshold[0]
            self.engine.alias = &alias[0]
        self.engine.seed = seed
        self.engine.loss = LOSSES[loss]
        self.engine.remove_hits = remove_hits
        if offsets is not None:
            self.engine.offsets = &offsets[0]
        if paths is not None:
            path_offsets, path_steps = paths
            self.engine.path_offsets = &path_offsets[0]
            if path_steps.shape[0]:
                self.engine.path_steps = &path_steps[0]
        if subwords is not None:
            part_offsets, parts, subword_rows = subwords
            if subword_rows.shape[1] != input.shape[1]:
                raise ValueError(f"{subword_rows.shape[1]=}, {input.shape[1]=}")
            self.engine.part_offsets = &part_offsets[0]
            self.engine.parts = &parts[0]
            self.engine.subwords = &subword_rows[0, 0]
        if frozen is not None:
            self.engine.frozen = &frozen[0]
        self.engine.bias_column = bias_column
        self.engine.hot_first = hot_rows[0]
        self.engine.n_hot = hot_rows[1] - hot_rows[0]
        self.engine.architecture = ARCHITECTURES[architecture]
        self.engine.cbow_gradient = {"exact": SKW2V_CBOW_EXACT,
                                     "word2vec": SKW2V_CBOW_WORD2VEC}[cbow_gradient]
        self.engine.window = window
        self.engine.dynamic_window = dynamic_window
        self.engine.n_negatives = n_negatives
        self.engine.pool_size = pool_size
        self.engine.group_size = group_size
        self.engine.stride = input.shape[1]
        self.engine.n_shards = n_shards
        self.engine.curvature_column = curvature_column
        self.engine.segment = (self.engine.n_tokens + n_shards - 1) // n_shards
        if labels is None:
            shard_tokens = min(shard_tokens, max(self.engine.segment, 1))
        self.engine.shard_tokens = shard_tokens
        self.engine.input = &input[0, 0]
        if output.shape[0]:
            self.engine.output = &output[0, 0]
        self.n_rounds = (self.engine.segment + shard_tokens - 1) // shard_tokens
        self.next_round = self.n_rounds  # nothing can run before start_epoch
        if skw2v_allocate(&self.engine) != 0:
            raise MemoryError(
                "no memory for the shards' private rows; lower n_components, window or "
                "n_negatives, or for loss='softmax' the number of words (max_features)"
            )

    def __dealloc__(self):
        skw2v_release(&self.engine)

    def start_epoch(
        self, int64_t epoch, const int64_t[::1] order=None, const int64_t[::1] shares=None
    ):
        """Put every shard at the start of its part of the corpus.

        With documents, the epoch takes them in ``order``; shard s of round r takes the places
        ``shares[r * n_shards + s]`` to the next one's, ``shard_tokens`` tokens and a part of a
        document at most, and no empty document.
        """
        cdef int s
        if self.engine.architecture == SKW2V_DOCUMENT:
            self.alive_order = (order, shares)
            self.engine.order = &order[0]
            self.engine.shares = &shares[0]
            self.engine.n_shares = shares.shape[0] - 1
            self.n_rounds = (self.engine.n_shares + self.engine.n_shards - 1
                             ) // self.engine.n_shards
        # A round that was planned and never run has left its marks.
        memset(self.engine.marks, 0, self.engine.n_ids * self.engine.mark_stride)
        self.epoch = epoch
        self.next_round = 0
        for s in range(self.engine.n_shards):
            skw2v_start_epoch(&self.engine, epoch, s)
            skw2v_plan_shard(&self.engine, epoch, 0, s)
            skw2v_mark_shard(&self.engine, 0, s)
        if self.engine.subwords != NULL:
            for s in range(self.engine.n_shards):
                self.body.compose_shard(&self.engine, 0, s)

    def run(self, const float[::1] learning_rates, int n_threads):
        """Train the next rounds, one for each learning rate. Releases the GIL."""
        cdef:
            skw2v_engine *engine = &self.engine
            const skw2v_body *body = self.body
            int64_t epoch = self.epoch, first = self.next_round, n = learning_rates.shape[0]
            skw2v_team team
        if first + n > self.n_rounds:
            raise ValueError(f"{n} rounds from round {first} are more than {self.n_rounds}")
        if n == 0:
            return
        with nogil, parallel(num_threads=n_threads):
            # OpenMP may give fewer threads than asked for; the team must be the ones that run.
            if omp_get_thread_num() == 0:
                skw2v_start_team(&team, omp_get_num_threads(), omp_get_num_procs())
            skw2v_barrier()
            skw2v_run_rounds(engine, body, &team, omp_get_thread_num(), epoch, first, n,
                             &learning_rates[0])
        self.next_round = first + n

    def epoch_loss(self):
        """Sum of the loss and number of true pairs of the epoch so far."""
        cdef int s
        cdef double loss = 0.0
        cdef int64_t n_pairs = 0
        for s in range(self.engine.n_shards):
            loss += self.engine.streams[s].loss
            n_pairs += self.engine.streams[s].n_pairs
        return loss, n_pairs

    def planned(self):
        """The pairs and the noise pools of the round that comes next, shard by shard (for tests).

        Returns a list with, for each shard, (centers, contexts, pool): word ids.
        """
        cdef int s
        cdef int32_t i, j
        cdef skw2v_plan *plan
        shards = []
        for s in range(self.engine.n_shards):
            plan = &self.engine.plans[self.next_round & 1][s]
            centers, contexts, pool = [], [], []
            if plan.n_slots:
                for i in range(plan.first_center, plan.last_center):
                    for j in range(plan.tokens[i].begin, plan.tokens[i].end):
                        if j != i:
                            centers.append(plan.slots[plan.tokens[i].slot].word)
                            contexts.append(plan.slots[plan.tokens[j].slot].word)
                pool = [plan.slots[plan.pool[i]].word for i in range(self.engine.pool_size)]
            shards.append((centers, contexts, pool))
        return shards


def init_vectors(
    float[:, ::1] input,
    float[:, ::1] output,
    int64_t n_components,
    uint64_t seed,
    int n_threads,
    int64_t first_row=0,
    bint biased=False,
):
    """Fill the first ``n_components`` columns of ``input`` with uniform(-.5, .5) / n_components,
    keyed on (seed, row, column), its padding and ``output`` with zeros.

    The two hold the rows of the matrices from ``first_row`` on; ``output`` may end before
    ``input``. ``biased`` makes the column after the components 1 in ``input``.
    """
    cdef:
        uint64_t key = skw2v_stream_key(seed, SKW2V_PURPOSE_INIT, 0), bits
        int64_t row, j, n_words = input.shape[0], stride = input.shape[1]
    for row in prange(n_words, nogil=True, num_threads=n_threads, schedule="static"):
        for j in range(n_components):
            bits = skw2v_random_bits(key, <uint64_t> ((first_row + row) * n_components + j))
            input[row, j] = <float> ((((bits >> 40) + 0.5) / 16777216.0 - 0.5) / n_components)
        for j in range(n_components, stride):
            input[row, j] = 1.0 if biased and j == n_components else 0.0
        if row < output.shape[0]:
            for j in range(stride):
                output[row, j] = 0.0


def compose(
    const int64_t[::1] part_offsets,
    const int32_t[::1] parts,
    const float[:, ::1] subwords,
    float[:, ::1] out,
    int n_threads,
    int bias_column=-1,
    isa=None,
):
    """Fill row w of ``out`` with the mean of rows ``parts[part_offsets[w]:part_offsets[w + 1]]`` of
    ``subwords``, zeros where there are none; the same bits as in training."""
    cdef:
        const skw2v_body *body = choose_body(isa)
        const int32_t *first = &parts[0] if parts.shape[0] else NULL
        int64_t row, stride = out.shape[1]
    if subwords.shape[1] != stride or stride % 16 or part_offsets.shape[0] != out.shape[0] + 1:
        raise ValueError(f"{subwords.shape[1]=}, {stride=}, {part_offsets.shape[0]=}")
    for row in prange(out.shape[0], nogil=True, num_threads=n_threads, schedule="static"):
        body.compose_row(&out[row, 0], &subwords[0, 0], first + part_offsets[row],
                         part_offsets[row + 1] - part_offsets[row], stride, bias_column)


def random_bits(uint64_t seed, uint64_t purpose, uint64_t epoch, uint64_t counter):
    """One draw of the counter-based generator."""
    return skw2v_random_bits(skw2v_stream_key(seed, purpose, epoch), counter)


def uniforms(uint64_t seed, uint64_t purpose, uint64_t epoch, int64_t n):
    """The first n draws of the counter-based generator as float64 in [0, 1)."""
    cdef:
        uint64_t key = skw2v_stream_key(seed, purpose, epoch)
        double[::1] out = np.empty(n)
        int64_t i
    for i in range(n):
        out[i] = (skw2v_random_bits(key, <uint64_t> i) >> 11) * 2.0 ** -53
    return np.asarray(out)


def log_normalizers(
    float[:, ::1] hidden, float[:, ::1] targets, int n_threads, isa=None
):
    """log of the sum over all targets of exp(score), float64, for each hidden row.

    ``hidden`` (n_hidden, stride), ``targets`` (n_targets, stride); stride a multiple of 16.
    """
    cdef:
        const skw2v_body *body = choose_body(isa)
        int64_t n_hidden = hidden.shape[0], n_targets = targets.shape[0], stride = hidden.shape[1]
        int64_t size = (SKW2V_MAX_GROUP + 1) * SKW2V_PARTITION_TARGETS + 8, i, n
        int block, n_blocks = min(n_threads, n_hidden)
        double[::1] out = np.empty(n_hidden)
        float[:, ::1] scratch
        float **rows
    if n_hidden == 0:
        return np.asarray(out)
    scratch = np.empty((n_blocks, size), np.float32)
    rows = <float **> malloc(n_hidden * sizeof(float *))
    if rows == NULL:
        raise MemoryError
    for i in range(n_hidden):
        rows[i] = &hidden[i, 0]
    for block in prange(n_blocks, nogil=True, num_threads=n_threads, schedule="static"):
        i = n_hidden * block // n_blocks
        n = n_hidden * (block + 1) // n_blocks - i
        body.log_partitions(n, rows + i, &targets[0, 0], n_targets, stride, &out[i],
                            &scratch[block, 0])
    free(rows)
    return np.asarray(out)


# ---- a door for tests ----------------------------------------------------------------------------

def primitive(
    float[:, ::1] hidden,
    float[:, ::1] targets,
    float[::1] label,
    float[::1] weight,
    *,
    float[::1] offset=None,
    int bias_column=-1,
    float learning_rate,
    link="sigmoid",
    float[:, ::1] change=None,
    true_targets=None,
    isa=None,
):
    """One step of the primitive on padded rows, in place; returns the loss.

    ``hidden`` (n_hidden, stride), ``targets`` (n_targets, stride) with stride a multiple of 16;
    ``label``, ``weight``, ``offset`` padded with zeros to a multiple of 8. With ``change``, the
    hidden rows stay and their change is added there. Biases lie in a column of ``targets``, where
    ``hidden`` has ones. Under a softmax, ``true_targets`` may name a list for each hidden row
    instead of the one label.
    """
    cdef:
        const skw2v_body *body = choose_body(isa)
        int64_t n_hidden = hidden.shape[0], n_targets = targets.shape[0], stride = hidden.shape[1]
        int64_t padded = (n_targets + 7) // 8 * 8, i
        float **rows
        float **source
        float **sink
        float[::1] scratch = np.empty((n_hidden + 1) * (padded + stride) + 8, np.float32)
        int32_t[::1] true_of, true_list
        skw2v_targets chosen
        skw2v_loss loss
        int link_id
    is_first_true = true_targets is None and np.argmax(label) == 0
    if true_targets is None:
        true_targets = [[int(np.argmax(label))]] * n_hidden
    true_of = np.cumsum([0, *map(len, true_targets)], dtype=np.int32)
    true_list = np.array([*sum(true_targets, []), 0], dtype=np.int32)
    chosen.max_weight = int(np.max(weight))
    link_id = {"sigmoid": SKW2V_LINK_SIGMOID, "softmax": SKW2V_LINK_SOFTMAX}[link]
    rows = <float **> malloc((n_targets + 2 * n_hidden) * sizeof(float *))
    if rows == NULL:
        raise MemoryError
    source = rows + n_targets
    sink = source + n_hidden
    for i in range(n_targets):
        rows[i] = &targets[i, 0]
    for i in range(n_hidden):
        source[i] = &hidden[i, 0]
        sink[i] = &change[i, 0] if change is not None else &hidden[i, 0]
    chosen.n = n_targets
    chosen.rows = rows
    chosen.label = &label[0]
    chosen.true_of = NULL if is_first_true else &true_of[0]
    chosen.true_targets = &true_list[0]
    chosen.weight = &weight[0]
    chosen.offset = &offset[0] if offset is not None else NULL
    chosen.bias_column = bias_column
    skw2v_reset_loss(&loss)
    body.primitive(<int> n_hidden, source, sink if change is not None else source, &chosen, stride,
                   learning_rate, link_id, &loss, &scratch[0])
    body.flush_loss(&loss)
    free(rows)
    return loss.first + loss.others
