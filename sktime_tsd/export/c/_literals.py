"""Python values as C writes them, and names that C accepts."""

import re

import numpy as np

__all__ = ["array_source", "check_name", "double_literal", "float_literal", "string_literal"]

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")

# C11's keywords that could be names, and those of C++, whose programs include the header.
_KEYWORDS = frozenset(
    (  # noqa: SIM905
        "alignas alignof and and_eq asm auto bitand bitor bool break case catch char class compl "
        "const constexpr const_cast continue decltype default delete do double dynamic_cast else "
        "enum explicit export extern false float for friend goto if inline int long main mutable "
        "namespace new noexcept not not_eq nullptr operator or or_eq private protected public "
        "register reinterpret_cast restrict return short signed sizeof static static_assert "
        "static_cast struct switch template this thread_local throw true try typedef typeid "
        "typename union unsigned using virtual void volatile wchar_t while xor xor_eq"
    ).split()
)

# C99 demands 63 significant characters of a compiler, and we append up to 20.
_LONGEST_NAME = 40


def check_name(name):
    """Refuse what cannot begin the names of a C file.

    Parameters
    ----------
    name : str

    Raises
    ------
    ValueError
        If it is no identifier, a keyword of C or C++, or too long.
    """
    is_name = isinstance(name, str) and _IDENTIFIER.fullmatch(name) and "__" not in name
    if not is_name or name in _KEYWORDS or len(name) > _LONGEST_NAME:
        raise ValueError(
            f"name must be a C identifier of at most {_LONGEST_NAME} letters, digits and single "
            f"underscores that begins with a letter and is no keyword, got {name!r}."
        )


def string_literal(text):
    r"""Write a string, encoded in UTF-8.

    Parameters
    ----------
    text : str

    Returns
    -------
    literal : str
        Of plain ASCII, with the quotes.

    Raises
    ------
    ValueError
        If it holds what a C string or UTF-8 cannot.

    Examples
    --------
    >>> from sktime_tsd.export.c._literals import string_literal
    >>> print(string_literal('say "ä"?'))
    "say \"\303\244\"\?"
    """
    if "\0" in text:
        raise ValueError(f"The label {text!r} holds a NUL, which ends a string in C: rename it.")
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"The label {text!r} cannot be encoded in UTF-8: rename it.") from None
    return '"' + "".join(map(_escaped, encoded)) + '"'


def _escaped(byte):
    character = chr(byte)
    if character in '"\\?':  # two question marks could begin a trigraph
        return "\\" + character
    return character if 32 <= byte < 127 else f"\\{byte:03o}"


def float_literal(value):
    """Write a float32 with all its digits.

    Parameters
    ----------
    value : float

    Returns
    -------
    literal : str

    Examples
    --------
    >>> from sktime_tsd.export.c._literals import float_literal
    >>> float_literal(0.1), float_literal(-3), float_literal(1e-30)
    ('0.1f', '-3.0f', '1e-30f')
    """
    return f"{_with_point(str(np.float32(value)))}f"


def double_literal(value):
    """Write a float64 with all its digits.

    Parameters
    ----------
    value : float

    Returns
    -------
    literal : str
    """
    return _with_point(repr(float(value)))


def _with_point(text):
    return text if "." in text or "e" in text else f"{text}.0"


def array_source(kind, name, values):
    """Write a constant array.

    Parameters
    ----------
    kind : {"float", "signed char", "double"}
    name : str
    values : numpy.ndarray
        Flattened.

    Returns
    -------
    source : str
    """
    write = {"float": float_literal, "double": double_literal}.get(kind, str)
    lines, line = [], ""
    for literal in map(write, np.ravel(values).tolist()):
        if len(line) + len(literal) > 92:
            lines.append(line)
            line = ""
        line += f"{' ' if line else ''}{literal},"
    body = "\n    ".join([*lines, line.rstrip(",")])
    return f"static const {kind} {name}[{np.size(values)}] = {{\n    {body}\n}};\n"
