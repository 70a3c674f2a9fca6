/** A name that is longer is nobody's slip of the finger, and comparing takes time in proportion to its length. */
const MAX_LENGTH = 64;

/**
 * The known name that is meant by `name`, if one is near: a few edits away (one in three characters, at most three), or
 * the only one that begins with it.
 */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  if (name.length > MAX_LENGTH) return undefined;
  const written = name.toLowerCase();
  let nearest: string | undefined;
  let fewest = Infinity;
  const longer: string[] = [];
  for (const candidate of known) {
    const other = candidate.toLowerCase();
    if (written.length >= 3 && other.startsWith(written)) longer.push(candidate);
    const most = Math.min(3, Math.max(1, Math.floor(Math.max(written.length, other.length) / 3)));
    if (Math.abs(written.length - other.length) > most) continue;
    const edits = editDistance(written, other);
    if (edits <= most && edits < fewest) {
      fewest = edits;
      nearest = candidate;
    }
  }
  return nearest ?? (longer.length === 1 ? longer[0] : undefined);
}

/** How many insertions, deletions, substitutions and swaps of neighbours lie between two texts. */
export function editDistance(from: string, to: string): number {
  let before: number[] = [];
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      let edits = Math.min(substitution, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]) {
        edits = Math.min(edits, (before[j - 2] ?? 0) + 1);
      }
      next.push(edits);
    }
    before = row;
    row = next;
  }
  return row[to.length] ?? 0;
}
