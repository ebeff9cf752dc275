"""Every distillation term: slow references, gradients, extremes, invariances."""

import math
import pickle
from dataclasses import dataclass, replace

import numpy as np
import pytest
import reference_terms
import torch
from torch import nn

from sktime_tsd.losses import (
    DKD,
    DT2W,
    KD,
    RKD,
    VID,
    AttentionTransfer,
    DistillationCriterion,
    FeatureShape,
    FitNets,
    MemKD,
    Outputs,
    TemporalSaliency,
    attention_transfer_loss,
    dkd_loss,
    dt2w_loss,
    hint_loss,
    kd_loss,
    memkd_loss,
    rkd_loss,
    vid_loss,
)

STARTS, STOPS = torch.tensor([0, 1, 0, 2]), torch.tensor([1, 3, 4, 3])
VARIANCE = torch.tensor([0.5, 2.0, 1e-3], dtype=torch.float64)


@dataclass
class Case:
    """A loss of student and teacher tensors, beside the same in plain Python."""

    loss: callable
    slow: callable
    of_logits: bool = False
    # VID has another minimum than 0, with equal features
    minimum: float = 0.0
    # whether the widths of student and teacher may differ
    any_width: bool = True


Y = torch.tensor([0, 2, 1, 1])

CASES = {
    "kd": Case(
        lambda s, t: kd_loss(s, t, 3.0),
        lambda s, t: (
            9
            * reference_terms.mean(
                reference_terms.kl(*(reference_terms.softmax([v / 3 for v in z]) for z in (b, a)))
                for a, b in zip(s, t, strict=True)
            )
        ),
        of_logits=True,
    ),
    "dkd": Case(
        lambda s, t: dkd_loss(s, t, Y[: len(s)], alpha=0.7, beta=3.0, temperature=2.0),
        lambda s, t: reference_terms.dkd(s, t, Y.tolist()[: len(s)], 0.7, 3.0, 2.0),
        of_logits=True,
    ),
    "fitnets": Case(hint_loss, reference_terms.hint, any_width=False),
    "attention_transfer": Case(attention_transfer_loss, reference_terms.attention_transfer),
    "rkd": Case(rkd_loss, lambda s, t: reference_terms.rkd(s, t, 25, 50)),
    "vid": Case(
        lambda s, t: vid_loss(s, VARIANCE, t),
        lambda s, t: reference_terms.vid(s, VARIANCE.tolist(), t),
        minimum=VARIANCE.log().mean().item() / 2,
        any_width=False,
    ),
    "dt2w": Case(
        lambda s, t: dt2w_loss(s, t, gamma=0.3), lambda s, t: reference_terms.dt2w(s, t, gamma=0.3)
    ),
    "memkd": Case(
        lambda s, t: memkd_loss(s, t, STARTS, STOPS),
        lambda s, t: reference_terms.memkd(s, t, STARTS.tolist(), STOPS.tolist()),
    ),
}

cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
feature_cases = pytest.mark.parametrize(
    "case",
    [case for case in CASES.values() if not case.of_logits],
    ids=[name for name, case in CASES.items() if not case.of_logits],
)


def draw(case, seed, n=4, width=3, length=6, spread=1.0):
    generator = torch.Generator().manual_seed(seed)
    shape = (n, 3) if case.of_logits else (n, width, length)
    return spread * torch.randn(shape, generator=generator, dtype=torch.float64)


@cases
@pytest.mark.parametrize("spread", [0.01, 1.0, 10.0])
@pytest.mark.parametrize("seed", range(3))
def test_a_loss_equals_its_slow_reference(case, spread, seed):
    student, teacher = draw(case, seed, spread=spread), draw(case, seed + 10)
    expected = case.slow(student.tolist(), teacher.tolist())
    assert case.loss(student, teacher).item() == pytest.approx(expected, rel=1e-9, abs=1e-9)


@feature_cases
@pytest.mark.parametrize("lengths", [(6, 9), (9, 6), (5, 11), (11, 5)])
def test_lengths_and_widths_may_differ(case, lengths):
    student = draw(case, 0, length=lengths[0])
    teacher = draw(case, 1, length=lengths[1], width=7 if case.any_width else 3)
    for s, t in ((student, teacher), (teacher, student)):
        expected = case.slow(s.tolist(), t.tolist())
        assert case.loss(s, t).item() == pytest.approx(expected, rel=1e-9)


