import '../../ui/base.css';
import './wall.css';
import { defineOverwatchView } from '../../player/overwatch-view';
import { WallPage } from './wall-page';

defineOverwatchView();
const page = new WallPage();
document.querySelector('#app')?.replaceWith(page.element);
page.start();
