"""Words and their vectors: neighbours, similarities, and the two usual evaluations.

Similarity is the cosine. A zero vector has no direction; its similarity to anything is 0. Cosines
are summed in float64, row by row and without BLAS, so that equal vectors get equal similarities
wherever they stand and the order of neighbours does not depend on the number of threads.
"""

import difflib
from functools import cached_property
from itertools import islice
from numbers import Integral

import numpy as np

from ._analyzer import InvalidDocumentError, plain_tokens
from ._evaluation import AnalogyScore, WordPairScore, score_analogies, score_word_pairs
from .formats import check_vectors, read_word2vec_text, write_word2vec_text

__all__ = ["AnalogyScore", "WordPairScore", "WordVectors"]

_BLOCK = 2**12  # rows turned into float64 at a time: a few megabytes


class WordVectors:
    """Words and their vectors.

    Parameters
    ----------
    words : sequence of str or sequence of int, length n_words
        Distinct words in the order of the rows.
    vectors : array-like of shape (n_words, n_components)
        One row per word, finite. Converted to float32, and not copied where it is a C-contiguous
        float32 array already.

    Attributes
    ----------
    words : list of str or list of int
        The words in the order of their ids.
    vectors : ndarray of shape (n_words, n_components), float32
        Their vectors; a read-only view.
    index : dict of str or int to int
        Word to id, the number of its row.

    Raises
    ------
    TypeError
        If the words are not all str or all int.
    ValueError
        If a word comes twice, or the vectors have another shape or hold NaN or infinity.

    See Also
    --------
    Word2VecTransformer.word_vectors : The vectors that an estimator has learned.

    Examples
    --------
    >>> from skw2v import WordVectors
    >>> words = ["king", "queen", "man", "woman", "stone"]
    >>> vectors = [[2, 1, 0], [2, -1, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1]]
    >>> word_vectors = WordVectors(words, vectors)
    >>> word_vectors
    WordVectors(n_words=5, n_components=3)
    >>> word_vectors["queen"]
    array([ 2., -1.,  0.], dtype=float32)
    >>> word_vectors.similarity("king", "stone")
    0.0
    >>> [word for word, _ in word_vectors.most_similar(["king", "woman"], "man", topn=2)]
    ['queen', 'stone']
    """

    def __init__(self, words, vectors):
        if isinstance(words, str | bytes):
            raise TypeError(f"expected a sequence of words, got the single {words!r}")
        try:
            self.words = list(plain_tokens(words))
        except InvalidDocumentError as error:
            raise TypeError(f"the sequence of words {error.problem}") from error
        self.index = {word: id_ for id_, word in enumerate(self.words)}
        if len(self.index) < len(self.words):
            first = next(id_ for id_, word in enumerate(self.words) if self.index[word] != id_)
            word = self.words[first]
            raise ValueError(
                f"expected distinct words, but {word!r} comes at least twice: rows {first} and "
                f"{self.index[word]}"
            )
        # A view of its own: norms are kept, so writing into the vectors must not be easy.
        self.vectors = check_vectors(vectors, self.words).view()
        self.vectors.flags.writeable = False

    def __repr__(self):
        n_words, n_components = self.vectors.shape
        return f"{type(self).__name__}(n_words={n_words}, n_components={n_components})"

    def __len__(self):
        return len(self.words)

    def __iter__(self):
        return iter(self.words)

    def __contains__(self, word):
        return word in self.index

    def __getitem__(self, word):
        """Vector of `word`: ndarray of shape (n_components,), float32, read-only."""
        return self.vectors[self._id(word)]

    def similarity(self, a, b):
        """Cosine similarity of two words.

        Parameters
        ----------
        a, b : str, int or ndarray of shape (n_components,)
            Words, or vectors.

        Returns
        -------
        similarity : float
            Between -1 and 1; 0 if one of the vectors is zero.

        Raises
        ------
        KeyError
            If a word is unknown.
        """
        # The same summation as in `similarities`, so that both give the same number.
        cosine = np.einsum("ij,j->i", self._direction(b)[np.newaxis], self._direction(a))[0]
        return float(np.clip(cosine, -1.0, 1.0))

    def similarities(self, item):
        """Cosine similarities of every word to one word or vector.

        Parameters
        ----------
        item : str, int or ndarray of shape (n_components,)
            A word, or a vector.

        Returns
        -------
        similarities : ndarray of shape (n_words,), float64
            Between -1 and 1, in the order of the ids; 0 where a vector is zero.

        Raises
        ------
        KeyError
            If the word is unknown.
        """
        direction = self._direction(item)
        cosines = np.empty(len(self.words))
        for start in range(0, len(cosines), _BLOCK):
            block = slice(start, start + _BLOCK)
            rows = self.vectors[block].astype(np.float64)
            rows /= self._norms[block, np.newaxis]
            np.einsum("ij,j->i", rows, direction, out=cosines[block])
        return np.clip(cosines, -1.0, 1.0, out=cosines)

    def most_similar(self, positive=(), negative=(), topn=10):
        """Words nearest to a word, to a vector, or to a sum of such.

        The directions of `positive` are added, those of `negative` subtracted, and words are
        ranked by the cosine of their vectors with the result: 3CosAdd [1]_ where words are given
        on both sides.

        Parameters
        ----------
        positive : str, int, ndarray or sequence of these, default=()
            What neighbours should be like: a word, a vector (floating-point array of shape
            (n_components,)), or a sequence of words and vectors.
        negative : str, int, ndarray or sequence of these, default=()
            What they should be unlike.
        topn : int or None, default=10
            How many neighbours; None for all words.

        Returns
        -------
        neighbors : list of tuple of (word, float)
            Words and similarities, by falling similarity, ties by id. Words of the query are left
            out; there may be fewer than `topn` others.

        Raises
        ------
        KeyError
            If a word is unknown.
        ValueError
            If both `positive` and `negative` are empty, a vector has another length, or `topn` is
            negative.

        References
        ----------
        .. [1] O. Levy and Y. Goldberg, "Linguistic regularities in sparse and explicit word
           representations", CoNLL 2014.

        Examples
        --------
        >>> from skw2v import WordVectors
        >>> word_vectors = WordVectors(["a", "b", "c"], [[1, 0], [2, 0], [-1, 0]])
        >>> word_vectors.most_similar("a")
        [('b', 1.0), ('c', -1.0)]
        """
        if topn is not None and (not isinstance(topn, Integral) or topn < 0):
            raise ValueError(f"expected topn to be a non-negative int or None, got {topn!r}")
        positive, negative = _items(positive), _items(negative)
        if not positive and not negative:
            raise ValueError("nothing to compare with: pass words or vectors as positive, negative")
        query = sum(self._direction(item) for item in positive)
        query = query - sum(self._direction(item) for item in negative)

        cosines = self.similarities(query)
        ids = np.ones(len(cosines), dtype=bool)
        ids[[self._id(item) for item in positive + negative if _is_word(item)]] = False
        ids = np.flatnonzero(ids)
        cosines = cosines[ids]
        topn = len(ids) if topn is None else min(topn, len(ids))
        if 0 < topn < len(ids):
            # Everything that ties with the last one stays, for the stable sort to decide.
            kept = np.flatnonzero(cosines >= np.partition(cosines, -topn)[-topn])
            ids, cosines = ids[kept], cosines[kept]
        order = np.argsort(-cosines, kind="stable")[:topn]
        return [(self.words[ids[place]], float(cosines[place])) for place in order]

    def evaluate_analogies(self, questions, *, restrict=30_000, case_insensitive=True):
        """Share of the questions "a is to b as c is to what?" that are answered rightly.

        The answer is the word whose vector has the highest cosine with the direction of b, less
        that of a, plus that of c (3CosAdd); a, b and c themselves are no answers.

        Parameters
        ----------
        questions : path, sequence of 4-tuples of words, or mapping of str to such sequences
            The questions (a, b, c, answer). A path names a file in the format of Google's
            ``questions-words.txt``; the keys of a mapping are sections.
        restrict : int or None, default=30000
            Only the first `restrict` words take part, as questions and as answers: the most
            frequent ones of a fitted vocabulary. None for all.
        case_insensitive : bool, default=True
            Ignore case. Of words that differ in case alone, the first takes part.

        Returns
        -------
        score : AnalogyScore
            ``score.accuracy`` is the share. Questions with a word that does not take part are
            skipped, and counted.

        Raises
        ------
        ValueError
            If every question has to be skipped, or one has not four words.
        """
        return score_analogies(self, questions, restrict, case_insensitive)

    def evaluate_word_pairs(self, pairs, *, restrict=None, case_insensitive=True):
        """Rank correlation of the similarities with those that people gave.

        Parameters
        ----------
        pairs : path, or sequence of tuples of (word, word, score)
            Pairs of words with a number that grows with their similarity. A path names a file
            with a pair on each line, such as WordSim-353 and SimLex-999.
        restrict : int or None, default=None
            Only the first `restrict` words take part. None for all.
        case_insensitive : bool, default=True
            Ignore case. Of words that differ in case alone, the first takes part.

        Returns
        -------
        score : WordPairScore
            ``score.spearman`` is the correlation. Pairs with a word that does not take part are
            skipped, and counted.

        Raises
        ------
        ValueError
            If the correlation is undefined: fewer than two pairs are left, or all their scores or
            all their similarities are equal.
        """
        return score_word_pairs(self, pairs, restrict, case_insensitive)

    def save(self, path):
        """Write the words and vectors in word2vec's text format.

        Parameters
        ----------
        path : str or path-like
            File to write, compressed if its name ends in ``.gz``. It is replaced only when the
            new one is complete.

        Raises
        ------
        ValueError
            If a word is empty or holds white space, which the format cannot carry.

        See Also
        --------
        skw2v.formats.write_word2vec_text : The format in detail.
        """
        write_word2vec_text(path, self.words, self.vectors)

    @classmethod
    def load(cls, path):
        """Read words and vectors from a file in word2vec's text format.

        Parameters
        ----------
        path : str or path-like
            File to read, decompressed if its name ends in ``.gz``.

        Returns
        -------
        word_vectors : WordVectors
            What was saved, to the bit; but int words come back as str.

        Raises
        ------
        ValueError
            If the file does not follow the format; the message names the line.

        See Also
        --------
        skw2v.formats.read_word2vec_text : The format in detail.
        """
        return cls(*read_word2vec_text(path))

    @cached_property
    def _norms(self):
        """What to divide each row by: its length, or 1 for a zero vector, which stays zero."""
        # In float64, where no square of a float32 over- or underflows.
        norms = np.empty(len(self.words))
        for start in range(0, len(norms), _BLOCK):
            rows = self.vectors[start : start + _BLOCK].astype(np.float64)
            norms[start : start + _BLOCK] = np.sqrt(np.einsum("ij,ij->i", rows, rows))
        norms[norms == 0] = 1.0
        return norms

    def _id(self, word):
        try:
            return self.index[word]
        except KeyError:
            raise KeyError(self._describe_unknown(word)) from None

    def _describe_unknown(self, word):
        message = f"the word {word!r} is not among the {len(self)} known words"
        kind = type(self.words[0])
        if not isinstance(word, str) or kind is not str:
            return f"{message}, which are {kind.__name__}, like {self.words[0]!r}"
        # Near in spelling, from the first letter on: a cheap look at the most frequent such words.
        alike = (known for known in self.words if known[:1].lower() == word[:1].lower())
        by_form = {known.lower(): known for known in islice(alike, 1000)}
        close = [by_form[form] for form in difflib.get_close_matches(word.lower(), by_form, n=3)]
        return f"{message}; close matches: {', '.join(map(repr, close))}" if close else message

    def _direction(self, item):
        """float64 unit vector of a word or vector; zeros for a zero vector."""
        if _is_word(item):
            id_ = self._id(item)
            return self.vectors[id_].astype(np.float64) / self._norms[id_]
        shape = (self.vectors.shape[1],)
        try:
            vector = np.asarray(item, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise TypeError(
                f"expected a word or a vector of shape {shape}, got {item!r}"
            ) from error
        if vector.shape != shape or not np.isfinite(vector).all():
            raise ValueError(
                f"expected a word or a finite vector of shape {shape}, got an array of shape "
                f"{vector.shape}" + (" that holds NaN or infinity" * (vector.shape == shape))
            )
        if not vector.any():
            return vector
        vector = vector / np.abs(vector).max()  # keeps the squares in range
        return vector / np.sqrt(np.einsum("i,i->", vector, vector))


def _is_word(item):
    return isinstance(item, str | Integral)


def _items(argument):
    """A list of words and vectors, from one word, one vector or several of either."""
    if _is_word(argument):
        return [argument]
    if isinstance(argument, np.ndarray):
        if argument.ndim == 1 and np.issubdtype(argument.dtype, np.floating):
            return [argument]
        # Python's own str and int out of arrays of words, rows out of a matrix
        return list(argument) if argument.ndim > 1 else argument.tolist()
    return list(argument)
