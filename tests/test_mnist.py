"""mnist: the facts of the data set, that damage is noticed, and that people's own copies load."""

import gzip
import io
import struct
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkdigits import mnist
from inkdigits.errors import MAX_REASON, DataError

SMALL = {
    "x_train": np.arange(3 * 784, dtype=np.uint8).reshape(3, 28, 28),
    "y_train": np.array([3, 1, 4], np.uint8),
    "x_test": np.full((2, 28, 28), 7, np.uint8),
    "y_test": np.array([0, 9], np.uint8),
}


def idx(array: np.ndarray) -> bytes:
    """Return an array as the bytes of an IDX file."""
    return b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def npz(**arrays: np.ndarray) -> bytes:
    """Return arrays as the bytes of an .npz file."""
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return out.getvalue()


def flat(data: object) -> list[np.ndarray]:
    (x_train, y_train), (x_test, y_test) = data  # type: ignore[misc]
    return [x_train, y_train, x_test, y_test]


def is_small(data: object) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(flat(data), SMALL.values(), strict=True))


def refused(path: Path | str, *words: str) -> None:
    with pytest.raises(DataError) as caught:
        mnist.load_data(path)
    reason = str(caught.value)
    assert "\n" not in reason and len(reason) <= MAX_REASON
    assert all(word in reason for word in words), reason


def test_the_fixed_facts() -> None:
    (x_train, y_train), (x_test, y_test) = mnist.load_data()
    assert x_train.shape == (60000, 28, 28) and y_train.shape == (60000,)
    assert x_test.shape == (10000, 28, 28) and y_test.shape == (10000,)
    assert {a.dtype for a in (x_train, y_train, x_test, y_test)} == {np.dtype(np.uint8)}
    assert (x_train.min(), x_train.max(), x_test.min(), x_test.max()) == (0, 255, 0, 255)
    assert y_train[200] == 1 and y_train[500] == 3  # the samples the lesson looks at
    assert y_test[0] == 7 and y_test[8] == 5
    assert np.bincount(y_train).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert round(float(x_train.mean()) / 255, 4) == 0.1307 and round(float(x_train.std()) / 255, 4) == 0.3081


def test_every_call_gives_fresh_writable_arrays() -> None:
    first, second = flat(mnist.load_data()), flat(mnist.load_data())
    for a, b in zip(first, second, strict=True):
        assert a.flags.writeable and a.flags.c_contiguous and not np.shares_memory(a, b)
        a[:] = 0
    assert second[1].any() and second[0].any()


def test_loading_takes_under_half_a_second() -> None:
    seconds = []
    for _ in range(3):  # the processor's time, which on a quiet machine is the clock's: other programs may be busy here
        start = time.process_time()
        mnist.load_data()
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.5


