"""What can be done to a single value, and to two, as C expressions."""

__all__ = ["ACTIVATIONS", "COMBINATIONS"]

#: Kind -> expression of a value x, of numbers a and b of the layer, and of p and q, constants of
#: the channel. Comparisons are such that NaN stays NaN.
ACTIVATIONS = {
    "abs": "fabsf(x)",
    "affine": "x * p + q",
    "clip": "x < a ? a : x > b ? b : x",
    "elu": "x < 0.0f ? a * (expf(x) - 1.0f) : x",
    "erf": "erff(x)",
    "exp": "expf(x)",
    "gelu": "0.5f * x * (1.0f + erff(x * 0.70710678f))",
    "gelu_tanh": "0.5f * x * (1.0f + tanhf(0.79788456f * (x + 0.044715f * x * x * x)))",
    "hard_sigmoid": "a * x + b < 0.0f ? 0.0f : a * x + b > 1.0f ? 1.0f : a * x + b",
    "leaky_relu": "x < 0.0f ? x * p : x",
    "log": "logf(x)",
    "reciprocal": "1.0f / x",
    "relu": "x < 0.0f ? 0.0f : x",
    "selu": "b * (x < 0.0f ? a * (expf(x) - 1.0f) : x)",
    "sigmoid": "1.0f / (1.0f + expf(-x))",
    "softplus": "(x > 0.0f ? x : 0.0f) + log1pf(expf(-fabsf(x)))",
    "softsign": "x / (1.0f + fabsf(x))",
    "sqrt": "sqrtf(x)",
    "square": "x * x",
    "tanh": "tanhf(x)",
}

#: Kind -> expression of two values.
COMBINATIONS = {
    "add": "x + y",
    "div": "x / y",
    "max": "x > y || x != x ? x : y",
    "min": "x < y || x != x ? x : y",
    "mul": "x * y",
    "sub": "x - y",
}
