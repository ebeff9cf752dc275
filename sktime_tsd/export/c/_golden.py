"""Programs that ask a C file: for the comparison here, and on the device."""

import numpy as np

from sktime_tsd.export.c._literals import array_source

__all__ = ["DRIVER", "golden_source"]

#: Reads float32 series from the first file, and writes labels and probabilities to the second.
DRIVER = """#include "{header}"
#include <stdio.h>

static float x[{prefix}_N_CHANNELS * {prefix}_N_TIMEPOINTS];

int main(int n_arguments, char **arguments)
{{
    FILE *series = fopen(arguments[1], "rb"), *answers = fopen(arguments[2], "wb");
    (void)n_arguments;
    if (!series || !answers) {{
        return 2;
    }}
    while (fread(x, sizeof x, 1, series) == 1) {{
        float answer[1 + {prefix}_N_CLASSES];
        {name}_predict_proba(x, answer + 1);
        answer[0] = (float){name}_predict(x);
        if (fwrite(answer, sizeof answer, 1, answers) != 1) {{
            return 3;
        }}
    }}
    return fclose(answers) ? 4 : 0;
}}
"""

_GOLDEN = """/* Series with known answers, for {header}. Written by sktime_tsd.
   Compile it with the .c file: it prints the result, and main returns 0 if all is right. */

#include "{header}"

#include <stdio.h>

#define N_SERIES {n}

{series}
{answers}
/* Number of series whose answer is wrong. */
int {name}_test(void)
{{
    int i, c, n_wrong = 0;
    for (i = 0; i < N_SERIES; ++i) {{
        float probabilities[{prefix}_N_CLASSES];
        int is_wrong = 0;
        {name}_predict_proba(series + i * {prefix}_N_CHANNELS * {prefix}_N_TIMEPOINTS,
                             probabilities);
        for (c = 0; c < {prefix}_N_CLASSES; ++c) {{
            const float error = probabilities[c] - answers[i * {prefix}_N_CLASSES + c];
            if (!(error < 1e-5f && error > -1e-5f)) {{
                is_wrong = 1;
            }}
        }}
        n_wrong += is_wrong;
    }}
    return n_wrong;
}}

#ifndef {prefix}_TEST_WITHOUT_MAIN
int main(void)
{{
    const int n_wrong = {name}_test();
    printf("%d of %d answers differ\\n", n_wrong, N_SERIES);
    return n_wrong != 0;
}}
#endif
"""


def golden_source(name, header, X, probabilities):
    """Write ``student_test.c``.

    Parameters
    ----------
    name : str
        First part of public names.
    header : str
        Name of the header file.
    X : numpy.ndarray of shape (n_instances, n_channels, n_timepoints)
    probabilities : numpy.ndarray of shape (n_instances, n_classes)
        Right answers.

    Returns
    -------
    source : str
    """
    return _GOLDEN.format(
        name=name,
        prefix=name.upper(),
        header=header,
        n=len(X),
        series=array_source("float", "series", X.astype(np.float32)),
        answers=array_source("float", "answers", probabilities.astype(np.float32)),
    )
