"""Pictures: what is drawn, not how it looks pixel by pixel."""

from dataclasses import replace

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from helpers import random_panel
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from scipy.special import softmax

from sktime_tsd import fidelity_report, temporal_saliency
from sktime_tsd.fidelity import METRICS, saliency_spearman
from sktime_tsd.plotting import (
    plot_agreement,
    plot_fidelity_curve,
    plot_saliency,
    plot_saliency_comparison,
    plot_saliency_pair,
    plot_tradeoff,
)

mpl.use("agg")


class Level:
    """Answers by the mean of some time points of the first channel."""

    classes_ = np.array(["class 00", "class 01"])

    def __init__(self, points, slope=2.0):
        self.points = points
        self.slope = slope

    def predict_proba(self, X):
        p = 1 / (1 + np.exp(-self.slope * (X[:, 0, self.points].mean(axis=1) - 0.5)))
        return np.stack([1 - p, p], axis=1)


TEACHER, STUDENT = Level(slice(4, 8)), Level(slice(6, 10), slope=1.0)


@pytest.fixture(autouse=True)
def style_and_figures_stay():
    before = dict(mpl.rcParams)
    yield
    assert dict(mpl.rcParams) == before, "global style must stay as it is"
    plt.close("all")


@pytest.fixture(scope="module")
def panel():
    return random_panel(40, n_channels=2, seed=3)


@pytest.fixture(scope="module")
def report(panel):
    X, y = panel
    return fidelity_report(TEACHER, STUDENT, X, y, background=X, random_state=0)


def ax():
    return Figure().subplots()


# -- saliency --------------------------------------------------------------------------


def colored(ax):
    (collection,) = (c for c in ax.collections if isinstance(c, LineCollection))
    return collection


def test_the_series_is_coloured_by_its_saliency(panel):
    X = panel[0][:3, :1]
    saliency = temporal_saliency(TEACHER, X)
    fig, axis = plot_saliency(X, saliency, instance=2, title="third")
    np.testing.assert_array_equal(axis.lines[0].get_ydata(), X[2, 0])
    segments = colored(axis).get_segments()
    assert len(segments) == X.shape[2] - 1
    np.testing.assert_allclose(np.array(segments)[:, 0, 1], X[2, 0, :-1])
    of_segments = (saliency.values[2][:-1] + saliency.values[2][1:]) / 2
    # darker and thicker where the saliency is higher, for eyes without colour
    lightness = colored(axis).get_colors()[:, :3] @ [0.2126, 0.7152, 0.0722]
    order = np.argsort(of_segments, kind="stable")
    assert np.all(np.diff(lightness[order]) <= 1e-9)
    assert np.all(np.diff(np.array(colored(axis).get_linewidths())[order]) >= -1e-9)
    assert np.ptp(lightness) > 0.5
    assert axis.get_title() == "third"
    assert axis.get_xlabel() == "time point"
    assert axis.get_ylabel() == "series"
    assert fig.axes[-1].get_ylabel() == "saliency (nats)"


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("per_class", [False, True])
def test_a_row_per_channel_and_a_column_per_class(panel, per_channel, per_class):
    X = panel[0][:3]
    saliency = temporal_saliency(TEACHER, X, per_channel=per_channel)
    fig, axes = plot_saliency(X, saliency, per_class=per_class)
    assert axes.shape == (2, 2 if per_class else 1)
    for channel in range(2):
        assert axes[channel, 0].get_ylabel() == f"channel {channel}"
        np.testing.assert_array_equal(axes[channel, 0].lines[0].get_ydata(), X[0, channel])
    if per_class:
        assert [axis.get_title() for axis in axes[0]] == ["class class 00", "class class 01"]
        values = saliency.class_values[0]  # (n_classes, (n_channels,) n_timepoints)
        wanted = values[1, 0] if per_channel else values[1]
        mapped = fig.axes[-1]._colorbar.mappable.to_rgba((wanted[:-1] + wanted[1:]) / 2)
        np.testing.assert_allclose(colored(axes[0, 1]).get_colors(), mapped)
    if per_channel and not per_class:  # the answer does not depend on the second channel
        assert np.ptp(colored(axes[1, 0]).get_colors(), axis=0).max() == 0
        assert np.ptp(colored(axes[0, 0]).get_colors(), axis=0).max() > 0.1


