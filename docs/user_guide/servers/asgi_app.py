"""Labels and probabilities of series that are posted as JSON: an ASGI application, no torch."""

import asyncio
import json
import os

import numpy as np

from sktime_tsd.runtime import OnnxClassifier

student = OnnxClassifier(os.environ["STUDENT"])  # one session for the process


async def app(scope, receive, send):
    """Answer a request."""
    if scope["type"] != "http":  # start and end of the server need no work
        return
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    # in a thread, or a long prediction would keep others waiting
    status, answer = await asyncio.to_thread(predict, body)
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(answer).encode()})


def predict(body):
    """Return the status and what is answered."""
    try:
        X = np.asarray(json.loads(body), dtype=np.float64)
        probabilities = student.predict_proba(X)
    except (TypeError, ValueError) as error:  # no JSON, another shape, values that are missing
        return 400, {"error": str(error)}
    labels = student.classes_[probabilities.argmax(axis=1)].tolist()
    return 200, {"labels": labels, "probabilities": probabilities.tolist()}
