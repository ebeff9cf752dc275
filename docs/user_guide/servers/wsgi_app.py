"""Labels and probabilities of series that are posted as JSON: a WSGI application."""

import json
import os

import numpy as np
import torch

from sktime_tsd import load_model

torch.set_num_threads(1)  # there is a process for each core
student = load_model(os.environ["STUDENT"], device="cpu")  # once, before the server forks


def application(environ, start_response):
    """Answer a request."""
    try:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        X = np.asarray(json.loads(body), dtype=np.float64)
        probabilities = student.predict_proba(X)
    except (TypeError, ValueError) as error:  # no JSON, another shape, values that are missing
        status, answer = "400 Bad Request", {"error": str(error)}
    else:
        labels = student.classes_[probabilities.argmax(axis=1)].tolist()
        status, answer = "200 OK", {"labels": labels, "probabilities": probabilities.tolist()}
    start_response(status, [("Content-Type", "application/json")])
    return [json.dumps(answer).encode()]
