// A reporter for Node's test runner that says what tests/claims/witness.py says of pytest: how each
// test ended, and by what kind of error.

const kindOf = (error) => {
  const cause = error?.cause ?? error;
  return cause?.code === 'ERR_ASSERTION' ? 'assertion' : (cause?.name ?? 'Error');
};

export default async function* witness(source) {
  const seen = [];
  for await (const { type, data } of source) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const { name, details, skip } = data;
    // A file counts as a test of its own: it fails with its tests, or because it could not be read.
    const { failureType } = details?.error ?? {};
    if (details?.type === 'suite' || failureType === 'subtestsFailed' || skip !== undefined) continue;
    const outcome = type === 'test:pass' ? 'passed' : 'failed';
    const phase = failureType && failureType !== 'testCodeFailure' ? failureType : 'call';
    seen.push({ test: name, phase, outcome, kind: outcome === 'failed' ? kindOf(details.error) : '' });
  }
  yield JSON.stringify({ package: null, seen });
}
