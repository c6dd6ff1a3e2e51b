"""What verbose=1 shows: a bar where somebody watches, a line an epoch elsewhere."""

import contextlib
import io
import multiprocessing
import re
import sys
import threading

import pytest

from skw2v._progress import Progress, no_progress

LINES = [
    "[Word2VecTransformer] epoch 1 of 3: loss 2.1234, 1,234,567 words/s",
    "[Word2VecTransformer] epoch 2 of 3: loss 1.1234, 1,234,567 words/s",
    "[Word2VecTransformer] epoch 3 of 3: loss 0.1234, 1,234,567 words/s",
]


class Terminal(io.StringIO):
    """A stream that passes for a terminal."""

    def isatty(self):
        return True

    def states(self):
        """What stood on the line, one after the other."""
        return [state.rstrip() for state in re.split(r"[\r\n]+", self.getvalue()) if state.strip()]


@pytest.fixture
def terminal(monkeypatch):
    pytest.importorskip("tqdm")
    monkeypatch.setattr("skw2v._progress.SECONDS_PER_REFRESH", 0)
    return Terminal()


def train(progress, epochs=range(3), score=None):
    """What the training loop does with it."""
    with progress:
        for epoch in epochs:
            for share in (0.25, 0.5, 0.75, 1.0):
                progress.advance(epoch, share)
            progress.end_epoch(epoch, 2.1234 - epoch % 3, 1234567.2, score)


def test_a_line_an_epoch_where_nobody_watches():
    stream = io.StringIO()
    train(Progress("Word2VecTransformer", 3, stream=stream))
    assert stream.getvalue().splitlines() == LINES


def test_a_score_ends_the_line():
    stream = io.StringIO()
    train(Progress("Word2VecTransformer", 3, first_epoch=2, stream=stream), [2], score=-7.1234)
    assert stream.getvalue() == LINES[2] + ", score -7.1234\n"


def test_lines_go_to_what_stdout_is_by_then(capsys):
    progress = Progress("Word2VecTransformer", 3)
    redirected = io.StringIO()
    with contextlib.redirect_stdout(redirected):
        train(progress, [0])
    train(progress, [1, 2])
    assert redirected.getvalue().splitlines() == LINES[:1]
    assert capsys.readouterr().out.splitlines() == LINES[1:]


