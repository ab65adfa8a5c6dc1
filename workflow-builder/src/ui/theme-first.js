/* Runs before the first paint (scripts/theme-first.ts puts it into each page's head), so that a chosen
 * theme never flashes the other one. What follows the system needs nothing: the colours do by themselves. */
try {
  const chosen = localStorage.getItem('overwatch-theme');
  if (chosen === 'light' || chosen === 'dark') {
    document.documentElement.dataset.theme = chosen;
    document.querySelector('meta[name=color-scheme]').content = chosen;
  }
} catch {
  /* storage is forbidden here: as the system has it */
}
