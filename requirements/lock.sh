#!/bin/sh
# Makes the locks again. Arguments go to uv, `--upgrade` for one.
set -eu
cd "$(dirname "$0")/.."

compile() {
  out=$1
  shift
  uv pip compile --universal --python-version 3.11 --generate-hashes --quiet \
    --custom-compile-command "sh requirements/lock.sh" \
    --output-file "requirements/$out" "$@" >/dev/null
}

compile run.txt pyproject.toml "$@"
# Held to run.txt: what is tested is what operators run.
compile campaign.txt pyproject.toml --extra campaign --constraints requirements/run.txt "$@"
compile dev.txt pyproject.toml --group dev --extra film --extra campaign \
  --constraints requirements/run.txt --constraints requirements/campaign.txt "$@"
compile film.txt pyproject.toml --extra film --constraints requirements/run.txt "$@"
# What makes the wheel on a server, to the byte too.
compile build.txt --group build --constraints requirements/dev.txt "$@"
compile node.txt --group node "$@"
compile sbom.txt --group sbom "$@"
compile fuzz.txt --group fuzz "$@"
