"""Bytes of an ONNX file come in; its description (our metadata) comes out, or one line that says why the file is refused.

ONNX Runtime follows what a file says: it opens other files for "external data" and runs any operator it knows. So the bytes are looked
through here before it sees them: only graphs that `inkdigits export` writes get past, whole and unchanged. The wire format of Protocol
Buffers is simple enough to walk without the onnx package, which the base install does not have.

The checksum in the metadata finds damage and careless edits. It is no signature: who rewrites the file can rewrite the checksum; the
weights of this package are therefore also held against the checksum in `weights/NAME.json`.

Source: onnx.proto of the ONNX project (field numbers); "Encoding" in the documentation of Protocol Buffers (wire types).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .errors import ModelError
from .files import sha256

KEY = "inkdigits"  # the metadata entry that holds our JSON
DIGEST_KEY = "inkdigits.sha256"  # the entry that holds the checksum of graph and JSON
FORMAT = 1  # version of the JSON; a newer one is refused rather than misread
MAX_BYTES = 256 * 2**20  # a network for digits is a thousand times smaller

# What `train/export.py` writes, and what ONNX Runtime's quantisation makes of it. Nothing that reads files, loops or calls out.
OPERATORS = frozenset(
    {
        "Add", "AveragePool", "BatchNormalization", "Cast", "Clip", "Concat", "Conv", "DepthToSpace", "DequantizeLinear", "Div",
        "DynamicQuantizeLinear", "Elu", "Flatten", "Gelu", "Gemm", "GlobalAveragePool", "GlobalMaxPool", "HardSigmoid", "HardSwish",
        "Identity", "LeakyRelu", "MatMul", "MaxPool", "Mul", "Pad", "QuantizeLinear", "Relu", "Reshape", "Resize", "Selu", "Sigmoid",
        "Softplus", "Sqrt", "Sub", "Tanh", "Transpose",
    }
)  # fmt: skip

# field numbers of onnx.proto
MODEL_GRAPH, MODEL_METADATA, MODEL_TRAINING, MODEL_FUNCTIONS = 7, 14, 20, 25
GRAPH_NODE, GRAPH_INITIALIZER, GRAPH_SPARSE = 1, 5, 15
NODE_INPUT, NODE_OUTPUT, NODE_OPERATOR, NODE_ATTRIBUTE, NODE_DOMAIN = 1, 2, 4, 5, 7
ATTRIBUTE_TENSOR, ATTRIBUTE_TENSORS = 5, 10
ATTRIBUTE_FOREIGN = {6, 11, 22, 23}  # subgraphs and sparse tensors
TENSOR_DIMS, TENSOR_TYPE, TENSOR_NAME, TENSOR_RAW, TENSOR_EXTERNAL, TENSOR_LOCATION = 1, 2, 8, 9, 13, 14
FLOAT32 = 1
ENTRY_KEY, ENTRY_VALUE = 1, 2

Field = tuple[int, int | memoryview]


def describe(data: bytes, name: str = "the model") -> dict[str, Any]:
    """Return the metadata of a model of ours after looking through all of its bytes.

    Args:
        data: the whole ONNX file.
        name: what to call the file in an error.

    Raises:
        ModelError: the bytes are truncated, tampered with, no ONNX file, not written by `inkdigits export`, or refer to other files.
    """
    if len(data) > MAX_BYTES:
        raise ModelError(f"{name} has {len(data) / 2**20:.0f} MiB; a model of ours has at most {MAX_BYTES // 2**20}")
    try:
        graph, entries = _split(data, name)
        _check_graph(graph, name)
    except (IndexError, ValueError, RecursionError) as error:
        raise ModelError(f"{name} is no whole ONNX file: {error}") from error
    if KEY not in entries:
        raise ModelError(f'{name} was not written by "inkdigits export": it has no metadata of ours')
    if fingerprint(graph, entries[KEY]) != entries.get(DIGEST_KEY):
        raise ModelError(f"{name} is damaged or was changed: its contents do not match the sha256 it carries")
    return _parsed(entries[KEY], name)


def fingerprint(graph: bytes | memoryview, metadata: str) -> str:
    """Return the SHA-256 that ties a graph (as serialised) to its metadata (as written)."""
    return sha256(bytes(graph) + b"\n" + metadata.encode())


def graph_bytes(data: bytes) -> bytes:
    """Return the serialised graph inside an ONNX file; `fingerprint` takes it."""
    return bytes(_split(data, "the model")[0])


def last_kernel(data: bytes, output: str) -> tuple[tuple[int, ...], bytes] | None:
    """Return shape and little-endian float32 bytes of the kernel that the node making `output` multiplies by; None where it has none.

    Args:
        data: a whole ONNX file that `describe` accepts.
        output: name of an output of the graph.
    """
    nodes: list[list[str]] = []
    tensors: dict[str, dict[int, list[int | memoryview]]] = {}
    for number, value in _fields(_split(data, "the model")[0]):
        if number == GRAPH_NODE:
            node = list(_fields(_message(value)))
            if any(n == NODE_OUTPUT and bytes(_message(v)) == output.encode() for n, v in node):
                nodes.append([bytes(_message(v)).decode() for n, v in node if n == NODE_INPUT])
        elif number == GRAPH_INITIALIZER:
            tensor: dict[int, list[int | memoryview]] = {}
            for n, v in _fields(_message(value)):
                tensor.setdefault(n, []).append(v)
            tensors[bytes(_message(tensor[TENSOR_NAME][0])).decode()] = tensor
    for name in nodes[0][1:] if nodes else []:
        found = tensors.get(name, {})
        if found.get(TENSOR_TYPE) == [FLOAT32] and TENSOR_RAW in found:
            return tuple(_integers(found.get(TENSOR_DIMS, []))), bytes(_message(found[TENSOR_RAW][0]))
    return None


def _integers(values: list[int | memoryview]) -> Iterator[int]:
    """Give the integers of a repeated field, which may be written one by one or packed."""
    for value in values:
        if isinstance(value, int):
            yield value
            continue
        at = 0
        while at < len(value):
            integer, at = _varint(value, at)
            yield integer


def _split(data: bytes, name: str) -> tuple[memoryview, dict[str, str]]:
    """Return the graph's bytes and the metadata entries."""
    graphs: list[memoryview] = []
    entries: dict[str, str] = {}
    for number, value in _fields(memoryview(data)):
        if number in (MODEL_TRAINING, MODEL_FUNCTIONS):
            raise ModelError(f'{name} was not written by "inkdigits export": it holds functions or training steps')
        if number == MODEL_GRAPH:
            graphs.append(_message(value))
        elif number == MODEL_METADATA:
            entry = {n: bytes(_message(v)).decode() for n, v in _fields(_message(value))}
            entries[entry.get(ENTRY_KEY, "")] = entry.get(ENTRY_VALUE, "")
    if len(graphs) != 1:
        raise ValueError(f"expected one graph, found {len(graphs)}")
    return graphs[0], entries


