"""The losses against independent slow code, gradients, and extreme inputs."""

import decimal
import math
from decimal import Decimal

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sktime_tsd.losses import (
    KD,
    MEASURES,
    NORMALIZATIONS,
    DistillationCriterion,
    Outputs,
    TemporalSaliency,
    dkd_loss,
    kd_loss,
    saliency_loss,
    window_saliency,
)


def slow_softmax(logits, temperature):
    largest = max(logits)
    exponentials = [math.exp((z - largest) / temperature) for z in logits]
    return [e / sum(exponentials) for e in exponentials]


def slow_kl(p, q, temperature):
    terms = (a * (math.log(max(a, 1e-6)) - math.log(max(b, 1e-6))) for a, b in zip(p, q))  # noqa: B905
    return temperature**2 * sum(terms)


def largest(values, n):
    return sorted(range(len(values)), key=lambda c: -values[c])[:n]


def slow_against_the_rest(p, q, classes, temperature):
    p, q = (
        [sum(v for c, v in enumerate(values) if (c in classes) == inside) for inside in (1, 0)]
        for values in (p, q)
    )
    return slow_kl(p, q, temperature)


def slow_decoupled(p, q, c, temperature):
    others = []
    for values in (p, q):
        rest = values[:c] + values[c + 1 :]
        others.append([v / sum(rest) for v in rest])
    return slow_against_the_rest(p, q, [c], temperature) + 8 * slow_kl(*others, temperature)


def slow_window_saliency(logits, perturbed, y, temperature, measure, top_n=1):
    """Plain Python, one series, window and class after another."""
    saliency = []
    for i in range(len(logits)):
        p = slow_softmax(logits[i], temperature)
        rows = []
        for w in range(len(perturbed[i])):
            q = slow_softmax(perturbed[i][w], temperature)
            if measure == "target_probability":
                rows.append([p[y[i]] - q[y[i]]])
                continue
            terms = [
                temperature**2 * p[c] * (math.log(max(p[c], 1e-6)) - math.log(max(q[c], 1e-6)))
                for c in range(len(p))
            ]
            if measure == "kl":
                terms = [sum(terms)]
            elif measure == "decoupled_kl":
                terms = [slow_decoupled(p, q, y[i], temperature)]
            elif measure == "top_n_kl":
                terms = [slow_against_the_rest(p, q, largest(p, top_n), temperature)]
            elif measure == "sqrt_kl":
                offset = temperature**2 * 1e-8
                terms = [math.sqrt(max(sum(terms), 0) + offset) - math.sqrt(offset)]
            rows.append(terms)
        saliency.append(rows)
    return saliency


def slow_scale(saliency, floor):
    positive = [v for rows in saliency for row in rows for v in row if v > 0]
    return max(sum(positive) / len(positive) if positive else 0.0, floor)


def slow_saliency_loss(student, teacher, y, temperature, measure, normalization):
    of_student = slow_window_saliency(*student, y, temperature, measure)
    of_teacher = slow_window_saliency(*teacher, y, temperature, measure)
    floor = {
        "kl_per_class": 1e-6 * temperature**2,
        "kl": 1e-6 * temperature**2,
        "decoupled_kl": 8e-6 * temperature**2,
        "top_n_kl": 1e-6 * temperature**2,
        "sqrt_kl": 1e-3 * temperature,
        "target_probability": 1e-6,
    }[measure]
    teacher_scale = slow_scale(of_teacher, floor)
    student_scale = teacher_scale if normalization == "teacher" else slow_scale(of_student, floor)
    total, count = 0.0, 0
    for rows_s, rows_t in zip(of_student, of_teacher, strict=True):
        for row_s, row_t in zip(rows_s, rows_t, strict=True):
            for s, t in zip(row_s, row_t, strict=True):
                d = abs(s / student_scale - t / teacher_scale)
                total += 0.5 * d * d if d < 1 else d - 0.5
                count += 1
    return total / count


def random_outputs(n, n_windows, n_classes, seed, spread=3.0):
    rng = np.random.RandomState(seed)
    logits = torch.tensor(spread * rng.randn(n, n_classes))
    perturbed = logits[:, None] + torch.tensor(spread * rng.randn(n, n_windows, n_classes))
    return logits, perturbed


