/* The pages: all of one form, which is written here, each with a title and a script of its own. Their
 * paths are those that the server has for them (src/api/routes_pages.c). */
import { basename, resolve } from 'node:path';
import type { Plugin } from 'vite';

interface Page {
  /** What it is called in the window; the builder is the product itself. */
  readonly title: string;
  readonly script: string;
  readonly path: RegExp;
  /** Does it reach under the notch of a phone? */
  readonly fills?: boolean;
}

const PAGES: Readonly<Record<string, Page>> = {
  index: { title: 'Overwatch X-RAY', script: 'builder/main.tsx', path: /^\/$/ },
  view: { title: 'Overwatch X-RAY view', script: 'pages/view/main.ts', path: /^\/view\//, fills: true },
  wall: { title: 'Wall · Overwatch X-RAY', script: 'pages/wall/main.ts', path: /^\/wall$/ },
  recordings: { title: 'Recordings · Overwatch X-RAY', script: 'pages/recordings/main.ts', path: /^\/recordings$/ },
  performance: { title: 'Performance · Overwatch X-RAY', script: 'pages/performance/main.ts', path: /^\/performance$/ },
  login: { title: 'Log in · Overwatch X-RAY', script: 'pages/login/main.ts', path: /^\/login$/ },
};

function html(name: string, { title, script, fills = false }: Page): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1${fills ? ', viewport-fit=cover' : ''}" />
    <meta name="color-scheme" content="dark light" />
    <title>${title}</title>
    <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
    <script type="module" src="/src/${script}"></script>
  </head>
  <body class="${name === 'index' ? 'builder' : name}-page">
    <div id="app"></div>
    <noscript>This page needs JavaScript.</noscript>
  </body>
</html>
`;
}

/** Gives Vite the pages: to its build as files that are nowhere else, to a browser under their paths. */
export function pages(root: string): Plugin {
  const all = Object.entries(PAGES).map(([name, page]) => ({ file: resolve(root, `${name}.html`), path: page.path, text: html(name, page) }));
  const find = (id: string) => all.find(({ file }) => file === id);
  return {
    name: 'pages',
    enforce: 'pre',
    config: () => ({ build: { rollupOptions: { input: all.map(({ file }) => file) } } }),
    resolveId: (id) => find(id)?.file ?? null,
    load: (id) => find(id)?.text ?? null,
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const address = request.url?.split('?')[0] ?? '';
        const page = all.find(({ path }) => path.test(address));
        if (page === undefined) return next();
        server.transformIndexHtml(`/${basename(page.file)}`, page.text, request.url).then((text) => {
          response.setHeader('content-type', 'text/html; charset=utf-8');
          response.end(text);
        }, next);
      });
    },
  };
}
