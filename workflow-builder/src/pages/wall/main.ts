import '../../ui/base.css';
import './wall.css';
import { WallPage } from './wall-page';

const page = new WallPage();
document.querySelector('#app')?.replaceWith(page.element);
page.start();
