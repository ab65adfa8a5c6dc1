import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { pages } from './scripts/pages';
import { themeFirst } from './scripts/theme-first';

const backend = process.env['OVERWATCH_SERVER'] ?? 'http://127.0.0.1:8000';

export default defineConfig({
  plugins: [pages(fileURLToPath(new URL('.', import.meta.url))), themeFirst()],
  appType: 'mpa',
  esbuild: { jsx: 'automatic' },
  server: {
    proxy: {
      '/api': { target: backend, ws: true },
      '/healthz': backend,
    },
  },
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rollupOptions: {
      /* A remark to frameworks that render on servers; this one does not. */
      onwarn: (warning, tell) => warning.code !== 'MODULE_LEVEL_DIRECTIVE' && tell(warning),
    },
  },
});
