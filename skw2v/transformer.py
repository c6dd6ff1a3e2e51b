"""`Word2VecTransformer`: parameters, and fit/transform as a short recipe."""

import os

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, check_memory

from skw2v import __version__
from skw2v._analyzer import build_analyzer, check_documents
from skw2v._corpus import Corpus, build_corpus, encode
from skw2v._parameters import PARAMETER_CONSTRAINTS
from skw2v._pooling import combine_vectors, pool_documents
from skw2v._sklearn import keep_index, validated
from skw2v._threads import effective_n_threads
from skw2v._training import TrainingParameters, train
from skw2v.word_vectors import WordVectors


class Word2VecTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Turn documents into dense features with word2vec.

    `fit` learns two vectors for every word of the documents, its input and its output vector;
    `transform` pools the vectors of a document's words into one row.

    The result depends on the documents, the parameters and `random_state`, never on `n_jobs`: the
    vectors, `loss_curve_` and the features are the same to the bit at any number of threads, and on
    processors with AVX2 and with AVX-512 alike. A processor with neither uses a portable version
    of the kernels, whose last bits may differ.

    Parameters
    ----------
    input : {"content", "filename", "file"}, default="content"
        What a document is: the text itself (str or bytes), the name of a file that holds it, or an
        object whose `read` method returns it. A document may also be a sequence of tokens that are
        made already (list, tuple or 1-D array of str or of int, such as item ids or graph nodes);
        the parameters from here to `analyzer` then do not touch it.
    encoding : str, default="utf-8"
        How bytes are decoded.
    decode_error : {"strict", "ignore", "replace"}, default="strict"
        What to do about bytes that do not decode. "strict" raises UnicodeDecodeError.
    strip_accents : {"ascii", "unicode"} or callable, default=None
        Remove accents before tokens are made, as :class:`~sklearn.feature_extraction.text.\
CountVectorizer` does. None leaves them.
    lowercase : bool, default=True
        Convert to lower case before tokens are made.
    preprocessor : callable, default=None
        Replaces the preprocessing of strings (`strip_accents` and `lowercase`).
    tokenizer : callable, default=None
        Replaces the splitting of strings by `token_pattern`.
    stop_words : {"english"} or list, default=None
        Tokens to leave out; "english" is scikit-learn's list.
    token_pattern : str, default=r"(?u)\\b\\w\\w+\\b"
        The regular expression of a token; with a capturing group, the group is the token.
    analyzer : {"word"} or callable, default="word"
        A callable replaces everything above: it gets the document and returns its tokens.
    min_count : int, default=5
        Words that occur less often than this in all the documents are dropped.
    max_features : int, default=None
        Keep only that many of the most frequent words. None keeps all.
    vocabulary : mapping or iterable, default=None
        The words to learn, instead of finding them: a mapping from token to id (0 to
        n_words - 1), or the tokens in the order of their ids. `min_count` and `max_features` are
        then not used.
    architecture : {"skipgram", "cbow"}, default="skipgram"
        "skipgram" predicts a word from each word of its context in turn, "cbow" from the mean of
        their input vectors. As in the original program, "cbow" hands every word of the context
        the whole gradient of that mean, where the chain rule would divide it by their
        number [3]_.
    loss : {"negative_sampling"}, default="negative_sampling"
        Tell a word from `n_negatives` words drawn as noise.
    n_components : int, default=100
        Length of the vectors.
    window : int, default=5
        How many words on each side of a word are its context. A window ends where its document
        does.
    dynamic_window : bool, default=True
        Draw the size of each window uniformly from 1 to `window`, which gives near words more
        weight. False always uses `window`.
    n_negatives : int, default=5
        Number of noise words for every word that is predicted.
    noise_exponent : float, default=0.75
        The noise is drawn with probability proportional to `count ** noise_exponent`.
    subsample : float, default=1e-3
        Threshold t above which frequent words are thinned out before training: a word with share f
        of all tokens is kept with probability `(sqrt(f / t) + 1) * t / f`. 0 keeps every one.
    learning_rate : float, default=0.025
        Learning rate at the start; it falls linearly to `min_learning_rate`. Twice the
        default is the original program's choice for "cbow".
    min_learning_rate : float, default=1e-4
        Learning rate at the end; at most `learning_rate`.
    max_iter : int, default=5
        Number of epochs, that is passes over the documents.
    embedding : {"input", "output", "sum", "mean", "concat"}, default="input"
        The vector of a word that `transform` uses: its input vector, its output vector, their sum,
        mean or concatenation (which doubles the number of features). Changing it never retrains.
    pooling : {"mean", "sum", "max"}, default="mean"
        How `transform` makes one row of the vectors of a document's words. Changing it never
        retrains.
    random_state : int, RandomState instance or None, default=None
        Seeds the initial vectors, subsampling, window sizes and noise. Pass an int for the same
        result on every call. None takes a new seed every time, so that `memory` never finds
        anything to reuse.
    n_jobs : int or None, default=None
        Number of threads. None and -1 use every thread that OpenMP may use here, which respects
        OMP_NUM_THREADS, threadpoolctl, joblib's `inner_max_num_threads` and the cores the process
        may use; -2 uses all but one of them; a positive number uses that many. This departs from
        scikit-learn's None, but not from its own OpenMP estimators: since the result does not
        depend on it, there is no reason to use fewer. A forked child process uses one thread,
        because OpenMP does not survive a fork.
    verbose : int, default=0
        1 prints a line for every epoch: its number, its loss and the words trained in a second.
    memory : str, path-like or object with the joblib.Memory interface, default=None
        Where to keep trained vectors, so that fitting again on the same tokens with the same
        training parameters reads them instead. The parameters that only matter to `transform`
        (`embedding`, `pooling`), `n_jobs` and `verbose` have no part in the key: a grid search
        over `embedding` and `pooling` trains once a fold. None keeps nothing.

    Attributes
    ----------
    vocabulary_ : dict
        The id of every word, by falling count and ties by token, or as given by `vocabulary`.
    word_counts_ : ndarray of shape (n_words,), dtype int64
        How often each word occurs in the training documents, in the order of the ids.
    input_vectors_ : ndarray of shape (n_words, n_components), dtype float32
        The vectors of words as context, v in [1]_; what other tools call the word vectors.
    output_vectors_ : ndarray of shape (n_words, n_components), dtype float32
        The vectors of words as what is predicted, v' in [1]_.
    summed_vectors_ : ndarray of shape (n_words, n_components), dtype float32
        `input_vectors_ + output_vectors_`.
    loss_curve_ : ndarray of shape (`n_iter_`,), dtype float64
        Mean loss for a pair of center and context, epoch by epoch.
    n_iter_ : int
        Number of epochs that were trained.

    See Also
    --------
    WordVectors : Neighbours and analogies; what `word_vectors` returns.
    sklearn.feature_extraction.text.TfidfVectorizer : Sparse features, one for every word.

    Notes
    -----
    As in the original C program, the context's input vector predicts the word in the middle.
    The papers pair them the other way round; windows are symmetric, so the sets of pairs are equal.

    References
    ----------
    .. [1] T. Mikolov, I. Sutskever, K. Chen, G. Corrado, J. Dean (2013). Distributed
       Representations of Words and Phrases and their Compositionality. NeurIPS 26.
       https://arxiv.org/abs/1310.4546
    .. [2] T. Mikolov, K. Chen, G. Corrado, J. Dean (2013). Efficient Estimation of Word
       Representations in Vector Space. ICLR workshop. https://arxiv.org/abs/1301.3781
    .. [3] O. Irsoy, A. Benton, K. Stratos (2021). Corrected CBOW Performs as well as Skip-gram.
       Workshop on Insights from Negative Results in NLP. https://arxiv.org/abs/2012.15332

    Examples
    --------
    >>> from skw2v import Word2VecTransformer
    >>> documents = ["the cat sat on the mat", "the dog sat on the cat", "a dog and a cat"]
    >>> transformer = Word2VecTransformer(n_components=8, min_count=2, random_state=0)
    >>> transformer.fit_transform(documents).shape
    (3, 8)
    >>> transformer.vocabulary_
    {'the': 0, 'cat': 1, 'dog': 2, 'on': 3, 'sat': 4}
    """

    _parameter_constraints = PARAMETER_CONSTRAINTS

    def __init__(
        self,
        *,
        input="content",
        encoding="utf-8",
        decode_error="strict",
        strip_accents=None,
        lowercase=True,
        preprocessor=None,
        tokenizer=None,
        stop_words=None,
        token_pattern=r"(?u)\b\w\w+\b",
        analyzer="word",
        min_count=5,
        max_features=None,
        vocabulary=None,
        architecture="skipgram",
        loss="negative_sampling",
        n_components=100,
        window=5,
        dynamic_window=True,
        n_negatives=5,
        noise_exponent=0.75,
        subsample=1e-3,
        learning_rate=0.025,
        min_learning_rate=1e-4,
        max_iter=5,
        embedding="input",
        pooling="mean",
        random_state=None,
        n_jobs=None,
        verbose=0,
        memory=None,
    ):
        self.input = input
        self.encoding = encoding
        self.decode_error = decode_error
        self.strip_accents = strip_accents
        self.lowercase = lowercase
        self.preprocessor = preprocessor
        self.tokenizer = tokenizer
        self.stop_words = stop_words
        self.token_pattern = token_pattern
        self.analyzer = analyzer
        self.min_count = min_count
        self.max_features = max_features
        self.vocabulary = vocabulary
        self.architecture = architecture
        self.loss = loss
        self.n_components = n_components
        self.window = window
        self.dynamic_window = dynamic_window
        self.n_negatives = n_negatives
        self.noise_exponent = noise_exponent
        self.subsample = subsample
        self.learning_rate = learning_rate
        self.min_learning_rate = min_learning_rate
        self.max_iter = max_iter
        self.embedding = embedding
        self.pooling = pooling
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.memory = memory

    @validated
    def fit(self, X, y=None):
        """Learn the vectors of the words of X.

        An error or an interruption leaves the estimator as it was before the call.

        Parameters
        ----------
        X : iterable of documents
            A list, 1-D array, pandas or polars Series, or generator of documents; see `input`.
        y : None
            Ignored; part of scikit-learn's convention.

        Returns
        -------
        self : Word2VecTransformer
            The fitted estimator.

        Raises
        ------
        sklearn.utils._param_validation.InvalidParameterError
            If a parameter is not what it may be; a ValueError.
        ValueError
            If X is not a collection of documents, or if no word is left to learn.
        """
        self._fit(X)
        return self

    @validated
    def fit_transform(self, X, y=None):
        """Learn the vectors of the words of X, and pool them into features of X.

        The same as `fit(X).transform(X)`, but analyses the documents once.

        Parameters
        ----------
        X : iterable of documents
            As for `fit`.
        y : None
            Ignored; part of scikit-learn's convention.

        Returns
        -------
        features : ndarray of shape (n_documents, n_features), dtype float32
            As from `transform`.
        """
        return keep_index(self._pool(self._fit(X)), X, self)

    def transform(self, X):
        """Pool the vectors of each document's words into one row.

        Parameters
        ----------
        X : iterable of documents
            As for `fit`.

        Returns
        -------
        features : ndarray of shape (n_documents, n_features), dtype float32
            One row for every document, which depends on that document alone. Words that `fit` did
            not learn are skipped; a document without any known word gives a row of zeros.
            n_features is n_components, or twice that if `embedding="concat"`. A pandas or polars
            DataFrame after `set_output`.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If `fit` has not been called.
        """
        check_is_fitted(self)
        self._validate_params()  # embedding and pooling may have been set since fit
        corpus = encode(check_documents(X), self._build_analyzer(), self._vocabulary)
        return keep_index(self._pool(corpus), X, self)

    def word_vectors(self, embedding="input"):
        """The learned words and their vectors, for queries and for saving.

        Parameters
        ----------
        embedding : {"input", "output", "sum", "mean", "concat"}, default="input"
            Which vector of a word to take; see the parameter of the same name.

        Returns
        -------
        word_vectors : WordVectors
            Words in the order of their ids.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If `fit` has not been called.
        ValueError
            If `embedding` is none of the above.
        """
        check_is_fitted(self)
        vectors = combine_vectors(self.input_vectors_, self.output_vectors_, embedding)
        return WordVectors(self._vocabulary.words, vectors)

    @property
    def summed_vectors_(self):
        """Input plus output vectors, an ndarray of shape (n_words, n_components)."""
        return combine_vectors(self.input_vectors_, self.output_vectors_, "sum")

    @property
    def _n_features_out(self):
        return self.input_vectors_.shape[1] * (2 if self.embedding == "concat" else 1)

    def _fit(self, X):
        """Learn everything and return the encoded documents."""
        parameters = self._training_parameters()
        vocabulary, corpus = build_corpus(
            check_documents(X),
            self._build_analyzer(),
            vocabulary=self.vocabulary,
            min_count=self.min_count,
            max_features=self.max_features,
        )
        memory = os.fspath(self.memory) if isinstance(self.memory, os.PathLike) else self.memory
        cached_train = check_memory(memory).cache(_train, ignore=["n_threads", "on_epoch"])
        trained = cached_train(
            corpus.token_ids,
            corpus.document_offsets,
            vocabulary.counts,
            parameters,
            __version__,
            n_threads=effective_n_threads(self.n_jobs),
            on_epoch=self._print_epoch if self.verbose else None,
        )
        # One call, so that Ctrl-C cannot come between two attributes.
        self.__dict__.update(
            _vocabulary=vocabulary,
            vocabulary_=vocabulary.index,
            word_counts_=vocabulary.counts,
            input_vectors_=trained.input_vectors,
            output_vectors_=trained.output_vectors,
            loss_curve_=trained.loss_curve,
            n_iter_=trained.n_iter,
        )
        return corpus

    def _pool(self, corpus):
        """Features of encoded documents."""
        input_vectors, output_vectors = self.input_vectors_, self.output_vectors_
        if self.embedding not in ("input", "output") and corpus.n_tokens < len(input_vectors):
            # Combine the few rows that are needed, not the whole vocabulary's.
            used, token_ids = np.unique(corpus.token_ids, return_inverse=True)
            corpus = Corpus(token_ids.astype(np.int32), corpus.document_offsets)
            input_vectors, output_vectors = input_vectors[used], output_vectors[used]
        vectors = combine_vectors(input_vectors, output_vectors, self.embedding)
        return pool_documents(corpus, vectors, self.pooling, effective_n_threads(self.n_jobs))

    def _build_analyzer(self):
        return build_analyzer(
            input=self.input,
            encoding=self.encoding,
            decode_error=self.decode_error,
            strip_accents=self.strip_accents,
            lowercase=self.lowercase,
            preprocessor=self.preprocessor,
            tokenizer=self.tokenizer,
            stop_words=self.stop_words,
            token_pattern=self.token_pattern,
            analyzer=self.analyzer,
        )

    def _training_parameters(self):
        if self.min_learning_rate > self.learning_rate:
            raise ValueError(
                f"min_learning_rate={self.min_learning_rate} is above "
                f"learning_rate={self.learning_rate}, but the rate can only fall; lower "
                "min_learning_rate or raise learning_rate."
            )
        # Plain Python numbers, because equal numbers of other types would miss the cache.
        return TrainingParameters(
            architecture=self.architecture,
            cbow_gradient="word2vec",
            loss=self.loss,
            n_components=int(self.n_components),
            window=int(self.window),
            dynamic_window=bool(self.dynamic_window),
            n_negatives=int(self.n_negatives),
            noise_exponent=float(self.noise_exponent),
            subsample=float(self.subsample),
            learning_rate=float(self.learning_rate),
            min_learning_rate=float(self.min_learning_rate),
            max_iter=int(self.max_iter),
            seed=int(check_random_state(self.random_state).randint(2**31 - 1)),
        )

    def _print_epoch(self, epoch, loss, words_per_second):
        print(
            f"[{type(self).__name__}] epoch {epoch + 1} of {self.max_iter}: loss {loss:.4f}, "
            f"{words_per_second:,.0f} words/s",
            flush=True,
        )

    def __sklearn_is_fitted__(self):
        return hasattr(self, "input_vectors_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.transformer_tags.preserves_dtype = []
        return tags


def _train(token_ids, document_offsets, word_counts, parameters, version, n_threads, on_epoch):
    """`train` in terms of all that its result depends on, which is what `memory` keys on."""
    corpus = Corpus(token_ids, document_offsets)
    return train(corpus, word_counts, parameters, n_threads=n_threads, on_epoch=on_epoch)
