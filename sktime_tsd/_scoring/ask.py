"""Asks a classifier for its logits of series and copies: once each, and only what is not kept."""

import contextlib
import sys

import numpy as np
import torch
from tqdm.auto import tqdm

from sktime_tsd._scoring.chunks import call_size, chunks_of, grouped
from sktime_tsd._scoring.kept_answers import KeptAnswers, cached
from sktime_tsd._scoring.workers import answers_of
from sktime_tsd._utils.fingerprint import fingerprint
from sktime_tsd._utils.guest import SEED_OF_GUESTS, as_guest
from sktime_tsd._utils.long_work import LongWork

__all__ = ["as_guest_unless_steady", "ask"]


def ask(scorer, X, bank, settings, *, copies_only=False):
    """Compute the logits of series and, with a bank, of their perturbed copies.

    A chunked scorer is asked call by call. With ``settings.memory``, each call's answers are kept
    as they come. The answers of other scorers are kept together when all have come.

    Parameters
    ----------
    scorer : Scorer
    X : torch.Tensor of shape (n_instances, n_channels, n_timepoints), float32
    bank : WindowBank or None
        Drawn for `X`.
    settings : ScoringSettings
    copies_only : bool, default=False
        Ask a chunked scorer for the copies alone.

    Returns
    -------
    logits : torch.Tensor of shape (n_instances, n_classes) or None
        None if they were not asked for.
    copies_logits : torch.Tensor of shape (n_instances, n_entries, n_classes) or None
        None without a bank.

    Raises
    ------
    Exception
        Whatever the classifier raises, with a note on how many series are scored.
    """
    if scorer.is_chunked:
        return _call_by_call(scorer, X, bank, settings, copies_only)
    return _at_once(scorer, X, bank, settings)


def _at_once(scorer, X, bank, settings):
    n_copies = 0 if bank is None else len(X) * bank.n_entries

    def score():
        watched = _watched(scorer, settings, len(X), n_copies)
        with watched as update, as_guest_unless_steady(scorer):
            return scorer.score(X, bank, update)

    if settings.memory is None:
        return score()
    key = fingerprint(_key(scorer, settings), scorer.precision, X, bank)
    return cached(settings.memory)(key, score)


def as_guest_unless_steady(scorer):
    """Make a context in which a network from elsewhere may draw random numbers.

    Parameters
    ----------
    scorer : Scorer

    Returns
    -------
    context : context manager
        See `as_guest`. Chunked scorers do this in every call by themselves.
    """
    is_guest = not (scorer.is_steady or scorer.is_chunked)
    return as_guest(SEED_OF_GUESTS) if is_guest else contextlib.nullcontext()


def _key(scorer, settings):
    if settings.memory is None or settings.key is not None:
        return settings.key
    return fingerprint(scorer.classifier)


def _call_by_call(scorer, X, bank, settings, copies_only):
    n_entries = 0 if bank is None else bank.n_entries
    n_plain = 0 if copies_only else len(X)
    limits = [n for n in (settings.batch_size, scorer.batch_size) if n is not None]
    batch_size = min(limits, default=None)
    chunks = chunks_of(X, n_entries, batch_size)
    if copies_only:
        chunks = [chunk for chunk in chunks if chunk.entry is not None]
    calls = grouped(chunks, batch_size or call_size(X, len(X) * (1 + n_entries)))
    kept = KeptAnswers(_key(scorer, settings), X, bank, settings.memory)
    logits, n_kept, missing = _Logits(len(X), n_entries), 0, []
    for call in calls:
        left = []
        for chunk in call:
            if (found := kept.find(chunk)) is None:
                left.append(chunk)
            else:
                logits.put(chunk, found)
                n_kept += chunk.n_series
        missing += [left] if left else []
    with (
        _watched(scorer, settings, n_plain, len(X) * n_entries, n_kept) as update,
        contextlib.closing(answers_of(scorer, X, bank, missing, settings.n_jobs)) as answers,
    ):
        for call, of_call in answers:
            ends = np.cumsum([chunk.n_series for chunk in call])
            for chunk, of_chunk in zip(call, np.split(of_call, ends[:-1]), strict=True):
                logits.put(chunk, of_chunk)
                kept.keep(chunk, of_chunk)
                update(chunk.n_series)
    of_series, of_copies = logits.tensors()
    return None if copies_only else of_series, of_copies


class _Logits:
    """The logits of series and of copies, filled chunk by chunk."""

    def __init__(self, n_series, n_entries):
        self._shape = n_series, n_entries
        self._of_series = self._of_copies = None

    def put(self, chunk, logits):
        if self._of_series is None:
            n_series, n_entries = self._shape
            n_classes = logits.shape[1]
            self._of_series = np.empty((n_series, n_classes), np.float32)
            self._of_copies = np.empty((n_series, n_entries, n_classes), np.float32)
        part = slice(chunk.first, chunk.stop)
        if chunk.entry is None:
            self._of_series[part] = logits
        else:
            self._of_copies[part, chunk.entry] = logits

    def tensors(self):
        """Both as tensors; None in place of no copies."""
        has_copies = self._shape[1] > 0
        return (
            torch.from_numpy(self._of_series),
            torch.from_numpy(self._of_copies) if has_copies else None,
        )


@contextlib.contextmanager
def _watched(scorer, settings, n_plain, n_copies, n_kept=0):
    """Say how much is to be scored, show how far it is, and say how far it got if it fails.

    Parameters
    ----------
    scorer : Scorer
    settings : ScoringSettings
    n_plain, n_copies : int
        Series and copies, in all.
    n_kept : int, default=0
        How many of them need not be scored.

    Yields
    ------
    update : callable
        Takes the number of series scored since the last call.
    """
    n_series, n_scored = n_plain + n_copies, n_kept
    if settings.verbose:
        tqdm.write(_announcement(scorer.name, n_plain, n_copies, n_kept), file=sys.stderr)
    bar = tqdm(
        total=n_series,
        initial=n_kept,
        desc="teacher logits",
        unit="series",
        disable=not settings.verbose,
    )

    work = LongWork(f"Asking the teacher {scorer.name}", n_series - n_kept)

    def update(n):
        nonlocal n_scored
        n_scored += n
        bar.update(n)
        if settings.verbose is None:
            work.advance(n)

    with bar:
        try:
            yield update
        except Exception as error:
            note = f"The teacher {scorer.name} had scored {n_scored:,} of {n_series:,} series."
            # before the first answer there is nothing to keep
            error.add_note(note + (_remedy(settings) if scorer.is_chunked and n_scored else ""))
            raise


def _announcement(name, n_plain, n_copies, n_kept):
    n_all = n_plain + n_copies
    if n_kept == n_all:
        return f"All {n_all:,} answers of the teacher {name} are in the cache."
    which = "perturbed copies" if not n_plain else "series"
    beside = (
        f": {n_plain:,}, and {n_copies:,} perturbed copies of them" if n_plain and n_copies else ""
    )
    if n_kept:
        beside = f"; its answers to {n_kept:,} others are in the cache"
    return f"The teacher {name} scores {n_all - n_kept:,} {which}{beside}."


def _remedy(settings):
    if settings.memory is None:
        return " Pass memory='some/folder' and a random_state to keep answers and resume from them."
    return " Run the same fit again, with the same random_state, to resume."
