"""The C functions that layers call. Only those that are called get into the file."""

import re

from sktime_tsd.export.c._activations import ACTIVATIONS, COMBINATIONS
from sktime_tsd.export.c._kernels_recurrent import GRU, LOGISTIC, LSTM

__all__ = ["KERNELS", "kernel_source"]

_DOT = """
static float dot(const weight_t *weights, const float *x, int n)
{
    float sum = 0.0f;
    for (; n >= 4; n -= 4, weights += 4, x += 4) {
        sum += (float)weights[0] * x[0] + (float)weights[1] * x[1]
             + (float)weights[2] * x[2] + (float)weights[3] * x[3];
    }
    for (; n > 0; --n) {
        sum += (float)*weights++ * *x++;
    }
    return sum;
}
"""

_CONVOLVE = """
/* One column of a convolution over n_taps time points of x, a ring of n_slots columns, from the
   time point first on. Beyond the length of the series there is nothing to add. */
static void convolve(const float *x, int n_slots, int n_in, int length, const weight_t *weights,
                     @SCALES@const float *biases, int n_taps, int first, float *y, int n_out)
{
    const int from = first < 0 ? -first : 0;
    const int to = first + n_taps > length ? length - first : n_taps;
    const int n = to > from ? to - from : 0, slot = n > 0 ? (first + from) % n_slots : 0;
    const int n_first = (n < n_slots - slot ? n : n_slots - slot) * n_in; /* before the ring ends */
    int o;
    for (o = 0; o < n_out; ++o) {
        const weight_t *row = weights + (o * n_taps + from) * n_in;
        float sum = dot(row, x + slot * n_in, n_first);
        sum += dot(row + n_first, x, n * n_in - n_first);
        y[o] = sum@SCALE(o)@ + biases[o];
    }
}
"""

_CONVOLVE_SPREAD = """
/* The same with gaps between the time points, or in groups of channels. */
static void convolve_spread(const float *x, int n_slots, int n_in, int length,
                            const weight_t *weights, @SCALES@const float *biases, int n_taps,
                            int dilation, int n_groups, int first, float *y, int n_out)
{
    const int n_each = n_in / n_groups;
    int from = 0, to = n_taps, slot = 0, o, k;
    while (from < to && first + from * dilation < 0) {
        ++from;
    }
    while (from < to && first + (to - 1) * dilation >= length) {
        --to;
    }
    if (from < to) {
        slot = (first + from * dilation) % n_slots;
    }
    for (o = 0; o < n_out; ++o) {
        const float *group = x + o / (n_out / n_groups) * n_each;
        const weight_t *row = weights + (o * n_taps + from) * n_each;
        float sum = 0.0f;
        int at = slot;
        for (k = from; k < to; ++k) {
            sum += dot(row, group + at * n_in, n_each);
            row += n_each;
            at += dilation;
            if (at >= n_slots) {
                at -= n_slots;
            }
        }
        y[o] = sum@SCALE(o)@ + biases[o];
    }
}
"""

_POOL_MAX = """
/* The largest value of each channel in a window; a value that is no number counts as largest. */
static void pool_max(const float *x, int n_slots, int n, int length, int n_taps, int dilation,
                     int first, float *y)
{
    int c, k, is_first = 1;
    for (k = 0; k < n_taps; ++k) {
        const int t = first + k * dilation;
        if (t >= 0 && t < length) {
            const float *column = x + t % n_slots * n;
            for (c = 0; c < n; ++c) {
                if (is_first || column[c] > y[c] || column[c] != column[c]) {
                    y[c] = column[c];
                }
            }
            is_first = 0;
        }
    }
}
"""

_POOL_MEAN = """
/* The mean of each channel in a window, over the time points that count. */
static void pool_mean(const float *x, int n_slots, int n, int length, int n_taps, int first,
                      int counts_from, int counts_to, float *y)
{
    int c, t, n_counted = 0;
    for (c = 0; c < n; ++c) {
        y[c] = 0.0f;
    }
    for (t = first; t < first + n_taps; ++t) {
        n_counted += t >= counts_from && t < counts_to;
        if (t >= 0 && t < length) {
            const float *column = x + t % n_slots * n;
            for (c = 0; c < n; ++c) {
                y[c] += column[c];
            }
        }
    }
    for (c = 0; c < n; ++c) {
        y[c] /= (float)n_counted;
    }
}
"""

_COPY = """
static void copy(const float *x, float *y, int n)
{
    int i;
    for (i = 0; i < n; ++i) {
        y[i] = x[i];
    }
}
"""

_FILL = """
static void fill(float *y, float value, int n)
{
    int i;
    for (i = 0; i < n; ++i) {
        y[i] = value;
    }
}
"""

_DENSE = """
static void dense(const float *x, int n_in, const weight_t *weights, @SCALES@const float *biases,
                  float *y, int n_out)
{
    int o;
    for (o = 0; o < n_out; ++o) {
        y[o] = dot(weights + o * n_in, x, n_in)@SCALE(o)@ + biases[o];
    }
}
"""

_DENSE_ADD = """
/* What one column adds to a dense layer of a whole series. */
static void dense_add(const float *x, int n_in, const weight_t *weights, float *y, int n_out)
{
    int o;
    for (o = 0; o < n_out; ++o) {
        y[o] += dot(weights + o * n_in, x, n_in);
    }
}
"""