@cases
def test_a_loss_passes_gradcheck(case):
    student, teacher = draw(case, 1), draw(case, 2)
    student.requires_grad_()
    assert torch.autograd.gradcheck(lambda s: case.loss(s, teacher), student)


@cases
def test_a_student_equal_to_its_teacher_has_the_least_loss(case):
    teacher = draw(case, 0)
    student = teacher.clone().requires_grad_()
    loss = case.loss(student, teacher)
    loss.backward()
    assert loss.item() == pytest.approx(case.minimum, abs=1e-12)
    assert student.grad.abs().max() < 1e-6
    for seed in range(1, 20):
        assert case.loss(teacher + 0.1 * draw(case, seed), teacher).item() > case.minimum


@cases
def test_the_order_of_the_batch_changes_nothing(case, monkeypatch):
    student, teacher = draw(case, 0), draw(case, 1)
    order = torch.tensor([2, 0, 3, 1])
    expected = case.loss(student, teacher)
    monkeypatch.setattr(f"{__name__}.Y", Y[order])
    torch.testing.assert_close(case.loss(student[order], teacher[order]), expected)


def extremes(case):
    shape = (4, 3) if case.of_logits else (4, 3, 6)
    signs = torch.ones(shape)
    signs[::2] = -1
    signs[..., 0] *= -1
    constant = torch.full(shape, 0.3)
    noise = constant + 1e-7 * torch.randn(shape, generator=torch.Generator().manual_seed(0))
    return {
        "huge": 1e4 * signs,
        "huge, turned": -1e4 * signs,
        "zero": torch.zeros(shape),
        "constant": constant,
        "rounding noise": noise,
        "one time point or class on": torch.zeros(shape).index_fill(-1, torch.tensor([1]), 1.0),
        "equal series": draw(case, 0)[:1].float().expand(shape),
    }


@cases
def test_loss_and_gradient_stay_finite(case):
    of_case = extremes(case)
    for values in of_case.values():
        for teacher in of_case.values():
            student = values.clone().requires_grad_()
            loss = case.loss(student, teacher)
            loss.backward()
            assert torch.isfinite(loss)
            assert torch.isfinite(student.grad).all()


@feature_cases
def test_rounding_noise_counts_as_none(case):
    # normalising it would make it a target, or something to be mended
    of_case, other = extremes(case), draw(case, 3).float()
    noise, constant = of_case["rounding noise"], of_case["constant"]
    for pair in ((noise, other), (other, noise)):
        still = tuple(constant if part is noise else part for part in pair)
        assert case.loss(*pair).item() == pytest.approx(case.loss(*still).item(), rel=1e-2)


@pytest.mark.parametrize("name", ["kd", "dkd"])
def test_temperature_squared_keeps_the_size_of_the_gradient(name):
    # for large T both tend to losses of the logits that do not depend on T
    student, teacher = draw(CASES[name], 0).requires_grad_(), draw(CASES[name], 1)
    gradients = []
    for temperature in (1e3, 1e4):
        loss = (
            kd_loss(student, teacher, temperature)
            if name == "kd"
            else dkd_loss(student, teacher, Y, temperature=temperature)
        )
        gradients.append(torch.autograd.grad(loss, student)[0])
        if name == "kd":
            difference = teacher - student
            limit = difference.var(dim=1, unbiased=False).mean() / 2
            assert loss.item() == pytest.approx(limit.item(), rel=1e-2)
    assert gradients[0].abs().max() > 1e-2
    torch.testing.assert_close(*gradients, rtol=2e-2, atol=1e-4)


def test_soft_targets_are_decoupled_exactly():
    student, teacher = draw(CASES["kd"], 0)[:1], draw(CASES["kd"], 1)[:1]
    y = torch.tensor([1])
    p_others = 1 - teacher.softmax(dim=1)[0, 1].item()
    parts = dkd_loss(student, teacher, y, alpha=1.0, beta=p_others, temperature=1.0)
    torch.testing.assert_close(parts, kd_loss(student, teacher, 1.0))


def test_for_two_classes_the_others_have_nothing_to_say():
    student, teacher = draw(CASES["kd"], 0)[:, :2], draw(CASES["kd"], 1)[:, :2]
    y = torch.tensor([0, 1, 1, 0])
    loss = dkd_loss(student, teacher, y, beta=100.0, temperature=2.0)
    torch.testing.assert_close(loss, kd_loss(student, teacher, 2.0))


