#!/bin/sh
# Lists what ships: sbom/python.cdx.json and sbom/page.cdx.json, beside them campaign and film for
# who makes these (CycloneDX, from the locks alone), and THIRD-PARTY-NOTICES.txt. Its tools stand in an environment of their own (requirements/sbom.txt).
# The same locks give the same bytes: no serial number, no time.
set -eu
cd "$(dirname "$0")/.."
tools=.setup/sbom
if [ "$(cat $tools/.lock 2>/dev/null)" != "$(sha256sum <requirements/sbom.txt)" ]; then
  python3 -m venv --clear $tools
  $tools/bin/pip install --disable-pip-version-check --quiet --require-hashes --no-deps -r requirements/sbom.txt
  sha256sum <requirements/sbom.txt >$tools/.lock
fi

mkdir -p sbom
for list in run:python campaign:campaign film:film; do
  $tools/bin/cyclonedx-py requirements "requirements/${list%:*}.txt" --pyproject pyproject.toml \
    --output-reproducible --output-format JSON --output-file "sbom/${list#*:}.cdx.json"
done
(cd page && npm sbom --sbom-format cyclonedx --omit dev --package-lock-only) >$tools/page.json
.venv/bin/python tools/notices.py $tools/page.json $tools/bin/pip-licenses
