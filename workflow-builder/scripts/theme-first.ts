/* Puts src/ui/theme-first.js into the head of each page: a file of its own, since pages may forbid
 * scripts within them, under a name with a hash, since files of assets/ are kept for a year. */
import { readFileSync } from 'node:fs';
import type { Plugin } from 'vite';

export function themeFirst(): Plugin {
  let building = false;
  let source = '';
  let asset = '';
  return {
    name: 'theme-first',
    configResolved({ command, root }) {
      building = command === 'build';
      source = readFileSync(`${root}/src/ui/theme-first.js`, 'utf8');
    },
    buildStart() {
      if (building) asset = this.emitFile({ type: 'asset', name: 'theme-first.js', source });
    },
    generateBundle() {
      asset = this.getFileName(asset);
    },
    transformIndexHtml: {
      order: 'post',
      handler: () => [{ tag: 'script', injectTo: 'head', ...(building ? { attrs: { src: `/${asset}` } } : { children: source }) }],
    },
  };
}
