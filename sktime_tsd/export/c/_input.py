"""The C code that reads a column of the series: steps before the network, and scaling."""

import numpy as np

from sktime_tsd.export.c._literals import array_source, double_literal
from sktime_tsd.preprocessing import SeriesCenterer, SeriesResampler

__all__ = ["input_source"]

_STRUCT = """
/* A series, and what the steps before the network find out about it. Its oldest time point may
   be anywhere: the series is a ring. */
struct source {{
    const float *x;
    int start;
{members}}};

static {real} value_0(const struct source *s, int c, int t)
{{
    int at = t + s->start;
    if (at >= {prefix}_N_TIMEPOINTS) {{
        at -= {prefix}_N_TIMEPOINTS;
    }}
    return s->x[c * {prefix}_N_TIMEPOINTS + at];
}}
"""

_CENTER = """
static double value_{k}(const struct source *s, int c, int t)
{{
    return value_{before}(s, c, t) - s->mean_{k}[c];
}}
"""

_STANDARDISE = """
static double value_{k}(const struct source *s, int c, int t)
{{
    /* a constant channel has no scale, and becomes 0 */
    return s->scale_{k}[c] > 0.0 ? (value_{before}(s, c, t) - s->mean_{k}[c]) / s->scale_{k}[c]
                                 : s->scale_{k}[c];
}}
"""

_RESAMPLE = """
static double value_{k}(const struct source *s, int c, int t)
{{
    const double place = t == {n_after} - 1 ? {last} : t * {step};
    const int left = (int)place, right = left + 1 < {n_before} ? left + 1 : left;
    const double value = value_{before}(s, c, left);
    return value + (place - left) * (value_{before}(s, c, right) - value);
}}
"""

_PREPARE_MEAN = """
    for (c = 0; c < {n_channels}; ++c) {{
        double sum = 0.0;
        for (t = 0; t < {length}; ++t) {{
            sum += value_{before}(s, c, t);
        }}
        s->mean_{k}[c] = sum / {length};
    }}
"""

_PREPARE_SCALE = """
    for (c = 0; c < {n_channels}; ++c) {{
        const double error = {error} * s->mean_{k}[c];
        double sum = 0.0;
        for (t = 0; t < {length}; ++t) {{
            const double centred = value_{before}(s, c, t) - s->mean_{k}[c];
            sum += centred * centred;
        }}
        sum /= {length};
        s->scale_{k}[c] = sum <= {error} * sum + error * error ? 0.0 : sqrt(sum);
    }}
"""

_READ = """
static void read_column(const struct source *s, int t, float *y)
{{
    int c;
    for (c = 0; c < {n_channels}; ++c) {{
        y[c] = {value};
    }}
}}
"""


def input_source(steps, mean, std, n_channels, n_timepoints, prefix):
    """Write ``read_column``, and ``prepare`` if steps need to see the series first.

    Parameters
    ----------
    steps : list of transformers
        See `sktime_tsd.export._steps.Chain`.
    mean, std : numpy.ndarray of shape (n_channels,)
        Of the scaling.
    n_channels, n_timepoints : int
        Shape of the raw series.
    prefix : str
        Of macros.

    Returns
    -------
    source : str
    n_bytes : int
        Size of the constants.
    """
    is_double = bool(steps) or mean.dtype == np.float64
    real, members, functions, prepare, length = "float", "", "", "", n_timepoints
    if is_double:
        real = "double"
    for k, step in enumerate(steps, 1):
        words = {"k": k, "before": k - 1, "n_channels": n_channels, "length": length}
        if isinstance(step, SeriesResampler):
            n_after = step.length
            gap = (length - 1) / (n_after - 1) if n_after > 1 else 0.0
            last = double_literal(length - 1 if n_after > 1 else 0)
            words |= {"n_after": n_after, "n_before": length}
            functions += _RESAMPLE.format(step=double_literal(gap), last=last, **words)
            length = n_after
            continue
        members += f"    double mean_{k}[{n_channels}];\n"
        prepare += _PREPARE_MEAN.format(**words)
        if isinstance(step, SeriesCenterer):
            functions += _CENTER.format(**words)
            continue
        members += f"    double scale_{k}[{n_channels}];\n"
        error = double_literal(length * np.finfo(np.float64).eps)
        prepare += _PREPARE_SCALE.format(error=error, **words)
        functions += _STANDARDISE.format(**words)
    source = _STRUCT.format(real=real, members=members, prefix=prefix) + functions
    if prepare:
        source += f"\nstatic void prepare(struct source *s)\n{{\n    int c, t;\n{prepare}}}\n"
    value, n_bytes = f"value_{len(steps)}(s, c, t)", 0
    is_scaled = mean.any() or (std != 1).any()
    if is_scaled:
        dtype = np.float64 if is_double else np.float32
        mean, std = (np.broadcast_to(a, n_channels).astype(dtype) for a in (mean, std))
        n_bytes = mean.nbytes + std.nbytes
        source += "\n" + array_source(real, "means", mean) + array_source(real, "stds", std)
        value = f"({value} - means[c]) / stds[c]"
    if is_double:
        value = f"(float)({value})"
    return source + _READ.format(n_channels=n_channels, value=value), n_bytes
