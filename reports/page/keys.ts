/** Keys for the whole page; `?` shows them. */
export function startKeys(articles: readonly HTMLElement[]): void {
  const help = document.querySelector<HTMLDialogElement>('#_keys');
  const shown = () => articles.filter((article) => !article.hidden);
  const go = (step: 1 | -1, wanted: (article: HTMLElement) => boolean = () => true) => {
    const list = shown();
    const here = list.findIndex((article) => article.contains(document.activeElement));
    const order = step === 1 ? list.slice(here + 1) : list.slice(0, here < 0 ? list.length : here).reverse();
    const next = order.find(wanted) ?? (step === 1 ? list.find(wanted) : list.findLast(wanted));
    const summary = next?.querySelector('summary');
    summary?.focus({ preventScroll: true });
    summary?.scrollIntoView({ block: 'center' });
  };
  const troubled = (article: HTMLElement) => ['fail', 'inconclusive'].includes(article.dataset.status ?? '');
  const keys: Readonly<Record<string, () => void>> = {
    j: () => go(1),
    k: () => go(-1),
    f: () => go(1, troubled),
    '/': () => document.querySelector<HTMLInputElement>('#_search')?.focus(),
    '?': () => help?.showModal(),
  };
  document.addEventListener('keydown', (event) => {
    const { target } = event;
    const typing = target instanceof HTMLInputElement && target.type === 'search';
    if (typing && event.key === 'Escape') {
      target.value = '';
      target.dispatchEvent(new Event('input'));
      target.blur();
    }
    if (typing || target instanceof HTMLSelectElement || help?.open || event.ctrlKey || event.metaKey || event.altKey)
      return;
    const act = keys[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  });
  document.querySelector('#_help')?.addEventListener('click', () => help?.showModal());
  help?.addEventListener('click', (event) => {
    if (event.target === help) help.close();
  });
}
