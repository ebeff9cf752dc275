"""Answers about the last time points of a recording, in Python and in C."""

import ctypes
from types import SimpleNamespace

import numpy as np
import pytest
from c_programs import Library, classifier, classifier_of, needs_compiler, series
from helpers import bad

from sktime_tsd import CascadeClassifier, to_c, to_onnx
from sktime_tsd.networks import FCN
from sktime_tsd.runtime import OnnxClassifier, Stream
from sktime_tsd.teachers import CallableTeacher

N_SAMPLES = 400


@pytest.fixture(scope="module")
def clf():
    return classifier_of("fcn", n_channels=2, n_timepoints=17, n_classes=3)


@pytest.fixture(scope="module")
def recording(clf):
    noise = np.random.RandomState(0).standard_normal((2, N_SAMPLES))
    return (noise + np.sin(np.arange(N_SAMPLES) / 9)).astype(np.float32)


def ends(stride, length=17, n_samples=N_SAMPLES):
    return list(range(length, n_samples + 1, stride))


@pytest.fixture(scope="module")
def whole(clf, recording):
    """Answers to each window of the recording, by the number of samples at its end."""
    windows = np.stack([recording[:, end - 17 : end] for end in ends(1)])
    return dict(zip(ends(1), clf.predict_proba(windows), strict=True))


# -- in Python -----------------------------------------------------------------------------


@pytest.mark.parametrize("stride", [1, 5, 17, 40, 1000])
def test_answers_are_those_to_the_last_time_points(stride, clf, recording, whole):
    stream, answers = Stream(clf, stride), []
    for i, sample in enumerate(recording.T, 1):
        answer = stream.push(sample)
        assert stream.n_samples_ == i
        assert (answer is not None) == (i in ends(stride))
        if answer is not None:
            assert answer.n_samples == i
            answers.append(answer)
    for answer in answers:
        np.testing.assert_allclose(answer.probabilities, whole[answer.n_samples], atol=1e-6)
        assert answer.label == clf.classes_[whole[answer.n_samples].argmax()]


@pytest.mark.parametrize("sizes", [[400], [16, 1, 0, 3, 380], [5] * 80, [30] * 13 + [10]])
def test_pieces_of_any_size_give_the_same(sizes, clf, recording):
    stream, one_by_one = Stream(clf, 7), Stream(clf, 7)
    expected = [one_by_one.push(sample) for sample in recording.T]
    expected = [answer for answer in expected if answer is not None]
    found, at = [], 0
    for size in sizes:
        found += stream.extend(recording[:, at : at + size])
        at += size
    assert [answer.n_samples for answer in found] == [answer.n_samples for answer in expected]
    for answer, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(answer.probabilities, other.probabilities, atol=1e-6)


def test_long_recordings_are_answered_in_parts(clf, monkeypatch):
    largest = []

    def predict_proba(X):
        largest.append(len(X))
        return np.full((len(X), 3), 1 / 3)

    model = SimpleNamespace(
        n_channels_=2, n_timepoints_=17, classes_=clf.classes_, predict_proba=predict_proba
    )
    assert len(Stream(model).extend(np.zeros((2, 70_000)))) == 70_000 - 16
    assert max(largest) * 2 * 17 <= 2**20
    assert len(largest) > 1


def test_a_stream_of_an_onnx_file(clf, recording, whole, tmp_path):
    student = OnnxClassifier(to_onnx(clf, tmp_path / "student.onnx"))
    stream = student.stream(stride=50)
    answers = stream.extend(recording)
    assert [answer.n_samples for answer in answers] == ends(50)
    for answer in answers:
        np.testing.assert_allclose(answer.probabilities, whole[answer.n_samples], atol=1e-5)
    assert "stride=50" in repr(stream)
    assert student.stream().stride == 1


def test_a_restart_forgets(clf, recording):
    stream = Stream(clf, 5)
    stream.extend(recording[:, :60])
    stream.restart()
    assert stream.n_samples_ == 0
    assert stream.extend(recording[:, :16]) == []
    assert stream.push(recording[:, 16]).n_samples == 17


