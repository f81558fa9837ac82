// Fetching a public file: the same bytes for everyone, asked for in the same way by everyone.

export async function fetchFile(url: string, limit: number): Promise<Uint8Array | null> {
  try {
    const answer = await fetch(url, {
      credentials: 'omit',
      cache: 'no-store',
      referrerPolicy: 'no-referrer',
    });
    if (!answer.ok) return null;
    const bytes = new Uint8Array(await answer.arrayBuffer());
    return bytes.length <= limit ? bytes : null;
  } catch {
    return null;
  }
}
