"""Files that carry word vectors, and the files that judge them.

- word2vec's text format: a header ``n_words n_components``, then one line per word, the word and
  its values separated by spaces. UTF-8; a name that ends in ``.gz`` is compressed.
- Google's analogy questions (``a b c d`` under ``: section`` lines).
- Pairs of words with a score given by people (WordSim-353, SimLex-999 and their kin).

Readers work line by line, split at ASCII white space only (a no-break space belongs to its word),
and name the file and the line in every error.
"""

import contextlib
import gzip
import os
import re
import uuid
import zlib
from array import array
from pathlib import Path

import numpy as np

__all__ = [
    "read_analogy_questions",
    "read_word2vec_text",
    "read_word_pairs",
    "write_word2vec_text",
]

# What C's isspace() and bytes.split() take for a separator: no reader could find the word's end.
_SEPARATOR = re.compile(r"[ \t\n\r\x0b\x0c]")


def write_word2vec_text(path, words, vectors):
    """Write word vectors in word2vec's text format.

    The file appears under its name only when it is complete: a failed save leaves an older file
    of that name as it was.

    Parameters
    ----------
    path : str or path-like
        File to write. The text is compressed if the name ends in ``.gz``.
    words : sequence of str or int, length n_words
        Words in the order of the rows. Integers are written in decimal digits, and come back as
        strings: the format knows no types.
    vectors : ndarray of shape (n_words, n_components)
        One row per word. Values are rounded to float32 and written with the fewest digits that
        read back to the same float32.

    Raises
    ------
    ValueError
        If a word is empty, holds white space, cannot be encoded as UTF-8 or comes twice; if the
        vectors have another shape or hold NaN or infinity.
    FileNotFoundError
        If the folder of `path` does not exist.

    See Also
    --------
    read_word2vec_text : The inverse.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skw2v.formats import write_word2vec_text
    >>> path = Path(tempfile.mkdtemp()) / "vectors.txt"
    >>> write_word2vec_text(path, ["one", "two"], [[0.1, -2.0], [3e-8, 4.0]])
    >>> print(path.read_text(), end="")
    2 2
    one 0.1 -2.0
    two 3e-08 4.0
    """
    vectors = check_vectors(vectors, words)
    encoded = _encode_words(words)
    with _atomic_writer(path) as file:
        file.write(b"%d %d\n" % vectors.shape)
        for word, row in zip(encoded, vectors, strict=True):
            # str() of a NumPy float32 is the shortest text that reads back to the same bits.
            file.write(word + b" " + " ".join(map(str, row)).encode("ascii") + b"\n")


def read_word2vec_text(path):
    """Read word vectors from word2vec's text format.

    Parameters
    ----------
    path : str or path-like
        File to read. It is decompressed if the name ends in ``.gz``.

    Returns
    -------
    words : list of str, length n_words
        Words in the order of the file.
    vectors : ndarray of shape (n_words, n_components), dtype float32
        One row per word.

    Raises
    ------
    ValueError
        If the file does not follow the format: a wrong header, a row with too few or too many
        values, fewer or more rows than the header says, a word that comes twice or is not UTF-8,
        a value that is no finite float32.

    See Also
    --------
    write_word2vec_text : The inverse.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skw2v.formats import read_word2vec_text
    >>> path = Path(tempfile.mkdtemp()) / "vectors.txt"
    >>> _ = path.write_text("2 3\\none 1 0 0\\ntwo 0 1.5 0\\n")
    >>> words, vectors = read_word2vec_text(path)
    >>> words
    ['one', 'two']
    >>> vectors
    array([[1. , 0. , 0. ],
           [0. , 1.5, 0. ]], dtype=float32)
    """
    lines = _lines(path)
    _, header = next(lines, (1, b""))
    n_words, n_components = _parse_header(header, path)

    line_of_word = {}
    # An array grows as rows arrive, so that a header that lies cannot claim the memory.
    values = array("f")
    for line_number, line in lines:
        fields = line.split()
        if len(line_of_word) == n_words:
            if not fields:
                continue
            raise _format_error(
                path, line_number, f"the header says {n_words} words, but the file goes on", line
            )
        if len(fields) != n_components + 1:
            raise _format_error(
                path,
                line_number,
                f"expected a word and {n_components} values, got {len(fields)} fields"
                + _binary_hint(line),
                line,
            )
        try:
            word = fields[0].decode("utf-8")
            values.extend(map(float, fields[1:]))
        except UnicodeDecodeError as error:
            raise _format_error(
                path, line_number, "the word is not UTF-8" + _binary_hint(line), line
            ) from error
        except ValueError as error:
            raise _format_error(path, line_number, f"expected numbers: {error}", line) from error
        if word in line_of_word:
            raise _format_error(
                path, line_number, f"the word {word!r} stands already in line {line_of_word[word]}"
            )
        line_of_word[word] = line_number

    if len(line_of_word) < n_words:
        raise ValueError(
            f"{path}: the header says {n_words} words, but the file ends after "
            f"{len(line_of_word)}; it may have been cut short"
        )
    vectors = np.frombuffer(values, dtype=np.float32).reshape(n_words, n_components)
    words = list(line_of_word)
    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        word = words[int(np.argmin(finite))]
        raise _format_error(
            path, line_of_word[word], f"the vector of {word!r} holds NaN or exceeds float32's range"
        )
    return words, vectors


