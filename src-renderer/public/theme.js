// Runs before the first paint, as a file of its own because the content policy allows no inline script.
(function applyStoredTheme() {
  let stored = null;
  try {
    stored = window.localStorage.getItem('skein.theme');
  } catch {
    // Storage can be switched off; then the system's choice stands.
    stored = null;
  }
  if (stored === 'light' || stored === 'dark') document.documentElement.dataset.theme = stored;
})();
