"""The part of a cascade that goes to a device: the student, and when to ask the teacher."""

import json

from sktime_tsd.cascade import CascadeClassifier
from sktime_tsd.export._steps import Chain, chain_of
from sktime_tsd.runtime._model_files import ONNX_KEY, deferral_to_json

__all__ = ["add_threshold", "exported_chain", "refuse_cascade"]


def exported_chain(classifier):
    """Take a pipeline or a cascade apart.

    Parameters
    ----------
    classifier : object
        As for `chain_of`. A cascade, at the end of a pipeline or not, stands for its student.

    Returns
    -------
    chain : Chain
    deferral : dict or None
        ``score`` and ``threshold`` of the cascade; None if there is none.

    Raises
    ------
    TypeError
        If a step, or the cascade's score, cannot be written to a file.
    NotFittedError
        If the cascade is not calibrated.
    ValueError
        If it has no threshold.
    """
    chain = chain_of(classifier)
    cascade = chain.classifier
    if not isinstance(cascade, CascadeClassifier):
        return chain, None
    cascade._calibrated("to_onnx")
    score = cascade.get_params(deep=False)["score"]
    if callable(score):
        raise TypeError(
            f"The score of the cascade is a function, {score!r:.60}, which a file cannot "
            'hold. Use score="top_probability", "margin" or "entropy", and calibrate anew.'
        )
    inner = chain_of(cascade.student_)
    deferral = {"score": score, "threshold": cascade.threshold_}
    steps, given = chain.steps + inner.steps, chain.given + inner.given
    return Chain(steps, given, inner.classifier), deferral


def refuse_cascade(classifier):
    """Refuse to save a cascade as one model, and say what can be saved.

    Parameters
    ----------
    classifier : object

    Raises
    ------
    TypeError
        If it is a cascade.
    """
    if isinstance(classifier, CascadeClassifier):
        raise TypeError(
            "A CascadeClassifier is two models and a threshold, and its teacher may be anything, "
            "so save_model cannot write it. For a device, to_onnx(cascade, path) writes the "
            "student with its threshold. To keep all of it, save the student with "
            "save_model(cascade.student_, folder) and calibrate again where the teacher is, or "
            "pickle the cascade."
        )


def add_threshold(source, path, deferral):
    """Copy an ONNX file of a student, with the threshold of its cascade.

    Parameters
    ----------
    source, path : pathlib.Path
        The file, and the copy to write.
    deferral : dict
        See `exported_chain`.

    Raises
    ------
    ImportError
        If onnx is not installed.
    """
    import onnx

    model = onnx.load(source)
    texts = {entry.key: entry.value for entry in model.metadata_props}
    metadata = json.loads(texts[ONNX_KEY]) | deferral_to_json(deferral)
    onnx.helper.set_model_props(model, texts | {ONNX_KEY: json.dumps(metadata, sort_keys=True)})
    onnx.save(model, path)
