import '../../ui/base.css';
import './home.css';
import { HomePage } from './home-page';

const page = new HomePage();
document.querySelector('#app')?.replaceWith(page.element);
page.start();
