"""What `verbose=1` shows of training: a bar on a terminal, a line an epoch elsewhere.

The bar is tqdm's. Where tqdm is not installed, where nobody is watching (a file, a pipe, a
notebook) and where bars of several processes would fight for one line, there are lines instead.
"""

import multiprocessing
import os
import sys
import time

# A refresh costs some 50 microseconds; more often than this nobody could read it.
SECONDS_PER_REFRESH = 0.1


class Progress:
    """Show the progress of training while the context is entered.

    Parameters
    ----------
    name : str
        What is trained, in brackets in front of everything.
    max_iter : int
        Number of epochs.
    first_epoch : int, default=0
        Index of the first epoch that is still to train.
    words_per_epoch : int, default=None
        Tokens in the corpus. With it the bar shows the speed of the running epoch, and not just
        of the last one.
    unit : str, default="words"
        What the speed counts.
    stream : file-like, default=None
        Where to. None is what `sys.stdout` is at the time of writing.
    """

    def __init__(
        self, name, max_iter, *, first_epoch=0, words_per_epoch=None, unit="words", stream=None
    ):
        self.name = name
        self.max_iter = max_iter
        self.first_epoch = first_epoch
        self.words_per_epoch = words_per_epoch
        self.unit = unit
        self.stream = stream

    def __enter__(self):
        # The display is made when there is something to show: vectors that `memory` has kept are
        # not trained, and show nothing.
        self._display = None
        return self

    def __exit__(self, error_type, error, traceback):
        if self._display is not None:
            self._display.close(is_done=error_type is None)

    def advance(self, epoch, share):
        """Take note that a share, from 0 to 1, of an epoch is done; cheap."""
        self._displayed().advance(epoch, share)

    def end_epoch(self, epoch, loss, words_per_second, score=None):
        """Show the outcome of an epoch; epochs count from 0."""
        self._displayed().end_epoch(epoch, loss, words_per_second, score)

    def _displayed(self):
        if self._display is None:
            tqdm = _import_tqdm() if _is_watched(self.stream or sys.stdout) else None
            self._display = _Lines(self) if tqdm is None else _Bar(self, tqdm)
        return self._display


class NoProgress:
    """Like `Progress`, but shows nothing; has no state, so that one is enough for all."""

    def __enter__(self):
        return self

    def __exit__(self, error_type, error, traceback):
        pass

    def advance(self, epoch, share):
        """Do nothing."""

    def end_epoch(self, epoch, loss, words_per_second, score=None):
        """Do nothing."""


no_progress = NoProgress()


class _Lines:
    """A line at the end of each epoch, and nothing else."""

    def __init__(self, progress):
        self._progress = progress

    def advance(self, epoch, share):
        pass

    def end_epoch(self, epoch, loss, words_per_second, score):
        progress = self._progress
        print(
            f"[{progress.name}] {_epoch_of(progress, epoch)}: "
            f"{_outcome(loss, f'{words_per_second:,.0f}', score, progress.unit)}",
            file=progress.stream,
            flush=True,
        )

    def close(self, is_done):
        pass


class _Bar:
    """One bar over all epochs, with the outcome of the last one behind it.

    Without the name and the digits of the speed that change all the time: it must fit into 80
    columns.
    """

    def __init__(self, progress, tqdm):
        class Bar(tqdm):
            monitor_interval = 0  # no watching thread: a call of ours is never far away

        self._progress = progress
        self._loss = self._words_per_second = self._score = None
        self._clock = None  # epoch, share and time of the first call for the running epoch
        self._bar = Bar(
            desc=_epoch_of(progress, progress.first_epoch),
            total=progress.max_iter,
            initial=progress.first_epoch,
            file=progress.stream or sys.stdout,
            # tqdm puts ", " in front of the postfix.
            bar_format="{desc}: {percentage:3.0f}%|{bar}| {remaining} left{postfix}",
            mininterval=SECONDS_PER_REFRESH,
            miniters=0,
            dynamic_ncols=True,
            leave=True,
        )

    def advance(self, epoch, share):
        words, now = self._progress.words_per_epoch, time.perf_counter()
        if self._clock is None or self._clock[0] != epoch:
            self._clock = epoch, share, now
        _, first_share, started = self._clock
        if words is not None and now > started and share > first_share:
            self._words_per_second = words * (share - first_share) / (now - started)
        self._show(epoch, epoch + share)

    def end_epoch(self, epoch, loss, words_per_second, score):
        self._loss, self._words_per_second, self._score = loss, words_per_second, score
        self._show(epoch, epoch + 1)

    def close(self, is_done):
        bar = self._bar
        if is_done:
            reached = "{percentage:3.0f}%" if bar.n == bar.total else "early stop"
            bar.bar_format = f"{{desc}}: {reached}|{{bar}}| {{elapsed}}{{postfix}}"
            # All is done that was worth doing: a bar with a gap would look like a failure.
            bar.total = bar.n
        bar.close()

    def _show(self, epoch, n_epochs):
        bar = self._bar
        bar.set_description_str(_epoch_of(self._progress, epoch), refresh=False)
        speed = self._words_per_second
        if speed is not None:
            speed = bar.format_sizeof(speed)
        bar.set_postfix_str(
            _outcome(self._loss, speed, self._score, self._progress.unit), refresh=False
        )
        bar.n = min(n_epochs, bar.total)  # not by addition, which would round
        bar.update(0)


def _epoch_of(progress, epoch):
    return f"epoch {epoch + 1} of {progress.max_iter}"


def _outcome(loss, speed, score, unit):
    """What is known of these."""
    known = [
        "" if loss is None else f"loss {loss:.4f}",
        "" if speed is None else f"{speed} {unit}/s",
        "" if score is None else f"score {score:.4f}",
    ]
    return ", ".join(filter(None, known))


def _is_watched(stream):
    """Is the stream a terminal with room for a bar, and of this process alone?"""
    if multiprocessing.parent_process() is not None or not getattr(stream, "isatty", bool)():
        return False
    try:
        return os.get_terminal_size(stream.fileno()).columns > 0  # 0: its size is not known
    except (OSError, ValueError, AttributeError):
        return True  # something that passes for a terminal


def _import_tqdm():
    try:
        from tqdm import tqdm
    except ImportError:
        return None
    return tqdm
