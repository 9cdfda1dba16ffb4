import { LANGUAGES, type Language } from '../../base/languages.ts'
import { HOME_TEXTS } from './home-texts.ts'

/** The page's only style sheet, inline: its hash stands in the Content-Security-Policy. */
export const HOME_STYLE = `
:root {
  color-scheme: light dark;
  --paper: #fbfaf8; --ink: #1d2126; --quiet: #5a626c; --line: #dcd9d3; --accent: #0b5e7d; --code: #f0ede8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171a; --ink: #e8e6e3; --quiet: #a3aab3; --line: #33393f; --accent: #7cc4e0; --code: #20252a;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 1.0625rem/1.6 system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif;
}
main { max-width: 42rem; margin: 0 auto; padding: clamp(1.5rem, 6vw, 4.5rem) 1.25rem 3rem; }
h1 { margin: 0; font-size: clamp(2rem, 7vw, 2.75rem); line-height: 1.15; letter-spacing: -0.02em; }
.tagline { margin: 0.25rem 0 2rem; color: var(--quiet); font-size: 1.1875rem; }
h2 { margin: 2.25rem 0 0.5rem; font-size: 1.1875rem; line-height: 1.3; }
p { margin: 0 0 0.75rem; }
ul { list-style: none; margin: 0; padding: 0; border-top: 1px solid var(--line); }
li { border-bottom: 1px solid var(--line); }
li a {
  display: flex; flex-wrap: wrap; justify-content: space-between; align-items: baseline;
  gap: 0 1rem; padding: 0.625rem 0; text-decoration: none;
}
li span { text-decoration: underline; }
a { color: var(--accent); text-underline-offset: 0.2em; }
a:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 2px; }
code, pre { font: 0.875em/1.6 ui-monospace, "Cascadia Mono", "Noto Sans Mono", monospace; }
li code { color: var(--quiet); line-height: inherit; }
pre {
  margin: 0.75rem 0 0; padding: 0.75rem 1rem; background: var(--code); border-radius: 6px;
  white-space: pre-wrap; overflow-wrap: anywhere;
}
footer { margin-top: 2.5rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--quiet); }
footer a { display: inline-block; padding: 0.5rem 1rem 0.5rem 0; }
`

/** What a person sees who opens the portal's address: what this is, and where to go. Needs no script. */
export function homePage(language: Language): string {
  const texts = HOME_TEXTS[language]
  const links = [
    ['/openapi.json', texts.openApi],
    ['/readyz', texts.ready],
    ['/healthz', texts.alive],
    ['/metrics', texts.metrics],
  ].map(
    ([path, text]) => `<li><a href="${path}"><span>${text}</span> <code>${path}</code></a></li>`,
  )
  const others = LANGUAGES.filter((one) => one !== language).map(
    (one) => `<a href="/?lang=${one}" lang="${one}" hreflang="${one}">${HOME_TEXTS[one].name}</a>`,
  )
  return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tallenne – ${texts.tagline}</title>
<style>${HOME_STYLE}</style>
</head>
<body>
<main>
<h1>Tallenne</h1>
<p class="tagline">${texts.tagline}</p>
<p>${texts.about}</p>
<h2>${texts.linksTitle}</h2>
<ul>
${links.join('\n')}
</ul>
<h2>${texts.tokenTitle}</h2>
<p>${texts.token}</p>
<pre>Authorization: Bearer …</pre>
<h2>${texts.callerTitle}</h2>
<p>${texts.caller}</p>
<footer><nav aria-label="${texts.otherLanguages}">${others.join('\n')}</nav></footer>
</main>
</body>
</html>
`
}
