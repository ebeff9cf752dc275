"""Figures to be written to files."""

__all__ = ["file_figure"]


def file_figure(figsize=None):
    """Make a figure that can be saved without a screen.

    Parameters
    ----------
    figsize : tuple of float, optional
        In inches. Default: matplotlib's.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=figsize, layout="constrained")
    FigureCanvasAgg(figure)
    return figure