measures = pytest.mark.parametrize("measure", MEASURES)
normalizations = pytest.mark.parametrize("normalization", NORMALIZATIONS)


@measures
@normalizations
@settings(max_examples=30, deadline=None)
@given(
    n=st.integers(1, 5),
    n_windows=st.integers(1, 4),
    n_classes=st.integers(2, 6),
    temperature=st.sampled_from([0.5, 1.0, 8.0]),
    spread=st.sampled_from([0.01, 3.0, 30.0]),
    seed=st.integers(0, 9999),
)
def test_saliency_loss_equals_the_double_loop(
    measure, normalization, n, n_windows, n_classes, temperature, spread, seed
):
    student = random_outputs(n, n_windows, n_classes, seed, spread)
    teacher = random_outputs(n, n_windows, n_classes, seed + 1, spread)
    y = torch.arange(n) % n_classes
    loss = saliency_loss(
        *student, *teacher, y, temperature=temperature, measure=measure,
        normalization=normalization,
    )  # fmt: skip
    expected = slow_saliency_loss(
        [part.tolist() for part in student],
        [part.tolist() for part in teacher],
        y.tolist(),
        temperature,
        measure,
        normalization,
    )
    assert loss.item() == pytest.approx(expected, rel=1e-6, abs=1e-6)


@measures
@normalizations
def test_saliency_loss_passes_gradcheck(measure, normalization):
    student = [part.requires_grad_() for part in random_outputs(4, 3, 3, seed=1)]
    teacher = random_outputs(4, 3, 3, seed=2)
    y = torch.tensor([0, 1, 2, 0])

    def loss(logits, perturbed):
        return saliency_loss(
            logits, perturbed, *teacher, y, measure=measure, normalization=normalization
        )

    assert torch.autograd.gradcheck(loss, student)


def test_the_students_own_scale_is_part_of_the_gradient():
    """With "each", scaling all of the student's saliencies leaves the loss as it is."""
    logits, perturbed = random_outputs(6, 5, 2, seed=0, spread=0.01)
    teacher = random_outputs(6, 5, 2, seed=1)
    y = torch.zeros(6, dtype=torch.int64)
    factor = torch.ones((), dtype=torch.float64, requires_grad=True)
    # around uniform probabilities a KL grows with the square of the logits
    logits = torch.zeros_like(logits)
    loss = saliency_loss(logits, factor * perturbed, *teacher, y, measure="kl", temperature=1.0)
    (gradient,) = torch.autograd.grad(loss, factor)
    assert abs(gradient.item()) < 1e-3
    unnormalized = saliency_loss(
        logits, factor * perturbed, *teacher, y, measure="kl", temperature=1.0,
        normalization="teacher",
    )  # fmt: skip
    (gradient,) = torch.autograd.grad(unnormalized, factor)
    assert abs(gradient.item()) > 1e-6


@measures
@normalizations
def test_saliency_loss_is_zero_for_a_student_equal_to_its_teacher(measure, normalization):
    outputs = random_outputs(4, 3, 3, seed=0)
    y = torch.tensor([0, 1, 2, 0])
    loss = saliency_loss(*outputs, *outputs, y, measure=measure, normalization=normalization)
    assert loss.item() == 0


@measures
@normalizations
def test_a_shift_of_all_logits_changes_nothing(measure, normalization):
    student, teacher = random_outputs(4, 3, 3, seed=0), random_outputs(4, 3, 3, seed=1)
    y = torch.tensor([0, 1, 2, 0])
    settings = {"measure": measure, "normalization": normalization}
    loss = saliency_loss(*student, *teacher, y, **settings)
    shifted = saliency_loss(*(part + 5 for part in student), *teacher, y, **settings)
    torch.testing.assert_close(loss, shifted)


@measures
@normalizations
def test_the_order_of_series_and_windows_changes_nothing(measure, normalization):
    (s, sp), (t, tp) = random_outputs(5, 4, 3, seed=0), random_outputs(5, 4, 3, seed=1)
    y = torch.tensor([0, 1, 2, 0, 1])
    i, w = torch.tensor([3, 1, 4, 0, 2]), torch.tensor([2, 0, 3, 1])
    settings = {"measure": measure, "normalization": normalization}
    loss = saliency_loss(s, sp, t, tp, y, **settings)
    other = saliency_loss(s[i], sp[i][:, w], t[i], tp[i][:, w], y[i], **settings)
    torch.testing.assert_close(loss, other)


