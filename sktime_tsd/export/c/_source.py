"""The text of the C file and its header."""

import zlib
from dataclasses import dataclass, field
from textwrap import indent

import numpy as np

from sktime_tsd import __version__
from sktime_tsd.export.c._deferral import deferral_source
from sktime_tsd.export.c._input import input_source
from sktime_tsd.export.c._kernels import kernel_source
from sktime_tsd.export.c._literals import string_literal
from sktime_tsd.export.c._statements import Statements
from sktime_tsd.export.c._stream import stream_header, stream_source

__all__ = ["Model", "Written", "header_source", "write_source"]


@dataclass(frozen=True)
class Model:
    """All that a C file says.

    Parameters
    ----------
    name : str
        First part of all public names.
    network : list of Layer
    steps : list of transformers
        Before the network; see `sktime_tsd.export._steps.Chain`.
    mean, std : numpy.ndarray of shape (n_channels,)
        Of the scaling.
    labels : list of str
    n_channels, n_timepoints : int
        Shape of the raw series.
    deferral : Deferral or None
        Of a cascade.
    stride : int or None
        For streaming: new time points from one answer to the next.
    """

    name: str
    network: list
    steps: list
    mean: np.ndarray
    std: np.ndarray
    labels: list
    n_channels: int
    n_timepoints: int
    deferral: object = None
    stride: int | None = None

    @property
    def prefix(self):
        """First part of the names of macros."""
        return self.name.upper()


@dataclass(frozen=True)
class Written:
    """A C file, and what it is known to take without being compiled.

    Parameters
    ----------
    source : str
    digest : str
        Of the source, a number that the header repeats.
    weight_bytes : int
        Constants: weights, biases, scaling.
    buffer_bytes : int
        What one call keeps in memory.
    stream_bytes : int
        What streaming keeps from call to call.
    int8 : bool
    """

    source: str = field(repr=False)
    digest: str
    weight_bytes: int
    buffer_bytes: int
    stream_bytes: int
    int8: bool


_BODY = """
const char *const {name}_labels[{prefix}_N_CLASSES] = {{
{labels}
}};

/* -- weights ---------------------------------------------------------------------------- */

{arrays}
/* -- layers ----------------------------------------------------------------------------- */
{kernels}
/* -- the series ------------------------------------------------------------------------- */
{reading}
/* -- the network ------------------------------------------------------------------------ */

struct buffers {{
{members}
}};

/* Probabilities of a series whose oldest time point is at index start of each channel. */
static void compute(const float *x, int start, float *probabilities)
{{
#ifdef {prefix}_STATIC_BUFFERS
    static
#endif
    struct buffers b;
    struct source source;
    int tick, t;
    source.x = x;
    source.start = start;
{prepare}{body}
    softmax({logits}, probabilities, {prefix}_N_CLASSES);
}}

void {name}_predict_proba(const float *x, float *probabilities)
{{
    compute(x, 0, probabilities);
}}

static int most_probable(const float *probabilities)
{{
    int i, best = 0;
    for (i = 0; i < {prefix}_N_CLASSES; ++i) {{
        if (!(probabilities[i] >= 0.0f && probabilities[i] <= 1.0f)) {{
            return {prefix}_NO_ANSWER;
        }}
        if (probabilities[i] > probabilities[best]) {{
            best = i;
        }}
    }}
    return best;
}}

int {name}_predict(const float *x)
{{
    float probabilities[{prefix}_N_CLASSES];
    compute(x, 0, probabilities);
    return most_probable(probabilities);
}}
"""

_TOP = """/* {header}: {what}.
   Written by sktime_tsd {version}. Compile it as C99 or later, without -ffast-math. */

#include "{header}"

#include <limits.h>
#include <math.h>

#if {prefix}_EXPORT != @DIGEST@
#error "This file and its header are from different exports"
#endif

#if INT_MAX < {largest}
#error "This file needs an int of 32 bits"
#endif
"""

