/** Hides the scenarios that do not match the search field, the claim and the results. */
export function startFilter(articles: readonly HTMLElement[]): void {
  const field = document.querySelector<HTMLInputElement>('#_search');
  const claim = document.querySelector<HTMLSelectElement>('#_claim');
  const boxes = [...document.querySelectorAll<HTMLInputElement>('input[data-status]')];
  const says = document.querySelector('#_shown');
  if (field === null || claim === null) return;
  const known = new Map<HTMLElement, Searched>();
  const searched = (article: HTMLElement): Searched => {
    const before = known.get(article);
    if (before) return before;
    const found = {
      text: [...article.querySelectorAll('summary, .static')]
        .map((part) => part.textContent)
        .join(' ')
        .toLowerCase(),
      claims: (article.dataset.claims ?? '').split(' '),
      status: article.dataset.status ?? '',
    };
    known.set(article, found);
    return found;
  };
  const apply = () => {
    const typed = parseSearch(field.value);
    const search = claim.value === '' ? typed : { ...typed, claims: [...typed.claims, claim.value] };
    const all = Object.values(search).every(({ length }) => length === 0);
    const off = new Set(boxes.filter((box) => !box.checked).map((box) => box.dataset.status));
    let shown = 0;
    for (const article of articles) {
      const { status } = article.dataset;
      // The text of a large page is collected on the first search only.
      const fits = !off.has(status) && (all || matches(searched(article), search));
      article.hidden = !fits;
      if (fits) shown++;
    }
    for (const feature of document.querySelectorAll<HTMLElement>('.feature')) {
      feature.hidden = feature.querySelector('.scenario:not([hidden])') === null;
    }
    if (says) says.textContent = `${shown} of ${articles.length} shown`;
  };
  field.addEventListener('input', apply);
  claim.addEventListener('change', apply);
  for (const box of boxes) box.addEventListener('change', apply);
  apply();
}

/** A parsed search such as `claim:C3 is:failed daemon`. */
export interface PageSearch {
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

export function parseSearch(text: string): PageSearch {
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

/** Requires every word, and one of the claims and one of the results. */
export function matches({ text, claims, status }: Searched, search: PageSearch): boolean {
  return (
    search.words.every((word) => text.includes(word)) &&
    (search.claims.length === 0 || search.claims.some((claim) => claims.includes(claim))) &&
    (search.statuses.length === 0 || search.statuses.some((one) => status.startsWith(one)))
  );
}