def test_numbers_are_samples_of_one_channel():
    stream = Stream(classifier(FCN(1, 5, 2, (3,), (3,)), (1, 5)))
    answers = [stream.push(float(i)) for i in range(6)]
    assert [answer is None for answer in answers] == [True] * 4 + [False] * 2


@pytest.mark.parametrize(
    ("sample", "error", "said"),
    [
        ([1.0], ValueError, "2 channels"),
        ([1.0, np.nan], ValueError, "NaN"),
        ([1.0, np.inf], ValueError, "infinite"),
        ([1.0, 1e300], ValueError, "float32"),
        (["a", "b"], TypeError, "real numbers"),
        (np.zeros((2, 3)), ValueError, "extend"),
    ],
)
def test_wrong_samples_are_not_taken(sample, error, said, clf, recording):
    stream, other = Stream(clf), Stream(clf)
    stream.extend(recording[:, :20])
    other.extend(recording[:, :20])
    with pytest.raises(error, match=said):
        stream.push(sample)
    assert stream.n_samples_ == 20
    found, expected = (s.push(recording[:, 20]).probabilities for s in (stream, other))
    assert (found == expected).all()


@pytest.mark.parametrize("samples", [[1.0, 2.0], np.zeros(3), np.zeros((1, 2, 3))])
def test_samples_that_are_no_array(samples, clf):
    with pytest.raises(TypeError, match=r"\(n_channels, n_samples\)"):
        Stream(clf).extend(samples)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [bad(ValueError, stride=value) for value in (0, -1, 1.5, True, "1", None)],
)
def test_strides_that_cannot_be(options, error, said, clf):
    with pytest.raises(error, match=said):
        Stream(clf, **options)


# -- in C ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def exported(clf, tmp_path_factory):
    return to_c(clf, tmp_path_factory.mktemp("c") / "student.c", stride=7)


@needs_compiler
@pytest.mark.parametrize("stride", [7, 1, 100])
def test_pushed_samples_give_the_answers_to_the_whole_series(
    stride, exported, recording, whole, clf
):
    options = [] if stride == 7 else [f"-DSTUDENT_STRIDE={stride}"]
    library = Library(exported, "student", *options)
    pointer = ctypes.POINTER(ctypes.c_float)
    given = library.call("push_probabilities", returns=pointer)
    assert np.isnan(given[:3]).all()
    for i, sample in enumerate(recording.T, 1):
        answer = library.call("push", np.ascontiguousarray(sample))
        if i not in ends(stride):
            assert answer == -2
            continue
        window = np.ascontiguousarray(recording[:, i - 17 : i])
        assert given[:3] == library.predict_proba(window[None])[0].tolist()  # bit for bit
        np.testing.assert_allclose(given[:3], whole[i], atol=1e-5)
        assert answer == whole[i].argmax()


@needs_compiler
def test_each_recording_has_its_own_state(exported, recording):
    library = Library(exported)
    size = 4 * (2 * 17 + 3 + 2)
    streams = [ctypes.create_string_buffer(size) for _ in range(2)]
    start, push = (getattr(library._library, f"student_stream_{n}") for n in ("start", "push"))
    answers = [[], []]
    for stream in streams:
        start(stream)
    for i in range(60):
        for k, stream in enumerate(streams):
            sample = np.ascontiguousarray(recording[:, i + 100 * k])
            answers[k].append(push(stream, sample.ctypes.data_as(ctypes.c_void_p)))
    for k in range(2):
        for i, answer in enumerate(answers[k], 1):
            window = np.ascontiguousarray(recording[:, i + 100 * k - 17 : i + 100 * k])
            expected = library.predict(window[None])[0] if i in ends(7, 17, 60) else -2
            assert answer == expected
    start(streams[0])
    sample = np.ascontiguousarray(recording[:, 0])
    assert push(streams[0], sample.ctypes.data_as(ctypes.c_void_p)) == -2