def test_labels_with_dollars_are_no_formulas(panel):
    X = panel[0][:3]
    saliency = temporal_saliency(TEACHER, X)
    saliency = replace(saliency, classes=np.array([r"$\\nonsense{$", "costs $1 or $2"]))
    fig, axes = plot_saliency(X, saliency, per_class=True)
    fig.canvas.draw()
    assert axes[0, 0].get_title() == r"class $\\nonsense{$"


def test_a_target_is_told_on_the_colour_bar(panel):
    X = panel[0][:3, :1]
    saliency = temporal_saliency(TEACHER, X, target="class 01")
    fig, _ = plot_saliency(X, saliency)
    assert fig.axes[-1].get_ylabel() == "saliency (fall of probability)"


def test_axes_may_be_given(panel):
    X = panel[0][:3]
    saliency = temporal_saliency(TEACHER, X)
    given = Figure().subplots(2, 1)
    fig, axes = plot_saliency(X, saliency, ax=given)
    assert axes[0, 0] is given[0]
    assert fig is given[0].figure
    with pytest.raises(ValueError, match="2 axes"):
        plot_saliency(X, saliency, ax=ax())


def test_a_saliency_of_nothing_is_drawn_too():
    constant = Level(slice(0, 1), slope=0.0)
    X = np.zeros((1, 1, 9))
    _, axis = plot_saliency(X, temporal_saliency(constant, X))
    assert np.ptp(colored(axis).get_linewidths()) == 0


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((2, 1, 20), {}, "same series"),
        ((3, 1, 19), {}, "same series"),
        ((20,), {}, "same series"),
        ((3, 1, 20), {"instance": 3}, "instance"),
        ((3, 1, 20), {"instance": 0.5}, "instance"),
        ((3, 1, 20), {"per_class": "yes"}, "per_class"),
    ],
)
def test_what_does_not_fit_the_saliency_is_refused(shape, options, message):
    saliency = temporal_saliency(TEACHER, np.ones((3, 1, 20)))
    with pytest.raises((ValueError, TypeError), match=message):
        plot_saliency(np.ones(shape), saliency, **options)


def test_of_many_channels_and_classes_the_most_salient_are_drawn():
    class Many(Level):
        classes_ = np.arange(9)

        def predict_proba(self, X):
            return softmax(X[:, :9, 3], axis=1)

    X = np.random.RandomState(0).standard_normal((1, 20, 12))
    saliency = temporal_saliency(Many(slice(0, 1)), X, per_channel=True)
    assert saliency.values.shape == (1, 20, 12)
    _, axes = plot_saliency(X, saliency, per_class=True)
    assert axes.shape == (12, 6)
    shown = [int(axis.get_ylabel().split()[1]) for axis in axes[:, 0]]
    assert set(range(9)) <= set(shown), "the others have no saliency"
    assert shown == sorted(shown)
    of_classes = np.abs(saliency.class_values[0]).max(axis=(1, 2))
    most = np.sort(np.argsort(-of_classes)[:6])
    assert [axis.get_title() for axis in axes[0]] == [f"class {k}" for k in most]
    drawn = axes[shown.index(2), 0].lines[0].get_ydata()
    np.testing.assert_array_equal(drawn, X[0, 2])


def test_bare_values_are_no_saliency():
    with pytest.raises(TypeError, match="saliency must"):
        plot_saliency(np.ones((3, 1, 20)), np.ones((3, 20)))


# -- pair ------------------------------------------------------------------------------


def test_draws_the_series_and_both_saliencies_with_their_agreement():
    X = np.random.RandomState(0).rand(2, 1, 20)
    teacher, student = np.random.RandomState(1).rand(2, 2, 20)
    given = ax()
    fig, same = plot_saliency_pair(X, teacher, 5 * student, instance=1, title="one", ax=given)
    assert same is given
    assert fig is given.figure
    np.testing.assert_array_equal(given.lines[0].get_ydata(), X[1, 0])
    below = fig.axes[1]
    np.testing.assert_allclose(below.lines[0].get_ydata(), student[1] / student[1].max())
    top = below.collections[0].get_paths()[0].vertices[:, 1].max()
    assert top == pytest.approx(1)
    assert [text.get_text() for text in below.get_legend().get_texts()] == ["teacher", "student"]
    agreement = saliency_spearman(teacher, student)[1]
    assert given.texts[0].get_text() == f"rank correlation {agreement:.2f}"
    assert given.get_xlabel() == "time point"
    assert given.get_title() == "one"
    # the series stays clear of the saliency below it
    low, high = given.get_ylim()
    share = (X[1].min() - low) / (high - low)
    assert share > 1 / below.get_ylim()[1]


