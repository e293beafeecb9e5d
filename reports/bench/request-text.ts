import type { ApiRequests } from './record.ts';

const hourMs = 3_600_000;

/** What an agent asks of the API server, a crash and an hour in which nothing happens. */
export function requestText({ during, crashes, idle }: ApiRequests): readonly string[] {
  const lines = [`  API requests: ${perCrash(during, crashes)}`];
  if (idle) {
    const count = sum(idle.during);
    const seconds = Math.round(idle.overMs / 1000);
    lines.push(
      `  at rest: ${count} in ${seconds} s${count > 0 ? ` (${said(idle.during, 1)})` : ''}, so ${Math.round((count * hourMs) / idle.overMs)} an hour`,
    );
  }
  return lines;
}

function perCrash(during: ApiRequests['during'], crashes: number): string {
  const lists = sum(Object.fromEntries(Object.entries(during).filter(([call]) => call.startsWith('list '))));
  const count = sum(during);
  return `${(count / crashes).toFixed(1)} a crash${count > 0 ? ` (${said(during, crashes)})` : ''}; ${lists === 0 ? 'none of them a list' : `lists ${lists}`}`;
}

const sum = (counts: ApiRequests['during']) => Object.values(counts).reduce((all, count) => all + count, 0);

const said = (counts: ApiRequests['during'], crashes: number) =>
  Object.entries(counts)
    .toSorted(([, a], [, b]) => b - a)
    .map(([call, count]) => `${call} ${crashes === 1 ? count : (count / crashes).toFixed(1)}`)
    .join(', ');
