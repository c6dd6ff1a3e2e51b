"""skw2v: word2vec as a scikit-learn estimator, fast, and the same bits at any thread count.

What is offered here::

    Word2VecTransformer   documents in, features out
    EmbeddingClassifier   documents in, classes out: a table trained with its output layer
    EncodedDocuments      documents analysed once, to be fitted and scored many times
    SampledClassifier     an output layer for many classes, on any features
    WordVectors           words and their vectors: neighbours, analogies, files
    show_versions         what a bug report needs
    datasets              load_docstrings(): a real corpus that every installation already has
    display               WordMapDisplay, LossCurveDisplay (need matplotlib)

and the rooms behind it::

    transformer.py           Word2VecTransformer: parameters, and fit/transform as a short recipe
    embedding_classifier.py  EmbeddingClassifier: parameters, and what a classifier answers
    encoded_documents.py     EncodedDocuments: tokens numbered once, and sliced as scikit-learn does
    sampled_classifier.py    SampledClassifier: parameters, fit, partial_fit and predictions
    word_vectors.py          WordVectors: neighbours, analogies and evaluation of a fitted or
                             loaded matrix
    formats.py               word2vec's text format: read and write
    display.py               WordMapDisplay, LossCurveDisplay, as scikit-learn's Display classes
    datasets.py              load_docstrings()
    __main__.py  _demo.py    python -m skw2v demo
    _show_versions.py        show_versions()
    _parameters.py           what each parameter may be, and which of them training needs
    _sklearn.py              the one door to names that scikit-learn keeps private
    _analyzer.py             documents -> tokens, with CountVectorizer's parameters and meaning
    _numbering.py            documents -> numbers of tokens, in C where the analyzer allows
    _vocabulary.py           tokens -> words, counts, ids
    _corpus.py               encoded corpus
    _subwords.py             words -> character n-grams, hashed: the parts that words are made of
    _transfer.py             vectors from elsewhere that training may start from
    _unseen.py               vectors for words that training has not seen
    _sampling.py             noise distributions (alias table), keep probabilities
    _distinct.py             the same for noise that does not repeat itself
    _huffman.py              the tree of hierarchical softmax: paths and codes
    _layout.py               how a corpus is cut into rounds and shards
    _trainer.py              matrices and one epoch of words; with the next, the one caller of the
                             training kernels
    _document_trainer.py     the same of documents and their classes
    _rows.py  _rounds.py     padded matrices; rounds on as many threads as are worth it
    _training.py             which epochs, at what rate, and when to stop
    _output_training.py      epochs of an output layer; the one caller of its kernels
    _fitting.py              what fit, partial_fit and fit_pooling do, and `memory`
    _classifier_fitting.py   what EmbeddingClassifier's fit and partial_fit do
    _classes.py              labels -> numbers of classes
    _ngrams.py               words -> n-grams of words, hashed
    _class_scores.py         documents -> scores and probabilities of classes
    _state.py                fitted attributes, and what is pickled
    _callbacks.py            scikit-learn's callbacks, where it has them
    _progress.py             what verbose=1 shows
    _likelihood.py           held-out pairs -> mean log-likelihood
    _document_features.py    from what each pooling has learned to features
    _learned_poolings.py     what each pooling learns from the training documents
    _clusters.py             word vectors -> soft clusters
    _pooling.py              ids + vectors -> sums; the one caller of the pooling kernels
    _threads.py              n_jobs -> number of threads
    _evaluation.py           word pairs and analogies: scores
    _word_map.py             where the words of a picture stand
    _reference.py            every formula in plain NumPy float64, which tests compare with
    _reference_objectives.py the same for the five objectives' targets
    _reference_training.py   the same for a whole training, shard by shard and round by round
    _reference_output_layer.py  the same for an output layer on features
    _reference_classifier.py the same for documents and their classes
    _reference_pooling.py    the same for every pooling
    _reference_subwords.py   the same for words made of parts
    _tokenize.pyx            strings' buffers -> ids, no token as an object
    _kernels.pyx             memoryviews -> C structs, a team of threads over shards; test doors
    _output_layer.pyx        memoryviews -> C structs, phases of batches over threads
    _pool.pyx                memoryviews -> C structs, documents over threads
    _buckets.pyx             n-grams of words -> buckets -> rows, documents over threads
    _tree.pyx                Huffman's tree: who joins whom, and the way to each word
    kernels/                 plain C: one body compiled per instruction set; one dispatch file;
                             the scanner of text and its table of tokens

The way of the data: documents -analyzer-> tokens -vocabulary-> ids -corpus-> (token_ids,
document_offsets) -kernels-> input and output vectors -pooling-> features. Strings end at the
corpus; past it there are only integers and floats. Kernels are called by `_trainer`,
`_document_trainer`, `_likelihood`, `_pooling`, `_unseen` and `_output_training` alone, the scanner
of text by `_numbering`.
"""

from importlib import import_module

__version__ = "0.1.0"

# Imported at first use, so that `import skw2v` costs next to nothing.
_ROOM_OF = {
    "Word2VecTransformer": "transformer",
    "EmbeddingClassifier": "embedding_classifier",
    "EncodedDocuments": "encoded_documents",
    "SampledClassifier": "sampled_classifier",
    "WordVectors": "word_vectors",
    "show_versions": "_show_versions",
}
_ROOMS = ("datasets", "display")

__all__ = [  # noqa: RUF022, see __getattr__; the order is that of the docstring
    "Word2VecTransformer",
    "EmbeddingClassifier",
    "EncodedDocuments",
    "SampledClassifier",
    "WordVectors",
    "show_versions",
    "datasets",
    "display",
    "__version__",
]


def __getattr__(name):
    if name in _ROOM_OF:
        value = getattr(import_module(f"skw2v.{_ROOM_OF[name]}"), name)
    elif name in _ROOMS:
        value = import_module(f"skw2v.{name}")
    else:
        raise AttributeError(f"module 'skw2v' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *__all__})
