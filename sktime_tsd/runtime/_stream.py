"""Answers about the last time points of a recording that goes on."""

from numbers import Integral
from typing import NamedTuple

import numpy as np

from sktime_tsd._panels.arrays import as_array

__all__ = ["Stream", "StreamAnswer"]

# Values of series per call of the classifier; bounds the memory for long recordings.
_VALUES_AT_ONCE = 2**20


class StreamAnswer(NamedTuple):
    """An answer about the last time points of a recording.

    Parameters
    ----------
    n_samples : int
        How many samples had come: the answer is about the last ones of them.
    label : object
        Most probable class.
    probabilities : numpy.ndarray of shape (n_classes,)
    """

    n_samples: int
    label: object
    probabilities: np.ndarray


class Stream:
    """A recording of which the last time points are classified, again and again.

    The first answer comes when there are as many samples as a series has time points, then one
    after every `stride` samples. Each is that of ``predict_proba`` for the last time points.

    Parameters
    ----------
    classifier : OnnxClassifier
        Or any classifier with ``predict_proba``, ``classes_``, ``n_channels_`` and
        ``n_timepoints_``.
    stride : int, default=1
        Samples from one answer to the next.

    Attributes
    ----------
    n_samples_ : int
        Samples so far.

    Raises
    ------
    ValueError
        If `stride` is not an integer of at least 1.

    Examples
    --------
    >>> import numpy as np
    >>> from sktime_tsd import SkorchClassifier
    >>> from sktime_tsd.networks import FCN
    >>> from sktime_tsd.runtime import Stream
    >>> network = FCN(1, 24, 2, filters=(8, 16, 8))
    >>> clf = SkorchClassifier.from_module(network, ["left", "right"], input_shape=(1, 24))
    >>> stream = Stream(clf, stride=10)
    >>> answers = [stream.push(sample) for sample in np.sin(np.arange(50.0))]
    >>> [answer.n_samples for answer in answers if answer is not None]
    [24, 34, 44]
    """

    def __init__(self, classifier, stride=1):
        if isinstance(stride, bool) or not isinstance(stride, Integral) or stride < 1:
            raise ValueError(f"stride must be an integer of at least 1, got {stride!r}.")
        self._classifier, self.stride = classifier, int(stride)
        self.restart()

    def __repr__(self):
        return f"Stream({self._classifier!r}, stride={self.stride})"

    def restart(self):
        """Forget all samples, as after a gap in the recording."""
        self._last = np.empty((self._classifier.n_channels_, 0))
        self.n_samples_ = 0

    def push(self, sample):
        """Take one sample.

        Parameters
        ----------
        sample : array-like of shape (n_channels,)
            In the units of the training data. For one channel, a number will do.

        Returns
        -------
        answer : StreamAnswer or None
            None while no answer is due.

        Raises
        ------
        TypeError, ValueError
            If the sample has another shape, or is no finite real number. It is not taken then.
        """
        sample = np.atleast_1d(sample)
        if sample.ndim != 1:
            raise ValueError(
                f"A sample has one value per channel, got an array of shape {sample.shape}. Pass "
                "several samples to extend."
            )
        answers = self.extend(sample[:, np.newaxis])
        return answers[0] if answers else None

    def extend(self, samples):
        """Take several samples at once, which is faster than one by one.

        Parameters
        ----------
        samples : numpy.ndarray of shape (n_channels, n_samples)
            In the units of the training data, the oldest first.

        Returns
        -------
        answers : list of StreamAnswer
            Those that are due, the oldest first.

        Raises
        ------
        TypeError, ValueError
            If the samples have another shape, or are no finite real numbers, or the network
            overflows. None of them is taken then.
        """
        samples = self._checked(samples)
        length = self._classifier.n_timepoints_
        known = np.concatenate([self._last, samples], axis=1)
        first = self.n_samples_ - self._last.shape[1]  # what came before `known`
        n_samples = self.n_samples_ + samples.shape[1]
        # answers are due at length, length + stride, ...
        n_former = max(0, (self.n_samples_ - length) // self.stride + 1)
        ends = np.arange(length + n_former * self.stride, n_samples + 1, self.stride)
        answers = []
        at_once = max(1, _VALUES_AT_ONCE // (known.shape[0] * length))
        for start in range(0, len(ends), at_once):
            some = ends[start : start + at_once]
            series = np.stack([known[:, end - length - first : end - first] for end in some])
            probabilities = self._classifier.predict_proba(series)
            labels = self._classifier.classes_[probabilities.argmax(axis=1)]
            answers += map(StreamAnswer, some.tolist(), labels, probabilities)
        self._last, self.n_samples_ = known[:, -length:].copy(), n_samples
        return answers

    def _checked(self, samples):
        if not isinstance(samples, np.ndarray) or samples.ndim != 2:
            raise TypeError(
                "samples must be an array of shape (n_channels, n_samples), got "
                f"{getattr(samples, 'shape', type(samples).__name__)}."
            )
        n_channels = self._classifier.n_channels_
        if samples.shape[0] != n_channels:
            raise ValueError(
                f"samples must have shape (n_channels, n_samples) with {n_channels} channels, got "
                f"{samples.shape}."
            )
        if samples.shape[1] == 0:
            return np.empty((n_channels, 0))
        return as_array(samples[np.newaxis])[0].astype(np.float64)
