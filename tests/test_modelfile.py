"""Only files that `inkdigits export` wrote, whole and unchanged, get past; what stands in the way is one line."""

from pathlib import Path

import models
import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from inkdigits import modelfile
from inkdigits.classify import Classifier
from inkdigits.errors import ModelError


def one_line(error: pytest.ExceptionInfo[Exception]) -> str:
    text = str(error.value)
    assert "\n" not in text and 0 < len(text) <= 200
    return text


def test_a_file_that_somebody_else_wrote() -> None:
    with pytest.raises(ModelError, match="no metadata of ours"):
        Classifier(foreign_model())


@pytest.mark.parametrize("cut", [0, 1, 7, 100, 1000, -1000, -1])
def test_truncated(cut: int) -> None:
    with pytest.raises(ModelError) as error:
        Classifier(models.onnx_bytes()[:cut], name="cut.onnx")
    assert one_line(error).startswith("cut.onnx")


def test_every_flipped_byte_is_found() -> None:
    data = models.onnx_bytes()
    graph = modelfile.graph_bytes(data)
    start = data.index(graph)
    random = np.random.default_rng(0)
    for at in random.integers(start, start + len(graph), 100):
        damaged = bytearray(data)
        damaged[at] ^= 1 << int(random.integers(8))
        with pytest.raises(ModelError) as error:
            Classifier(bytes(damaged))
        one_line(error)


@given(st.binary(max_size=200))
def test_noise_is_no_model(data: bytes) -> None:
    with pytest.raises(ModelError):
        modelfile.describe(data)


@given(st.integers(0, 2**32), st.integers(1, 30))
def test_damage_anywhere_gives_a_model_error_or_the_same_model(seed: int, flips: int) -> None:
    data = models.onnx_bytes()
    damaged = bytearray(data)
    random = np.random.default_rng(seed)
    for at in random.integers(0, len(data), flips):
        damaged[at] = int(random.integers(256))
    try:
        meta = modelfile.describe(bytes(damaged))
    except ModelError:
        return
    assert meta == modelfile.describe(data)  # the damage hit a field that says nothing, such as the producer's name


def foreign_model(**changes: object) -> bytes:
    """A model that onnx itself would write: no metadata of ours."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 4])
    return helper.make_model(helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [x], [y])).SerializeToString()


def test_external_data_is_refused_before_it_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def outside(graph: onnx.GraphProto) -> None:
        tensor = next(c for c in graph.initializer if c.raw_data and len(c.dims) > 1)
        (tmp_path / "weights.bin").write_bytes(tensor.raw_data)
        size = len(tensor.raw_data)
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", "weights.bin"), ("offset", "0"), ("length", str(size))):
            tensor.external_data.add(key=key, value=value)

    data = models.resealed(models.onnx_bytes(), outside)
    monkeypatch.chdir(tmp_path)  # where ONNX Runtime would find the file
    with pytest.raises(ModelError, match="external data") as error:
        Classifier(data)
    one_line(error)


def as_loop(graph: onnx.GraphProto) -> None:
    body = helper.make_graph([], "inner", [], [])
    graph.node.add(op_type="Relu", input=["glyphs"], output=["z"]).attribute.append(helper.make_attribute("body", body))


def in_a_domain(graph: onnx.GraphProto) -> None:
    graph.node[0].domain = "com.example"


def with_operator(graph: onnx.GraphProto) -> None:
    graph.node.add(op_type="If", input=["glyphs"], output=["z"])


def with_sparse(graph: onnx.GraphProto) -> None:
    graph.sparse_initializer.add().dims.append(3)


def with_external_attribute(graph: onnx.GraphProto) -> None:
    tensor = TensorProto(data_location=TensorProto.EXTERNAL)
    graph.node.add(op_type="Relu", input=["glyphs"], output=["z"]).attribute.append(helper.make_attribute("value", tensor))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (as_loop, "subgraphs"),
        (in_a_domain, "foreign domain"),
        (with_operator, "operator 'If'"),
        (with_sparse, "sparse"),
        (with_external_attribute, "external data"),
    ],
)
def test_graphs_that_the_exporter_never_writes(change: object, told: str) -> None:
    with pytest.raises(ModelError, match=told) as error:
        Classifier(models.resealed(models.onnx_bytes(), change))
    one_line(error)


def test_functions_and_training_steps_are_refused() -> None:
    for add in ("functions", "training_info"):
        model = onnx.load_from_string(models.onnx_bytes())
        getattr(model, add).add()
        with pytest.raises(ModelError, match="functions or training"):
            Classifier(model.SerializeToString())
