/** What is searched for: words, claims and results, as the search field has them (`claim:C3 is:failed daemon`). */
export interface Search {
  readonly words: readonly string[];
  readonly claims: readonly string[];
  readonly statuses: readonly string[];
}

export interface Searched {
  /** In lower case. */
  readonly text: string;
  readonly claims: readonly string[];
  readonly status: string;
}

const statusOf: Readonly<Record<string, string>> = { passed: 'pass', failed: 'fail' };

export function parseSearch(text: string): Search {
  const words: string[] = [];
  const claims: string[] = [];
  const statuses: string[] = [];
  for (const word of text.toLowerCase().split(/\s+/).filter(Boolean)) {
    if (/^claim:./.test(word)) claims.push(word.slice(6).toUpperCase());
    else if (/^is:./.test(word)) statuses.push(statusOf[word.slice(3)] ?? word.slice(3));
    else words.push(word);
  }
  return { words, claims, statuses };
}

/** Every word has to be there; of several claims or results, one. */
export function matches({ text, claims, status }: Searched, search: Search): boolean {
  return (
    search.words.every((word) => text.includes(word)) &&
    (search.claims.length === 0 || search.claims.some((claim) => claims.includes(claim))) &&
    (search.statuses.length === 0 || search.statuses.some((one) => status.startsWith(one)))
  );
}