EXTREMES = {
    "huge logits": (torch.tensor([[1e4, -1e4]]), torch.tensor([[[-1e4, 1e4], [1e4, -1e4]]])),
    "ignores its input": (torch.tensor([[0.3, 0.1]]), torch.tensor([[[0.3, 0.1], [0.3, 0.1]]])),
    "rounding noise": (
        torch.tensor([[0.3, 0.1]]),
        torch.tensor([[[0.3, 0.1 + 1e-7], [0.3 + 1e-7, 0.1]]]),
    ),
    "ordinary": (torch.tensor([[1.0, -1.0]]), torch.tensor([[[0.0, 0.5], [2.0, 1.0]]])),
}


@measures
@normalizations
@pytest.mark.parametrize("student", EXTREMES)
@pytest.mark.parametrize("teacher", EXTREMES)
def test_loss_and_gradient_stay_finite(measure, normalization, student, teacher):
    logits, perturbed = (part.clone().requires_grad_() for part in EXTREMES[student])
    y = torch.tensor([0])
    loss = saliency_loss(
        logits, perturbed, *EXTREMES[teacher], y, measure=measure, normalization=normalization
    )
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(logits.grad).all()
    assert torch.isfinite(perturbed.grad).all()


@measures
def test_rounding_noise_is_no_target(measure):
    """A teacher that ignores its input must not send the student after noise."""
    noise, still = EXTREMES["rounding noise"], EXTREMES["ignores its input"]
    loss = saliency_loss(*still, *noise, torch.tensor([0]), measure=measure)
    assert loss.item() < 0.05


@pytest.mark.parametrize("measure", MEASURES)
def test_the_term_hands_its_settings_to_the_formula(measure):
    settings = {"temperature": 0.5, "measure": measure, "normalization": "each", "top_n": 2}
    y = torch.tensor([0, 1, 2, 0])
    student, teacher = ([part.double() for part in random_outputs(4, 5, 4, i)] for i in (1, 2))
    module = TemporalSaliency(**settings).build()
    found = module(Outputs(*student), Outputs(*teacher), y)
    assert found == saliency_loss(*student, *teacher, y, **settings)
    assert found != saliency_loss(*student, *teacher, y, measure=measure)


@pytest.mark.parametrize("top_n", [1, 2, 3])
def test_the_top_classes_are_set_against_the_rest(top_n):
    logits, perturbed = random_outputs(4, 3, 4, seed=3)
    y = torch.zeros(4, dtype=torch.int64)
    settings = {"temperature": 2.0, "measure": "top_n_kl", "top_n": top_n}
    found = window_saliency(logits, perturbed, y, **settings)
    expected = slow_window_saliency(logits.tolist(), perturbed.tolist(), y.tolist(), **settings)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("top_n", [0, 3, 7])
def test_top_classes_without_a_rest_are_refused(top_n):
    outputs = random_outputs(4, 3, 3, seed=3)
    with pytest.raises(ValueError, match=rf"top_n={top_n}\b.*2"):
        window_saliency(*outputs, None, measure="top_n_kl", top_n=top_n)


def test_known_values_of_window_saliency():
    logits = torch.tensor([[math.log(3.0), 0.0]], dtype=torch.float64)  # p = 3/4, 1/4
    perturbed = torch.zeros(1, 1, 2, dtype=torch.float64)  # q = 1/2, 1/2
    y = torch.tensor([1])
    per_class = window_saliency(logits, perturbed, y, temperature=1.0)
    expected = [0.75 * math.log(1.5), 0.25 * math.log(0.5)]
    np.testing.assert_allclose(per_class[0, 0], expected)
    kl = window_saliency(logits, perturbed, y, temperature=1.0, measure="kl")
    assert kl.item() == pytest.approx(sum(expected))
    target = window_saliency(logits, perturbed, y, temperature=1.0, measure="target_probability")
    assert target.item() == pytest.approx(0.25 - 0.5)


