import { matches, parseSearch, type Searched } from './match.ts';

/** Search field, claim and results above the list of scenarios: what does not match is hidden. */
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
      // The text of a large page is gathered only when somebody looks for some.
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