def test_saliency_objects_are_taken_and_every_channel_is_drawn(panel):
    X = panel[0][:3]
    saliency = temporal_saliency(TEACHER, X)
    fig, axis = plot_saliency_pair(X, saliency, saliency, instance=-1)
    assert len(axis.lines) == 2
    assert axis.texts[0].get_text() == "rank correlation 1.00"
    values = saliency.values[-1]
    np.testing.assert_allclose(fig.axes[1].lines[0].get_ydata(), values / values.max())


def test_no_saliency_at_all_is_a_flat_line():
    fig, _ = plot_saliency_pair(np.ones((1, 9)), np.zeros((1, 9)), np.zeros((1, 9)), ax=ax())
    assert fig.axes[1].lines[0].get_ydata().tolist() == [0] * 9


def test_what_speaks_against_a_target_is_below_zero():
    teacher, student = np.array([[0.1, -0.4, 0.2]]), np.array([[0.0, 0.1, 0.2]])
    fig, _ = plot_saliency_pair(np.zeros((1, 3)), teacher, student, ax=ax())
    below = fig.axes[1]
    assert below.get_ylim()[0] == -1
    assert below.collections[0].get_paths()[0].vertices[:, 1].min() == -1
    np.testing.assert_allclose(below.lines[0].get_ydata(), [0, 0.5, 1])


@pytest.mark.parametrize("dtype", [np.uint8, bool, np.float16])
def test_series_of_any_numbers_are_drawn_whole(dtype):
    X = np.array([[0, 1, 0, 1]]).astype(dtype)
    _, axis = plot_saliency_pair(X, np.ones((1, 4)), np.ones((1, 4)), ax=ax())
    low, high = axis.get_ylim()
    assert low < 0 < 1 < high


@pytest.mark.parametrize(
    ("teacher", "student", "message"),
    [
        (np.zeros((1, 8)), np.zeros((1, 9)), "same series"),
        (np.zeros((1, 8)), np.zeros((1, 8)), "same series"),
        (np.zeros(9), np.zeros(9), r"n_instances, n_timepoints"),
        (np.zeros((1, 2, 9)), np.zeros((1, 2, 9)), "plot_saliency"),
    ],
)
def test_saliencies_of_other_series_are_refused(teacher, student, message):
    with pytest.raises(ValueError, match=message):
        plot_saliency_pair(np.zeros((1, 1, 9)), teacher, student)


# -- comparison ------------------------------------------------------------------------


def test_a_row_per_series_and_a_column_per_classifier():
    rng = np.random.RandomState(0)
    X, saliencies = (
        rng.rand(3, 1, 20),
        dict(zip(["teacher", "a", "b"], rng.rand(3, 3, 20), strict=True)),
    )
    fig, axes = plot_saliency_comparison(X, saliencies, instances=(2, 0), names=["p", "q"])
    assert axes.shape == (2, 3)
    assert fig is axes[0, 0].figure
    assert [axis.get_ylabel() for axis in axes[:, 0]] == ["p", "q"]
    below = np.array(fig.axes[6:]).reshape(2, 3)
    for row, i in enumerate((2, 0)):
        for axis, under, (name, saliency) in zip(
            axes[row], below[row], saliencies.items(), strict=True
        ):
            np.testing.assert_array_equal(axis.lines[0].get_ydata(), X[i, 0])
            area = under.collections[0].get_paths()[0].vertices
            assert area[area[:, 1].argmax(), 0] == saliency[i].argmax()
            if name == "teacher":
                assert axis.get_title() == "teacher"
                assert len(under.lines) == 0
                continue
            of_teacher = saliencies["teacher"]
            correlation = saliency_spearman(of_teacher, saliency)[i]
            assert axis.get_title() == f"{name}: correlation {correlation:.2f}"
            outline = under.lines[0].get_ydata()
            np.testing.assert_allclose(outline, of_teacher[i] / of_teacher[i].max())
    assert [axis.get_xlabel() for axis in axes[:, 1]] == ["", "time point"]


