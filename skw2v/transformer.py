"""`Word2VecTransformer`: parameters, and fit/transform as a short recipe."""

from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skw2v import _document_features, _fitting
from skw2v._analyzer import analyzer_of, check_documents
from skw2v._callbacks import CallbackSupportMixin
from skw2v._corpus import encode, read_documents, unknown_share
from skw2v._likelihood import HeldOutPairs
from skw2v._parameters import BIASED_LOSSES, PARAMETER_CONSTRAINTS
from skw2v._pooling import check_embedding, combine_vectors, vectors_of
from skw2v._sklearn import documentation_template, keep_index, validated
from skw2v._state import readable_state, writable_state
from skw2v._threads import effective_n_threads
from skw2v._transfer import StartingVectors, clone_with_init
from skw2v._unseen import encode_with_unseen
from skw2v.encoded_documents import EncodedDocuments
from skw2v.word_vectors import WordVectors

_OF_EARLY_STOPPING = ("validation_scores_", "best_epoch_", "best_validation_score_")


class Word2VecTransformer(
    CallbackSupportMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    """Turn documents into features with word2vec.

    `fit` learns two vectors for every word of the documents, its input and its output vector;
    `transform` pools the vectors of a document's words into one row; `score` says how well the
    words of other documents are predicted, so that parameters can be searched without labels.

    The result depends on the documents, the parameters and `random_state`, never on `n_jobs`: the
    vectors, `loss_curve_` and the features are the same to the bit at any number of threads, and on
    processors with AVX2 and with AVX-512 alike. A processor with neither uses a portable version
    of the kernels, whose last bits may differ. What `pooling="sif"` and those of clusters learn, by
    linear algebra that is not ours, may differ from one kind of processor to another as well.

    Parameters
    ----------
    input : {"content", "filename", "file"}, default="content"
        What a document is: the text itself (str or bytes), the name of a file that holds it, or an
        object whose `read` method returns it. A document may also be a sequence of tokens that are
        made already (list, tuple or 1-D array of str or of int, such as item ids or graph nodes);
        the parameters from here to `token_pattern` then do not touch it.
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
    min_count : int, default=2
        Words that occur less often than this in all the documents are dropped.
    max_features : int, default=None
        Keep only that many of the most frequent words. None keeps all.
    vocabulary : mapping or iterable, default=None
        The words to learn, instead of finding them: a mapping from token to id (0 to
        n_words - 1), or the tokens in the order of their ids. `min_count` and `max_features` are
        then not used.
    architecture : {"skipgram", "cbow"}, default="skipgram"
        "skipgram" predicts a word from each word of its context in turn, "cbow" from the mean of
        their input vectors.
    cbow_gradient : {"word2vec", "exact"}, default="word2vec"
        What "cbow" hands to each of the m words of a context: the whole gradient of their mean, as
        the original program does, or the m-th part of it, as the chain rule has it [3]_. "exact"
        takes steps m times as short, so it wants a higher `learning_rate` or more epochs.
        "skipgram" ignores it.
    loss : {"negative_sampling", "nce", "sampled_softmax", "hierarchical_softmax", "softmax"}, \
default="negative_sampling"
        How a word w is predicted from what the output layer sees, the hidden vector h: a context's
        input vector, or the mean of several. x is the product of h and w's output vector.

        - "negative_sampling": tell w from `n_negatives` words drawn as noise, by logistic
          regression on x [1]_.
        - "nce": noise-contrastive estimation. The same on x + b - log(k q(w)), with a bias b for
          every word and the expected count of w among k = `n_negatives` draws from the noise q,
          which makes x + b an estimate of log p(w | h) [4]_ [5]_; TensorFlow's
          ``tf.nn.nce_loss``.
        - "sampled_softmax": the cross-entropy of w among itself and the noise, on the same
          x + b - log(k q(w)) [6]_; TensorFlow's ``tf.nn.sampled_softmax_loss``.
        - "hierarchical_softmax": log p(w | h) as the sum of the log probabilities of the binary
          decisions on the way to w in a Huffman tree over the words [2]_ [7]_. Output vectors
          belong to the inner nodes of the tree then, so `embedding` must be "input".
        - "softmax": the cross-entropy of w among all words, on x + b. The time for a pair grows
          with the vocabulary: for a few thousand words, and as the yardstick of the others.

        The last two draw no noise: they ignore `n_negatives`, `noise`, `noise_exponent` and
        `remove_accidental_hits`.
    n_components : int, default=200
        Length of the vectors.
    subword : (int, int), default=None
        The shortest and the longest character n-grams that words are made of, `(3, 6)` say: the
        input vector of a word is then the mean of its own subword vector and those of the n-grams
        of "<word>" [10]_. So rare words share what is known of their relatives, and `transform`
        gives words that `fit` has not learned a vector, too, with `embedding="input"` (in
        `pooling="scdv"` they have no cluster to be in). Training
        takes two to four times as long. None: words are wholes.
    n_buckets : int, default=2_000_000
        n-grams are hashed to so many numbers, those with the same one share a vector. Only the
        numbers that some word of the vocabulary has get one.
    window : int, default=10
        How many words on each side of a word are its context. A window ends where its document
        does.
    dynamic_window : bool, default=True
        Draw the size of each window uniformly from 1 to `window`, which gives near words more
        weight. False always uses `window`.
    n_negatives : int, default=5
        Number k of noise words for every word that is predicted. They are drawn with replacement,
        so that word w is expected k q(w) times among them.
    noise : {"unigram", "log_uniform"}, default="unigram"
        The distribution q of the noise. "unigram": proportional to `count ** noise_exponent`.
        "log_uniform": ``log((r + 2) / (r + 1)) / log(n_words + 1)`` for the word of rank r = 0, 1,
        ... by falling count, ties by id, which is near Zipf's law and ignores how often words
        really occur; TensorFlow's ``tf.random.log_uniform_candidate_sampler``.
    noise_exponent : float, default=0.75
        See `noise`: 1 draws words as often as they occur, 0 all of them alike. "log_uniform"
        ignores it.
    remove_accidental_hits : bool or "auto", default="auto"
        What happens to a noise word that is the very word to predict: with True it is skipped, with
        False it counts as noise. "auto" is False for "nce", else True: what TensorFlow's
        functions do by default, and the original program in negative sampling.
    subsample : float, default=1e-3
        Threshold t above which frequent words are thinned out before training: a word with share f
        of all tokens is kept with probability `(sqrt(f / t) + 1) * t / f`. 0 keeps every one.
    learning_rate : float, default=0.05
        Learning rate at the start; it falls linearly to `min_learning_rate`. The original program
        has 0.05 for "cbow" and 0.025 for "skipgram".
    min_learning_rate : float, default=1e-4
        Learning rate at the end; at most `learning_rate`.
    max_iter : int, default=20
        Number of epochs, that is passes over the documents. The learning rate falls over all of
        them, whether training stops before or not. The default is for some hundred thousand words;
        of ten million and more, 5 epochs are enough.
    early_stopping : bool, default=False
        Hold some documents out of training and stop when their `score` no longer rises. The vectors
        are then those of the epoch that scored best. No labels are needed.
    validation_fraction : float, default=0.1
        The share of the documents that `early_stopping` holds out, above 0 and below 1.
    n_iter_no_change : int, default=2
        `early_stopping` stops when more than this many epochs in a row have failed to raise the
        best score by `tol`.
    tol : float, default=1e-4
        See `n_iter_no_change`. In natural logarithms, as `score`.
    init : fitted Word2VecTransformer, WordVectors, mapping or (words, matrix), default=None
        Vectors to start from, `n_components` long: of a model that was trained on more text, of a
        `WordVectors`, a mapping of word to vector, or a pair of n_words words and a matrix with
        their vectors as rows. Words are looked up as they stand in the vocabulary. Those that are
        missing there start as always: uniformly from +-0.5 / `n_components`, which beside trained
        vectors is next to nothing, so that a word hardly moves the mean of a document before it has
        been trained. Output vectors and biases start from those of a fitted `init` that has them
        for the same words (`loss="hierarchical_softmax"` has none), else as always. The first call
        of `fit` or `partial_fit` reads it; words that `grow_vocabulary` adds read it, too. Not with
        `subword`. Clones share it, and pickles contain it, unless it is set to None after `fit`.
        In the grid of a search, which unfits its estimators, give ``model.word_vectors()`` or
        ``sklearn.frozen.FrozenEstimator(model)``. Of a mapping scikit-learn prints every value
        when it shows an estimator; for thousands of words make it a `WordVectors`.
    trainable : {"all", "new", "none"}, default="all"
        Which input vectors are trained. "all"; "new": those of words that `init` does not have,
        the others stay as they are to the bit; "none": no input vectors, only output vectors and
        biases. With `warm_start` and `partial_fit` it may change from call to call. "none" does not
        go with `subword`.
    warm_start : bool, default=False
        Let `fit` go on from the vectors that there are, up to epoch `max_iter`: the words, their
        counts and the seed stay those of the first call, and the learning rate of an epoch is what
        it is on the way to the new `max_iter`. With `min_learning_rate` equal to `learning_rate`
        that ends with the same bits as one `fit` to the same `max_iter`; with a rate that falls it
        does not, because the second part begins at a higher rate than the first one ended with.
        The parameters of the vocabulary then have no effect, and what goes on is not kept in
        `memory`. After `early_stopping` it goes on from the vectors of the best epoch.
    grow_vocabulary : bool, default=False
        Let `partial_fit` add words, once they have occurred `min_count` times in the documents that
        it has seen with this parameter set, as long as `max_features` leaves room. The first batch
        must have a word already. All other tokens of the stream are kept, with their counts. Not
        with `loss="hierarchical_softmax"`, whose tree cannot grow.
    total_words : int, default=None
        How many words of the vocabulary all calls of `partial_fit` are going to train, to let their
        learning rate fall linearly to `min_learning_rate` by then, and stay there. None: every call
        trains at `learning_rate`.
    embedding : {"input", "output", "sum", "mean", "concat"}, default="input"
        The vector of a word that `transform` uses: its input vector, its output vector, their sum,
        mean or concatenation (which doubles the number of features). Changing it never retrains.
        With `loss="hierarchical_softmax"` only "input" is possible.
    pooling : {"mean", "sum", "max", "min", "tfidf", "sif", "scdv", "vlawe", "vlawe_order", \
"bag_of_words"} or list of them, default="mean"
        How `transform` makes one row of the vectors of a document's words:

        - "mean", "sum", "max", "min": component by component.
        - "tfidf": the mean weighted by ``idf(w) = ln((1 + n) / (1 + df(w))) + 1``, for `df` of n
          training documents with the word.
        - "sif": smooth inverse frequency [8]_. The mean of ``a / (a + p(w)) * v``, for a word with
          vector v and share p of the training tokens and a = 1e-3, without its projection on the
          first singular vector of the training documents' means.
        - "scdv": sparse composite document vectors [9]_. One sum for each of `n_clusters` soft
          clusters of words, of ``idf(w) * P(k | w) * v``, side by side and scaled to length 1;
          what is nearer to zero than 4 % of the training documents' mean extremes is dropped. The
          features are sparse.
        - "vlawe": locally aggregated word vectors, after [11]_ and [12]_. One sum for each of
          `n_clusters` clusters of words, of ``idf(w) * (1 + log(tf)) * (v / |v| - mu / 2)`` for
          each distinct word, which occurs tf times in the document, and the mean mu of its
          cluster's ``v / |v|``, side by side and scaled to length 1. The features are sparse.
        - "vlawe_order": the same, and each of the word's tokens adds to its cluster's sum 35 % of
          the ``v / |v|`` of the known tokens before and after it, with components shifted by one
          place [13]_: what stands beside what becomes a part of the features.
        - "bag_of_words": the words themselves, to stand beside pooled vectors in a list. A column
          for each word of the vocabulary, in the order of its ids, with ``idf(w) * (1 + log(tf))``,
          rows scaled to length 1: what ``TfidfVectorizer(sublinear_tf=True)`` makes of the same
          words. The features are sparse.

        Rows of length 1 want a large `C` from a linear classifier, from 3 to 10,000.

        A list, as ``["vlawe_order", "bag_of_words"]``, puts its poolings one after the other; they
        are sparse if one of the last four is among them. Changing it never retrains, but "sif" and
        those of clusters have to be learned: by `fit` where they are set, else by `fit_pooling`.
    n_clusters : int, default=60
        Number K of clusters for "scdv", "vlawe" and "vlawe_order", at most the number of words. It
        makes K times as many features as other poolings.
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
        1 shows the epoch of `fit`, the share of all training that is done, words a second, loss and
        time left: as a progress bar on a terminal if tqdm is installed (``pip install
        skw2v[progress]``), else as one line for every epoch.
    memory : str, path-like or object with the joblib.Memory interface, default=None
        Where to keep trained vectors, so that fitting again on the same tokens with the same
        training parameters reads them instead. The parameters that only matter to `transform`
        (`embedding`, `pooling`, `n_clusters`), `n_jobs` and `verbose` have no part in the key: a
        grid search over them trains once a fold. None keeps nothing. Not used without a
        `random_state`, since no training then has the seed of another, nor while callbacks are
        set, which could have no part in a training that is only read.

    Attributes
    ----------
    vocabulary_ : dict
        The id of every word, by falling count and ties by token, or as given by `vocabulary`.
    word_counts_ : ndarray of shape (n_words,), dtype int64
        How often each word occurs in the training documents, in the order of the ids; float64 if
        `sample_weight` has fractions.
    document_frequencies_ : ndarray of shape (n_words,), dtype float64
        In how many training documents each word occurs, each counted as often as its
        `sample_weight` says. What `early_stopping` holds out has no part in it, as in
        `word_counts_`. A word that `grow_vocabulary` has added is counted from then on.
    input_vectors_ : ndarray of shape (n_words, n_components), dtype float32
        The vectors of words as context, v in [1]_; what other tools call the word vectors.
    output_vectors_ : ndarray of shape (n_words, n_components), dtype float32
        The vectors of words as what is predicted, v' in [1]_. With `loss="hierarchical_softmax"`
        of shape (n_words - 1, n_components): one for each inner node of the Huffman tree, in the
        order in which the tree is made, the root last.
    output_bias_ : ndarray of shape (len(`output_vectors_`),), dtype float32
        The bias of each output vector: fitted if `loss` is "nce", "sampled_softmax" or "softmax",
        from the log of each word's share of the tokens that subsampling keeps; else zeros.
    subword_vectors_ : ndarray of shape (n_words + n_ngrams, n_components), dtype float32
        With `subword` only: first a vector for each word, then one for each bucket in use.
    summed_vectors_ : ndarray of shape (n_words, n_components), dtype float32
        `input_vectors_ + output_vectors_`. Not there with `loss="hierarchical_softmax"`.
    loss_curve_ : ndarray of shape (`n_iter_`,), dtype float64
        Mean loss for a pair of center and context, epoch by epoch; 0 where there was no pair.
    n_iter_ : int
        Number of epochs that were trained, each call of `partial_fit` being one.
    validation_scores_ : ndarray of shape (`n_iter_`,), dtype float64
        The `score` of the documents held out, epoch by epoch. Like the next two only there with
        `early_stopping=True`. With `warm_start`, nan for epochs that were not scored on these
        documents; the vectors that it goes on from are.
    best_epoch_ : int
        Whose vectors these are: an index of `validation_scores_`.
    best_validation_score_ : float
        `validation_scores_[best_epoch_]`.

    See Also
    --------
    WordVectors : Neighbours and analogies; what `word_vectors` returns.
    sklearn.feature_extraction.text.TfidfVectorizer : Sparse features, one for every word.

    Notes
    -----
    As in the original C program, the context's input vector predicts the word in the middle.
    The papers pair them the other way round; windows are symmetric, so the sets of pairs are equal.

    TensorFlow's samplers draw without replacement by default and share the noise among the pairs of
    a batch; here it is drawn with replacement, and the expected counts are those of that.

    References
    ----------
    .. [1] T. Mikolov, I. Sutskever, K. Chen, G. Corrado, J. Dean (2013). Distributed
       Representations of Words and Phrases and their Compositionality. NeurIPS 26.
       https://arxiv.org/abs/1310.4546
    .. [2] T. Mikolov, K. Chen, G. Corrado, J. Dean (2013). Efficient Estimation of Word
       Representations in Vector Space. ICLR workshop. https://arxiv.org/abs/1301.3781
    .. [3] O. Irsoy, A. Benton, K. Stratos (2021). Corrected CBOW Performs as well as Skip-gram.
       Workshop on Insights from Negative Results in NLP. https://arxiv.org/abs/2012.15332
    .. [4] M. Gutmann, A. Hyvärinen (2012). Noise-Contrastive Estimation of Unnormalized Statistical
       Models, with Applications to Natural Image Statistics. JMLR 13.
       https://jmlr.org/papers/v13/gutmann12a.html
    .. [5] A. Mnih, Y. W. Teh (2012). A Fast and Simple Algorithm for Training Neural Probabilistic
       Language Models. ICML. https://arxiv.org/abs/1206.6426
    .. [6] S. Jean, K. Cho, R. Memisevic, Y. Bengio (2015). On Using Very Large Target Vocabulary
       for Neural Machine Translation. ACL. https://arxiv.org/abs/1412.2007
    .. [7] F. Morin, Y. Bengio (2005). Hierarchical Probabilistic Neural Network Language Model.
       AISTATS. https://proceedings.mlr.press/r5/morin05a.html
    .. [8] S. Arora, Y. Liang, T. Ma (2017). A Simple but Tough-to-Beat Baseline for Sentence
       Embeddings. ICLR. https://openreview.net/forum?id=SyK00v5xx
    .. [9] D. Mekala, V. Gupta, B. Paranjape, H. Karnick (2017). SCDV: Sparse Composite Document
       Vectors using soft clustering over distributional representations. EMNLP.
       https://aclanthology.org/D17-1069/
    .. [10] P. Bojanowski, E. Grave, A. Joulin, T. Mikolov (2017). Enriching Word Vectors with
       Subword Information. TACL 5. https://aclanthology.org/Q17-1010/
    .. [11] H. Jégou, M. Douze, C. Schmid, P. Pérez (2010). Aggregating local descriptors into a
       compact image representation. CVPR. https://doi.org/10.1109/CVPR.2010.5540039
    .. [12] R. T. Ionescu, A. M. Butnaru (2019). Vector of Locally-Aggregated Word Embeddings
       (VLAWE): A Novel Document-level Representation. NAACL. https://aclanthology.org/N19-1033/
    .. [13] M. Sahlgren, A. Holst, P. Kanerva (2008). Permutations as a means to encode order in
       word space. CogSci. https://escholarship.org/uc/item/5f16x5bj

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
        min_count=2,
        max_features=None,
        vocabulary=None,
        architecture="skipgram",
        cbow_gradient="word2vec",
        loss="negative_sampling",
        n_components=200,
        subword=None,
        n_buckets=2_000_000,
        window=10,
        dynamic_window=True,
        n_negatives=5,
        noise="unigram",
        noise_exponent=0.75,
        remove_accidental_hits="auto",
        subsample=1e-3,
        learning_rate=0.05,
        min_learning_rate=1e-4,
        max_iter=20,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=2,
        tol=1e-4,
        init=None,
        trainable="all",
        warm_start=False,
        grow_vocabulary=False,
        total_words=None,
        embedding="input",
        pooling="mean",
        n_clusters=60,
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
        self.cbow_gradient = cbow_gradient
        self.loss = loss
        self.n_components = n_components
        self.subword = subword
        self.n_buckets = n_buckets
        self.window = window
        self.dynamic_window = dynamic_window
        self.n_negatives = n_negatives
        self.noise = noise
        self.noise_exponent = noise_exponent
        self.remove_accidental_hits = remove_accidental_hits
        self.subsample = subsample
        self.learning_rate = learning_rate
        self.min_learning_rate = min_learning_rate
        self.max_iter = max_iter
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.init = init
        self.trainable = trainable
        self.warm_start = warm_start
        self.grow_vocabulary = grow_vocabulary
        self.total_words = total_words
        self.embedding = embedding
        self.pooling = pooling
        self.n_clusters = n_clusters
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.memory = memory

    @validated
    def fit(self, X, y=None, *, sample_weight=None):
        """Learn the vectors of the words of X.

        An error or an interruption leaves the estimator as it was before the call.

        Parameters
        ----------
        X : iterable of documents
            A list, 1-D array, pandas or polars Series, generator of documents, see `input`, or
            EncodedDocuments from `encode`.
        y : None
            Ignored; part of scikit-learn's convention.
        sample_weight : array-like of shape (n_documents,), default=None
            How often each document counts and is trained: 2 as if it stood there twice in a row, to
            the bit, and 0 as if it were absent, its words included. A fraction trains it as often
            in expectation: 1.3 is twice in three of ten epochs. None: every one once. So the sum
            matters, and not just the ratios: weights that sum to 1 train one document an epoch, and
            large ones take the time and the memory of as many documents. Documents that
            `early_stopping` holds out are scored once each.

        Returns
        -------
        self : Word2VecTransformer
            The fitted estimator.

        Raises
        ------
        sklearn.utils._param_validation.InvalidParameterError
            If a parameter is not what it may be; a ValueError.
        ValueError
            If X is not a collection of documents, if no word is left to learn, if `loss` learns no
            vectors for `embedding`, if there are fewer words than `n_clusters` that "scdv" or
            "vlawe" is to make, if `sample_weight` does not fit X, if `warm_start` cannot go on with
            these parameters, if `early_stopping` would hold out nothing to score, or if `init` has
            vectors of another length than `n_components`, that are not finite, or for none of the
            words.
        TypeError
            If `init` is none of what it may be, or a document is not.
        sklearn.exceptions.NotFittedError
            If `init` is an estimator that has not been fitted.
        """
        attributes, _ = _fitting.fit(self, X, y, sample_weight)
        self._set_fitted(attributes)
        return self

    @validated
    def fit_transform(self, X, y=None, *, sample_weight=None):
        """Learn the vectors of the words of X, and pool them into features of X.

        The same as `fit(X).transform(X)`, but analyses the documents once.

        Parameters
        ----------
        X : iterable of documents
            As for `fit`.
        y : None
            Ignored; part of scikit-learn's convention.
        sample_weight : array-like of shape (n_documents,), default=None
            As for `fit`. Documents of weight 0 get their features, too.

        Returns
        -------
        features : ndarray or sparse CSR, of shape (n_documents, n_features), dtype float32
            As from `transform`.
        """
        attributes, encoded = _fitting.fit(self, X, y, sample_weight)
        self._set_fitted(attributes)
        return keep_index(self._pool(encoded), X, self)

    @validated
    def partial_fit(self, X, y=None, *, sample_weight=None):
        """Train once through the documents of X: one batch of a stream.

        The first call learns the vocabulary as `fit` does, unless `vocabulary` gives it; later ones
        train these words, and with `grow_vocabulary=True` new ones. Counts, and with them noise and
        subsampling, follow all that has been seen. After `fit`, it goes on from there.

        Every call trains at `learning_rate`, or, if `total_words` is given, at a rate that falls
        from call to call. `max_iter`, `warm_start`, `verbose`, `memory` and callbacks have no part
        in it. After it `pooling="sif"` and those of clusters need `fit_pooling`.

        Parameters
        ----------
        X : iterable of documents
            As for `fit`. A batch should have thousands of words: a call copies all vectors twice.
        y : None
            Ignored; part of scikit-learn's convention.
        sample_weight : array-like of shape (n_documents,), default=None
            As for `fit`.

        Returns
        -------
        self : Word2VecTransformer
            The fitted estimator.

        Raises
        ------
        ValueError
            As from `fit`; with `early_stopping=True`, which needs `fit`; or for
            `loss="hierarchical_softmax"` with `grow_vocabulary=True`.
        """
        self._set_fitted(_fitting.partial_fit(self, X, sample_weight))
        return self

    def fit_pooling(self, X, *, sample_weight=None):
        """Learn what `pooling` needs from the training documents; nothing is trained.

        `fit` and `fit_transform` do it for the `pooling`, `embedding` and `n_clusters` that are
        set. It is for what is set afterwards, and for `partial_fit`, which sees a batch at a time:
        "sif" and "scdv" then have to look at all of the documents, or at a good sample. "vlawe" and
        "vlawe_order" look at the words alone, but their vectors have moved. "mean", "sum", "max",
        "min", "tfidf" and "bag_of_words" never need it. What was learned for other poolings stays.

        Parameters
        ----------
        X : iterable of documents
            As for `fit`: the training documents.
        sample_weight : array-like of shape (n_documents,), default=None
            As for `fit`.

        Returns
        -------
        self : Word2VecTransformer
            The fitted estimator.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If `fit` has not been called.
        ValueError
            If there are more clusters to be than words, if "sif" or "scdv" are to be learned from
            documents without a known word, or from X and `sample_weight` as from `fit`.

        Notes
        -----
        Word counts and document frequencies stay those of training. Only where there are no
        document frequencies, in an estimator that an older version has pickled, are they counted
        in X.

        Examples
        --------
        >>> from skw2v import Word2VecTransformer
        >>> documents = ["the cat sat on the mat", "the dog sat on the cat", "a dog and a cat"]
        >>> transformer = Word2VecTransformer(n_components=8, min_count=2, random_state=0)
        >>> transformer.fit(documents).set_params(pooling="sif").fit_pooling(documents)
        Word2VecTransformer(...)
        >>> transformer.transform(documents).shape
        (3, 8)
        """
        check_is_fitted(self)
        self._validate_params()
        self._set_fitted(_fitting.fit_pooling(self, X, sample_weight), stale=())
        return self

    def encode(self, X):
        """Find the tokens of documents once, for many fits.

        A search over parameters analyses the same text again for every candidate and every fold.
        What this method returns is accepted wherever documents are, by estimators with any
        parameters: those of the analyzer then have no effect.

        Parameters
        ----------
        X : iterable of documents
            As for `fit`.

        Returns
        -------
        encoded : EncodedDocuments
            As many documents as X has, which can be indexed and split like an array.

        Examples
        --------
        >>> from skw2v import Word2VecTransformer
        >>> encoded = Word2VecTransformer().encode(["The cat sat.", "The dog barked."])
        >>> len(encoded), encoded[0]
        (2, ['the', 'cat', 'sat'])
        """
        self._validate_params()
        return read_documents(
            check_documents(X),
            self._build_analyzer(),
            n_threads=effective_n_threads(self.n_jobs),
        )

    def transform(self, X):
        """Pool the vectors of each document's words into one row.

        Parameters
        ----------
        X : iterable of documents
            As for `fit`.

        Returns
        -------
        features : ndarray or sparse CSR, of shape (n_documents, n_features), dtype float32
            One row for every document, which depends on that document alone. Words that `fit` did
            not learn are skipped; a document without any known word gives a row of zeros.
            n_features is n_components, twice that if `embedding="concat"`, `n_clusters` times that
            for "scdv", "vlawe" and "vlawe_order", the number of words for "bag_of_words", and the
            sum of that in a list of poolings. Sparse if one of these four is among them, else
            dense, and then a pandas or polars DataFrame after `set_output`.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If `fit` has not been called, or if "sif" or one of clusters has not been learned for
            the parameters that are set now: see `fit_pooling`.
        ValueError
            If `set_output` asks for a DataFrame, which cannot be sparse.
        """
        check_is_fitted(self)
        self._validate_params()  # embedding and pooling may have been set since fit
        check_embedding(self.embedding, self._trained_with.loss)
        _document_features.poolings_for(self)  # before the documents are analysed
        if self._trained.subwords is not None and self.embedding == "input":
            return keep_index(self._pool(self.encode(X)), X, self)
        return keep_index(self._pool(self._encode(X)), X, self)

    def oov_rate(self, X):
        """The share of the tokens of documents that are out of the vocabulary.

        `transform` and `score` leave these tokens out; with `subword`, `transform` may make vectors
        for them. A rate far above that of the documents that were fitted tells of text of another
        kind, or of another analysis.

        Parameters
        ----------
        X : iterable of documents
            As for `fit`.

        Returns
        -------
        rate : float
            From 0 to 1, every occurrence of a token counting; nan if the documents have no tokens.
            What `stop_words` removes is no token.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If `fit` has not been called.

        Examples
        --------
        >>> from skw2v import Word2VecTransformer
        >>> model = Word2VecTransformer(min_count=1).fit(["the cat sat on the mat"])
        >>> model.oov_rate(["the dog sat", "on the mat"])
        0.16666666666666666
        """
        check_is_fitted(self)
        self._validate_params()
        return unknown_share(*self._to_encode(X), n_threads=effective_n_threads(self.n_jobs))

    def score(self, X, y=None):
        """Mean log probability of words given their context, in documents that were held out.

        For pairs of center and context (for "cbow": windows) that training would make of X, the
        mean of log p(center | hidden), where hidden is the context's input vector (for "cbow": the
        mean of the context's). Whatever the loss, the probabilities of all words sum to one:

        - "negative_sampling": the softmax of x + log q, x being the product with the output vectors
          and q the noise distribution, because its x estimates log(p / q) up to a constant;
        - "nce", "sampled_softmax", "softmax": the softmax of x + `output_bias_`;
        - "hierarchical_softmax": the product of the probabilities along the path in the tree.

        Parameters
        ----------
        X : iterable of documents
            As for `fit`; documents that were not fitted.
        y : None
            Ignored; part of scikit-learn's convention.

        Returns
        -------
        score : float
            A natural logarithm: at most 0, and -log(n_words) for a model that holds all words
            equally likely. Higher is better.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If `fit` has not been called.
        ValueError
            If there is no pair to score: no two words of the vocabulary near each other in any
            document.

        Notes
        -----
        Scores compare models of one vocabulary, architecture, window and subsampling: over losses,
        `n_negatives`, `noise`, `n_components`, learning rates and epochs. They don't compare over
        `min_count`, `max_features`, `window`, `dynamic_window` or `subsample`, which change what is
        predicted: fewer words are easier to predict, and so are near ones.

        Words are thinned out as in training, by the training documents' counts. Which ones, and how
        far windows reach, is drawn anew, but always alike: the score does not depend on
        `random_state`, nor on `n_jobs`. At most 10,000 pairs are scored; where there are more,
        their centers lie evenly spread over the documents.

        Parameters that have been set since `fit` have no part in it, but for `n_jobs` and those of
        the analyzer.
        """
        check_is_fitted(self)
        self._validate_params()
        pairs = HeldOutPairs(self._encode(X), self.word_counts_, self._trained_with)
        n_threads = effective_n_threads(self.n_jobs)
        return pairs.mean_log_likelihood(self._trained, n_threads=n_threads)

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
            If `embedding` is none of the above, or the loss has learned no vectors for it.
        """
        check_is_fitted(self)
        check_embedding(embedding, self._trained_with.loss)
        vectors = combine_vectors(self.input_vectors_, self.output_vectors_, embedding)
        return WordVectors(self._vocabulary.words, vectors)

    @property
    def summed_vectors_(self):
        """Input plus output vectors, an ndarray of shape (n_words, n_components)."""
        check_is_fitted(self)  # its NotFittedError is an AttributeError
        if self._trained_with.loss == "hierarchical_softmax":
            raise AttributeError(
                "summed_vectors_ needs an output vector for every word, but "
                "loss='hierarchical_softmax' has them for the inner nodes of its tree alone."
            )
        return combine_vectors(self.input_vectors_, self.output_vectors_, "sum")

    @property
    def subword_vectors_(self):
        """What input vectors are means of, ndarray of shape (n_words + n_ngrams, n_components)."""
        check_is_fitted(self)
        if self._trained.subwords is None:
            raise AttributeError("subword_vectors_ is there after a fit with subword=(3, 6), say.")
        return self._trained.subword_vectors

    @property
    def _n_features_out(self):
        return _document_features.n_features(self)

    @property
    def document_frequencies_(self):
        """In how many training documents each word occurs, an ndarray of shape (n_words,)."""
        check_is_fitted(self)  # its NotFittedError is an AttributeError
        if self._frequencies is None:
            raise AttributeError(
                "document_frequencies_ were not counted by the version of skw2v that has pickled "
                "this; fit_pooling counts them"
            )
        return self._frequencies.of_words

    def _set_fitted(self, attributes, stale=_OF_EARLY_STOPPING):
        # One assignment, so that Ctrl-C cannot come between two attributes.
        self.__dict__ = {k: v for k, v in vars(self).items() if k not in stale} | attributes

    def _encode(self, X):
        return encode(*self._to_encode(X), n_threads=effective_n_threads(self.n_jobs))

    def _to_encode(self, X):
        return check_documents(X), self._build_analyzer(), self._vocabulary

    def _pool(self, encoded):
        """Features of a Corpus, or of EncodedDocuments whose unseen words count, too."""
        poolings = _document_features.poolings_for(self)
        n_threads = effective_n_threads(self.n_jobs)
        if isinstance(encoded, EncodedDocuments):
            corpus, vectors = encode_with_unseen(
                encoded, self._vocabulary, self._trained, self._trained_with, n_threads
            )
            unseen = vectors[len(self._vocabulary) :]
            poolings = [pooling.with_unseen(unseen, n_threads) for pooling in poolings]
        else:
            corpus = encoded
            vectors = vectors_of(corpus, self.input_vectors_, self.output_vectors_, self.embedding)
        return _document_features.document_features(corpus, vectors, poolings, n_threads)

    def _starting_vectors(self):
        """What another estimator may start from, to which this one is `init`."""
        loss = self._trained_with.loss
        return StartingVectors(
            self._vocabulary.words,
            self.input_vectors_,
            None if loss == "hierarchical_softmax" else self.output_vectors_,
            self.output_bias_ if loss in BIASED_LOSSES else None,
            self._vocabulary.index,
        )

    def _build_analyzer(self):
        return analyzer_of(self)

    @property
    def _doc_link_template(self):
        return documentation_template()

    def __sklearn_clone__(self):
        return clone_with_init(self)

    def __getstate__(self):
        return writable_state(super().__getstate__())

    def __setstate__(self, state):
        super().__setstate__(readable_state(type(self), state))

    def __sklearn_is_fitted__(self):
        return hasattr(self, "input_vectors_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.transformer_tags.preserves_dtype = []
        return tags