def test_attention_does_not_depend_on_scale_or_sign():
    student, teacher = draw(CASES["rkd"], 0), draw(CASES["rkd"], 1, width=5)
    loss = attention_transfer_loss(student, teacher)
    torch.testing.assert_close(attention_transfer_loss(-7 * student, 0.1 * teacher), loss)
    assert 0 < loss < 2


def test_relations_do_not_depend_on_scale_place_and_direction():
    teacher = draw(CASES["rkd"], 1)
    turn = torch.linalg.qr(draw(CASES["rkd"], 2)[0, :, :3])[0]
    student = 5 * torch.einsum("ij,njt->nit", turn, teacher) + 3
    assert rkd_loss(student, teacher).item() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("n", [1, 2])
def test_small_batches_have_fewer_relations(n):
    student, teacher = draw(CASES["rkd"], 0)[:n], draw(CASES["rkd"], 1)[:n]
    student.requires_grad_()
    loss = rkd_loss(student, teacher)
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-12)  # two series: one relative distance, 1


def test_memory_is_relative():
    student, teacher = draw(CASES["memkd"], 0), draw(CASES["memkd"], 1)
    loss = memkd_loss(student, teacher, STARTS, STOPS)
    torch.testing.assert_close(memkd_loss(9 * student, teacher / 9, STARTS, STOPS), loss)


def test_dt2w_forgives_a_shift_that_hints_do_not():
    bump = torch.zeros(1, 2, 40)
    bump[0, :, 10:14] = 1.0
    later = bump.roll(4, dims=2)
    higher = 2 * bump
    assert hint_loss(later, bump) > 1.5 * hint_loss(higher, bump)
    assert dt2w_loss(later, bump, gamma=0.01) < 0.1 * dt2w_loss(higher, bump, gamma=0.01)


@pytest.mark.parametrize("offset", [0.0, 100.0, 1e4])
def test_dt2w_does_not_mind_an_offset(offset):
    # what both sides have in common must not cancel out the rest in float32
    case = CASES["dt2w"]
    found = []
    for dtype in (torch.float32, torch.float64):
        # as float32 can hold them
        student, teacher = (draw(case, seed, length=40).float() + offset for seed in (0, 1))
        student, teacher = student.to(dtype).requires_grad_(), teacher.to(dtype)
        loss = dt2w_loss(student, teacher)
        loss.backward()
        found.append((loss.double(), student.grad.double()))
    torch.testing.assert_close(*found, rtol=1e-3, atol=1e-5)


def test_dt2w_shortens_long_features():
    student, teacher = draw(CASES["dt2w"], 0, length=60), draw(CASES["dt2w"], 1, length=30)
    shortened = (part.unflatten(2, (10, -1)).mean(dim=3) for part in (student, teacher))
    torch.testing.assert_close(
        dt2w_loss(student, teacher, max_timepoints=10), dt2w_loss(*shortened, max_timepoints=None)
    )
    whole = dt2w_loss(student, teacher, max_timepoints=None)
    torch.testing.assert_close(dt2w_loss(student, teacher, max_timepoints=60), whole)


# -- terms -------------------------------------------------------------------------------

TERMS = {
    "kd": KD(),
    "dkd": DKD(),
    "fitnets": FitNets(),
    "attention_transfer": AttentionTransfer(),
    "rkd": RKD(),
    "vid": VID(),
    "dt2w": DT2W(),
    "memkd": MemKD(),
}
STUDENT, TEACHER = FeatureShape(3, 8), FeatureShape(5, 12)


def outputs(seed, shape):
    generator = torch.Generator().manual_seed(seed)
    return Outputs(
        torch.randn(4, 3, generator=generator), features=torch.randn(4, *shape, generator=generator)
    )


