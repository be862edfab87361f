// @ts-check
/** Before anything is painted: the look that was chosen, or else the system's. */
{
  const chosen = localStorage.getItem('theme');
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
}
