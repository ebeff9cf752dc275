"""Crafted ONNX files: they reach no other file, take little, or are refused before they do."""

import os
import resource
import signal
import time
import traceback

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper
from onnx_graphs import constant, model, node, sizes, summed
from torch import nn

from sktime_tsd import SkorchClassifier, to_onnx
from sktime_tsd.networks import FCN, LSTM
from sktime_tsd.runtime import ModelFileError, OnnxClassifier
from sktime_tsd.runtime._graph import read_graph
from sktime_tsd.runtime._graph_cost import graph_cost, graph_values
from sktime_tsd.runtime._onnx_classifier import _open_session

X = np.random.default_rng(0).normal(size=(5, 1, 24)).astype(np.float32)


def written(made, tmp_path):
    path = tmp_path / "crafted.onnx"
    path.write_bytes(made if isinstance(made, bytes) else made.SerializeToString())
    return path


def filled(name, shape_name):
    return node("ConstantOfShape", [shape_name], [name], value=constant("", [1.0]))


# -- the reader against onnx and onnxruntime -------------------------------------------


class Many(nn.Module):
    """Operators of many kinds."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(1, 8, 4, stride=2, dilation=2, padding=3)
        self.norm = nn.GroupNorm(2, 8)
        self.up = nn.ConvTranspose1d(8, 4, 3, stride=2, padding=1, output_padding=1)
        self.gru = nn.GRU(4, 3, batch_first=True, bidirectional=True)
        self.attend = nn.MultiheadAttention(6, 2, batch_first=True)
        self.linear = nn.Linear(6, 2)

    def forward(self, x):
        x = nn.functional.pad(x, (2, 2), mode="reflect")
        h = nn.functional.gelu(self.norm(self.conv(x)))
        h = self.up(nn.functional.max_pool1d(h, 3, 2, 1))
        h = nn.functional.interpolate(h, scale_factor=2.0, mode="linear")
        h = h + h.cumsum(2) + h.roll(1, 2)
        h = self.gru(h.transpose(1, 2))[0]
        h = self.attend(h, h, h)[0]
        return self.linear(h.topk(3, dim=1).values.amax(1)).clamp(-9, 9)


NETWORKS = {
    "fcn": lambda: FCN(1, 24, 2, (4, 6), (5, 3)),
    "lstm": lambda: LSTM(1, 24, 2, 5, 2),
    "many": Many,
}


def with_all_values(made):
    """The same model with every tensor as an output."""
    made = onnx.shape_inference.infer_shapes(made)
    types = {value.name: value for value in made.graph.value_info}
    for name in [name for each in made.graph.node for name in each.output if name]:
        if name != "probabilities":
            made.graph.output.append(types.get(name) or helper.make_empty_tensor_value_info(name))
    return made


@pytest.mark.parametrize(
    "name", ["fcn", *(pytest.param(n, marks=pytest.mark.slow) for n in ("lstm", "many"))]
)
def test_what_is_read_and_inferred_is_what_onnx_and_onnxruntime_say(name, tmp_path):
    network = NETWORKS[name]().eval()
    clf = SkorchClassifier.from_module(network, ["a", "b"], input_shape=(1, 24))
    path = to_onnx(clf, tmp_path / "a.onnx")
    graph, made = read_graph(path.read_bytes()), onnx.load(path)
    check_reading(graph, made)
    session = onnxruntime.InferenceSession(with_all_values(made).SerializeToString())
    names = [output.name for output in session.get_outputs()]
    for n in (1, 2, 5):
        known, cost = graph_values(graph, n)
        found = session.run(names, {"X": X[:n]})
        for tensor, value in zip(names, found, strict=True):
            assert known[tensor].shape == np.shape(value), tensor
            if known[tensor].values is not None:
                np.testing.assert_array_equal(known[tensor].values, value)
        assert cost.n_bytes >= max(np.asarray(value).nbytes for value in found)
        assert cost.work > network_weights(network)


def network_weights(network):
    return sum(parameter.numel() for parameter in network.parameters())


def check_reading(graph, made):
    assert graph.outputs == ["probabilities"]
    assert graph.metadata == {pair.key: pair.value for pair in made.metadata_props}
    assert graph.constants.keys() == {tensor.name for tensor in made.graph.initializer}
    for tensor in made.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        assert graph.constants[tensor.name].shape == values.shape
        if values.size <= 1024:
            np.testing.assert_array_equal(graph.constants[tensor.name].values, values)
    assert len(graph.nodes) == len(made.graph.node)
    for ours, theirs in zip(graph.nodes, made.graph.node, strict=True):
        assert (ours.inputs, ours.outputs) == (list(theirs.input), list(theirs.output))
        assert ours.kind.endswith(theirs.op_type)
        for attribute in theirs.attribute:
            value = helper.get_attribute_value(attribute)
            if isinstance(value, onnx.TensorProto):
                continue
            value = value.decode() if isinstance(value, bytes) else value
            found = ours.attributes[attribute.name]
            assert found == pytest.approx(value) if not isinstance(value, str) else found == value


@pytest.mark.parametrize(
    "tensor",
    [
        constant("c", [[1.5, -2.0]]),
        constant("c", [-3, 2**40], np.int64),
        constant("c", [True, False], np.bool_),
        helper.make_tensor("c", TensorProto.FLOAT, [2], [1.5, -2.0]),
        helper.make_tensor("c", TensorProto.INT64, [3], [1, -1, -(2**63)]),
        helper.make_tensor("c", TensorProto.INT32, [1, 2], [7, -7]),
        helper.make_tensor("c", TensorProto.UINT8, [2], [0, 255]),
        helper.make_tensor("c", TensorProto.INT64, [], [3]),
    ],
)
def test_small_tensors_are_read_as_onnx_reads_them(tensor):
    made = model(summed("X"), [tensor])
    found = read_graph(made.SerializeToString()).constants["c"]
    expected = onnx.numpy_helper.to_array(tensor)
    assert found.shape == expected.shape
    np.testing.assert_array_equal(found.values, expected)
    assert found.values.dtype == expected.dtype


# -- other files -----------------------------------------------------------------------


def external(name, n_bytes=8):
    tensor = onnx.TensorProto(name=name, data_type=TensorProto.UINT8, dims=[n_bytes])
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", "secret"), ("offset", "0"), ("length", str(n_bytes))):
        pair = tensor.external_data.add()
        pair.key, pair.value = key, value
    return tensor


def with_external(where):
    if where == "an initializer":
        return model(summed("X"), [external("c")])
    if where == "a constant":
        return model([node("Constant", [], ["c"], value=external("v")), *summed("X")])
    if where == "a sparse tensor":
        sparse = helper.make_sparse_tensor(external("c"), sizes("i", *range(8)), [8])
        return model(summed("X"), sparse_initializer=[sparse])
    if where == "a branch":
        inner = helper.make_graph([node("Identity", ["c"], ["o"])], "b", [], [], [external("c")])
        branches = {"then_branch": inner, "else_branch": inner}
        return model([node("If", ["nothing"], ["c"], **branches), *summed("X")])
    tensor = external("c")
    tensor.ClearField("data_location")  # the entries alone
    return model(summed("X"), [tensor])


@pytest.mark.parametrize(
    "where", ["an initializer", "a constant", "a sparse tensor", "a branch", "entries"]
)
def test_no_other_file_is_read(where, tmp_path, monkeypatch):
    (tmp_path / "secret").write_bytes(b"password")
    monkeypatch.chdir(tmp_path)
    path = written(with_external(where), tmp_path)
    with pytest.raises(ModelFileError, match=r"other files|sparse|graph of its own"):
        OnnxClassifier(path)


def test_onnxruntime_alone_would_not_read_them_either(tmp_path, monkeypatch):
    """Two walls: the second stands if the first is forgotten."""
    (tmp_path / "secret").write_bytes(b"password")
    monkeypatch.chdir(tmp_path)
    made = model([node("Cast", ["c"], ["y"], to=1), *summed("y")], [external("c")])
    path = written(made, tmp_path)
    with pytest.raises(ModelFileError):
        _open_session(path.read_bytes(), path, 1)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes")
def test_only_regular_files_are_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero", tmp_path):
        with pytest.raises(ModelFileError, match="not a file"):
            OnnxClassifier(path)


# -- loops, functions, unknown operators -----------------------------------------------


def looping():
    value = helper.make_tensor_value_info
    body = helper.make_graph(
        [node("Add", ["s", "s"], ["t"]), node("Identity", ["on"], ["go"])],
        "body",
        [
            value("i", TensorProto.INT64, []),
            value("on", TensorProto.BOOL, []),
            value("s", TensorProto.FLOAT, None),
        ],
        [value("go", TensorProto.BOOL, []), value("t", TensorProto.FLOAT, None)],
    )
    constants = [constant("many", 10**12, np.int64), constant("yes", True, np.bool_)]
    return model([node("Loop", ["many", "yes", "X"], ["y"], body=body), *summed("y")], constants)


def function():
    made = model([node("f", ["X"], ["y"], domain="own"), *summed("y")], domains=["own"])
    inner = helper.make_function(
        "own", "f", ["x"], ["y"], [node("Add", ["x", "x"], ["y"])], [helper.make_opsetid("", 20)]
    )
    made.functions.append(inner)
    return made


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (looping, "graph of its own"),
        (function, "functions"),
        (lambda: model([node("RandomNormal", [], ["y"], shape=[10**9]), *summed("y")]), "RandomN"),
        (
            lambda: model(
                [node("Attention", ["X"], ["y"], domain="com.microsoft"), *summed("y")],
                domains=["com.microsoft"],
            ),
            "com.microsoft.Attention",
        ),
        (lambda: model([node("NonZero", ["X"], ["y"]), *summed("X")]), "NonZero"),
    ],
)
def test_loops_functions_and_unknown_operators(made, words, tmp_path):
    with pytest.raises(ModelFileError, match=words):
        OnnxClassifier(written(made(), tmp_path))


# -- memory and time -------------------------------------------------------------------

BIG = 10**6
BOMBS = {
    "a shape": ([filled("y", "s")], [sizes("s", BIG, BIG)]),
    "an expansion": ([node("Expand", ["nothing", "s"], ["y"])], [sizes("s", BIG, BIG)]),
    "tiles": ([node("Tile", ["X", "s"], ["y"])], [sizes("s", 1, BIG, BIG)]),
    "a margin": ([node("Pad", ["X", "s"], ["y"])], [sizes("s", 0, 0, BIG, 0, BIG, BIG)]),
    "a range": (
        [node("Range", ["a", "b", "c"], ["r"]), node("Cast", ["r"], ["y"], to=1)],
        [constant("a", 0, np.int64), constant("b", 10**12, np.int64), constant("c", 1, np.int64)],
    ),
    "a picture": (
        [node("Resize", ["X", "", "f"], ["y"])],
        [constant("f", [1.0, 1e5, 1e6])],
    ),
    "an outer product": (
        [node("MatMul", ["u", "v"], ["y"])],
        [constant("u", np.ones((50_000, 1))), constant("v", np.ones((1, 50_000)))],
    ),
    "an outer sum": (
        [node("Add", ["u", "v"], ["y"])],
        [constant("u", np.ones((50_000, 1))), constant("v", np.ones((1, 50_000)))],
    ),
    "an Einstein sum": (
        [node("Einsum", ["u", "u"], ["y"], equation="i,j->ij")],
        [constant("u", np.ones(50_000))],
    ),
    "doubling": (
        [
            node("Concat", [f"y{i}"] * 2, [f"y{i + 1}" if i < 39 else "y"], axis=2)
            for i in range(40)
        ],
        [constant("y0", np.ones((1, 1, 1)))],
    ),
    "rows again and again": (
        [node("Gather", ["u", "i"], ["y"])],
        [constant("u", np.ones((10, 20_000))), constant("i", np.zeros(20_000), np.int64)],
    ),
    "one hot": (
        [node("OneHot", ["i", "d", "v"], ["y"])],
        [constant("i", [0], np.int64), sizes("d", 10**11), constant("v", [0.0, 1.0])],
    ),
    "margins of a convolution": (
        [node("Conv", ["X", "w"], ["y"], pads=[10**10, 10**10])],
        [constant("w", np.ones((1, 1, 1)))],
    ),
    "strides of a convolution": (
        [node("ConvTranspose", ["X", "w"], ["y"], strides=[10**10])],
        [constant("w", np.ones((1, 1, 1)))],
    ),
    "strides of a convolution of the same size": (
        [node("ConvTranspose", ["X", "w"], ["y"], strides=[10**10], auto_pad="SAME_UPPER")],
        [constant("w", np.ones((1, 1, 1)))],
    ),
    "margins of a pool": (
        [node("MaxPool", ["X"], ["y"], kernel_shape=[10**10], pads=[10**10 - 1] * 2)],
        [],
    ),
    "a shape computed from another": (
        [
            node("Shape", ["X"], ["sh"]),
            node("Mul", ["sh", "k"], ["big"]),
            filled("y", "big"),
        ],
        [sizes("k", 10**3, 10**4, 10**4)],
    ),
    "a shape by the series": (
        [
            node("ReduceSum", ["X"], ["r"], keepdims=0),
            node("Cast", ["r"], ["k"], to=7),
            node("Mul", ["k", "s"], ["big"]),
            filled("y", "big"),
        ],
        [sizes("s", 1, 1)],
    ),
    "nothing, many times": (
        [
            node("Slice", ["X", "a", "a", "c"], ["none"]),
            node("Tile", ["none", "s"], ["y"]),
        ],
        [sizes("a", 3), sizes("c", 2), sizes("s", 1, 1, BIG)],
    ),
    "a pool wider than its series": (
        [
            node("MaxPool", ["X"], ["one"], kernel_shape=[25], strides=[24]),
            node("Tile", ["one", "s"], ["y"]),
        ],
        [sizes("s", 1, BIG, BIG)],
    ),
    "work before any series": (
        [
            filled("m0", "s"),
            *(node("MatMul", [f"m{i}"] * 2, [f"m{i + 1}" if i < 19 else "y"]) for i in range(20)),
        ],
        [sizes("s", 2000, 2000)],
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_would_take_much_is_refused_before_it_does(name, tmp_path):
    nodes, constants = BOMBS[name]
    path = written(model([*nodes, *summed("y")], constants), tmp_path)
    assert path.stat().st_size < 2**20
    before, start = peak_bytes(), time.process_time()
    with pytest.raises(ModelFileError, match="refused"):
        OnnxClassifier(path)
    assert peak_bytes() - before < 2**28
    assert time.process_time() - start < 2


def peak_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def test_a_small_one_of_each_bomb_is_none(tmp_path):
    """The bombs are refused for their size, not for their operators."""
    for nodes, constants in (
        ([node("Tile", ["X", "s"], ["y"])], [sizes("s", 1, 2, 2)]),
        ([filled("y", "s")], [sizes("s", 3, 4)]),
        ([node("Pad", ["X", "s"], ["y"])], [sizes("s", 0, 0, 1, 0, 1, 1)]),
        ([node("Resize", ["X", "", "f"], ["y"])], [constant("f", [1.0, 2.0, 1.5])]),
        ([node("Conv", ["X", "w"], ["y"], pads=[9, 9])], [constant("w", np.ones((1, 1, 1)))]),
    ):
        student = OnnxClassifier(written(model([*nodes, *summed("y")], constants), tmp_path))
        np.testing.assert_allclose(student.predict_proba(X), 0.5)


def test_batches_shrink_where_series_take_much(tmp_path):
    """Few bytes for two series may be many for the batches in which series are asked."""
    nodes = [node("Tile", ["X", "s"], ["y"])]
    made = model([*nodes, *summed("y")], [sizes("s", 1, 10_000, 10)])
    path = written(made, tmp_path)
    student = OnnxClassifier(path)
    each = graph_cost(read_graph(path.read_bytes()), 1).n_bytes
    assert each * student._at_once <= 2**30 < each * 2**16 / 24
    assert OnnxClassifier(written(model(summed("X")), tmp_path))._at_once == 2**16 // 24


def test_what_grows_with_the_square_of_the_series_too(tmp_path):
    nodes = [
        node("Unsqueeze", ["X", "front"], ["rows"]),
        node("Unsqueeze", ["X", "second"], ["columns"]),
        node("Add", ["rows", "columns"], ["y"]),
    ]
    made = model([*nodes, *summed("y")], [sizes("front", 0), sizes("second", 1)])
    student = OnnxClassifier(written(made, tmp_path))
    assert 100 < student._at_once < 2**16 // 24
    assert student.predict_proba(X).shape == (5, 2)


# -- damage ----------------------------------------------------------------------------


def lying_tensor(**changes):
    tensor = constant("c", [1.0, 2.0])
    for name, value in changes.items():
        if name == "dims":
            tensor.dims[:] = value
        else:
            setattr(tensor, name, value)
    return model(summed("X"), [tensor])


@pytest.mark.parametrize(
    "changes",
    [
        {"dims": [2**40]},
        {"dims": [-2]},
        {"dims": [2**62, 4]},
        {"data_type": TensorProto.STRING},
        {"data_type": TensorProto.DOUBLE},
        {"data_type": 99},
        {"raw_data": b""},
    ],
)
def test_tensors_that_lie(changes, tmp_path):
    with pytest.raises(ModelFileError):
        OnnxClassifier(written(lying_tensor(**changes), tmp_path))


def test_a_graph_given_twice_is_refused(tmp_path):
    """Protobuf merges them; a reader that takes one of the two would see half."""
    content = model(summed("X")).SerializeToString()
    with pytest.raises(ModelFileError, match="twice"):
        OnnxClassifier(written(content + content, tmp_path))


def test_an_attribute_with_two_values_is_refused(tmp_path):
    """Which one counts depends on the reader."""
    made = model([node("Flatten", ["X"], ["y"], axis=1), *summed("y")])
    made.graph.node[0].attribute[0].ints.append(2)
    with pytest.raises(ModelFileError, match="Flatten"):
        OnnxClassifier(written(made, tmp_path))


def test_other_formats_of_onnxruntime_are_none_of_ours(tmp_path):
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "a.ort")
    options.add_session_config_entry("session.save_model_format", "ORT")
    onnxruntime.InferenceSession(model(summed("X")).SerializeToString(), options)
    with pytest.raises(ModelFileError):
        OnnxClassifier(tmp_path / "a.ort")


def test_more_operators_than_any_network(tmp_path):
    nodes = [node("Relu", [f"y{i}"], [f"y{i + 1}"]) for i in range(1, 6000)]
    made = model([node("Relu", ["X"], ["y1"]), *nodes, *summed("y6000")])
    with pytest.raises(ModelFileError, match="5000 operations"):
        OnnxClassifier(written(made, tmp_path))


# -- answers ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("nodes", "constants"),
    [
        (  # the first two rows only
            [node("Softmax", ["l"], ["p"]), node("Slice", ["p", "s", "e", "a"], ["probabilities"])],
            [sizes("s", 0), sizes("e", 2), sizes("a", 0)],
        ),
        (  # fails for odd numbers of series
            [node("Reshape", ["l", "s"], ["t"]), node("Reshape", ["t", "r"], ["probabilities"])],
            [sizes("s", -1, 4), sizes("r", -1, 2)],
        ),
        ([node("Log", ["l"], ["m"]), node("Softmax", ["m"], ["probabilities"])], []),
    ],
)
def test_answers_are_checked_each_time(nodes, constants, tmp_path):
    """A file may be sound for two series of zeros and for nothing else."""
    weights = np.random.default_rng(0).normal(size=(24, 2))
    first = [node("Flatten", ["X"], ["f"]), node("MatMul", ["f", "w"], ["k"])]
    first += [node("Add", ["k", "half"], ["l"])]
    made = model([*first, *nodes], [constant("w", weights), constant("half", 0.5), *constants])
    path = written(made, tmp_path)
    try:
        student = OnnxClassifier(path)
    except ModelFileError:
        return
    with pytest.raises(ValueError, match=r"crafted\.onnx"):
        student.predict(X)


# -- fuzz ------------------------------------------------------------------------------

SMALL, LARGE = [1, 2, 3, 24], [-1, 0, 10**5, 2**31, 2**40, -(2**63), 2**63 - 1]


class Crafter:
    """Makes random graphs: operators that fit, with sizes of any kind, now and then misplaced."""

    def __init__(self, rng):
        self.rng = rng
        self.n_names = 0
        self.constants = []
        self.names = ["X"]

    def size(self):
        return int(self.rng.choice(SMALL if self.rng.random() < 0.93 else LARGE))

    def name(self):
        self.n_names += 1
        return f"v{self.n_names}"

    def given(self, values, dtype=np.int64):
        self.constants.append(constant(self.name(), values, dtype))
        return self.constants[-1].name

    def weights(self, *shape):
        return self.given(self.rng.normal(size=shape), np.float32)

    def operator(self, x):
        """One node that reads x, of shape (n, 1, t) as a rule."""
        size, rng = self.size, self.rng
        attributes = {}
        kinds = {
            "Relu": lambda: [x],
            "Softmax": lambda: [x],
            "Add": lambda: [x, rng.choice([x, "X", self.weights(1, 1)])],
            "Mul": lambda: [x, self.weights(*[size() % 99 for _ in range(rng.integers(4))])],
            "MatMul": lambda: [x, self.weights(24, rng.choice([1, 24]))],
            "Conv": lambda: [x, self.weights(rng.choice([1, 3]), 1, 3)],
            "ConvTranspose": lambda: [x, self.weights(1, 2, 3)],
            "MaxPool": lambda: [x],
            "Concat": lambda: [x] * rng.integers(1, 6),
            "Tile": lambda: [x, self.given([1, size(), size()])],
            "Expand": lambda: [x, self.given([1, size(), 1])],
            "Pad": lambda: [x, self.given([0, 0, size(), 0, 0, size()])],
            "Reshape": lambda: [x, self.given([0, rng.choice([-1, size()]), size()])],
            "Transpose": lambda: [x],
            "Slice": lambda: [x, *(self.given([size()]) for _ in "se"), self.given([2])],
            "Gather": lambda: [x, self.given([0] * (size() % 99))],
            "Resize": lambda: [x, "", self.given([1, size() % 9, float(size())], np.float32)],
            "ReduceSum": lambda: [x, self.given([2])],
            "Unsqueeze": lambda: [x, self.given([size() % 5])],
            "Squeeze": lambda: [x],
            "CumSum": lambda: [x, self.given(1)],
            "ConstantOfShape": lambda: [self.given([size(), size()])],
            "LSTM": lambda: [x, self.weights(1, 4, 24), self.weights(1, 4, 1)],
            "Einsum": lambda: [x, "X"],
            "Split": lambda: [x],
            "Gelu": lambda: [x],
            "If": lambda: ["nothing"],
        }
        kind = str(rng.choice(list(kinds)))
        few = {
            "Conv": {"pads": [size(), size()], "strides": [size()], "dilations": [size()]},
            "ConvTranspose": {"strides": [size()], "output_padding": [0]},
            "MaxPool": {"kernel_shape": [size()], "strides": [size()]},
            "Concat": {"axis": size() % 4},
            "Softmax": {"axis": size() % 4},
            "Transpose": {"perm": [[0, 2, 1], [2, 1, 0], [0, 0, 0]][rng.integers(3)]},
            "LSTM": {"hidden_size": size()},
            "Einsum": {"equation": ["nct,ncs->nts", "nct,mcs->nms", "nct,nct->n"][rng.integers(3)]},
            "Split": {"axis": 2, "num_outputs": 1},
            "ReduceSum": {"keepdims": 1},
        }
        attributes = few.get(kind, {})
        made = node(kind, [str(name) for name in kinds[kind]()], [self.name()], **attributes)
        if rng.random() < 0.01:
            made.attribute.append(helper.make_attribute("value", external("e")))
        return made

    def model(self):
        nodes = []
        for _ in range(self.rng.integers(1, 6)):
            x = str(self.rng.choice(self.names[-2:]))
            nodes.append(self.operator(x))
            self.names.append(nodes[-1].output[0])
        return model([*nodes, *summed(self.names[-1])], self.constants)


def damaged(made, rng):
    """The bytes of a file, some of them changed."""
    content = bytearray(made.SerializeToString())
    for _ in range(rng.integers(1, 6)):
        content[rng.integers(len(content))] = rng.integers(256)
    return bytes(content)


@pytest.mark.parametrize("n", [60, pytest.param(1000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", ["graphs", "bytes"])
def test_crafted_files_take_little_and_give_answers_or_the_error(n, kind, tmp_path):
    """In a process of its own, killed if a file takes more than 5 s of computing."""
    said = tmp_path / "said"
    if (child := os.fork()) == 0:
        try:
            said.write_text(said_of(n, kind, tmp_path))
        except BaseException as error:
            said.write_text("".join(traceback.format_exception(error)))
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    assert not os.WIFSIGNALED(status)
    assert len(said.read_text().split()) == 3, said.read_text()
    n_loaded, n_refused, n_bytes = map(int, said.read_text().split())
    assert n_loaded + n_refused == n
    assert n / 50 < n_loaded < 0.9 * n
    assert n_bytes < 2**30


def said_of(n, kind, tmp_path):
    rng = np.random.default_rng(7)
    sound = to_onnx_once(tmp_path)
    before, n_loaded = peak_bytes(), 0
    for _ in range(n):
        made = Crafter(rng).model() if kind == "graphs" else damaged(sound, rng)
        path = written(made, tmp_path)
        signal.setitimer(signal.ITIMER_PROF, 5)
        try:
            student = OnnxClassifier(path)
            student.predict(np.repeat(X, 3, axis=0))
            n_loaded += 1
        except ModelFileError:
            pass
        except ValueError as error:
            if "no finite answer" not in str(error):
                raise
            n_loaded += 1
        signal.setitimer(signal.ITIMER_PROF, 0)
    return f"{n_loaded} {n - n_loaded} {peak_bytes() - before}"


def to_onnx_once(tmp_path):
    return model(
        [node("Conv", ["X", "w"], ["h"], pads=[1, 1]), node("Relu", ["h"], ["y"]), *summed("y")],
        [constant("w", np.ones((4, 1, 3)))],
    )