@pytest.mark.parametrize("name", TERMS)
def test_a_term_computes_its_formula(name):
    term = TERMS[name]
    torch.manual_seed(0)
    module = term.build(STUDENT, TEACHER) if term.needs_features else term.build()
    student, teacher = outputs(0, STUDENT), outputs(1, TEACHER)
    of_both = student.features, teacher.features
    expected = {
        "kd": lambda: kd_loss(student.logits, teacher.logits, 2.0),
        "dkd": lambda: dkd_loss(student.logits, teacher.logits, Y),
        "fitnets": lambda: hint_loss(module.regressor(student.features), teacher.features),
        "attention_transfer": lambda: attention_transfer_loss(*of_both),
        "rkd": lambda: rkd_loss(*of_both),
        "vid": lambda: vid_loss(
            module.regressor(student.features), module.variance, teacher.features
        ),
        "dt2w": lambda: dt2w_loss(*of_both),
        "memkd": lambda: (
            memkd_loss(*of_both, torch.arange(7), torch.arange(1, 8))
            + memkd_loss(*of_both, module.starts, module.stops)
        ),
    }[name]()
    assert torch.equal(module(student, teacher, Y), expected)
    assert term.name == name
    assert pickle.loads(pickle.dumps(term)) == term
    assert hash(replace(term)) == hash(term)
    assert replace(term, weight=3.0) != term


def test_regressors_bring_features_to_the_teachers_width():
    hint, vid = FitNets().build(STUDENT, TEACHER), VID().build(STUDENT, TEACHER)
    x = torch.randn(4, *STUDENT)
    assert isinstance(hint.regressor, nn.Conv1d)
    assert hint.regressor.kernel_size == (1,)
    assert hint.regressor(x).shape == vid.regressor(x).shape == (4, 5, 8)
    assert vid.variance.tolist() == pytest.approx([5.0] * 5)
    for name in ("fitnets", "vid"):
        assert list(TERMS[name].build(STUDENT, TEACHER).parameters())
    for name in ("attention_transfer", "rkd", "dt2w", "memkd"):
        assert not list(TERMS[name].build(STUDENT, TEACHER).parameters())


def test_variances_reach_their_least_and_no_further():
    module = VID().build(STUDENT, TEACHER)
    with torch.no_grad():
        module.raw_variance.fill_(-100.0)
    assert module.variance.tolist() == pytest.approx([1e-5] * 5)
    loss = vid_loss(torch.ones(2, 5, 3), module.variance, torch.ones(2, 5, 3))
    assert loss.item() == pytest.approx(math.log(1e-5) / 2, rel=1e-5)  # the least there is


@pytest.mark.parametrize("n_timepoints", [2, 3, 50])
def test_memkd_draws_subsequences_that_are_there(n_timepoints):
    torch.manual_seed(0)
    shape = FeatureShape(4, n_timepoints)
    module = MemKD(n_subsequences=500).build(shape, FeatureShape(4, n_timepoints + 3))
    assert (module.starts < module.stops).all()
    assert module.starts.min() == 0
    assert module.stops.max() == n_timepoints - 1
    assert len(set(zip(module.starts.tolist(), module.stops.tolist(), strict=True))) > (
        1 if n_timepoints > 2 else 0
    )


@pytest.mark.parametrize("term", [MemKD(), AttentionTransfer()])
def test_what_compares_time_points_needs_two(term):
    with pytest.raises(ValueError, match=r"two time points.*student.* 1"):
        term.build(FeatureShape(3, 1), TEACHER)


def test_hint_stage_then_task_stage():
    term = FitNets(weight=2.0, hint_share=0.25)
    assert term.alone_until == 0.25
    criterion = DistillationCriterion(
        [term, KD(weight=0.5), AttentionTransfer()], feature_shapes=[(STUDENT, TEACHER)] * 2
    )
    student, teacher = outputs(0, STUDENT), outputs(1, TEACHER)
    student, teacher = (
        part._replace(features=(part.features, 2 * part.features)) for part in (student, teacher)
    )
    criterion.set_progress(0.2, step=0.05)
    assert not criterion.is_task_stage
    assert criterion.weights.tolist() == [0, 2, 0, 0]
    total = criterion(student, teacher, Y)
    torch.testing.assert_close(total.detach(), 2 * criterion.values["fitnets"])
    criterion.set_progress(0.2, step=0.06)  # a step that ends in the task stage is one of it
    assert criterion.is_task_stage
    criterion.set_progress(0.25, step=0.05)
    assert criterion.weights.tolist() == pytest.approx([1, 0, 0.5, 0.1])
    total = criterion(student, teacher, Y)
    values = criterion.values
    assert list(values) == ["cross_entropy", "kd", "attention_transfer"]
    expected = values["cross_entropy"] + 0.5 * values["kd"] + 0.1 * values["attention_transfer"]
    torch.testing.assert_close(total.detach(), expected)
    # each term was handed its own features
    second = attention_transfer_loss(student.features[1], teacher.features[1])
    torch.testing.assert_close(values["attention_transfer"], second)


