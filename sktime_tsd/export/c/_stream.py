"""Answers about the last time points of a recording that goes on, in C."""

__all__ = ["stream_header", "stream_source"]

_HEADER = """
/* -- a recording that goes on: the last {prefix}_N_TIMEPOINTS time points are a series -------- */

/* New time points from one answer to the next. */
#ifndef {prefix}_STRIDE
#define {prefix}_STRIDE {stride}
#endif

/* Returned while no answer is due. */
#define {prefix}_NOT_DUE (-2)

/* A recording: yours to keep, one for each sensor. */
typedef struct {{
    float samples[{prefix}_N_CHANNELS * {prefix}_N_TIMEPOINTS]; /* a ring */
    float probabilities[{prefix}_N_CLASSES];                 /* the last answer */
    int at;                                          /* where the next sample goes */
    int missing;                                     /* samples until the next answer */
}} {name}_stream;

/* Begin, or begin again after a gap. */
void {name}_stream_start({name}_stream *stream);

/* Take a sample, one value per channel. Returns a class or {prefix}_NO_ANSWER when an answer is
   due: at the first {prefix}_N_TIMEPOINTS samples, then every {prefix}_STRIDE samples. Otherwise
   {prefix}_NOT_DUE. */
int {name}_stream_push({name}_stream *stream, const float *sample);

/* The same for a program with one recording, which this file keeps. Not for several threads. */
int {name}_push(const float *sample);

/* Probabilities of the last answer of {name}_push, NaN before the first one. */
const float *{name}_push_probabilities(void);
"""

_SOURCE = """
/* -- a recording that goes on ------------------------------------------------------------- */

void {name}_stream_start({name}_stream *stream)
{{
    int i;
    for (i = 0; i < {prefix}_N_CHANNELS * {prefix}_N_TIMEPOINTS; ++i) {{
        stream->samples[i] = 0.0f;
    }}
    for (i = 0; i < {prefix}_N_CLASSES; ++i) {{
        stream->probabilities[i] = NAN;
    }}
    stream->at = 0;
    stream->missing = {prefix}_N_TIMEPOINTS;
}}

int {name}_stream_push({name}_stream *stream, const float *sample)
{{
    int c;
    for (c = 0; c < {prefix}_N_CHANNELS; ++c) {{
        stream->samples[c * {prefix}_N_TIMEPOINTS + stream->at] = sample[c];
    }}
    if (++stream->at == {prefix}_N_TIMEPOINTS) {{
        stream->at = 0;
    }}
    if (--stream->missing > 0) {{
        return {prefix}_NOT_DUE;
    }}
    stream->missing = {prefix}_STRIDE;
    compute(stream->samples, stream->at, stream->probabilities);
    return most_probable(stream->probabilities);
}}

static {name}_stream the_stream;
static int has_started = 0;

static void start_once(void)
{{
    if (!has_started) {{
        {name}_stream_start(&the_stream);
        has_started = 1;
    }}
}}

int {name}_push(const float *sample)
{{
    start_once();
    return {name}_stream_push(&the_stream, sample);
}}

const float *{name}_push_probabilities(void)
{{
    start_once();
    return the_stream.probabilities;
}}
"""


def stream_header(name, prefix, stride):
    """Write what the header says about streaming.

    Parameters
    ----------
    name, prefix : str
        First part of public names, and of macros.
    stride : int
        Default of the macro.

    Returns
    -------
    source : str
    """
    return _HEADER.format(name=name, prefix=prefix, stride=stride)


def stream_source(name, prefix):
    """Write the functions for streaming.

    Parameters
    ----------
    name, prefix : str
        First part of public names, and of macros.

    Returns
    -------
    source : str
    """
    return _SOURCE.format(name=name, prefix=prefix)