def test_temperature_squared_keeps_the_size_of_small_saliencies():
    """For large T, T^2 KL tends to half the variance of the change of the logits."""
    logits, perturbed = random_outputs(3, 4, 3, seed=0)
    y = torch.zeros(3, dtype=torch.int64)
    change = perturbed - logits[:, None]
    limit = change.var(dim=-1, unbiased=False) / 2
    kl = window_saliency(logits, perturbed, y, temperature=1e3, measure="kl")[..., 0]
    torch.testing.assert_close(kl, limit, rtol=2e-2, atol=1e-3)


# -- KD ----------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(
    n=st.integers(1, 5),
    n_classes=st.integers(2, 6),
    temperature=st.sampled_from([0.5, 1.0, 4.0]),
    seed=st.integers(0, 9999),
)
def test_kd_equals_the_loop(n, n_classes, temperature, seed):
    student, _ = random_outputs(n, 1, n_classes, seed)
    teacher, _ = random_outputs(n, 1, n_classes, seed + 1)
    expected = 0.0
    for z_s, z_t in zip(student.tolist(), teacher.tolist(), strict=True):
        p_s, p_t = slow_softmax(z_s, temperature), slow_softmax(z_t, temperature)
        expected += sum(a * math.log(a / b) for a, b in zip(p_t, p_s, strict=True))
    expected *= temperature**2 / n
    assert kd_loss(student, teacher, temperature).item() == pytest.approx(expected, abs=1e-9)


def test_kd_passes_gradcheck_and_is_zero_for_equal_networks():
    student, _ = random_outputs(4, 1, 3, seed=1)
    teacher, _ = random_outputs(4, 1, 3, seed=2)
    assert torch.autograd.gradcheck(lambda z: kd_loss(z, teacher, 2.0), student.requires_grad_())
    assert kd_loss(teacher, teacher, 2.0).item() == pytest.approx(0, abs=1e-12)


def test_kd_stays_finite_at_huge_logits():
    z = torch.tensor([[1e4, -1e4]], requires_grad=True)
    loss = kd_loss(z, -z.detach(), 2.0)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(z.grad).all()


def exact_divergence(teacher, student, temperature):
    """The textbook formula in 80 digits."""
    with decimal.localcontext(prec=80):
        rows = []
        for logits in (teacher, student):
            powers = [(Decimal(z) / Decimal(temperature)).exp() for z in logits]
            rows.append([power / sum(powers) for power in powers])
        total = sum(p * (p / q).ln() for p, q in zip(*rows, strict=True))
        return float(total * Decimal(temperature) ** 2)


@pytest.mark.parametrize("temperature", [0.5, 2.0, 300.0, 1e6])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0])
def test_divergences_keep_their_digits_at_any_temperature(temperature, scale):
    generator = torch.Generator().manual_seed(0)
    teacher = scale * torch.randn(1, 4, generator=generator)
    for student in (teacher.flip(1), 1.01 * teacher, teacher):
        expected = exact_divergence(teacher[0].tolist(), student[0].tolist(), temperature)
        z = student.clone().requires_grad_()
        loss = kd_loss(z, teacher, temperature)
        loss.backward()
        assert loss.item() >= 0
        assert loss.item() == pytest.approx(expected, rel=1e-3, abs=1e-12 * temperature**2)
        assert torch.isfinite(z.grad).all()
        y = torch.tensor([1])
        assert dkd_loss(student, teacher, y, temperature=temperature).item() >= 0


def test_two_sure_and_contrary_answers_have_a_finite_divergence():
    sure, contrary = torch.tensor([[300.0, -300.0]]), torch.tensor([[-300.0, 300.0]])
    z = contrary.requires_grad_()
    loss = kd_loss(z, sure, 1.0)
    loss.backward()
    assert loss.item() == 600
    torch.testing.assert_close(z.grad, torch.tensor([[-1.0, 1.0]]))


# -- terms and criterion -----------------------------------------------------------------


def outputs(seed):
    logits, perturbed = random_outputs(4, 3, 2, seed)
    return Outputs(logits, perturbed)


