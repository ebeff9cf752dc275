"""Pictures: what is drawn, not how it looks pixel by pixel."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from sktime_tsd.plotting import plot_saliency_pair

mpl.use("agg")


def test_draws_the_series_and_both_saliencies():
    x, teacher, student = np.random.RandomState(0).rand(3, 20)
    ax = Figure().subplots()
    before = dict(mpl.rcParams)
    fig, same = plot_saliency_pair(x[None], teacher, 5 * student, title="one", ax=ax)
    assert same is ax
    assert fig is ax.figure
    assert dict(mpl.rcParams) == before, "global style must stay as it is"
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), x)
    below = fig.axes[1]
    np.testing.assert_allclose(below.lines[0].get_ydata(), student / student.max())
    top = below.collections[0].get_paths()[0].vertices[:, 1].max()
    assert top == pytest.approx(1)
    assert [text.get_text() for text in below.get_legend().get_texts()] == ["teacher", "student"]
    assert ax.get_xlabel() == "time point"
    assert ax.get_title() == "one"
    # the series stays clear of the saliency below it
    low, high = ax.get_ylim()
    share = (x.min() - low) / (high - low)
    assert share > 1 / below.get_ylim()[1]


def test_every_channel_is_drawn():
    _, ax = plot_saliency_pair(np.zeros((3, 9)), np.ones(9), np.ones(9), ax=Figure().subplots())
    assert len(ax.lines) == 3


def test_no_saliency_at_all_is_a_flat_line():
    fig, _ = plot_saliency_pair(np.ones((1, 9)), np.zeros(9), np.zeros(9), ax=Figure().subplots())
    assert fig.axes[1].lines[0].get_ydata().tolist() == [0] * 9


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="one length"):
        plot_saliency_pair(np.zeros((1, 9)), np.zeros(8), np.zeros(9))


@pytest.mark.parametrize(
    ("x", "saliency"), [(np.zeros((3, 1, 9)), np.zeros(9)), (np.zeros((1, 9)), np.zeros((3, 9)))]
)
def test_several_series_are_refused(x, saliency):
    with pytest.raises(ValueError, match="must be one series"):
        plot_saliency_pair(x, saliency, saliency)
