#!/bin/sh
# Write requirements/runtime.txt: every dependency of meshplan, pinned and with the hashes of its
# files, for all platforms and every Python that is promised. Needs uv.
set -eu
cd "$(dirname "$0")/.."
exec uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
  --default-index https://pypi.org/simple --no-emit-index-url \
  --custom-compile-command "scripts/lock.sh" --output-file requirements/runtime.txt "$@" pyproject.toml
