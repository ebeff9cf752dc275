"""Cache keys tell teachers apart by state and code, and refuse what cannot be told."""

import functools
import importlib
import pickle
import subprocess
import sys
import types
import warnings

import numpy as np
import pytest
import torch
from helpers import distiller, fcn, learner, random_panel
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer
from torch import nn
from torch.nn.utils import parametrizations, parametrize

from sktime_tsd import SkorchClassifier, to_onnx
from sktime_tsd._utils.fingerprint import fingerprint
from sktime_tsd.runtime import OnnxClassifier
from sktime_tsd.teachers import CallableTeacher

X, Y = random_panel(12)
LABELS = np.unique(Y)

# -- networks ----------------------------------------------------------------------------


def linear(change=None):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = nn.Sequential(nn.Flatten(), nn.Linear(20, 2)).eval()
    if change is not None:
        change(module)
    return module


def negated(module, inputs, output):
    return -output


def negated_input(module, inputs):
    return tuple(-x for x in inputs)


class Doubled(nn.Module):
    def forward(self, weight):
        return 2 * weight


class Tripled(nn.Module):
    def forward(self, weight):
        return 3 * weight


def buffer(value, persistent):
    def change(module):
        module[1].register_buffer("shift", torch.tensor(value), persistent=persistent)

    return change


def with_forward(factor):
    def change(module):
        inner = module[1]
        inner.forward = lambda x: factor * nn.Linear.forward(inner, x)

    return change


NETWORKS = {
    "buffer": (buffer(1.0, True), buffer(2.0, True)),
    "buffer that is not saved": (buffer(1.0, False), buffer(2.0, False)),
    "forward hook": (None, lambda m: m.register_forward_hook(negated)),
    "forward hook of a part": (None, lambda m: m[1].register_forward_hook(negated)),
    "hook before forward": (None, lambda m: m[1].register_forward_pre_hook(negated_input)),
    "hook with keywords": (
        None,
        lambda m: m.register_forward_hook(lambda m, a, k, out: -out, with_kwargs=True),
    ),
    "other hook": (
        lambda m: m.register_forward_hook(lambda module, inputs, output: 2 * output),
        lambda m: m.register_forward_hook(lambda module, inputs, output: 3 * output),
    ),
    "hook of a closure": (
        lambda m: m.register_forward_hook(functools.partial(scaled_output, 2)),
        lambda m: m.register_forward_hook(functools.partial(scaled_output, 3)),
    ),
    "parametrised": (
        None,
        lambda m: parametrize.register_parametrization(m[1], "weight", Doubled()),
    ),
    "other parametrisation": (
        lambda m: parametrize.register_parametrization(m[1], "weight", Doubled()),
        lambda m: parametrize.register_parametrization(m[1], "weight", Tripled()),
    ),
    "weight norm": (None, lambda m: parametrizations.weight_norm(m[1])),
    "training mode": (None, lambda m: m.train()),
    "own forward": (with_forward(2), with_forward(3)),
    "attribute": (lambda m: setattr(m, "scale", 1), lambda m: setattr(m, "scale", 2)),
    "kind of a part": (
        lambda m: m.append(nn.ReLU()),
        lambda m: m.append(nn.Tanh()),
    ),
}


def scaled_output(factor, module, inputs, output):
    return factor * output


@pytest.mark.parametrize("changes", NETWORKS.values(), ids=NETWORKS)
def test_networks_are_told_apart(changes):
    one, other = (fingerprint(linear(change)) for change in changes)
    assert one != other
    assert [fingerprint(linear(change)) for change in changes] == [one, other]


def traced(factor):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        module = linear(with_forward(factor)) if factor else linear()
        return torch.jit.trace(module, torch.zeros(2, 1, 20))


def test_scripted_networks_are_told_by_their_code():
    assert len({fingerprint(traced(factor)) for factor in (None, 2, 3, 2)}) == 3


@pytest.mark.parametrize("name", ["buffer that is not saved", "hook before forward", "other hook"])
def test_memory_answers_for_one_network_only(name, tmp_path):
    found = []
    for change in NETWORKS[name]:
        answers = []
        for memory in (tmp_path, None):
            clf = distiller(memory=memory, saliency_weight=20.0)
            clf.set_params(teacher=Shifting(linear(change)))
            answers.append(clf.fit(X, Y).predict_proba(X))
        np.testing.assert_array_equal(*answers)
        found.append(answers[0])
    assert not np.array_equal(*found)


