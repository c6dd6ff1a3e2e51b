"""`EmbeddingClassifier`: an embedding table and an output layer, trained together for classes."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from skw2v import _classifier_fitting
from skw2v._analyzer import analyzer_of, check_documents
from skw2v._callbacks import CallbackSupportMixin
from skw2v._class_scores import class_probabilities, class_scores, hidden_rows
from skw2v._classes import indicators
from skw2v._corpus import read_documents
from skw2v._parameters import CLASSIFIER_CONSTRAINTS
from skw2v._sklearn import documentation_template, validated
from skw2v._state import check_revision
from skw2v._threads import effective_n_threads
from skw2v._transfer import StartingVectors, clone_with_init
from skw2v.word_vectors import WordVectors

_OF_EARLY_STOPPING = ("validation_scores_", "best_epoch_", "best_validation_score_")
_STATE_REVISION = 1


class EmbeddingClassifier(CallbackSupportMixin, ClassifierMixin, BaseEstimator):
    """Classify documents by the mean of their words' vectors, learned for the task.

    A table has a vector for every word, and with `ngram_range` for n-grams of words; a document is
    the mean of its rows, and a linear layer scores the classes. Table and layer are trained
    together, by gradient descent on the classifier's loss: the supervised mode of fastText [1]_,
    and Keras' ``Embedding``, ``GlobalAveragePooling1D``, ``Dense``. Rows are looked up, never
    multiplied by indicators, so a document costs what its words cost.

    Such a table learns what tells the classes apart, and nothing else: words that mean the same lie
    together only if the classes say so. `Word2VecTransformer` learns what words mean from the
    company they keep; with `init` the table starts from that.

    The result depends on the documents, the parameters and `random_state`, never on `n_jobs`, as
    that of `Word2VecTransformer`.

    Parameters
    ----------
    input, encoding, decode_error, strip_accents, lowercase, preprocessor, tokenizer, stop_words, \
token_pattern, analyzer
        How documents become tokens, as for :class:`Word2VecTransformer`.
    min_count : int, default=1
        Words that occur less often than this in all the documents are dropped.
    max_features : int, default=None
        Keep only that many of the most frequent words. None keeps all.
    vocabulary : mapping or iterable, default=None
        The words to learn, instead of finding them, as for :class:`Word2VecTransformer`.
    ngram_range : (int, int), default=(1, 1)
        The shortest and the longest n-grams of neighbouring words that have a row. (1, 2): words
        and pairs, which keep some of their order [1]_.
    n_buckets : int, default=2_000_000
        n-grams are hashed to so many numbers, those with the same one share a row. Only the numbers
        that the training documents have get one.
    n_components : int, default=100
        Length of the vectors.
    loss : {"softmax", "ova", "nce", "sampled_softmax", "hierarchical_softmax"}, default="softmax"
        How the classes are predicted from the document's mean h. A class with vector v and bias b
        scores x = v h + b.

        - "softmax": the cross-entropy of the class among all.
        - "ova": one versus all, logistic regression for each class on its own; the one that takes
          indicator matrices, with several classes a document.
        - "nce", "sampled_softmax": against `n_negatives` classes drawn from `noise`, as for
          :class:`Word2VecTransformer`; for thousands of classes.
        - "hierarchical_softmax": the decisions on the way to the class in a Huffman tree, which
          has no biases.
    n_negatives : int, default=5
        Classes drawn for each document under "nce" and "sampled_softmax".
    noise : {"unigram", "log_uniform"}, default="unigram"
        What they are drawn from: the classes' counts to the power of `noise_exponent`, or
        log-uniformly by their rank.
    noise_exponent : float, default=0.75
        See `noise`.
    remove_accidental_hits : bool or "auto", default="auto"
        Is a drawn class that is the document's own skipped? "auto" is False for "nce".
    init : fitted Word2VecTransformer or EmbeddingClassifier, WordVectors, mapping or \
