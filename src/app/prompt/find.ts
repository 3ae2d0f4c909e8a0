/** Names of each thing that a model draws, the primary one first. */
export type Concepts = readonly (readonly string[])[];

/** Primary names of those of which any name has the text in it; those that begin with it, first. */
export function namesMatching(concepts: Concepts, text: string): string[] {
  const wanted = text.trim().toLowerCase();
  const begin: string[] = [];
  const within: string[] = [];
  for (const names of concepts) {
    const places = names.map((name) => name.toLowerCase().indexOf(wanted));
    if (places.includes(0)) begin.push(names[0]!);
    else if (places.some((place) => place > 0)) within.push(names[0]!);
  }
  return [...new Set([...begin, ...within])];
}
