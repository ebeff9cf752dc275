"""Figures for files."""

__all__ = ["file_figure"]


def file_figure(figsize=None):
    """Make a figure that draws to a file, on a machine without a screen too.

    Parameters
    ----------
    figsize : tuple of float, optional
        In inches; default that of matplotlib.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=figsize, layout="constrained")
    FigureCanvasAgg(figure)
    return figure