def test_a_damaged_embedded_file_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = bytearray((Path(mnist.__file__).parent / mnist.FILE).read_bytes())
    data[len(data) // 2] ^= 1  # one bit of 11 MB
    (tmp_path / mnist.FILE).write_bytes(data)
    monkeypatch.setattr(mnist.resources, "files", lambda _: tmp_path)
    with pytest.raises(DataError, match=r"embedded MNIST file is damaged: expected sha256 .*install inkdigits again"):
        mnist.load_data()


def test_an_npz_of_your_own(tmp_path: Path) -> None:
    path = tmp_path / "own.npz"
    path.write_bytes(npz(**SMALL))
    assert is_small(mnist.load_data(path))
    assert is_small(mnist.load_data(str(path)))


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("dotted", [False, True])
def test_a_folder_of_idx_files(tmp_path: Path, zipped: bool, dotted: bool) -> None:
    for key, name in mnist.IDX_NAMES.items():
        data = idx(SMALL[key])
        here = name.replace("-idx", ".idx") if dotted else name  # some copies carry a dot
        (tmp_path / (here + ".gz" * zipped)).write_bytes(gzip.compress(data) if zipped else data)
    assert is_small(mnist.load_data(tmp_path))
    assert all(a.flags.writeable for a in flat(mnist.load_data(tmp_path)))


def test_a_bare_name_is_sought_here_then_where_keras_caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    refused("own.npz", "no such file", "own.npz", "~/.keras/datasets")
    cached = tmp_path / "home" / ".keras" / "datasets" / "own.npz"
    cached.parent.mkdir(parents=True)
    cached.write_bytes(npz(**SMALL))
    assert is_small(mnist.load_data("own.npz"))
    refused("folder/own.npz", "no such file")  # only a bare name is sought elsewhere
    (tmp_path / "own.npz").write_bytes(b"mine, and no npz")
    refused("own.npz", "not a readable .npz")


def test_labels_of_another_integer_type_become_uint8(tmp_path: Path) -> None:
    path = tmp_path / "own.npz"
    path.write_bytes(npz(**SMALL | {"y_train": np.array([3, 1, 4], np.int64)}))
    assert is_small(mnist.load_data(path))
    assert flat(mnist.load_data(path))[1].dtype == np.uint8


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"x_train": np.zeros((3, 28, 28), np.float32)}, ["uint8", "float32"]),
        ({"x_train": np.zeros((3, 784), np.uint8)}, ["(n, 28, 28)", "(3, 784)"]),
        ({"y_test": np.zeros(3, np.uint8)}, ["(2, 28, 28)", "(3,)", "(test)"]),
        ({"y_train": np.array([3, 1, 10])}, ["0–9", "1–10"]),
        ({"y_train": np.array([-1, 1, 2])}, ["0–9", "-1–2"]),
        ({"y_train": np.eye(10)[[3, 1, 4]]}, ["n labels"]),
        ({"y_train": np.array(3)}, ["n labels"]),
        ({"y_train": np.array(["a", "b", "c"], object)}, ["not a readable .npz"]),
    ],
)
def test_arrays_of_the_wrong_kind_are_refused(tmp_path: Path, change: dict[str, np.ndarray], words: list[str]) -> None:
    path = tmp_path / "own.npz"
    path.write_bytes(npz(**SMALL | change))
    refused(path, *words)


def test_foreign_files_are_refused(tmp_path: Path) -> None:
    def written(name: str, data: bytes) -> Path:
        (tmp_path / name).write_bytes(data)
        return tmp_path / name

    array = io.BytesIO()
    np.save(array, SMALL["x_train"])
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as z:
        for key in SMALL:
            z.writestr(key, b"not an array")
    refused(written("a.txt", b"hello"), "not a readable .npz")
    refused(written("empty.npz", b""), "not a readable .npz")
    refused(written("one.npy", array.getvalue()), "holds a single array")
    refused(written("raw.npz", raw.getvalue()), "not an array")
    refused(written("other.npz", npz(x=SMALL["x_train"])), "x_train, y_train, x_test, y_test")
    refused(tmp_path / "nowhere" / "mnist.npz", "no such file")
    refused(tmp_path, "train-images-idx3-ubyte")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0\0\x08",
        b"\0\0\x08\x03\0",
        b"\0\0\x08\xff" + b"\xff" * 40,
        b"\0\0\x0d\x01\0\0\0\x01\0",
        idx(SMALL["x_train"])[:-1],
        idx(SMALL["x_train"]) + b"\0",
        b"\0\0\x08\x03" + b"\x80\0\0\0" * 3,
        gzip.compress(idx(SMALL["x_train"]))[:-9],
        b"\x1f\x8bnot gzip",
    ],
)
def test_a_damaged_idx_file_is_refused_in_one_line(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(DataError) as caught:
        mnist.read_idx(tmp_path / "a")
    assert str(tmp_path.name) in str(caught.value) or "…" in str(caught.value)


@settings(max_examples=150)
@given(st.data())
def test_whatever_is_damaged_the_answer_is_arrays_or_one_line(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    good = data.draw(
        st.sampled_from([npz(**SMALL), npz(y_train=SMALL["y_train"]), idx(SMALL["x_test"]), gzip.compress(idx(SMALL["y_test"]))])
    )
    bad = bytearray(good[: data.draw(st.integers(0, len(good)))])
    for _ in range(data.draw(st.integers(0, 4)) if bad else 0):
        bad[data.draw(st.integers(0, len(bad) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("fuzz", numbered=True) / "f"
    path.write_bytes(bad)
    for load in (mnist.load_data, mnist.read_idx):
        try:
            arrays = load(path)
        except DataError as error:
            assert len(str(error)) <= MAX_REASON
        else:
            assert isinstance(arrays, tuple | np.ndarray)