_HEADER = """/* {what}.
   Written by sktime_tsd {version}.
{cost}*/

#ifndef {guard}
#define {guard}

#ifdef __cplusplus
extern "C" {{
#endif

#define {prefix}_N_CHANNELS {n_channels}
#define {prefix}_N_TIMEPOINTS {n_timepoints}
#define {prefix}_N_CLASSES {n_classes}

/* The export that this header and its .c file are from. */
#define {prefix}_EXPORT {digest}

/* Returned where the series holds values that are no numbers, or so large that they overflow. */
#define {prefix}_NO_ANSWER (-1)

/* Labels of the classes, in UTF-8. */
extern const char *const {name}_labels[{prefix}_N_CLASSES];

/* Probabilities of all classes. x holds {prefix}_N_CHANNELS * {prefix}_N_TIMEPOINTS values in the
   units of the training data: all time points of the first channel, then those of the second, and
   so on. If there is no answer, the probabilities are NaN. */
void {name}_predict_proba(const float *x, float *probabilities);

/* Number of the most probable class, or {prefix}_NO_ANSWER. */
int {name}_predict(const float *x);

/* Both may run in several threads at once. Their buffers lie on the stack; with the macro
   {prefix}_STATIC_BUFFERS defined when the .c file is compiled, they lie in static memory, and only
   one call may run at a time. */
{more}
#ifdef __cplusplus
}}
#endif

#endif
"""


def _what(model):
    return (
        f"A classifier of series with {model.n_channels} x {model.n_timepoints} values, "
        f"{len(model.labels)} classes"
    )


def write_source(model, header, *, int8):
    """Write the C file.

    Parameters
    ----------
    model : Model
    header : str
        Name of the header file.
    int8 : bool
        Whether to round weights to 8 bits.

    Returns
    -------
    written : Written
    """
    name, prefix = model.name, model.prefix
    statements = Statements(model.network, int8=int8)
    reading, n_bytes = input_source(
        model.steps, model.mean, model.std, model.n_channels, model.n_timepoints, prefix
    )
    labels = [f"    {string_literal(label)}" for label in model.labels]
    members = [f"    float {name}[{n}];" for name, n in statements.members.items()]
    largest = max(statements.largest, model.n_channels * model.n_timepoints)
    source = _TOP.format(
        what=_what(model), version=__version__, header=header, largest=largest, prefix=prefix
    ) + _BODY.format(
        name=name,
        prefix=prefix,
        labels=",\n".join(labels),
        arrays="".join(statements.arrays),
        kernels=kernel_source(statements.kernels | {"softmax"}, int8=int8),
        reading=reading,
        members="\n".join(members),
        prepare="    prepare(&source);\n" if "static void prepare" in reading else "",
        body=statements.body,
        logits=statements.logits,
    )
    stream_bytes = 0
    if model.deferral is not None:
        source += deferral_source(name, prefix, model.deferral)
    if model.stride is not None:
        source += stream_source(name, prefix)
        stream_bytes = 4 * (model.n_channels * model.n_timepoints + len(model.labels) + 3)
    digest = f"0x{zlib.crc32(source.encode()):08x}UL"
    return Written(
        source=source.replace("@DIGEST@", digest),
        digest=digest,
        weight_bytes=statements.n_constant_bytes + n_bytes,
        buffer_bytes=4 * sum(statements.members.values()),
        stream_bytes=stream_bytes,
        int8=int8,
    )


def header_source(model, cost, digest):
    """Write the header.

    Parameters
    ----------
    model : Model
    cost : CCost
    digest : str
        See `Written`.

    Returns
    -------
    source : str
    """
    name, prefix = model.name, model.prefix
    more = ""
    if model.deferral is not None:
        more += (
            f"\n/* Whether the student is too unsure, and the series is for its teacher: whether\n"
            f"   {model.deferral.score} is at most {model.deferral.threshold:.9g}. */\n"
            f"int {name}_defers(const float *probabilities);\n"
        )
    if model.stride is not None:
        more += stream_header(name, prefix, model.stride)
    return _HEADER.format(
        what=_what(model),
        version=__version__,
        digest=digest,
        cost=indent(str(cost), "   ") + "\n",
        guard=f"{prefix}_H",
        name=name,
        prefix=prefix,
        n_channels=model.n_channels,
        n_timepoints=model.n_timepoints,
        n_classes=len(model.labels),
        more=more,
    )
