"""Pickles of former versions, brought up to date."""

__all__ = ["distiller_state"]

# Parameters renamed since version 0.1, by their former names.
_RENAMED = {"temperature": "saliency_temperature", "top_n": "saliency_top_n"}

# Parameters added since, with values under which old pickles do as they did.
_ADDED = {
    "teacher_smoothing": 0.0,
    "teacher_batch_size": None,
    "n_jobs": None,
    "n_mixes": 0,
    "cross_entropy_weight": 1.0,
}


def distiller_state(state):
    """Rename and add parameters in a distiller's pickled state.

    Parameters
    ----------
    state : dict
        Written by any version.

    Returns
    -------
    state : dict
    """
    is_former = _RENAMED.keys() & state.keys()
    names = {name: _RENAMED[name] for name in is_former if _RENAMED[name] not in state}
    return _ADDED | {names.get(name, name): value for name, value in state.items()}