def test_weights_begin_anew_after_the_hints():
    terms = [FitNets(hint_share=0.4), TemporalSaliency(2.0, ramp=0.5)]
    criterion = DistillationCriterion(terms, feature_shapes=[(STUDENT, TEACHER)])
    weights = []
    for progress in (0.3, 0.4, 0.55, 0.7, 0.9, 1.0):
        criterion.set_progress(progress, step=0.05)
        weights.append(criterion.weights[2].item())
    assert weights == pytest.approx([0, 0, 1, 2, 2, 2])


def test_a_hint_without_stages_stays():
    term = FitNets(weight=2.0, hint_share=None)
    criterion = DistillationCriterion([term], feature_shapes=[(STUDENT, TEACHER)])
    for progress in (0.0, 0.5, 1.0):
        criterion.set_progress(progress)
        assert criterion.is_task_stage
        assert criterion.weights.tolist() == [1, 2]


def test_two_hints_share_their_stages():
    terms = [FitNets(hint_share=0.5), FitNets(2.0, hint_share=0.25), KD()]
    criterion = DistillationCriterion(terms, feature_shapes=[(STUDENT, TEACHER)] * 2)
    seen = []
    for progress in (0.1, 0.3, 0.6):
        criterion.set_progress(progress)
        seen.append(criterion.weights.tolist())
    assert seen == [[0, 1, 2, 0], [0, 1, 0, 0], [1, 0, 0, 1]]


@pytest.mark.parametrize("n_steps", [1, 2, 3, 10, 100, 333])
@pytest.mark.parametrize("share", [1e-6, 0.1, 0.3, 0.5, 0.9, 1 - 1e-6])
def test_some_steps_are_left_for_the_task(n_steps, share):
    criterion = DistillationCriterion(
        [FitNets(hint_share=share)], feature_shapes=[(STUDENT, TEACHER)]
    )
    n_hints = 0
    for step in range(n_steps):
        criterion.set_progress(step / n_steps, 1 / n_steps)
        n_hints += not criterion.is_task_stage
    assert n_hints == math.floor(share * n_steps + 1e-9)
    assert n_hints < n_steps


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: DKD(beta=-1), ValueError),
        (lambda: DKD(temperature=0), ValueError),
        (lambda: FitNets(hint_share=0), ValueError),
        (lambda: FitNets(hint_share=1), ValueError),
        (lambda: FitNets(weight=float("nan")), ValueError),
        (lambda: FitNets(student_layer=3), TypeError),
        (lambda: AttentionTransfer(weight=-1), ValueError),
        (lambda: AttentionTransfer(teacher_layer=nn.ReLU()), TypeError),
        (lambda: RKD(angle_weight=-1), ValueError),
        (lambda: RKD(distance_weight="25"), TypeError),
        (lambda: VID(weight=-0.1), ValueError),
        (lambda: DT2W(gamma=0), ValueError),
        (lambda: DT2W(gamma=1e-45), ValueError),
        (lambda: DT2W(max_timepoints=0), ValueError),
        (lambda: MemKD(n_subsequences=0), ValueError),
        (lambda: MemKD(n_subsequences=2.5), TypeError),
    ],
)
def test_impossible_settings_are_refused(make, error):
    with pytest.raises(error, match=r"must be|==|instance"):
        make()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", TERMS)
def test_a_term_gives_the_same_on_the_cuda_device(name):
    term = TERMS[name]
    torch.manual_seed(0)
    module = term.build(STUDENT, TEACHER) if term.needs_features else term.build()
    student, teacher = outputs(0, STUDENT), outputs(1, TEACHER)
    expected = module(student, teacher, Y)
    moved = [
        part._replace(logits=part.logits.cuda(), features=part.features.cuda())
        for part in (student, teacher)
    ]
    found = module.cuda()(*moved, Y.cuda())
    assert found.device.type == "cuda"
    torch.testing.assert_close(found.cpu(), expected, rtol=1e-4, atol=1e-5)


def test_numbers_of_numpy_are_numbers():
    assert RKD(weight=np.float32(2), angle_weight=np.int64(3)).weight == 2
