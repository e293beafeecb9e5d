import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const docs = fileURLToPath(new URL('..', import.meta.url));
const pages = globSync('**/*.md', { cwd: docs }).sort();
const read = (page: string) => readFileSync(join(docs, page), 'utf8');

/** Returns the anchors that renderers derive from headings. */
function headingAnchors(markdown: string): readonly string[] {
  const headings = markdown.replaceAll(/^```[\s\S]*?^```$/gm, '').matchAll(/^#+ (.+)$/gm);
  return [...headings].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

test.each(pages)('every link of %s has a target', (page) => {
  const broken = [...read(page).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].flatMap(([, link = '']) => {
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? page : join(dirname(page), path);
    if (!existsSync(join(docs, target))) return [`${link}: no such file`];
    return anchor === undefined || headingAnchors(read(target)).includes(anchor) ? [] : [`${link}: no such heading`];
  });
  expect(broken).toEqual([]);
});

test('every page is in the table of contents', () => {
  const listed = [...read('README.md').matchAll(/\]\(([^)#]+\.md)\)/g)].map(([, link = '']) => link);
  const expected = pages.filter((page) => page !== 'README.md' && !page.startsWith('adr/'));
  expect(expected.filter((page) => !listed.includes(page))).toEqual([]);
});