class Shifting(nn.Module):
    """Adds the buffer of its last layer, if there is one."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        shift = getattr(self.inner[1], "shift", torch.zeros(()))
        return self.inner(x) * (1 + 5 * shift)


# -- code ---------------------------------------------------------------------------------

BEFORE = {
    "method": "class T(Base):\n    def predict_proba(self, X): return answers(X, 1)",
    "base class": "class B(Base):\n    def sign(self): return 1\n"
    "class T(B):\n    def predict_proba(self, X): return answers(X, self.sign())",
    "base of the base": "class A(Base):\n    SIGN = 1\nclass B(A): pass\n"
    "class T(B):\n    def predict_proba(self, X): return answers(X, self.SIGN)",
    "mixin": "class M:\n    @property\n    def sign(self): return 1\n"
    "class T(M, Base):\n    def predict_proba(self, X): return answers(X, self.sign)",
    "static method": "class T(Base):\n    @staticmethod\n    def sign(): return 1\n"
    "    def predict_proba(self, X): return answers(X, self.sign())",
    "class method": "class T(Base):\n    @classmethod\n    def sign(cls): return 1\n"
    "    def predict_proba(self, X): return answers(X, self.sign())",
    "cached property": "from functools import cached_property\nclass T(Base):\n"
    "    @cached_property\n    def sign(self): return 1\n"
    "    def predict_proba(self, X): return answers(X, self.sign)",
    "decorated": "import functools\ndef same(f):\n    @functools.wraps(f)\n"
    "    def g(*a): return f(*a)\n    return g\n"
    "class T(Base):\n    @same\n    def predict_proba(self, X): return answers(X, 1)",
    "decorator": "import functools\ndef scaled(f):\n    @functools.wraps(f)\n"
    "    def g(self, X): return f(self, 1 * X)\n    return g\n"
    "class T(Base):\n    @scaled\n    def predict_proba(self, X): return answers(X, 2)",
    "default value": "class T(Base):\n    def predict_proba(self, X, sign=1): "
    "return answers(X, sign)",
    "keyword": "class T(Base):\n    def predict_proba(self, X, *, sign=1): return answers(X, sign)",
    "function called": "def sign(): return 1\n"
    "class T(Base):\n    def predict_proba(self, X): return answers(X, sign())",
    "function called by that": "def inner(): return 1\ndef sign(): return inner()\n"
    "class T(Base):\n    def predict_proba(self, X): return answers(X, sign())",
    "variable": "SIGN = 1\nclass T(Base):\n    def predict_proba(self, X): return answers(X, SIGN)",
    "list": "SIGNS = [1]\n"
    "class T(Base):\n    def predict_proba(self, X): return answers(X, SIGNS[0])",
    "class's dict": "class T(Base):\n    signs = {'a': 1}\n"
    "    def predict_proba(self, X): return answers(X, self.signs['a'])",
    "nested function": "class T(Base):\n    def predict_proba(self, X):\n"
    "        def sign(): return 1\n        return answers(X, sign())",
    "lambda": "sign = lambda: 1\n"
    "class T(Base):\n    def predict_proba(self, X): return answers(X, sign())",
    "closure": "def make(sign):\n    def f(): return sign\n    return f\nf = make(1)\n"
    "class T(Base):\n    def predict_proba(self, X): return answers(X, f())",
    "partial": "import functools\ndef g(sign): return sign\nf = functools.partial(g, 1)\n"
    "class T(Base):\n    def predict_proba(self, X): return answers(X, f())",
    "object": "class Holder:\n    def __init__(self, sign): self.sign = sign\nheld = Holder(1)\n"
    "class T(Base):\n    def predict_proba(self, X): return answers(X, held.sign)",
    "metaclass": "class M(type):\n    def sign(cls): return 1\n"
    "class T(Base, metaclass=M):\n"
    "    def predict_proba(self, X): return answers(X, type(self).sign())",
}
HEAD = """
import numpy as np
class Base:
    classes_ = np.array(["class 00", "class 01"])
def answers(X, sign):
    p = 1 / (1 + np.exp(-sign * X.mean(axis=(1, 2))))
    return np.column_stack([1 - p, p])