def test_criterion_adds_up_what_it_reports():
    student, teacher, y = outputs(0), outputs(1), torch.tensor([0, 1, 1, 0])
    saliency = TemporalSaliency(weight=3.0, ramp=0.5)
    criterion = DistillationCriterion([saliency, KD(0.5), KD(2.0, temperature=4.0)])
    criterion.set_progress(0.25)  # half of the ramp
    total = criterion(student, teacher, y)
    values = criterion.values
    assert list(values) == ["cross_entropy", "saliency", "kd", "kd_2"]
    torch.testing.assert_close(
        total,
        values["cross_entropy"]
        + 1.5 * values["saliency"]
        + 0.5 * values["kd"]
        + 2 * values["kd_2"],
    )
    by_hand = saliency_loss(*student[:2], *teacher[:2], y)
    torch.testing.assert_close(values["saliency"], by_hand)
    torch.testing.assert_close(values["kd_2"], kd_loss(student.logits, teacher.logits, 4.0))


@pytest.mark.parametrize("weight", [3, np.int64(3), np.float64(3)])
def test_weights_of_any_kind_of_number_ramp_alike(weight):
    criterion, expected = (
        DistillationCriterion([TemporalSaliency(weight=w), KD(weight=w)])
        for w in (weight, float(weight))
    )
    for progress in (0.0, 0.1, 0.25, 0.5, 1.0):
        criterion.set_progress(progress)
        expected.set_progress(progress)
        assert criterion.weights.dtype == torch.float32
        assert torch.equal(criterion.weights, expected.weights)
    assert criterion.weights.tolist() == [1.0, float(weight), float(weight)]


def test_ramp_grows_linearly_and_then_stays():
    term = TemporalSaliency(weight=2.0, ramp=0.5)
    weights = [term.weight_at(progress) for progress in (0, 0.1, 0.25, 0.5, 0.9, 1)]
    assert weights == pytest.approx([0, 0.4, 1, 2, 2, 2])
    assert TemporalSaliency(weight=2.0, ramp=0).weight_at(0) == 2


def test_class_weight_acts_on_the_cross_entropy_alone():
    student, teacher, y = outputs(0), outputs(1), torch.tensor([0, 1, 1, 0])
    weight = torch.tensor([1.0, 5.0], dtype=torch.float64)
    plain, weighted = DistillationCriterion([KD()]), DistillationCriterion([KD()], weight)
    plain(student, teacher, y)
    weighted(student, teacher, y)
    assert plain.values["kd"] == weighted.values["kd"]
    expected = torch.nn.functional.cross_entropy(student.logits, y, weight=weight)
    torch.testing.assert_close(weighted.values["cross_entropy"], expected)
    assert not torch.isclose(plain.values["cross_entropy"], expected)


def test_terms_are_values_without_parameters():
    assert KD(1.0) == KD(1.0)
    assert hash(TemporalSaliency()) == hash(TemporalSaliency())
    assert not list(DistillationCriterion([KD(), TemporalSaliency()]).parameters())


@pytest.mark.parametrize(
    "make",
    [
        lambda: KD(weight=-1),
        lambda: KD(temperature=0),
        lambda: KD(temperature=float("nan")),
        lambda: TemporalSaliency(weight=float("nan")),
        lambda: TemporalSaliency(temperature=-1),
        lambda: TemporalSaliency(ramp=1.5),
        lambda: TemporalSaliency(measure="KL"),
        lambda: TemporalSaliency(normalization="both"),
        lambda: saliency_loss(*outputs(0)[:2], *outputs(0)[:2], None, measure="huh"),
        lambda: saliency_loss(*outputs(0)[:2], *outputs(0)[:2], None, normalization="huh"),
    ],
)
def test_impossible_settings_are_refused(make):
    with pytest.raises(ValueError, match=r"must be|=="):
        make()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@measures
def test_criterion_gives_the_same_on_the_cuda_device(measure):
    student, teacher, y = outputs(0), outputs(1), torch.tensor([0, 1, 1, 0])
    terms = [TemporalSaliency(measure=measure), KD()]
    on_cpu = DistillationCriterion(terms)(student, teacher, y)
    moved = [Outputs(*(part.cuda() for part in out[:2])) for out in (student, teacher)]
    on_cuda = DistillationCriterion(terms).cuda()(*moved, y.cuda())
    assert on_cuda.device.type == "cuda"
    torch.testing.assert_close(on_cuda.cpu(), on_cpu)
