# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The door to the scanner and the table of tokens: strings in, ids out, no token as an object.

Python's own database says what a word character and what its lowercase is, so tokens are those of
``re.findall(r"\\w+", text.lower())`` in the Python that runs. `Scanner` is called by
``_numbering.py`` alone, what works on ids by ``_corpus.py``.
"""

from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.unicode cimport PyUnicode_DecodeUTF8, PyUnicode_FindChar
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc

from concurrent.futures import ThreadPoolExecutor

import numpy as np

cdef extern from "Python.h":
    int PyUnicode_KIND(object text)
    void *PyUnicode_DATA(object text)
    Py_ssize_t PyUnicode_GetLength(object text) except -1
    bint PyUnicode_IS_ASCII(object text)
    bint Py_UNICODE_ISALNUM(Py_UCS4 character)
    Py_UCS4 Py_UNICODE_TOLOWER(Py_UCS4 character)

cdef extern from "token_table.h" nogil:
    enum:
        SKW2V_TOKEN_PADDING

    ctypedef struct skw2v_token_key:
        pass

    ctypedef struct skw2v_token_table:
        int64_t n_tokens
        int64_t *ends
        unsigned char *arena

    int skw2v_open_table(skw2v_token_table *table, uint64_t seed)
    void skw2v_close_table(skw2v_token_table *table)
    void skw2v_clear_table(skw2v_token_table *table)
    skw2v_token_key skw2v_make_key(uint64_t seed, const unsigned char *bytes, int64_t length)
    int32_t skw2v_number_token(skw2v_token_table *table, const unsigned char *bytes,
                               skw2v_token_key key)

cdef extern from "scanner.h" nogil:
    ctypedef struct skw2v_text:
        const void *characters
        int64_t length
        int width
        int is_ascii

    ctypedef struct skw2v_rules:
        const uint32_t *lowercase
        int lowers
        int shortest
        const skw2v_token_table *skip
        const skw2v_token_table *known

    ctypedef struct skw2v_scan:
        int32_t *ids
        int64_t n_ids
        int64_t n_unknown
        int64_t n_waiting

    ctypedef struct skw2v_place:
        int64_t text
        int64_t at

    int skw2v_scan_texts(skw2v_scan *scan, const skw2v_rules *rules, skw2v_token_table *fresh,
                         const skw2v_text *texts, skw2v_place first, skw2v_place last,
                         int64_t *lengths)
    int64_t skw2v_border(const skw2v_rules *rules, const skw2v_text *text, int64_t at)
    int64_t skw2v_write_bytes(const skw2v_text *text, unsigned char *bytes)
    void skw2v_resolve(skw2v_scan *scan, const int32_t *numbers)
    void skw2v_release_scan(skw2v_scan *scan)


NO_MEMORY = "no memory for the distinct tokens, or more of them than 32-bit ids can number"

# One for all tables, because keys go from one to the next. It changes with PYTHONHASHSEED.
cdef uint64_t SEED = <uint64_t> <Py_ssize_t> hash("the seed of the tables of tokens")


# ---- characters ---------------------------------------------------------------------------------

# What str.lower() makes of these depends on their neighbours, or is two characters: U+0130 becomes
# "i" and a dot, and a capital sigma one of two letters. All others have one lowercase character.
LOWERED_IN_CONTEXT = "\u0130\u03a3"

cdef enum:
    N_NARROW = 0x100
    N_BASIC = 0x10000
    N_CHARACTERS = 0x110000

# Each word character's lowercase, 0 for others. Pages that nobody has filled take no memory.
cdef uint32_t *LOWERCASE = <uint32_t *> calloc(N_CHARACTERS, sizeof(uint32_t))
cdef int64_t n_filled = 0


cdef int fill_lowercase(int64_t n) except -1:
    """Let the table know the first n code points; 0.4 ms for 2**16, 12 ms for all."""
    global n_filled
    cdef Py_UCS4 c, lower
    if LOWERCASE == NULL:
        raise MemoryError
    for c in range(<Py_UCS4> n_filled, <Py_UCS4> n):
        lower = Py_UNICODE_TOLOWER(c)
        if Py_UNICODE_ISALNUM(lower) or lower == c'_':
            LOWERCASE[c] = lower
    n_filled = max(n, n_filled)
    return 0


cdef skw2v_text text_of(text) except *:
    cdef skw2v_text buffer
    if not isinstance(text, str):
        raise TypeError(f"expected str, got {type(text).__name__}")
    buffer.length = PyUnicode_GetLength(text)  # Python 3.11 makes some buffers only now
    buffer.characters = PyUnicode_DATA(text)
    buffer.width = PyUnicode_KIND(text)
    buffer.is_ascii = PyUnicode_IS_ASCII(text)
    return buffer


cdef bint needs_context(text) except -1:
    for character in LOWERED_IN_CONTEXT:
        if PyUnicode_FindChar(text, character, 0, PyUnicode_GetLength(text), 1) != -1:
            return True
    return False


# ---- tokens and numbers -------------------------------------------------------------------------

cdef class TokenTable:
    """Distinct tokens, numbered from 0 on in the order in which they are added.

    Parameters
    ----------
    tokens : iterable of str, default=()
        What repeats is added once.
    """

    cdef skw2v_token_table table

    def __cinit__(self, tokens=()):
        if skw2v_open_table(&self.table, SEED) != 0:
            raise MemoryError
        self.number(tokens)

    def __dealloc__(self):
        skw2v_close_table(&self.table)

    def __len__(self):
        return self.table.n_tokens

    def __getitem__(self, int64_t number):
        """The token of that number as str."""
        cdef const int64_t *ends = self.table.ends
        if not 0 <= number < self.table.n_tokens:
            raise IndexError(f"there is no token {number} among {self.table.n_tokens}")
        return PyUnicode_DecodeUTF8(<const char *> self.table.arena + ends[number],
                                    ends[number + 1] - ends[number], "surrogatepass")

    def number(self, tokens):
        """The number of each token, as a list."""
        cdef:
            skw2v_text text
            unsigned char *bytes = NULL
            int64_t capacity = 0, length
            int32_t number
        numbers = []
        try:
            for token in tokens:
                text = text_of(token)
                if 4 * text.length + SKW2V_TOKEN_PADDING > capacity:
                    PyMem_Free(bytes)
                    capacity = 8 * text.length + 64
                    bytes = <unsigned char *> PyMem_Malloc(capacity)
                    if bytes == NULL:
                        raise MemoryError
                length = skw2v_write_bytes(&text, bytes)
                number = skw2v_number_token(&self.table, bytes,
                                            skw2v_make_key(SEED, bytes, length))
                if number < 0:
                    raise MemoryError(NO_MEMORY)
                numbers.append(number)
        finally:
            PyMem_Free(bytes)
        return numbers


# ---- texts to ids -------------------------------------------------------------------------------

# Parts a thread: one that shares its core takes fewer of them.
cdef int PARTS_PER_THREAD = 2


cdef struct Part:
    skw2v_scan scan
    skw2v_token_table fresh
    skw2v_place first
    skw2v_place last
    int status


cdef class Scanner:
    """Finds the tokens of texts and numbers them, with several threads where it pays.

    The ids are those of one thread. Threads look tokens up in a table that nobody changes, and
    number what it does not know in tables of their own; those join it, part by part in the order of
    the text, when all are done. One thread alone numbers straight into the table.

    Parameters
    ----------
    table : TokenTable
    learns : bool
        Add new tokens to the table. False: leave them out, and count them.
    lowercase : bool
        Scan ``text.lower()``.
    shortest : int
        1 or 2: runs of fewer word characters are no tokens.
    skip : iterable
        Tokens to pass over; what is no str is no token.
    n_threads : int, default=1
    least_parallel : int, default=0
        Texts of fewer characters are left to one thread.

    Attributes
    ----------
    n_unknown : int
        How many tokens were left out so far.
    """

    cdef TokenTable table, skip
    cdef bint learns
    cdef int n_threads
    cdef int64_t least_parallel
    cdef skw2v_rules rules
    cdef Part *parts
    cdef int n_parts
    cdef skw2v_text *texts
    cdef int64_t *found
    cdef readonly int64_t n_unknown

    def __cinit__(
        self,
        TokenTable table,
        *,
        bint learns,
        bint lowercase,
        int shortest,
        skip=(),
        int n_threads=1,
        int64_t least_parallel=0,
    ):
        self.table = table
        self.n_threads = n_threads
        self.least_parallel = least_parallel
        self.learns = learns
        self.skip = TokenTable([token for token in skip if isinstance(token, str)])
        self.rules.lowercase = LOWERCASE
        self.rules.lowers = lowercase
        self.rules.shortest = shortest
        self.rules.skip = &self.skip.table if len(self.skip) else NULL
        fill_lowercase(N_NARROW)

    def __dealloc__(self):
        cdef int i
        for i in range(self.n_parts):
            skw2v_release_scan(&self.parts[i].scan)
            skw2v_close_table(&self.parts[i].fresh)
        free(self.parts)

    def scan(self, list texts, token_ids):
        """Append the ids of the tokens of texts to ``token_ids``, an array("i").

        Returns how many each text gave: ndarray of shape (n_texts,), int64.
        """
        cdef:
            int64_t n_texts = len(texts), i, n_characters = 0
            int n_parts, part
            skw2v_text *buffers
            int64_t[::1] lengths = np.zeros(n_texts, np.int64)
        if n_texts == 0:
            return np.asarray(lengths)
        buffers = <skw2v_text *> malloc(n_texts * sizeof(skw2v_text))
        if buffers == NULL:
            raise MemoryError
        try:
            for i in range(n_texts):
                text = texts[i]
                buffers[i] = text_of(text)
                if self.rules.lowers and buffers[i].width > 1 and needs_context(text):
                    texts[i] = text.lower()
                    buffers[i] = text_of(texts[i])
                n_characters += buffers[i].length
                if buffers[i].width > 1 and n_filled < N_CHARACTERS:
                    fill_lowercase(N_BASIC if buffers[i].width == 2 else N_CHARACTERS)
            n_parts = self.n_threads * PARTS_PER_THREAD
            if self.n_threads == 1 or n_characters < self.least_parallel:
                n_parts = 1
            self.make_parts(n_parts)
            self.cut(buffers, n_texts, n_characters, n_parts)
            self.scan_parts(buffers, lengths, n_parts)
        finally:
            free(buffers)
        for part in range(n_parts):
            append_ids(token_ids, &self.parts[part].scan)
        return np.asarray(lengths)

    cdef int make_parts(self, int n_parts) except -1:
        cdef:
            Part *parts
            int i
        if n_parts <= self.n_parts:
            return 0
        parts = <Part *> calloc(n_parts, sizeof(Part))
        if parts == NULL:
            raise MemoryError
        for i in range(self.n_parts):
            parts[i] = self.parts[i]
        free(self.parts)
        self.parts = parts
        for i in range(self.n_parts, n_parts):
            if skw2v_open_table(&parts[i].fresh, SEED) != 0:
                raise MemoryError
            self.n_parts = i + 1
        return 0

    cdef int cut(self, skw2v_text *texts, int64_t n_texts, int64_t n_characters, int n):
        """Give all parts as many characters, up to borders of words."""
        cdef:
            int64_t text = 0, before = 0, at
            skw2v_place place
            int i
        place.text = place.at = 0
        for i in range(n):
            self.parts[i].first = place
            if i == n - 1:
                place.text = n_texts - 1
                place.at = texts[n_texts - 1].length
            else:
                at = n_characters * (i + 1) // n
                while at > before + texts[text].length:
                    before += texts[text].length
                    text += 1
                place.text = text
                place.at = skw2v_border(&self.rules, &texts[text], at - before)
            self.parts[i].last = place
        return 0

    cdef int scan_parts(self, skw2v_text *texts, int64_t[::1] lengths, int n_parts) except -1:
        cdef:
            Part *part
            int i
            # A text on a border has a length in either part.
            int64_t[::1] found = np.empty(lengths.shape[0] + n_parts, np.int64)
            int64_t t
        self.texts = texts
        self.found = &found[0]
        self.rules.known = NULL if self.learns and n_parts == 1 else &self.table.table
        if n_parts == 1:
            self._scan_part(0)
        else:
            # Not OpenMP's threads: these sleep while they wait, those spin, and where others want
            # the cores, that took several times as long as one thread alone.
            with ThreadPoolExecutor(self.n_threads) as pool:
                list(pool.map(self._scan_part, range(n_parts)))
        for i in range(n_parts):
            part = &self.parts[i]
            if part.status != 0:
                raise MemoryError(NO_MEMORY)
            self.n_unknown += part.scan.n_unknown
            for t in range(part.first.text, part.last.text + 1):
                lengths[t] += found[t + i]
        if self.learns and n_parts > 1:
            self.join(n_parts)
        return 0

    def _scan_part(self, int i):
        cdef:
            Part *part = &self.parts[i]
            skw2v_token_table *fresh = &part.fresh
        if not self.learns:
            fresh = NULL
        elif self.rules.known == NULL:
            fresh = &self.table.table
        with nogil:
            if fresh == &part.fresh:
                skw2v_clear_table(fresh)
            part.scan.n_ids = part.scan.n_unknown = part.scan.n_waiting = 0
            part.status = skw2v_scan_texts(&part.scan, &self.rules, fresh, self.texts, part.first,
                                           part.last, self.found + part.first.text + i)

    cdef int join(self, int n_parts) except -1:
        """Add the new tokens of the parts to the table, and give their ids to those who wait."""
        cdef:
            int64_t i, n
            int part
            int32_t *numbers
            int64_t *ends
            unsigned char *bytes
        n = max([self.parts[part].fresh.n_tokens for part in range(n_parts)])
        numbers = <int32_t *> malloc((n + 1) * sizeof(int32_t))
        if numbers == NULL:
            raise MemoryError
        try:
            for part in range(n_parts):
                ends = self.parts[part].fresh.ends
                for i in range(self.parts[part].fresh.n_tokens):
                    bytes = self.parts[part].fresh.arena + ends[i]
                    numbers[i] = skw2v_number_token(
                        &self.table.table, bytes,
                        skw2v_make_key(SEED, bytes, ends[i + 1] - ends[i]))
                    if numbers[i] < 0:
                        raise MemoryError(NO_MEMORY)
                skw2v_resolve(&self.parts[part].scan, numbers)
        finally:
            free(numbers)
        return 0


cdef int append_ids(token_ids, skw2v_scan *scan) except -1:
    if scan.n_ids:
        token_ids.frombytes(<char[:scan.n_ids * <int64_t> sizeof(int32_t)]> <char *> scan.ids)
    return 0


# ---- ids ----------------------------------------------------------------------------------------

def sum_by_id(
    const int32_t[::1] token_ids,
    const int64_t[::1] offsets,
    int64_t n_ids,
    const int64_t[::1] document_weight=None,
):
    """Sum of the weights of the tokens that have each id; None: their number. int64, (n_ids,)."""
    cdef:
        int64_t[::1] sums = np.zeros(n_ids, np.int64)
        int64_t document, at, weight = 1
    with nogil:
        for document in range(offsets.shape[0] - 1):
            if document_weight is not None:
                weight = document_weight[document]
            for at in range(offsets[document], offsets[document + 1]):
                sums[token_ids[at]] += weight
    return np.asarray(sums)


def renumber(int32_t[::1] token_ids, int64_t[::1] offsets, const int32_t[::1] new_ids):
    """Make each id ``new_ids[id]``, leave out those that become -1, and move the offsets along.

    In place; returns how many ids are left, at the beginning of ``token_ids``.
    """
    cdef:
        int64_t document, at, start, stop, n_kept = 0
        int32_t new_id
    with nogil:
        stop = offsets[0]
        for document in range(offsets.shape[0] - 1):
            start, stop = stop, offsets[document + 1]
            for at in range(start, stop):
                new_id = new_ids[token_ids[at]]
                token_ids[n_kept] = new_id
                n_kept += new_id >= 0
            offsets[document + 1] = n_kept
    return n_kept
