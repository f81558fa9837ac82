#!/bin/sh
# The two halves of the suite at once, one a core: the browser's tests wait much and compute much, the
# others likewise. The first is shown as it runs, the second when both have ended.
#
#   tools/tests.sh              everything but what is marked nightly
#   tools/tests.sh ARGUMENTS    one pytest with these
set -u
cd "$(dirname "$0")/.."
[ $# -eq 0 ] || exec pytest -rs "$@"

other=$(mktemp)
pytest -rs --ignore=tests/browser >"$other" 2>&1 &
pid=$!
trap 'kill "$pid" 2>/dev/null; rm -f "$other"' EXIT
trap 'exit 130' INT TERM HUP

pytest -rs tests/browser
browser=$?
wait "$pid"
others=$?
cat "$other"
[ "$browser" -eq 0 ] || echo "tests/browser failed: see the summary above the other half's output"
exit $((browser | others))
