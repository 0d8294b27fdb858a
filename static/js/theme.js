// Loaded before the first paint, so that a chosen theme does not flash. "auto" follows the system.
(() => {
  const chosen = localStorage.getItem("theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();