@needs_compiler
def test_samples_that_are_no_numbers_have_no_answer_until_they_are_gone(exported, recording):
    library = Library(exported, "student", "-DSTUDENT_STRIDE=1")
    answers = []
    for i in range(60):
        sample = np.ascontiguousarray(recording[:, i])
        sample[0] = np.nan if i == 20 else sample[0]
        answers.append(library.call("push", sample))
    assert answers[:16] == [-2] * 16
    assert answers[20:37] == [-1] * 17
    assert min(answers[16:20] + answers[37:]) >= 0


@needs_compiler
def test_only_streams_are_kept_from_call_to_call(exported, clf, tmp_path):
    assert exported.cost.static_bytes == 4 * (2 * 17 + 3 + 3)
    assert to_c(clf, tmp_path / "student.c").cost.static_bytes == 0
    assert "push" not in (tmp_path / "student.h").read_text()


# -- cascades ------------------------------------------------------------------------------


def calibrated(clf, score):
    cascade = CascadeClassifier(clf, clf, target_agreement=0.5, confidence_level=0.6, score=score)
    return cascade.fit(series(20, clf))


def scores(probabilities, kind):
    ordered = np.sort(probabilities, axis=1)
    if kind == "margin":
        return ordered[:, -1] - ordered[:, -2]
    if kind == "entropy":
        return (probabilities * np.log(probabilities)).sum(axis=1)
    return ordered[:, -1]


@needs_compiler
@pytest.mark.parametrize(
    ("kind", "threshold"),
    [
        ("top_probability", 0.3),
        ("margin", 0.3),
        ("entropy", 0.3),
        ("margin", -np.inf),
        ("entropy", np.inf),
    ],
)
def test_the_student_of_a_cascade_says_when_to_ask_its_teacher(kind, threshold, clf, tmp_path):
    # a finite threshold is given as the share of answers below it
    probabilities = np.random.RandomState(0).dirichlet(np.ones(3), 200).astype(np.float32)
    expected = scores(probabilities.astype(float), kind)
    if np.isfinite(threshold):
        threshold = float(np.quantile(expected, threshold))
    cascade = calibrated(clf, kind)
    cascade.threshold_ = threshold
    library = Library(to_c(cascade, tmp_path / "student.c"))
    clear = np.abs(expected - threshold) > 1e-5
    found = np.array([library.call("defers", np.ascontiguousarray(p)) for p in probabilities])
    assert (found == ~(expected > threshold))[clear].all()
    assert clear.sum() > 190
    nan = np.full(3, np.nan, dtype=np.float32)
    assert library.call("defers", nan) == (threshold > -np.inf)
    certain = np.array([0, 1, 0], dtype=np.float32)
    assert library.call("defers", certain) == (threshold == np.inf)


@needs_compiler
def test_a_cascade_in_c_defers_what_it_defers_in_python(clf, tmp_path):
    X = 3 * series(300, clf)
    probabilities = clf.predict_proba(X)
    unsure = np.quantile(probabilities.max(axis=1), 0.2)

    def differs_where_unsure(X):
        p = clf.predict_proba(X)
        return np.where(p.max(axis=1, keepdims=True) < unsure, np.roll(p, 1, axis=1), p)

    teacher = CallableTeacher(differs_where_unsure, clf.classes_)
    cascade = CascadeClassifier(clf, teacher, target_agreement=0.95).fit(X)
    assert 0 < cascade.deferral_rate_ < 1
    library = Library(to_c(cascade, tmp_path / "student.c", X))
    answers = library.predict_proba(X).astype(np.float32)
    found = [library.call("defers", np.ascontiguousarray(p)) for p in answers]
    np.testing.assert_array_equal(found, cascade.defers(X))


def test_a_score_that_is_a_function_has_no_c_code(clf, tmp_path):
    with pytest.raises(TypeError, match=r"score of the cascade is a function.*which a file cannot"):
        to_c(calibrated(clf, lambda p: p.max(axis=1)), tmp_path / "student.c")
