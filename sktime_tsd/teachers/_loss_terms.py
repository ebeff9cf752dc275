"""The terms of a student's loss, from a distiller's parameters."""

from sktime_tsd._training.auto import AUTO
from sktime_tsd.losses import SoftTargets, TemporalSaliency

__all__ = ["cross_entropy_weight", "loss_terms", "n_mixes"]

# Weight of the labels, by default, if some series have none.
_CROSS_ENTROPY_WEIGHT = 0.1

# Mixes of each series in a step, by default, if some series have no labels.
_N_MIXES = 4


def n_mixes(setting, has_unlabelled):
    """Resolve the parameter ``n_mixes``.

    Parameters
    ----------
    setting : int or "auto"
    has_unlabelled : bool

    Returns
    -------
    n : int
    """
    if setting != AUTO:
        return setting
    return _N_MIXES if has_unlabelled else 0


def cross_entropy_weight(setting, has_unlabelled):
    """Resolve the parameter ``cross_entropy_weight``.

    Parameters
    ----------
    setting : float or "auto"
    has_unlabelled : bool

    Returns
    -------
    weight : float
    """
    if setting != AUTO:
        return setting
    return _CROSS_ENTROPY_WEIGHT if has_unlabelled else 1.0


def loss_terms(settings, has_unlabelled=False):
    """List the terms of the loss besides the cross entropy.

    Parameters
    ----------
    settings : object with the parameters of ``SaliencyDistilledClassifier``
    has_unlabelled : bool, default=False
        Whether some series have no labels; ``SoftTargets()`` is then added by default.

    Returns
    -------
    terms : list of DistillationTerm
        Those of weight 0 are left out.

    Raises
    ------
    ValueError, TypeError
        If a parameter of the saliency loss is unusable, or nothing would be learned, or nothing
        from series without labels.
    """
    saliency = TemporalSaliency(
        weight=settings.saliency_weight,
        temperature=settings.saliency_temperature,
        measure=settings.saliency_measure,
        normalization=settings.saliency_normalization,
        ramp=settings.saliency_ramp,
        top_n=settings.saliency_top_n,
    )
    others = settings.distillation
    if others is None:
        others = [SoftTargets()] if has_unlabelled else []
    terms = [term for term in (saliency, *others) if term.weight > 0]
    if settings.cross_entropy_weight == 0 and not terms:
        raise ValueError(
            "Nothing would be learned: cross_entropy_weight=0, saliency_weight=0 and no term in "
            "distillation. Set one of them."
        )
    if has_unlabelled and not terms:
        raise ValueError(
            "Nothing would be learned from X_unlabelled: saliency_weight=0 and "
            f"distillation={settings.distillation!r}. Leave distillation=None."
        )
    return terms
