"""What several test files share and is no fixture."""

import re

import pytest


def bad(error, said=None, /, **params):
    """A case for `parametrize`: parameters, their error, and what its message must say.

    By default the message names the first parameter and its value.
    """
    name, value = next(iter(params.items()))
    pattern = said or f"{name}.*{re.escape(str(value))}"
    return pytest.param(params, error, pattern, id=f"{name}={value!r:.25}")
