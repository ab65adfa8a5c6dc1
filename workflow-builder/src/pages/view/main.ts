import '../../ui/base.css';
import './view.css';
import { defineOverwatchView } from '../../player/overwatch-view';
import { ViewPage } from './view-page';

defineOverwatchView();

const node = decodeURIComponent(location.pathname.replace(/^\/view\/?/, '').replace(/\/$/, ''));
document.querySelector('#app')?.replaceWith(new ViewPage(node).element);
