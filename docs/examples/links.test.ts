import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const docs = fileURLToPath(new URL('..', import.meta.url));
const pages = globSync('**/*.md', { cwd: docs }).sort();
const read = (page: string) => readFileSync(join(docs, page), 'utf8');

/** As renderers make them of headings. */
function anchorsOf(markdown: string): readonly string[] {
  const headings = markdown.replaceAll(/^```[\s\S]*?^```$/gm, '').matchAll(/^#+ (.+)$/gm);
  return [...headings].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

test.each(pages)('%s links to what is there', (page) => {
  const broken = [...read(page).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].flatMap(([, link = '']) => {
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? page : join(dirname(page), path);
    if (!existsSync(join(docs, target))) return [`${link}: no such file`];
    return anchor === undefined || anchorsOf(read(target)).includes(anchor) ? [] : [`${link}: no such heading`];
  });
  expect(broken).toEqual([]);
});

test('every page is in the table of contents', () => {
  const listed = [...read('README.md').matchAll(/\]\(([^)#]+\.md)\)/g)].map(([, link = '']) => link);
  const own = pages.filter((page) => page !== 'README.md' && !page.startsWith('adr/'));
  expect(own.filter((page) => !listed.includes(page))).toEqual([]);
});
