#!/bin/sh
# Makes the virtual environments that the Makefile's targets need. `make` calls it; there is no need to.
#
#   scripts/setup.sh boot                       .venvs/boot: the pinned uv, installed by whatever Python there is
#   scripts/setup.sh venv FOLDER REQUIREMENTS…  FOLDER: a Python of the version in .python-version, and those packages
#   scripts/setup.sh node LOCK FILE…            .venvs/node/NAME for each: what the lock file of a folder NAME pins
#
# Nothing is installed outside of this folder, but for uv's cache, and a Python in uv's own folder where this
# machine has none of that version.
set -eu
cd "$(dirname "$0")/.."

boot=.venvs/boot
requirements=requirements/uv.txt

say() { echo "setup: $*" >&2; }

# A pyenv shim is on the path and still fails where pyenv lacks the version that .python-version names.
find_python() {
  for python in ${PYTHON:+"$PYTHON"} python3 python3.14 python3.13 python3.12 python3.11 python3.10 python3.9 /usr/bin/python3; do
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 9))' >/dev/null 2>&1; then
      echo "$python"
      return
    fi
  done
  return 1
}

make_boot() {
  mkdir -p .venvs
  rm -rf "$boot"
  if python=$(find_python) && "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    say "installing uv with $("$python" -c 'import sys; print(sys.executable)')"
    "$python" -m venv "$boot"
    "$boot/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$requirements"
  elif command -v uv >/dev/null; then
    say "installing this project's version of uv with the one on the path"
    uv venv --quiet --no-project --python ">=3.9" "$boot"
    uv pip install --quiet --python "$boot/bin/python" --require-hashes -r "$requirements"
  elif [ -n "${python:-}" ] && "$python" -m pip --version >/dev/null 2>&1; then
    # Debian's pip without Debian's ensurepip: a target folder needs no venv.
    say "installing uv with pip"
    "$python" -m pip install --quiet --disable-pip-version-check --require-hashes --target "$boot" -r "$requirements"
  elif [ -n "${python:-}" ]; then
    say "$python can neither make a virtual environment nor install packages."
    say "On Debian and Ubuntu: sudo apt-get install python3-venv. Then run make again."
    return 1
  else
    say "no Python from 3.9 on was found. Install one (Debian: apt-get install python3-venv), or name it: make PYTHON=…"
    return 1
  fi
  "$boot/bin/uv" --version >&2
}

make_venv() {
  folder=$1
  shift
  version=$(cat .python-version)
  . scripts/index.sh
  check="import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$version')"
  if ! "$folder/bin/python" -c "$check" >/dev/null 2>&1; then
    "$boot/bin/uv" venv --quiet --no-project --clear --python "$version" "$folder" || {
      say "Python $version was not found and could not be downloaded: install it (pyenv install $version) and run make again."
      return 1
    }
  fi
  say "$folder: $*"
  # Bytecode at once, since some machines keep Python from saving it and would pay at every start.
  compile=--compile-bytecode
  [ -z "${UNCOMPILED:-}" ] || compile=
  "$boot/bin/uv" pip sync --quiet --python "$folder/bin/python" --require-hashes $compile "$@"
  # The environments that run our code find it from any folder, and so do the processes that tests start. SAM's and
  # the local AWS's do not: there only the built package may be found.
  case $folder in
  .venv) up=../../../.. ;;
  .venvs/fuzz | .venvs/docs) up=../../../../.. ;;
  *) return 0 ;;
  esac
  printf "$up/%s\n" authorizer devkit packaging >"$folder/lib/python$version/site-packages/project.pth"
}

# All at once, since they mostly wait. Where there is no Node, the tests that want it are skipped.
make_node() {
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    say "no Node on this machine: the tests that want it will be skipped"
    return
  fi
  waiting=
  for lock in "$@"; do
    from=$(dirname "$lock")
    folder=.venvs/node/$(basename "$from")
    say "$folder: $lock"
    mkdir -p "$folder"
    cp "$from/package.json" "$lock" "$folder"
    npm ci --silent --no-audit --no-fund --ignore-scripts --fetch-retries 5 --prefix "$folder" &
    waiting="$waiting $!"
  done
  for process in $waiting; do
    wait "$process" || {
      say "npm failed: run make again, or npm ci in the folder of the lock file, which says why."
      return 1
    }
  done
}

case ${1:-} in
boot) make_boot ;;
venv)
  shift
  make_venv "$@"
  ;;
node)
  shift
  make_node "$@"
  ;;
*)
  echo "usage: $0 boot | venv FOLDER REQUIREMENTS… | node LOCK FILE…" >&2
  exit 2
  ;;
esac
