"""SampledClassifier: a linear output layer for many classes, trained on a few of them at a time."""

from contextlib import nullcontext

import numpy as np
from scipy.sparse import issparse
from scipy.special import log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from skw2v._output_training import (
    OutputParameters,
    OutputRows,
    as_samples,
    mean_square_length,
    train_epochs,
)
from skw2v._parameters import PARAMETER_CONSTRAINTS, check_learning_rates
from skw2v._progress import Progress
from skw2v._sklearn import StrOptions, check_first_call, documentation_template, validated
from skw2v._threads import effective_n_threads

SCORES_AT_ONCE = 2**22  # of `predict`: 32 MiB of float64, however many classes there are


class SampledClassifier(ClassifierMixin, BaseEstimator):
    """Linear classifier for many classes, which trains on the true class and a few sampled ones.

    A softmax over 50,000 classes computes 50,000 scores to learn from one sample. Noise-contrastive
    estimation [1]_ and the sampled softmax [2]_ compute `1 + n_negatives`: the true class's, and
    those of classes drawn from a noise distribution, whose logits are corrected for how often they
    are drawn. This is the output layer of `Word2VecTransformer` for features X that are already
    there: with x a row of X, the logit of a class is ``x @ coef + intercept``.

    The result is the same, to the bit, for any `n_jobs`.

    Parameters
    ----------
    loss : {"nce", "sampled_softmax", "softmax"}, default="nce"
        - "nce": a logistic regression tells the true class from noise, TensorFlow's ``nce_loss``;
        - "sampled_softmax": a softmax over the true class and the noise, TensorFlow's
          ``sampled_softmax_loss``;
        - "softmax": over all classes. The yardstick, and the best choice up to some hundred
          classes. It needs ``4 * batch_size * n_classes`` bytes of scratch.

    n_negatives : int, default=20
        Classes drawn as noise for each sample; more are slower and nearer to the softmax. All
        classes where there are no more of them, see `distinct_noise`. `min(n_negatives, 16)`
        samples that follow each other share theirs, which changes accuracy little and speed much.
        Ignored by "softmax", as are the next four.

    noise : {"unigram", "log_uniform"}, default="unigram"
        "unigram" draws a class in proportion to `class_count_ ** noise_exponent`; "log_uniform" is
        TensorFlow's default, about Zipf's law on the classes by falling count.

    noise_exponent : float, default=0.75
        Of "unigram". 0 is uniform over the classes that occur.

    distinct_noise : bool, default=True
        Is noise drawn without replacement, each class at most once for a sample? As TensorFlow's
        functions do by default. False draws with replacement, and a class counts as often as it is
        drawn; where `n_negatives` is far below the number of classes, that is nearly the same.

    remove_accidental_hits : bool or "auto", default="auto"
        Is noise that equals the sample's class left out? "auto" does as TensorFlow's functions:
        "nce" keeps it, "sampled_softmax" leaves it out.

    learning_rate : float, default=1.0
        In units of the longest step that is safe for a mean sample by itself, so that it works
        alike whatever the scale of X (see Notes). It falls linearly over the epochs of `fit`.

    min_learning_rate : float, default=0.001
        What it falls to.

    max_iter : int, default=20
        Epochs of `fit`.

    batch_size : int, default=64
        Samples that are scored before any of them changes the weights. Larger ones give threads
        more to share.

    warm_start : bool, default=False
        Does `fit` go on from the weights that are there, for `max_iter` more epochs? The classes
        must be the same.

    random_state : int, RandomState instance or None, default=None
        Orders of samples and noise. `partial_fit` reads it in its first call.

    n_jobs : int or None, default=None
        Threads of `fit` and `partial_fit`; None and -1 are all there are. Where a batch is too
        little to share, fewer are used.

    verbose : int, default=0
        1 shows epochs, losses and speed.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    coef_ : ndarray of float32, shape (n_classes, n_features), or (1, n_features)
        Of two classes, as elsewhere in scikit-learn, the second's less the first's. Else a view:
        `partial_fit` changes it.
    intercept_ : ndarray of float32, shape (n_classes,) or (1,)
    class_count_ : ndarray of int64, shape (n_classes,)
        Samples of each class: of `fit`, or of all calls of `partial_fit`.
    loss_curve_ : list of float
        Mean loss of the samples in each epoch, each when its turn came; what `loss` names, so that
        different ones don't compare. `partial_fit` adds one value a call.
    n_iter_ : int
        Epochs, or calls of `partial_fit`.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,)
        If X has them, all strings.

    See Also
    --------
    sklearn.linear_model.SGDClassifier : One against all others: the time of a sample grows with the
        number of classes.
    skw2v.Word2VecTransformer : The same losses, where what goes into them is learned, too.

    Notes
    -----
    *The step.* Let m be the mean squared length of a row of X in the first call, and s the largest
    power of two not above its root. With r the gradient of the loss with respect to a logit,
    negated, a sample changes ``coef`` by ``step * r * x`` and ``intercept`` by
    ``step * r * s ** 2``, where ``step = 4 * learning_rate / (m + s ** 2)``: normalised least mean
    squares [3]_, for losses whose second derivative is at most 1/4. If the most frequent class is
    expected more often in a batch than 8 times ("nce": 2), the step is divided by the ratio of the
    two. Features that are far from centered, or of very different size, are learned
    slowly, as by any gradient descent: scale them.

    *The start.* Coefficients are 0, intercepts the log of each class's share of the samples. So NCE
    need not spend epochs on pushing all logits down.

    *Probabilities* are the softmax of the logits, whatever the loss. Under NCE the logits
    estimate log probabilities by themselves, but their exponentials sum to one in
    expectation only.

    *Expected counts.* Noise of probability q is expected ``n_negatives * q`` times with
    replacement, and ``1 - (1 - q) ** t`` times without. There TensorFlow takes for t how often it
    had to draw until all classes were different; here the expected counts add up to `n_negatives`,
    and the draw is Deville's systematic sampling [4]_, with which they are exact.

    *Consistency.* NCE comes to the probabilities of the softmax with any noise, the slower the less
    there is, if hits are kept. The sampled softmax, if they are left out, is the softmax itself
    where all classes are drawn, and near it with fewer: of classes with shares of .4, .3, .2 and .1
    two sampled ones make .42, .30, .19 and .09. With replacement the correction is right while a
    class is expected less than once: 20 sampled ones make .50, .27, .16 and .07.

    *Samples* all weigh the same: there is no `sample_weight`, because weights would have to change
    how often a sample is met to mean what repeating it does.

    *Bits.* Within a batch each thread changes classes, or columns, of its own, in the order of the
    samples; orders and noise are keyed on the sample's place. AVX2 and AVX-512 agree. Predictions
    are BLAS's and have no part in this.

    References
    ----------
    .. [1] Gutmann, Hyvärinen, "Noise-Contrastive Estimation of Unnormalized Statistical Models,
           with Applications to Natural Image Statistics", JMLR 13, 2012.
    .. [2] Jean, Cho, Memisevic, Bengio, "On Using Very Large Target Vocabulary for Neural Machine
           Translation", ACL 2015.
    .. [3] Nagumo, Noda, "A learning method for system identification", IEEE Transactions on
           Automatic Control 12(3), 1967.
    .. [4] Deville, "Une nouvelle (encore une!) méthode de tirage à probabilités inégales", INSEE
           9804, 1998.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skw2v import SampledClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> X = StandardScaler().fit_transform(X)
    >>> classifier = SampledClassifier(random_state=0).fit(X[:1000], y[:1000])
    >>> classifier.score(X[1000:], y[1000:]) > 0.9
    True
    """

    _parameter_constraints: dict = {
        name: PARAMETER_CONSTRAINTS[name]
        for name in (
            "n_negatives",
            "noise",
            "noise_exponent",
            "remove_accidental_hits",
            "learning_rate",
            "min_learning_rate",
            "max_iter",
            "warm_start",
            "random_state",
            "n_jobs",
            "verbose",
        )
    } | {
        "loss": [StrOptions({"nce", "sampled_softmax", "softmax"})],
        "distinct_noise": ["boolean"],
        "batch_size": PARAMETER_CONSTRAINTS["n_negatives"],
    }

    def __init__(
        self,
        loss="nce",
        *,
        n_negatives=20,
        noise="unigram",
        noise_exponent=0.75,
        distinct_noise=True,
        remove_accidental_hits="auto",
        learning_rate=1.0,
        min_learning_rate=1e-3,
        max_iter=20,
        batch_size=64,
        warm_start=False,
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        self.loss = loss
        self.n_negatives = n_negatives
        self.noise = noise
        self.noise_exponent = noise_exponent
        self.distinct_noise = distinct_noise
        self.remove_accidental_hits = remove_accidental_hits
        self.learning_rate = learning_rate
        self.min_learning_rate = min_learning_rate
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.warm_start = warm_start
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    @validated
    def fit(self, X, y):
        """Train for `max_iter` epochs.

        Parameters
        ----------
        X : array-like or sparse matrix, of shape (n_samples, n_features)
            float32 and float64 are read in place, sparse ones as CSR; never made dense.
        y : array-like of shape (n_samples,)
            Labels: numbers or strings, of at least two classes.

        Returns
        -------
        self : SampledClassifier
            The fitted estimator.

        Raises
        ------
        ValueError
            If there is one class only, training diverges, rows of X are too long or too short for
            float32, `min_learning_rate` is above `learning_rate`, or, with `warm_start`, classes or
            features are not the fitted ones.
        """
        goes_on = self.warm_start and hasattr(self, "_rows")
        X, y = self._validate(X, y, reset=not goes_on)
        classes, labels = np.unique(y, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(
                f"{type(self).__name__} needs samples of at least 2 classes in the data, but the "
                f"data contains only one class: {classes.tolist()[0]!r}"
            )
        counts = np.bincount(labels)
        samples, n_threads = as_samples(X), effective_n_threads(self.n_jobs)
        if goes_on:
            if not np.array_equal(classes, self.classes_):
                raise ValueError(
                    f"warm_start=True goes on with the {len(self.classes_)} classes of the last "
                    f"fit, but y has others ({len(classes)}); pass the same ones, or set "
                    "warm_start=False"
                )
            rows = self._rows.copy()
            rows.counts = counts
        else:
            mean_square = mean_square_length(samples, len(y), n_threads)
            rows = OutputRows(X.shape[1], counts, mean_square, self._draw_seed())
        loss_curve = self._train(rows, samples, labels, self._training_parameters(), n_threads)
        self._rows = rows
        self.classes_ = classes
        self.loss_curve_ = loss_curve
        self.n_iter_ = len(loss_curve)
        return self

    @validated
    def partial_fit(self, X, y, classes=None):
        """Train one epoch on these samples, at the constant rate `learning_rate`.

        Parameters
        ----------
        X : array-like or sparse matrix, of shape (n_samples, n_features)
            As for `fit`. The scale of the features is taken from the first call.
        y : array-like of shape (n_samples,)
            Labels, all of them in `classes`. Noise follows the counts of all calls.
        classes : array-like of shape (n_classes,), default=None
            All classes there will ever be; needed in the first call.

        Returns
        -------
        self : SampledClassifier
            The fitted estimator.

        Raises
        ------
        ValueError
            If `classes` is missing in the first call, or others later, or a label is none of
            them; or as from `fit`.
        """
        is_first = check_first_call(self, classes) or not hasattr(self, "_rows")
        X, y = self._validate(X, y, reset=is_first)
        labels = np.searchsorted(self.classes_, y)
        known = self.classes_[np.minimum(labels, len(self.classes_) - 1)] == y
        if not np.all(known):
            raise ValueError(
                f"y has the label {y[~known].tolist()[0]!r}, which is not among the "
                f"{len(self.classes_)} classes of the first call of partial_fit; name all of them "
                "there"
            )
        counts = np.bincount(labels, minlength=len(self.classes_))
        samples, n_threads = as_samples(X), effective_n_threads(self.n_jobs)
        if is_first:
            mean_square = mean_square_length(samples, len(y), n_threads)
            self._rows = OutputRows(X.shape[1], counts, mean_square, self._draw_seed())
            self.loss_curve_, self.n_iter_ = [], 0
        else:
            self._rows.counts = self._rows.counts + counts
        parameters = self._training_parameters(max_iter=1)
        self.loss_curve_ += self._train(
            self._rows, samples, labels, parameters, n_threads, constant_rate=True
        )
        self.n_iter_ += 1
        return self

    def decision_function(self, X):
        """Logits of all classes.

        Parameters
        ----------
        X : array-like or sparse matrix, of shape (n_samples, n_features)

        Returns
        -------
        scores : ndarray of shape (n_samples, n_classes), or (n_samples,)
            Of two classes the second's less the first's. For 50,000 classes and float64 a row
            takes 400 kB; `predict` does with less.
        """
        check_is_fitted(self)
        X = self._validate(X)
        scores = self._logits(X, *self._weights(X))
        return scores.ravel() if len(self.classes_) == 2 else scores

    def predict(self, X):
        """The class with the highest logit for each row, a block of rows at a time.

        Parameters
        ----------
        X : array-like or sparse matrix, of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,)
        """
        check_is_fitted(self)
        X = self._validate(X)
        weights, biases = self._weights(X)
        best = np.empty(X.shape[0], dtype=np.intp)
        at_once = max(1, SCORES_AT_ONCE // len(biases))
        for first in range(0, X.shape[0], at_once):
            scores = self._logits(X[first : first + at_once], weights, biases)
            best[first : first + at_once] = (
                scores.ravel() > 0 if len(biases) == 1 else scores.argmax(axis=1)
            )
        return self.classes_[best]

    def predict_proba(self, X):
        """Probabilities of all classes: the softmax of the logits, whatever the loss.

        Parameters
        ----------
        X : array-like or sparse matrix, of shape (n_samples, n_features)

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`; every row sums to one.
        """
        return softmax(self._normalisable(X), axis=1)

    def predict_log_proba(self, X):
        """Logarithms of `predict_proba`.

        Parameters
        ----------
        X : array-like or sparse matrix, of shape (n_samples, n_features)

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
        """
        return log_softmax(self._normalisable(X), axis=1)

    @property
    def coef_(self):
        """Weights of the features, one row a class; of two classes their difference."""
        check_is_fitted(self)  # its NotFittedError is an AttributeError
        weights = self._rows.weights
        return weights[1:] - weights[:1] if len(weights) == 2 else weights

    @property
    def intercept_(self):
        """Biases, one a class; of two classes their difference."""
        check_is_fitted(self)
        biases = self._rows.biases
        return biases[1:] - biases[:1] if len(biases) == 2 else biases

    @property
    def class_count_(self):
        """Samples of each class, ndarray of int64, shape (n_classes,)."""
        check_is_fitted(self)
        return self._rows.counts

    def _validate(self, X, y="no_validation", reset=False):
        checks = {"accept_sparse": "csr", "dtype": [np.float64, np.float32], "order": "C"}
        checked = validate_data(self, X, y, reset=reset, **checks)
        if isinstance(checked, tuple):
            check_classification_targets(checked[1])
        return checked

    def _draw_seed(self):
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _training_parameters(self, **changes):
        check_learning_rates(self)
        names = OutputParameters.__dataclass_fields__
        return OutputParameters(**{name: getattr(self, name) for name in names} | changes)

    def _train(self, rows, samples, labels, parameters, n_threads, constant_rate=False):
        epochs = train_epochs(
            rows,
            samples,
            labels.astype(np.int32),
            parameters,
            n_threads=n_threads,
            constant_rate=constant_rate,
        )
        name = type(self).__name__
        progress = (
            Progress(name, parameters.max_iter, unit="samples") if self.verbose else nullcontext()
        )
        loss_curve = []
        with progress:
            for loss, samples_per_second in epochs:
                if self.verbose:
                    progress.end_epoch(len(loss_curve), loss, samples_per_second)
                loss_curve.append(loss)
        return loss_curve

    def _weights(self, X):
        """Transposed coefficients and the intercepts, of X's type."""
        weights = self.coef_.astype(X.dtype, copy=False).T
        if issparse(X):  # whose product would copy them for every block of rows
            weights = np.ascontiguousarray(weights)
        return weights, self.intercept_.astype(X.dtype)

    def _normalisable(self, X):
        """Logits with a column for every class, of two classes too."""
        scores = self.decision_function(X)
        return scores if scores.ndim == 2 else np.stack([np.zeros_like(scores), scores], axis=1)

    @staticmethod
    def _logits(X, weights, biases):
        scores = X @ weights
        scores += biases
        return scores

    @property
    def _doc_link_template(self):
        return documentation_template()

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_rows")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
