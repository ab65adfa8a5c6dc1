import { defineConfig, type Plugin } from 'vite';
import { themeFirst } from './scripts/theme-first';

/* Pages by the names that the server has for them. */
function viewRoute(): Plugin {
  return {
    name: 'view-route',
    configureServer(server) {
      server.middlewares.use((request, _response, next) => {
        if (request.url?.startsWith('/view/')) request.url = '/view.html';
        request.url = request.url?.replace(/^\/(wall|recordings|performance|login)(?=$|\?)/, '/$1.html');
        next();
      });
    },
  };
}

const backend = process.env['OVERWATCH_SERVER'] ?? 'http://127.0.0.1:8000';

export default defineConfig({
  plugins: [viewRoute(), themeFirst()],
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
      input: ['index.html', 'view.html', 'wall.html', 'recordings.html', 'performance.html', 'login.html'],
    },
  },
});
