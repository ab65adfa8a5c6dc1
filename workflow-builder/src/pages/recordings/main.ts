import '../../ui/base.css';
import './recordings.css';
import { RecordingsPage } from './recordings-page';

const page = new RecordingsPage();
document.querySelector('#app')?.replaceWith(page.element);
page.start();
