import '../../ui/base.css';
import './login.css';
import { LoginPage } from './login-page';

const page = new LoginPage();
document.querySelector('#app')?.replaceWith(page.element);
page.start();
