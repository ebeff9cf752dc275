"""C functions of recurrent layers; see `_kernels`."""

__all__ = ["GRU", "LOGISTIC", "LSTM"]

LOGISTIC = """
static float logistic(float x)
{
    return 1.0f / (1.0f + expf(-x));
}
"""

LSTM = """
/* One time point of an LSTM. The state holds room for x, then h, c and room for the next h. Of
   each unit, the weights of its four gates lie beside each other. */
static void lstm(const float *x, int n_in, const weight_t *weights, @SCALES@const float *biases,
                 float *state, int n)
{
    const int n_row = n_in + n;
    float *const h = state + n_in, *const c = h + n, *const next = c + n;
    int i, j;
    copy(x, state, n_in);
    for (j = 0; j < n; ++j) {
        const int to_out = n + j, to_forget = 2 * n + j, to_cell = 3 * n + j;
        float in = 0.0f, out = 0.0f, forget = 0.0f, cell = 0.0f;
        for (i = 0; i < n_row; ++i, weights += 4) {
            in += (float)weights[0] * state[i];
            out += (float)weights[1] * state[i];
            forget += (float)weights[2] * state[i];
            cell += (float)weights[3] * state[i];
        }
        in = logistic(in@SCALE(j)@ + biases[j]);
        out = logistic(out@SCALE(to_out)@ + biases[to_out]);
        forget = logistic(forget@SCALE(to_forget)@ + biases[to_forget]);
        cell = tanhf(cell@SCALE(to_cell)@ + biases[to_cell]);
        c[j] = forget * c[j] + in * cell;
        next[j] = out * tanhf(c[j]);
    }
    copy(next, h, n);
}
"""

GRU = """
/* One time point of a GRU. The state holds room for x, then h and room for the next h. */
static void gru(const float *x, int n_in, const weight_t *weights, @SCALES@const float *biases,
                float *state, int n)
{
    const int n_row = n_in + n;
    float *const h = state + n_in, *const next = h + n;
    float gates[2];
    int g, j;
    copy(x, state, n_in);
    for (j = 0; j < n; ++j) {
        const int r = 2 * n + j;
        const weight_t *row = weights + r * n_row;
        float candidate;
        for (g = 0; g < 2; ++g) {
            const int s = g * n + j;
            gates[g] = logistic(dot(weights + s * n_row, state, n_row)@SCALE(s)@ + biases[s]);
        }
        candidate = dot(row + n_in, h, n)@SCALE(r)@ + biases[r + n];
        candidate = tanhf(dot(row, x, n_in)@SCALE(r)@ + biases[r] + gates[1] * candidate);
        next[j] = (1.0f - gates[0]) * candidate + gates[0] * h[j];
    }
    copy(next, h, n);
}
"""
