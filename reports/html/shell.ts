import { type Html, html, render, trusted } from './markup.ts';
import { style } from './page-script.ts';

/** A page without a script. */
export interface StaticPage {
  readonly title: string;
  /** Text next to the product's name. */
  readonly about: string;
  readonly version: string;
  readonly main: Html;
}

export function renderStatic({ title, about, version, main }: StaticPage): string {
  return render(html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="generator" content="rekindle ${version}">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title><style>${trusted(style)}</style></head>
<body><a class="skip" href="#_main">Skip to the figures</a>
<header><p class="brand">${flame()}<b>Rekindle</b> <span>${about}</span></p><div class="controls">${themeSwitch()}</div></header>
<main id="_main">${main}</main></body></html>
`);
}

/** Radio buttons that the style sheet reads. */
export function themeSwitch(): Html {
  const themes = ['auto', 'light', 'dark'];
  return html`<fieldset class="switch theme"><legend class="sr">Theme</legend>${themes.map(
    (theme) =>
      html`<label><input type="radio" name="theme" value="${theme}" id="_theme-${theme}"${theme === 'auto' && html` checked`}>${theme}</label>`,
  )}</fieldset>`;
}

/** The logo. */
export function flame(): Html {
  return trusted(
    '<svg class="flame" viewBox="0 0 16 16" aria-hidden="true" focusable="false"><path d="M8.6.8c.5 2.6 4.6 4.4 4.6 8.6A5.2 5.2 0 0 1 8 15.2a5.2 5.2 0 0 1-5.2-5.4c0-2 1-3.2 2-4.3.3 1.2.8 1.8 1.5 2.2C6 4.900 7 2.600 8.600.8z"/></svg>',
  );
}
