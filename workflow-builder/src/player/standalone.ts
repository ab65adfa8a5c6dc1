/* Entry of the one-script build: <script src="http://server/overwatch-view.js"></script>. */
import { defineOverwatchView } from './overwatch-view';

defineOverwatchView();
