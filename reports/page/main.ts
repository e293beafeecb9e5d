import { startFilter } from './filter.ts';
import { listEvents, listOutput, listTables } from './lists.ts';
import { createTimeline, type TimelineCanvas } from './timeline.ts';
import { type Unpacked, unpack } from './unpack.ts';

/** The report's script. It unpacks the data of a scenario when the scenario comes into view. */

const timelines: TimelineCanvas[] = [];

async function inflate(base64: string): Promise<Uint8Array> {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Draws a scenario when it is first opened. */
async function fill(article: HTMLElement): Promise<void> {
  if (article.dataset.filled) return;
  article.dataset.filled = 'yes';
  const block = document.getElementById(`_data-${article.dataset.number}`);
  if (block === null) return;
  const data = unpack(await inflate(block.textContent ?? ''));
  const place = article.querySelector<HTMLElement>('.picture');
  if (place) {
    const timeline = createTimeline(data, place.dataset.says ?? 'Timeline');
    place.append(timeline.root);
    timelines.push(timeline);
    timeline.redraw();
  }
  for (const list of article.querySelectorAll<HTMLDetailsElement>('details[data-list]')) {
    const show = () => {
      if (list.open && list.querySelector('.filled') === null) list.append(listOf(list.dataset.list ?? '', data));
    };
    list.addEventListener('toggle', show);
    show();
  }
}

function listOf(kind: string, { scenario }: Unpacked): HTMLElement {
  const lists = { events: listEvents, output: listOutput, tables: listTables };
  const make = lists[kind as keyof typeof lists];
  const filled = document.createElement('div');
  filled.className = 'filled';
  filled.append(...make(scenario));
  return filled;
}

/** Opens the scenario that the location's fragment names. */
function follow(): void {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const details = target?.closest<HTMLDetailsElement>('.scenario > details');
  if (!target || !details) return;
  const article = details.closest<HTMLElement>('.scenario');
  if (article) article.hidden = false;
  details.open = true;
  if (article) void fill(article);
  target.scrollIntoView();
}

function startTheme(): void {
  const radios = [...document.querySelectorAll<HTMLInputElement>('input[name=theme]')];
  const store = 'rekindle-theme';
  const redraw = () => {
    for (const timeline of timelines) timeline.redraw();
  };
  try {
    const kept = radios.find((radio) => radio.value === localStorage.getItem(store));
    if (kept) kept.checked = true;
  } catch {
    // A page from a local file may have no storage.
  }
  for (const radio of radios) {
    radio.addEventListener('change', () => {
      try {
        localStorage.setItem(store, radio.value);
      } catch {
        // As above.
      }
      redraw();
    });
  }
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
}

document.documentElement.classList.add('scripted');
/** Draws open scenarios shortly before they come into view. */
const near = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      near.unobserve(target);
      void fill(target as HTMLElement);
    }
  },
  { rootMargin: '600px' },
);
const articles = [...document.querySelectorAll<HTMLElement>('.scenario')];
for (const article of articles) {
  const details = article.querySelector('details');
  if (details === null) continue;
  details.addEventListener('toggle', () => {
    if (details.open) near.observe(article);
  });
  if (details.open) near.observe(article);
}
startTheme();
startFilter(articles);
startKeys(articles);
addEventListener('hashchange', follow);
follow();

/** Keyboard shortcuts; `?` lists them. */
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