def _check_graph(graph: memoryview, name: str) -> None:
    for number, value in _fields(graph):
        if number == GRAPH_NODE:
            _check_node(_message(value), name)
        elif number == GRAPH_INITIALIZER:
            _check_tensor(_message(value), name)
        elif number == GRAPH_SPARSE:
            raise ModelError(f'{name} was not written by "inkdigits export": it holds sparse tensors')


def _check_node(node: memoryview, name: str) -> None:
    for number, value in _fields(node):
        if number == NODE_OPERATOR and (operator := bytes(_message(value)).decode()) not in OPERATORS:
            raise ModelError(f'{name} uses the operator {operator!r}, which "inkdigits export" never writes')
        if number == NODE_DOMAIN and bytes(_message(value)) not in (b"", b"ai.onnx"):
            raise ModelError(f"{name} uses operators of the foreign domain {bytes(_message(value)).decode()!r}")
        if number == NODE_ATTRIBUTE:
            _check_attribute(_message(value), name)


def _check_attribute(attribute: memoryview, name: str) -> None:
    for number, value in _fields(attribute):
        if number in ATTRIBUTE_FOREIGN:
            raise ModelError(f'{name} was not written by "inkdigits export": it holds subgraphs or sparse tensors')
        if number in (ATTRIBUTE_TENSOR, ATTRIBUTE_TENSORS):
            _check_tensor(_message(value), name)


def _check_tensor(tensor: memoryview, name: str) -> None:
    for number, value in _fields(tensor):
        if number == TENSOR_EXTERNAL or (number == TENSOR_LOCATION and value != 0):
            raise ModelError(f"{name} keeps its weights in another file (external data); a model of ours is one file")


def _parsed(text: str, name: str) -> dict[str, Any]:
    try:
        meta = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{name}: its metadata is no JSON") from error
    if not isinstance(meta, dict) or meta.get("format") != FORMAT:
        found = meta.get("format") if isinstance(meta, dict) else None
        raise ModelError(f"{name}: expected metadata of format {FORMAT}, found {found!r}; a newer inkdigits may read it")
    return meta


def _message(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise ValueError("a number stands where a message should")
    return value


def _fields(data: memoryview) -> Iterator[Field]:
    """Give every field of one message: its number, and an integer or the bytes inside.

    Raises:
        ValueError, IndexError: the bytes end too early or are no Protocol Buffers message.
    """
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = _varint(data, at)
            yield number, value
            continue
        if wire == 2:
            size, at = _varint(data, at)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise ValueError(f"wire type {wire}")
        if at + size > len(data):
            raise ValueError(f"{at + size - len(data)} bytes are missing at its end")
        yield number, data[at : at + size]
        at += size


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """Return the integer that starts at `at` and where the next field starts."""
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
    raise ValueError("an integer of more than ten bytes")