"""


def edited(code):
    """The same code with another number, of one or two characters."""
    last = max(code.rfind(number) for number in (" 1", "=1", "(1", "[1", "1 *"))
    return code[:last] + code[last:].replace("1", "22", 1)


def teacher_of(code):
    """Make a teacher from code that has no file, as code typed into a terminal."""
    namespace = {"__name__": "typed"}
    exec(HEAD + code, namespace)
    return namespace["T"]()


@pytest.mark.parametrize("code", BEFORE.values(), ids=BEFORE)
def test_edited_code_is_told(code):
    one, same, other = (teacher_of(text) for text in (code, code, edited(code)))
    assert fingerprint(one) == fingerprint(same)
    assert fingerprint(one) != fingerprint(other)
    assert not np.array_equal(one.predict_proba(X), other.predict_proba(X))


def test_code_that_changes_no_answer_is_the_same():
    code = BEFORE["function called"]
    commented = code.replace("return 1", "return 1  # of the answer")
    assert fingerprint(teacher_of(code)) == fingerprint(teacher_of("\n\n" + commented))


def test_code_without_a_module_is_no_builtin():
    found = []
    for sign in (1, 2):
        namespace = {}
        exec(
            HEAD + f"class T(Base):\n    def predict_proba(self, X): return answers(X, {sign})",
            namespace,
        )
        assert namespace["T"].__module__ == "builtins"
        found.append(fingerprint(namespace["T"]()))
    assert found[0] != found[1]


def test_a_module_of_the_user_is_followed(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    found = []
    for sign in (1, 22):
        (tmp_path / "inner_part.py").write_text(f"__version__ = '1.0'\ndef sign(): return {sign}\n")
        (tmp_path / "outer_part.py").write_text(
            "import inner_part\n"
            + HEAD
            + (
                "class T(Base):\n"
                "    def predict_proba(self, X): return answers(X, inner_part.sign())\n"
            )
        )
        for name in ("inner_part", "outer_part"):
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        found.append(fingerprint(importlib.import_module("outer_part").T()))
    for name in ("inner_part", "outer_part"):
        sys.modules.pop(name, None)
    assert found[0] != found[1]


def test_a_method_that_is_replaced_is_told():
    teacher = teacher_of(BEFORE["method"])
    before = fingerprint(teacher)
    type(teacher).predict_proba = lambda self, X: np.full((len(X), 2), 0.5)
    assert fingerprint(teacher) != before
    teacher = teacher_of(BEFORE["method"])
    teacher.predict_proba = lambda X: np.full((len(X), 2), 0.5)
    assert fingerprint(teacher) != before


def scale_by(factor):
    def predict_proba(X):
        p = 1 / (1 + np.exp(-factor * X.mean(axis=(1, 2))))
        return np.column_stack([1 - p, p])

    return predict_proba


def test_closures_as_teachers_are_told(tmp_path):
    found = []
    for factor in (4, -4):
        answers = []
        for memory in (tmp_path, None):
            clf = distiller(memory=memory, saliency_weight=20.0)
            clf.set_params(teacher=CallableTeacher(scale_by(factor), LABELS))
            answers.append(clf.fit(X, Y).predict_proba(X))
        np.testing.assert_array_equal(*answers)
        found.append(answers[0])
    assert not np.array_equal(*found)


class Wrapped(SkorchClassifier):
    """A user's subclass of a classifier of this package."""

    def predict_proba(self, X):
        return super().predict_proba(X)


def test_a_replaced_method_of_a_subclass_is_told(monkeypatch):
    clf = Wrapped("fcn", {"filters": (4,), "kernel_sizes": (3,)}, max_epochs=1, random_state=0)
    clf.fit(X, Y)
    before = fingerprint(clf)
    monkeypatch.setattr(Wrapped, "predict_proba", lambda self, X: np.full((len(X), 2), 0.5))
    assert fingerprint(clf) != before


class Counts(ClassifierMixin, BaseEstimator):
    """Only writes to `calls`; reads `learned`, which it writes to."""

    calls = {"n": 0}
    log = []
    learned = {}

    def fit(self, X, y):
        self.calls["n"] += 1
        self.log.append(len(X))
        self.learned["mean"] = X.mean()
        return self

    def predict_proba(self, X):
        self.calls["n"] += 1
        return np.full((len(X), 2), self.learned["mean"])


def test_counters_do_not_matter_but_what_is_read_does(monkeypatch):
    for name in ("calls", "learned"):
        monkeypatch.setattr(Counts, name, dict(getattr(Counts, name)))
    monkeypatch.setattr(Counts, "log", [])
    teacher = Counts().fit(X, Y)
    before = fingerprint(teacher)
    teacher.predict_proba(X)
    assert fingerprint(teacher) == before
    teacher.fit(X, Y)
    assert fingerprint(teacher) == before
    teacher.fit(X + 1, Y)
    assert fingerprint(teacher) != before


# -- other state ---------------------------------------------------------------------------


class Slotted:
    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value


class Labelled(list):
    pass


def labelled(value):
    made = Labelled([1, 2])
    made.factor = value
    return made


class Decorated:
    """Calls a function, times a factor."""

    def __init__(self, factor):
        functools.update_wrapper(self, scale_by)
        self.factor = factor

    def __call__(self, X):
        return self.factor * scale_by(1)(X)