def test_lines_on_a_terminal_without_tqdm(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    stream = Terminal()
    train(Progress("Word2VecTransformer", 3, stream=stream))
    assert stream.getvalue().splitlines() == LINES


def test_lines_in_a_child_process(terminal, monkeypatch):
    """The bars of several processes would overwrite each other."""
    monkeypatch.setattr(multiprocessing, "parent_process", lambda: "the one with the terminal")
    train(Progress("Word2VecTransformer", 3, stream=terminal))
    assert terminal.getvalue().splitlines() == LINES


def train_on_a_real_terminal(n_columns, *arguments, **options):
    """What a terminal of this width gets to see."""
    pty, termios = pytest.importorskip("pty"), pytest.importorskip("termios")
    controller, terminal = pty.openpty()
    seen = b""
    with open(controller, "rb", buffering=0) as controller:
        with open(terminal, "w", encoding="utf-8") as stream:
            termios.tcsetwinsize(stream.fileno(), (24, n_columns))
            train(Progress(*arguments, stream=stream), **options)
        # Linux ends this with an error, others with nothing.
        with contextlib.suppress(OSError):
            while part := controller.read(10000):
                seen += part
    return seen.decode()


def test_lines_on_a_terminal_of_unknown_width():
    """tqdm would cut everything off."""
    assert train_on_a_real_terminal(0, "Word2VecTransformer", 3).splitlines() == LINES


def test_the_bar_fits_into_80_columns(monkeypatch):
    pytest.importorskip("tqdm")
    monkeypatch.setattr("skw2v._progress.SECONDS_PER_REFRESH", 0)
    seen = train_on_a_real_terminal(80, "name", 30, epochs=[20], score=-7.1234)
    second_last, last = re.split(r"[\r\n]+", seen)[-3:-1]
    assert second_last.startswith("epoch 21 of 30:  70%|")
    assert second_last.endswith("left, loss 0.1234, 1.23M words/s, score -7.1234")
    assert last.startswith("epoch 21 of 30: early stop|█")
    assert last.endswith("loss 0.1234, 1.23M words/s, score -7.1234")
    assert max(len(second_last), len(last)) <= 80


def test_tqdm_is_not_imported_until_there_is_a_bar(run_python):
    printed = run_python(
        """
import sys
import skw2v
from skw2v._progress import Progress, no_progress
for progress in Progress("name", 1), no_progress:
    with progress:
        progress.advance(0, 1.0)
        progress.end_epoch(0, 1.0, 1.0)
print("tqdm" in sys.modules)
"""
    )
    assert printed.splitlines()[-1] == "False"


def test_the_bar_shows_epoch_percent_speed_loss_and_time_left(terminal):
    train(Progress("Word2VecTransformer", 3, stream=terminal), score=-7.1234)
    second_epoch = next(state for state in terminal.states() if state.startswith("epoch 2 of 3"))
    assert re.fullmatch(
        r"epoch 2 of 3:  42%\|.+\| \d\d:\d\d left, loss 2\.1234, 1\.23M words/s, score -7\.1234",
        second_epoch,
    )
    assert terminal.getvalue().index("\n") == len(terminal.getvalue()) - 1


def test_the_full_bar_is_left_standing(terminal):
    train(Progress("Word2VecTransformer", 3, stream=terminal))
    assert re.fullmatch(
        r"epoch 3 of 3: 100%\|#+\| 00:00, loss 0\.1234, 1\.23M words/s", terminal.states()[-1]
    )
    assert terminal.getvalue().endswith("\n")


def test_the_speed_of_the_running_epoch_is_shown_where_it_is_known(terminal, monkeypatch):
    clock = iter([10.0, 10.5, 10.75, 11.0])
    monkeypatch.setattr("skw2v._progress.time.perf_counter", lambda: next(clock))
    with Progress("name", 1, words_per_epoch=4000, stream=terminal) as progress:
        for share in (0.2, 0.4, 0.6, 0.8):
            progress.advance(0, share)
    speeds = re.findall(r"left, (.*) words/s", "\n".join(terminal.states()))
    assert speeds[:3] == ["1.60k", "2.13k", "2.40k"]


def test_training_that_goes_on_starts_where_it_stopped(terminal):
    train(Progress("name", 4, first_epoch=2, stream=terminal), [2, 3])
    percents = [int(percent) for percent in re.findall(r"(\d+)%", terminal.getvalue())]
    assert percents[0] == 50
    assert percents == sorted(percents)


def test_an_early_stop_looks_finished(terminal):
    train(Progress("name", 3, stream=terminal), [0, 1])
    assert re.fullmatch(
        r"epoch 2 of 3: early stop\|#+\| 00:00, loss 1\.1234, 1\.23M words/s",
        terminal.states()[-1],
    )


def test_an_interrupted_bar_stays_where_it_was(terminal):
    progress = Progress("name", 4, stream=terminal)
    with contextlib.suppress(KeyboardInterrupt), progress:
        progress.end_epoch(0, 2.1234, 1234567)
        progress.advance(1, 0.2)
        raise KeyboardInterrupt
    assert terminal.states()[-1].startswith("epoch 2 of 4:  30%|")
    assert terminal.getvalue().endswith("\n")


@pytest.mark.parametrize("error", [None, ValueError])
def test_nothing_is_shown_of_what_is_not_trained(terminal, error):
    """It was read from `memory`, or the documents were no good."""
    with contextlib.suppress(ValueError), Progress("name", 3, stream=terminal):
        if error:
            raise error
    assert terminal.getvalue() == ""


def test_the_bar_may_be_switched_off(run_python):
    """tqdm reads TQDM_DISABLE when it is imported."""
    pytest.importorskip("tqdm")
    printed = run_python(
        """
import sys
from skw2v._progress import Progress
sys.stdout.isatty = lambda: True
for n_epochs in (1, 2):
    with Progress("name", 2) as progress:
        for epoch in range(n_epochs):
            progress.advance(epoch, 0.5)
            progress.end_epoch(epoch, 2.0, 1000)
""",
        TQDM_DISABLE="1",
    )
    assert printed == ""


def test_no_thread_watches_the_bar(terminal):
    before = threading.active_count()
    with Progress("name", 3, stream=terminal) as progress:
        progress.advance(0, 0.5)
        assert threading.active_count() == before


def test_no_progress_shows_nothing(capsys):
    train(no_progress)
    with no_progress as progress:
        assert progress is no_progress
    assert capsys.readouterr() == ("", "")
