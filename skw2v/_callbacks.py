"""scikit-learn's callbacks, from 1.9 on: fit is a task, and every epoch a part of it."""

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:

    class CallbackSupportMixin:
        """Before scikit-learn 1.9: no `set_callbacks`, and nothing to call."""


__all__ = ["CallbackSupportMixin", "FitTasks"]


class FitTasks:
    """The tasks that an estimator's callbacks hear of while it is fitted.

    Parameters
    ----------
    estimator : estimator
    n_epochs : int
        How many there are at most.
    data : dict
        `X`, `y` and `metadata`, as the callbacks get them.

    Attributes
    ----------
    is_heard : bool
        Is there any callback? If not, every method does nothing.
    """

    def __init__(self, estimator, n_epochs, data):
        self._told = {"estimator": estimator, **data}
        self._fit = self._epoch = None
        if hasattr(estimator, "_init_callback_context"):
            self._fit = estimator._init_callback_context(max_subtasks=n_epochs)
            self._fit.call_on_fit_task_begin(**self._told)
        self.is_heard = self._fit is not None and bool(getattr(estimator, "_skl_callbacks", ()))

    def begin_epoch(self):
        if self.is_heard:
            self._epoch = self._fit.subcontext(task_name="epoch")
            self._epoch.call_on_fit_task_begin(**self._told)

    def end_epoch(self, make_attributes):
        """Does a callback want to stop? `make_attributes` returns what `fit` would set now."""
        return self.is_heard and self._epoch.call_on_fit_task_end(
            **self._told, reconstruction_attributes=make_attributes
        )

    def end(self, make_attributes):
        """Tell that training is over; `make_attributes` returns what `fit` is going to set."""
        if self.is_heard:
            self._fit.call_on_fit_task_end(**self._told, reconstruction_attributes=make_attributes)