_DENSE_END = """
static void dense_end(@SCALES@const float *biases, float *y, int n_out)
{
    int o;
    for (o = 0; o < n_out; ++o) {
        y[o] = y[o]@SCALE(o)@ + biases[o];
    }
}
"""

_ADD_TO = """
static void add_to(const float *x, float *y, int n)
{
    int i;
    for (i = 0; i < n; ++i) {
        y[i] += x[i];
    }
}
"""

_DIVIDE = """
static void divide(float *y, float by, int n)
{
    int i;
    for (i = 0; i < n; ++i) {
        y[i] /= by;
    }
}
"""

_LARGEST = """
static void keep_largest(const float *x, float *y, int n)
{
    int i;
    for (i = 0; i < n; ++i) {
        if (x[i] > y[i] || x[i] != x[i]) {
            y[i] = x[i];
        }
    }
}
"""

_LAYER_NORM = """
static void do_layer_norm(float *y, int n, float a, const float *factors, const float *terms)
{
    float mean = 0.0f, variance = 0.0f, scale;
    int i;
    for (i = 0; i < n; ++i) {
        mean += y[i];
    }
    mean /= (float)n;
    for (i = 0; i < n; ++i) {
        variance += (y[i] - mean) * (y[i] - mean);
    }
    scale = 1.0f / sqrtf(variance / (float)n + a);
    for (i = 0; i < n; ++i) {
        y[i] = (y[i] - mean) * scale * factors[i] + terms[i];
    }
}
"""

_SOFTMAX = """
static void softmax(const float *x, float *y, int n)
{
    float largest = x[0], sum = 0.0f;
    int i;
    for (i = 1; i < n; ++i) {
        if (x[i] > largest) {
            largest = x[i];
        }
    }
    for (i = 0; i < n; ++i) {
        y[i] = expf(x[i] - largest);
        sum += y[i];
    }
    for (i = 0; i < n; ++i) {
        y[i] /= sum;
    }
}
"""


def _activation(name, expression):
    numbers = [f", float {n}" for n in "ab" if re.search(rf"\b{n}\b", expression)]
    arrays = {"p": "factors", "q": "terms"}
    arrays = {n: array for n, array in arrays.items() if re.search(rf"\b{n}\b", expression)}
    for n, array in arrays.items():
        expression = re.sub(rf"\b{n}\b", f"{array}[i]", expression)
    parameters = "".join([*numbers, *(f", const float *{array}" for array in arrays.values())])
    return f"""
static void {name}(float *y, int n{parameters})
{{
    int i;
    for (i = 0; i < n; ++i) {{
        const float x = y[i];
        y[i] = {expression};
    }}
}}
"""


def _combination(name, expression):
    return f"""
static void {name}(const float *first, const float *second, float *z, int n)
{{
    int i;
    for (i = 0; i < n; ++i) {{
        const float x = first[i], y = second[i];
        z[i] = {expression};
    }}
}}
"""


#: Name of a C function -> its source and the functions that it calls, before it.
KERNELS = {
    "dot": (_DOT, ()),
    "copy": (_COPY, ()),
    "fill": (_FILL, ()),
    "logistic": (LOGISTIC, ()),
    "convolve": (_CONVOLVE, ("dot",)),
    "convolve_spread": (_CONVOLVE_SPREAD, ("dot",)),
    "pool_max": (_POOL_MAX, ()),
    "pool_mean": (_POOL_MEAN, ()),
    "lstm": (LSTM, ("copy", "logistic")),
    "gru": (GRU, ("dot", "copy", "logistic")),
    "dense": (_DENSE, ("dot",)),
    "dense_add": (_DENSE_ADD, ("dot",)),
    "dense_end": (_DENSE_END, ()),
    "add_to": (_ADD_TO, ()),
    "divide": (_DIVIDE, ()),
    "keep_largest": (_LARGEST, ()),
    "keep_smallest": (_LARGEST.replace("keep_largest", "keep_smallest").replace(">", "<"), ()),
    "do_layer_norm": (_LAYER_NORM, ()),
    "softmax": (_SOFTMAX, ()),
    **{f"do_{k}": (_activation(f"do_{k}", v), ()) for k, v in ACTIVATIONS.items()},
    **{f"both_{k}": (_combination(f"both_{k}", v), ()) for k, v in COMBINATIONS.items()},
}


def kernel_source(names, *, int8):
    """Write the C functions of these names, and those that they call.

    Parameters
    ----------
    names : set of str
    int8 : bool
        Whether weights are rounded to 8 bits, with a scale for each row.

    Returns
    -------
    source : str
    """
    names = set(names)
    names |= {called for name in names for called in KERNELS[name][1]}
    text = "".join(source for name, (source, _) in KERNELS.items() if name in names)
    text = text.replace("@SCALES@", "const float *scales, " if int8 else "")
    for index in ("o", "r", "s", "j", "to_out", "to_forget", "to_cell"):
        text = text.replace(f"@SCALE({index})@", f" * scales[{index}]" if int8 else "")
    if "const weight_t" in text:
        text = f"\ntypedef {'signed char' if int8 else 'float'} weight_t;\n{text}"
    return text
