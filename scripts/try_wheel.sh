#!/usr/bin/env bash
# Builds the wheel and the source archive, installs the wheel into an empty environment outside the clone, and uses it there.
#   scripts/try_wheel.sh PYTHON
set -euo pipefail
python=$(realpath -s "${1:-python3}")
clone=$(cd "$(dirname "$0")/.." && pwd)
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

rm -rf "$clone/dist"
# the source archive first and the wheel from it, so that the archive is known to hold all that the wheel needs
backend=$("$python" -c 'import sys, tomllib; print(*tomllib.load(open(sys.argv[1], "rb"))["build-system"]["requires"])' "$clone/pyproject.toml")
"$python" -m venv "$place/build"
"$place/build/bin/python" -m pip install --quiet --disable-pip-version-check $backend
(cd "$clone" && "$place/build/bin/python" -m hatchling build -t sdist)
"$python" -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir "$clone/dist" "$clone"/dist/inkdigits-*.tar.gz
ls -l "$clone/dist"

"$python" -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet --disable-pip-version-check --constraint "$clone/constraints.txt" "$clone"/dist/inkdigits-*.whl
cd "$place"
inkdigits=$place/venv/bin/inkdigits
size=$(( $(du -sk venv | cut -f1) - $(du -sk venv/lib/python*/site-packages/pip | cut -f1) ))
echo "the base install takes $((size / 1024)) MB on disk, pip not counted"
test "$size" -le $((400 * 1024))

expect() {  # expect WANTED COMMAND…: the command's output must hold WANTED
  local wanted=$1; shift
  echo "\$ inkdigits ${*}"
  local said; said=$("$inkdigits" "$@")
  grep -qF -- "$wanted" <<<"$said" || { echo "expected \"$wanted\", got: $said" >&2; exit 1; }
}
expect 'MNIST' doctor
expect 'label 7' show 0 --split test --out seven.png
expect '' sample --text "2071 438" --out page.jpg
test -s page.jpg
test -s page.json
expect '7' read --single seven.png
expect '' read page.jpg --xlsx numbers.xlsx --review check.html
test -s numbers.xlsx
test -s check.html
echo "the wheel works outside the clone"