(words, matrix), default=None
        Vectors that words start from, `n_components` long, as for :class:`Word2VecTransformer`.
        Words that are missing there, and n-grams, start near zero.
    trainable : {"all", "new", "none"}, default="all"
        Which rows of the table are trained: all; those that `init` does not have; none, so that
        the table is frozen and only the output layer learns.
    learning_rate : float, default=1.0
        Learning rate at the start; it falls linearly to `min_learning_rate`. A document's gradient
        is shared out among its words, so it can be higher than for word vectors.
    min_learning_rate : float, default=1e-4
        Learning rate at the end; at most `learning_rate`.
    max_iter : int, default=20
        Number of epochs, that is passes over the documents.
    early_stopping : bool, default=False
        Hold some documents out of training and stop when the accuracy on them no longer rises. The
        vectors are then those of the epoch with the best.
    validation_fraction : float, default=0.1
        The share of the documents that `early_stopping` holds out, above 0 and below 1.
    n_iter_no_change : int, default=5
        `early_stopping` stops when more than this many epochs in a row have failed to raise the
        best accuracy by `tol`.
    tol : float, default=1e-4
        See `n_iter_no_change`.
    class_weight : dict or "balanced", default=None
        What documents weigh by their class; "balanced" makes all classes weigh alike. See
        `sample_weight` of `fit`. None: 1.
    random_state : int, RandomState instance or None, default=None
        For the start, the order of the documents and the noise. An int gives the same result every
        time.
    n_jobs : int, default=None
        Number of threads; None and -1 are all there are. The result is the same.
    verbose : int, default=0
        1 shows the progress of training.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted; for an indicator matrix the numbers of its columns.
    embedding_vectors_ : ndarray of shape (n_words, n_components), float32
        The words' rows of the table.
    ngram_vectors_ : ndarray of shape (n_ngrams, n_components), float32
        Those of the n-grams.
    class_vectors_ : ndarray of shape (n_classes, n_components), float32
        The output layer's; for "hierarchical_softmax" of the n_classes - 1 nodes of the tree.
    intercept_ : ndarray of shape (n_classes,), float32
        Its biases; zeros for "hierarchical_softmax", one for each node.
    vocabulary_ : dict
        Word to row.
    word_counts_ : ndarray of shape (n_words,)
        How often each word occurs in the training documents.
    loss_curve_ : ndarray of shape (`n_iter_`,), float64
        The mean loss of a document in each epoch, as it was trained. Sampled losses are those of
        the classes drawn.
    n_iter_ : int
        Epochs trained.
    validation_scores_ : ndarray of shape (`n_iter_`,), float64
        With `early_stopping`: the accuracy on the held-out documents after every epoch.
    best_epoch_, best_validation_score_
        The first epoch with the best of these, and it.

    See Also
    --------
    Word2VecTransformer : Vectors without classes.
    SampledClassifier : The output layer alone, on numeric features.

    Notes
    -----
    Documents are trained in an order drawn anew in every epoch. A document without any known word
    has a mean of zero: the biases alone predict its class, the most frequent one as a rule.

    References
    ----------
    .. [1] A. Joulin, E. Grave, P. Bojanowski, T. Mikolov (2017). Bag of Tricks for Efficient Text
       Classification. EACL. https://aclanthology.org/E17-2068/

    Examples
    --------
    >>> from skw2v import EmbeddingClassifier
    >>> documents = ["a cat and a dog", "my dog sleeps", "stocks fell", "the market rose"] * 5
    >>> animals = [True, True, False, False] * 5
    >>> model = EmbeddingClassifier(n_components=8, random_state=0).fit(documents, animals)
    >>> model.predict(["the dog", "stocks rose"])
    array([ True, False])
    """

    _parameter_constraints = CLASSIFIER_CONSTRAINTS
    _doc_link_module = "skw2v"

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
        min_count=1,
        max_features=None,
        vocabulary=None,
        ngram_range=(1, 1),
        n_buckets=2_000_000,
        n_components=100,
        loss="softmax",
        n_negatives=5,
        noise="unigram",
        noise_exponent=0.75,
        remove_accidental_hits="auto",
        init=None,
        trainable="all",
        learning_rate=1.0,
        min_learning_rate=1e-4,
        max_iter=20,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=5,
        tol=1e-4,
        class_weight=None,
        random_state=None,
        n_jobs=None,
        verbose=0,
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
        self.ngram_range = ngram_range
        self.n_buckets = n_buckets
        self.n_components = n_components
        self.loss = loss
        self.n_negatives = n_negatives
        self.noise = noise
        self.noise_exponent = noise_exponent
        self.remove_accidental_hits = remove_accidental_hits
        self.init = init
        self.trainable = trainable
        self.learning_rate = learning_rate
        self.min_learning_rate = min_learning_rate
        self.max_iter = max_iter
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.class_weight = class_weight
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    @validated
    def fit(self, X, y, *, sample_weight=None):
        """Learn the table and the output layer.

        An error or an interruption leaves the estimator as it was before the call.

        Parameters
        ----------
        X : iterable of documents
            As for :class:`Word2VecTransformer`: strings, or sequences of tokens.
        y : array-like of shape (n_documents,), or indicator matrix (n_documents, n_classes)
            The class of each document; with `loss="ova"`, a matrix of 0 and 1 (sparse, too) may
            give it several.
        sample_weight : array-like of shape (n_documents,), default=None
            How often each document is trained in an epoch, `class_weight` times that: 2 as if it
            stood there twice, 0 as if it were absent, its words included. A fraction is drawn anew
            in every epoch: 1.3 is twice with probability 0.3, else once. None: once.

        Returns
        -------
        self : EmbeddingClassifier
            The fitted estimator.

        Raises
        ------
        ValueError
            If there are fewer than two classes, no words are left, an indicator matrix comes with
            another loss than "ova", `init` does not fit, or a parameter is out of range.
        """
        self._set_fitted(_classifier_fitting.fit(self, X, y, sample_weight))
        return self

    @validated
    def partial_fit(self, X, y, classes=None, *, sample_weight=None):
        """Train once through documents: one batch of a stream.

        The first call learns the vocabulary, unless `vocabulary` gives it, and which n-grams have a
        row; later calls train these. Every call trains at `learning_rate`. `max_iter` and callbacks
        have no part in it. After `fit`, it goes on from there.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.
        classes : array-like of shape (n_classes,), default=None
            All the labels of the stream. None: those of the first call.

        Returns
        -------
        self : EmbeddingClassifier
            The fitted estimator.

        Raises
        ------
        ValueError
            As from `fit`; for labels that are not among the classes; or with `early_stopping=True`,
            which needs `fit`.
        """
        self._set_fitted(_classifier_fitting.partial_fit(self, X, y, classes, sample_weight))
        return self

    def decision_function(self, X):
        """What each class scores.

        Parameters
        ----------
        X : iterable of documents
            As for `fit`.

        Returns
        -------
        scores : ndarray of shape (n_documents, n_classes) or (n_documents,), float32
            Products with the classes' vectors plus their biases; log probabilities for
            "hierarchical_softmax". For two classes, what `classes_[1]` has more than the other.
        """
        scores = self._scores(X)
        if scores.shape[1] == 2 and not self._is_multilabel:
            return scores[:, 1] - scores[:, 0]
        return scores

    def predict_proba(self, X):
        """The probability of each class.

        They sum to one whatever the loss: the softmax of the scores for "softmax",
        "sampled_softmax" and "nce", whose scores estimate log probabilities; the product of the
        decisions in the tree for "hierarchical_softmax"; each class's logistic function, divided by
        their sum, for "ova". Where `y` was an indicator matrix, each class has its own instead.

        Parameters
        ----------
        X : iterable of documents
            As for `fit`.

        Returns
        -------
        probabilities : ndarray of shape (n_documents, n_classes), float64
            In the order of `classes_`.
        """
        return class_probabilities(self._scores(X), self._trained_with.loss, self._is_multilabel)

    def predict_log_proba(self, X):
        """The logarithm of `predict_proba`."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def predict(self, X):
        """The class with the highest score.

        Parameters
        ----------
        X : iterable of documents
            As for `fit`.

        Returns
        -------
        y : ndarray of shape (n_documents,), or (n_documents, n_classes)
            Labels; or an indicator matrix if `y` was one, of the classes that are likelier than
            not.
        """
        scores = self._scores(X)
        if self._is_multilabel:
            return indicators(scores > 0)
        return self.classes_[scores.argmax(axis=1)]

    def encode(self, X):
        """Find the tokens of documents once, for many fits; see `Word2VecTransformer.encode`.

        Parameters
        ----------
        X : iterable of documents
            As for `fit`.

        Returns
        -------
        encoded : EncodedDocuments
        """
        self._validate_params()
        return read_documents(
            check_documents(X), analyzer_of(self), n_threads=effective_n_threads(self.n_jobs)
        )

    def word_vectors(self):
        """The words and their rows of the table, for queries and for saving.

        Returns
        -------
        word_vectors : WordVectors
            Words in the order of their ids.
        """
        return WordVectors(self._fitted()._vocabulary.words, self.embedding_vectors_)

    @property
    def embedding_vectors_(self):
        """The words' rows of the table, an ndarray of shape (n_words, n_components)."""
        return self._fitted()._trained.input_vectors[: len(self._vocabulary)]

    @property
    def ngram_vectors_(self):
        """The n-grams' rows of the table, an ndarray of shape (n_ngrams, n_components)."""
        return self._fitted()._trained.input_vectors[len(self._vocabulary) :]

    @property
    def class_vectors_(self):
        """The output layer's vectors, an ndarray of shape (n_classes, n_components)."""
        return self._fitted()._trained.output_vectors

    @property
    def intercept_(self):
        """The output layer's biases, an ndarray of shape (n_classes,)."""
        return self._fitted()._trained.output_bias

    def _scores(self, X):
        self._fitted()._validate_params()
        corpus = _classifier_fitting.encode_documents(self, X)
        n_threads = effective_n_threads(self.n_jobs)
        hidden = hidden_rows(corpus, self._trained.input_vectors, n_threads)
        return class_scores(hidden, self._trained, self._trained_with.loss)

    def _fitted(self):
        check_is_fitted(self)  # its NotFittedError is an AttributeError
        return self

    def _set_fitted(self, attributes):
        # One assignment, so that Ctrl-C cannot come between two attributes.
        kept = {k: v for k, v in vars(self).items() if k not in _OF_EARLY_STOPPING}
        self.__dict__ = kept | attributes

    def _starting_vectors(self):
        """What another estimator may start from, to which this one is `init`."""
        vocabulary = self._vocabulary
        return StartingVectors(vocabulary.words, self.embedding_vectors_, index=vocabulary.index)

    def _build_analyzer(self):
        return analyzer_of(self)

    @property
    def _doc_link_template(self):
        return documentation_template()

    def __sklearn_clone__(self):
        return clone_with_init(self)

    def __getstate__(self):
        return super().__getstate__() | {"_state_revision": _STATE_REVISION}

    def __setstate__(self, state):
        super().__setstate__(check_revision(type(self), state, _STATE_REVISION))

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_trained")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.classifier_tags.multi_label = self.loss == "ova"
        tags.target_tags.multi_output = self.loss == "ova"
        return tags
