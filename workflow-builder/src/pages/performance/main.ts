import '../../ui/base.css';
import './performance.css';
import { PerformancePage } from './performance-page';

const page = new PerformancePage();
document.querySelector('#app')?.replaceWith(page.element);
page.start();