def read_analogy_questions(path):
    """Read analogy questions in the format of Google's ``questions-words.txt``.

    Parameters
    ----------
    path : str or path-like
        Text file: lines ``: name`` open a section, other lines hold the four words of a question
        "a is to b as c is to d". It is decompressed if the name ends in ``.gz``.

    Returns
    -------
    sections : dict of str to list of tuple of 4 str
        Questions by section. Questions before the first section are in the section ``"all"``.

    Raises
    ------
    ValueError
        If a line holds anything but four words.
    """
    sections = {}
    questions = None
    for line_number, text in _text_lines(path):
        if text.startswith(":"):
            questions = sections.setdefault(text[1:].strip(), [])
            continue
        words = tuple(text.split())
        if len(words) != 4:
            raise _format_error(
                path, line_number, f"expected four words or ': section', got {len(words)}", text
            )
        if questions is None:
            questions = sections.setdefault("all", [])
        questions.append(words)
    return sections


def read_word_pairs(path):
    """Read pairs of words and the similarity that people gave them.

    Parameters
    ----------
    path : str or path-like
        Text file: ``word word score`` on a line, separated by tabs, else commas, else spaces;
        further columns are ignored, and so are lines that start with ``#``. The first line may be
        a header. It is decompressed if the name ends in ``.gz``.

    Returns
    -------
    pairs : list of tuple of (str, str, float)
        The pairs and their scores, in the order of the file.

    Raises
    ------
    ValueError
        If a line holds anything but two words and a finite number.
    """
    pairs = []
    may_be_header = True
    for line_number, text in _text_lines(path):
        if text.startswith("#"):
            continue
        separator = next((separator for separator in "\t," if separator in text), None)
        fields = [field.strip() for field in text.split(separator)]
        try:
            first, second, score = fields[0], fields[1], float(fields[2])
            if not np.isfinite(score):
                raise ValueError
        except (IndexError, ValueError):
            if not may_be_header:
                raise _format_error(
                    path, line_number, "expected two words and a finite number", text
                ) from None
        else:
            pairs.append((first, second, score))
        may_be_header = False
    return pairs


def check_vectors(vectors, words):
    """`vectors` as a finite, C-contiguous float32 matrix with a row for each of `words`.

    Not copied where it is one already.
    """
    with np.errstate(over="ignore"):  # what float32 cannot hold is reported below, with its word
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    if vectors.ndim != 2 or len(vectors) != len(words) or vectors.size == 0:
        raise ValueError(
            f"expected vectors of shape (n_words, n_components) with n_words={len(words)} and "
            f"neither of them 0, got shape {vectors.shape}"
        )
    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        row = int(np.argmin(finite))
        raise ValueError(
            f"expected finite float32 vectors, but the vector of {words[row]!r} (row {row}) holds "
            "NaN, infinity or a value beyond float32's range"
        )
    return vectors


def _encode_words(words):
    """UTF-8 bytes of every word; an error for a word the format cannot carry."""
    row_of_word = {}
    for row, word in enumerate(words):
        text = str(word)
        if not text or _SEPARATOR.search(text):
            what = "holds white space" if text else "is empty"
            raise ValueError(
                f"the word {word!r} (row {row}) {what}: word2vec's text format separates fields "
                "by white space and cannot hold it; replace or drop the word, or pickle the object"
            )
        try:
            encoded = text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise ValueError(
                f"the word {word!r} (row {row}) cannot be encoded as UTF-8: {error.reason}"
            ) from error
        if encoded in row_of_word:
            raise ValueError(
                f"the word {text!r} comes twice: rows {row_of_word[encoded]} and {row}"
            )
        row_of_word[encoded] = row
    return list(row_of_word)


@contextlib.contextmanager
def _atomic_writer(path):
    """Binary file that takes the name `path` at the end, if nothing went wrong until then."""
    target = Path(os.path.realpath(path))  # a link stays a link
    if not target.parent.is_dir():
        raise FileNotFoundError(f"cannot save to {path}: the folder {target.parent} does not exist")
    # Not tempfile: its files are readable by their owner alone, whatever the umask says.
    temporary = target.parent / f".skw2v-{uuid.uuid4().hex}.tmp"
    try:
        with open(temporary, "xb") as raw:
            if _is_compressed(path):
                # Neither name nor time in the header: the same vectors give the same bytes.
                with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as file:
                    yield file
            else:
                yield raw
            raw.flush()
            os.fsync(raw.fileno())
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _is_compressed(path):
    return os.fspath(path).endswith(".gz")


def _lines(path):
    """Numbered lines of a file as bytes, without the line end."""
    number = 0
    with (gzip.open if _is_compressed(path) else open)(path, "rb") as file:
        try:
            for number, line in enumerate(file, start=1):
                yield number, line.rstrip(b"\r\n")
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(
                f"{path}: damaged or cut short after line {number}, expected a whole gzip file "
                f"({error})"
            ) from error


def _text_lines(path):
    """Numbered lines of a file as str, stripped, blank ones left out."""
    for number, line in _lines(path):
        try:
            text = line.decode("utf-8-sig").strip()
        except UnicodeDecodeError as error:
            raise _format_error(path, number, "the line is not UTF-8", line) from error
        if text:
            yield number, text


def _parse_header(line, path):
    fields = line.split()
    if len(fields) == 2 and all(field.isdigit() and int(field) > 0 for field in fields):
        return int(fields[0]), int(fields[1])
    hint = ""
    if len(fields) > 2:
        hint = " (a file without header, such as GloVe's, needs one as its first line)"
    raise _format_error(
        path, 1, f"expected the header 'n_words n_components', two positive integers{hint}", line
    )


def _binary_hint(line):
    return "; this may be word2vec's binary format, expected its text format" * (b"\0" in line)


def _format_error(path, line_number, problem, line=None):
    """ValueError that names the place and shows the beginning of the line."""
    message = f"{path}, line {line_number}: {problem}"
    if line is not None:
        text = line if isinstance(line, str) else line.decode("utf-8", "backslashreplace")
        message += f"; the line is {text if len(text) <= 60 else text[:57] + '...'!r}"
    return ValueError(message)
