"""Names in Markdown: shown as they are, never read as markup."""

import re

__all__ = ["code_block", "code_span", "markdown_text"]

_MARKUP = re.compile(r"[&<>|`$*\[\]\\~]")


def markdown_text(text):
    """Write text so that Markdown, HTML and formulas in it stay text.

    Parameters
    ----------
    text : str

    Returns
    -------
    text : str
        On one line.

    Examples
    --------
    >>> from sktime_tsd._utils.markdown import markdown_text
    >>> markdown_text("Gun_Point <script>")
    'Gun_Point &#60;script&#62;'
    """
    return _MARKUP.sub(lambda found: f"&#{ord(found[0])};", " ".join(text.split()))


def code_span(text):
    """Write text as code inside a line.

    Parameters
    ----------
    text : str
        On one line.

    Returns
    -------
    code : str

    Examples
    --------
    >>> from sktime_tsd._utils.markdown import code_span
    >>> print(code_span("left"), code_span("a`b"))
    `left` ``a`b``
    """
    fence = "`" * (_longest_run(text) + 1)
    padding = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{padding}{text}{padding}{fence}"


def code_block(text):
    """Write text as a block of code.

    Parameters
    ----------
    text : str

    Returns
    -------
    code : str
    """
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}text\n{text}\n{fence}"


def _longest_run(text):
    return max(map(len, re.findall("`+", text)), default=0)
