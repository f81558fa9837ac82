#!/bin/sh
# The suite in two parts. What needs the machine to itself, because it holds a real clock against it
# (marked `alone`), runs first, one by one; what waits for conditions runs after that, a few at a time.
#
#   tools/tests.sh              everything but what is marked nightly
#   tools/tests.sh ARGUMENTS    one pytest with these
set -u
cd "$(dirname "$0")/.."
[ $# -eq 0 ] || exec pytest -rs "$@"

pytest -rs -m "alone and not nightly"
alone=$?
# Browsers and processes wait more than they compute: one more at a time than there are cores.
pytest -rs -n "$(($(nproc) + 1))" --dist loadfile -m "not nightly and not alone"
together=$?
[ "$alone" -eq 0 ] || echo "The first part failed: its summary stands above the second part's"
exit $((together | alone))