STATES = {
    "set": ({1, 2}, {1, 3}),
    "frozenset of texts": (frozenset("abc"), frozenset("abd")),
    "slots": (Slotted(1), Slotted(2)),
    "list with attributes": (labelled(1), labelled(2)),
    "bound method": (Slotted(1).__init__, Slotted(2).__init__),
    "partial": (functools.partial(max, 1), functools.partial(max, 2)),
    "ufunc": (np.add, np.subtract),
    "builtin": (len, sum),
    "generator of numbers": (np.random.default_rng(0), np.random.default_rng(1)),
    "namespace": (types.SimpleNamespace(a=1), types.SimpleNamespace(a=2)),
    "subclass of a tensor": (nn.Parameter(torch.ones(2)), nn.Parameter(torch.zeros(2))),
    "view of an array": (np.arange(3).view(np.recarray), np.arange(1, 4).view(np.recarray)),
    "class": (LogisticRegression, Counts),
    "method of a dict": ({"a": 1}.get, {"a": 2}.get),
    "function with settings": (
        FunctionTransformer(np.add, kw_args={"x2": 1}),
        FunctionTransformer(np.add, kw_args={"x2": 2}),
    ),
    "decorator with state": (Decorated(1), Decorated(2)),
    "masked": (np.ma.array([1, 2], mask=[0, 1]), np.ma.array([1, 2], mask=[1, 0])),
}


@pytest.mark.parametrize("pair", STATES.values(), ids=STATES)
def test_state_of_every_kind_is_told(pair):
    assert fingerprint(pair[0]) != fingerprint(pair[1])
    if not hasattr(pair[0], "__self__"):
        assert fingerprint(pickle.loads(pickle.dumps(pair[0]))) == fingerprint(pair[0])


def test_sets_have_one_fingerprint_in_every_process():
    code = (
        "from sktime_tsd._utils.fingerprint import fingerprint;"
        "print(fingerprint({'a', 'b', 'c'}, frozenset(['x', 'y']), dict(b=1, a=2)))"
    )
    here = fingerprint({"a", "b", "c"}, frozenset(["x", "y"]), {"b": 1, "a": 2})
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == here


def test_another_model_in_the_same_file_is_told(tmp_path):
    path = tmp_path / "teacher.onnx"
    digests = []
    for seed in (0, 1):
        clf = SkorchClassifier.from_module(
            linear(lambda m, seed=seed: nn.init.normal_(m[1].weight, mean=seed)),
            LABELS,
            input_shape=(1, 20),
        )
        teacher = OnnxClassifier(to_onnx(clf, path, overwrite=True))
        digests.append(fingerprint(teacher))
        assert fingerprint(pickle.loads(pickle.dumps(teacher))) == digests[-1]
    assert digests[0] != digests[1]


class Holds:
    classes_ = LABELS

    def __init__(self, held):
        self.held = held

    def predict_proba(self, X):
        raise AssertionError("asked")


def test_what_cannot_be_told_is_refused(tmp_path):
    with open(tmp_path / "file", "w") as file:
        for held in (file, (i for i in range(3)), sys.stdout.buffer, memoryview(b"a")):
            with pytest.raises(TypeError, match=r"memory cannot tell.*memory=None"):
                distiller(memory=tmp_path).set_params(teacher=Holds(held)).fit(X, Y)


def test_a_fitted_teacher_that_cannot_be_pickled_is_used_with_a_warning(tmp_path):
    clf = distiller(memory=tmp_path).set_params(teacher=KeepsALambda())
    with pytest.warns(UserWarning, match="KeepsALambda.*cannot be"):
        found = clf.fit(X, Y).predict_proba(X)
    expected = distiller().set_params(teacher=KeepsALambda()).fit(X, Y).predict_proba(X)
    np.testing.assert_array_equal(found, expected)


class KeepsALambda(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.sign_ = lambda: 4
        return self

    def predict_proba(self, X):
        p = 1 / (1 + np.exp(2 - self.sign_() * X.mean(axis=(1, 2))))
        return np.column_stack([1 - p, p])


@pytest.mark.parametrize("make", [learner, fcn, lambda: FrozenEstimator(learner().fit(X, Y))])
def test_fingerprints_are_the_same_in_every_process(make):
    code = (
        "import pickle, sys; from sktime_tsd._utils.fingerprint import fingerprint;"
        "print(fingerprint(pickle.load(sys.stdin.buffer)))"
    )
    clf = make()
    found = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps(clf), capture_output=True, check=True
    )
    assert found.stdout.decode().strip() == fingerprint(clf)
