import '@xyflow/react/dist/base.css';
import '../ui/base.css';
import './builder.css';
import { createRoot } from 'react-dom/client';
import { defineOverwatchView } from '../player/overwatch-view';
import { App } from './app-state';
import { AppContext } from './hooks/context';
import { Builder } from './parts/Builder';

defineOverwatchView();

const app = new App();
const place = document.querySelector('#app');
if (place !== null) {
  createRoot(place).render(
    <AppContext value={app}>
      <Builder />
    </AppContext>,
  );
}
void app.start();