def test_a_comparison_takes_saliency_objects_and_given_axes(panel):
    X = panel[0][:2]
    saliency = temporal_saliency(TEACHER, X)
    given = Figure().subplots(1, 2)
    _, axes = plot_saliency_comparison(X, {"one": saliency, "same": saliency}, ax=given)
    assert axes[0, 1] is given[1]
    assert axes[0, 0].get_ylabel() == "series 0"
    assert axes[0, 1].get_title() == "same: correlation 1.00"


@pytest.mark.parametrize(
    ("saliencies", "options", "message"),
    [
        ([np.ones((2, 9))], {}, "dict"),
        ({}, {}, "dict"),
        ({"a": np.ones((2, 9)), "b": np.ones((2, 8))}, {}, "'b'"),
        ({"a": np.ones((2, 1, 9))}, {}, "plot_saliency"),
        ({"a": np.ones((2, 9))}, {"instances": (2,)}, "instance"),
        ({"a": np.ones((2, 9))}, {"instances": ()}, "instances"),
        ({"a": np.ones((2, 9))}, {"names": ["p", "q"]}, "names"),
    ],
)
def test_what_cannot_be_compared_is_refused(saliencies, options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        plot_saliency_comparison(np.ones((2, 1, 9)), saliencies, **options)


# -- reports ---------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "done"), [("deletion", "removed"), ("insertion", "kept")])
def test_four_curves_with_bands(report, kind, done):
    fig, axis = plot_fidelity_curve(report, kind=kind, ax=ax())
    assert len(axis.lines) == len(axis.collections) == 4
    labels = [text.get_text() for text in axis.get_legend().get_texts()]
    assert labels == [line.get_label() for line in axis.lines]
    assert set(labels) == {
        "teacher's answer, its own saliency",
        "teacher's answer, student's saliency",
        "student's answer, its own saliency",
        "student's answer, teacher's saliency",
    }
    of = report.curves.query("kind == @kind and model == 'student' and source == 'teacher'")
    (line,) = (
        line for line in axis.lines if line.get_label() == "student's answer, teacher's saliency"
    )
    np.testing.assert_array_equal(line.get_xydata(), of[["fraction", "value"]])
    band = axis.collections[list(axis.lines).index(line)]
    heights = band.get_paths()[0].vertices[:, 1]
    assert heights.min() == pytest.approx(of["low"].min())
    assert heights.max() == pytest.approx(of["high"].max())
    # told apart without colour
    styles = {(line.get_linestyle(), line.get_marker()) for line in axis.lines}
    assert len(styles) == 4
    assert axis.get_xlabel() == f"share of time points {done}"
    assert axis.get_ylabel() == "probability of the model's answer"
    assert fig is axis.figure


def test_accuracy_and_agreement_by_confidence(report):
    _, axis = plot_agreement(report, ax=ax())
    drawn = {container.get_label(): container for container in axis.containers}
    assert list(drawn) == ["agreement", "accuracy of the teacher", "accuracy of the student"]
    for label, model, column in (
        ("agreement", "student", "agreement"),
        ("accuracy of the teacher", "teacher", "accuracy"),
        ("accuracy of the student", "student", "accuracy"),
    ):
        bins = report.reliability[report.reliability["model"] == model]
        line, _, (bars,) = drawn[label].lines
        np.testing.assert_array_equal(line.get_xydata(), bins[["confidence", column]])
        ends = np.array(bars.get_segments())[:, :, 1]
        np.testing.assert_allclose(ends, bins[[f"{column}_low", f"{column}_high"]])
    assert len({container.lines[0].get_marker() for container in drawn.values()}) == 3
    # what is drawn of a share between 0 and 1 can be seen
    low, high = axis.get_ylim()
    assert low < report.reliability[["accuracy_low", "agreement_low"]].min().min()
    assert high > 1
    diagonal = axis.lines[-1].get_xydata()
    np.testing.assert_array_equal(diagonal[:, 0], diagonal[:, 1])
    assert "confidence" in axis.get_xlabel()


def test_full_confidence_is_drawn_at_the_edge(report):
    sure = replace(report, reliability=report.reliability.assign(confidence=1.0))
    _, axis = plot_agreement(sure, ax=ax())
    confidence = axis.containers[0].lines[0].get_xydata()[:, 0]
    assert np.isfinite(confidence).all()
    assert 0.999 < confidence.max() < axis.get_xlim()[1] < 1


def test_without_labels_there_is_agreement_alone(panel):
    unlabelled = fidelity_report(
        TEACHER, STUDENT, panel[0], max_saliency_instances=0, latency=False
    )
    _, axis = plot_agreement(unlabelled, ax=ax())
    assert [container.get_label() for container in axis.containers] == ["agreement"]
    with pytest.raises(ValueError, match="without saliency"):
        plot_fidelity_curve(unlabelled, ax=ax())


def test_cost_against_worth_of_several_students(panel, report):
    X, y = panel
    same = fidelity_report(TEACHER, TEACHER, X, y, background=X, random_state=0)
    _, axis = plot_tradeoff({"half": report, "same": same}, x="bytes_student", ax=ax())
    assert [text.get_text() for text in axis.texts] == ["half", "same"]
    for container, of in zip(axis.containers, (report, same), strict=True):
        point, _, (across, up) = container.lines
        assert point.get_xydata().tolist() == [[of["bytes_student"], of["top_1_agreement"]]]
        low, high = up.get_segments()[0][:, 1]
        interval = of.metrics.loc["top_1_agreement", ["low", "high"]].astype(float)
        np.testing.assert_allclose([low, high], interval)
        assert np.ptp(across.get_segments()[0][:, 0]) == 0
    assert axis.get_xlabel() == "size, student (bytes), lower is better"
    assert axis.get_ylabel() == "top-1 agreement, higher is better"
    assert axis.get_xscale() == "linear"


def test_the_teacher_is_there_where_both_lines_concern_it(report):
    _, axis = plot_tradeoff({"half": report}, x="latency_1_student", y="accuracy_student", ax=ax())
    assert [text.get_text() for text in axis.texts] == ["half", "teacher"]
    star, _, _ = axis.containers[1].lines
    assert star.get_marker() == "*"
    assert star.get_xydata().tolist() == [[report["latency_1_teacher"], report["accuracy_teacher"]]]
    assert axis.get_ylabel() == "accuracy, higher is better"


def test_a_wide_range_of_cost_is_drawn_on_a_log_scale(report):
    cheap = report.metrics.copy()
    cheap.loc["bytes_student", ["value", "low", "high"]] /= 20
    _, axis = plot_tradeoff(
        {"large": report, "small": replace(report, metrics=cheap)}, x="bytes_student", ax=ax()
    )
    assert axis.get_xscale() == "log"


def test_students_that_cannot_be_compared_are_refused(panel, report):
    stranger = fidelity_report(STUDENT, TEACHER, *panel, background=panel[0], random_state=0)
    with pytest.raises(ValueError, match="one teacher"):
        plot_tradeoff({"half": report, "other": stranger})


def test_no_report_and_no_such_line_are_refused(report):
    with pytest.raises(TypeError, match="fidelity_report"):
        plot_fidelity_curve(report.metrics)
    with pytest.raises(TypeError, match="fidelity_report"):
        plot_agreement(report.metrics)
    with pytest.raises(TypeError, match="dict"):
        plot_tradeoff([report])
    with pytest.raises(TypeError, match="dict"):
        plot_tradeoff({})
    with pytest.raises(ValueError, match="top_1_agreement"):
        plot_tradeoff({"one": report}, y="agreement")
    with pytest.raises(ValueError, match="'parameters_student'"):
        plot_tradeoff({"one": report}, x="parameters_student")
    with pytest.raises(ValueError, match="kind"):
        plot_fidelity_curve(report, kind="removal")


def test_every_line_of_a_report_can_be_an_axis(report):
    for name in report.metrics["value"].dropna().index:
        label = plot_tradeoff({"one": report}, y=name, ax=ax())[1].get_ylabel()
        assert label.endswith("is better")
        if METRICS[name].unit:
            assert f"({METRICS[name].unit})" in label
