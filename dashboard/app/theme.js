// Runs before the first paint, so that a chosen theme does not flash. The file is small and blocks.
try {
  const { theme, density } = JSON.parse(localStorage.getItem('stagely.look') ?? '{}')
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
  if (density === 'dense') document.documentElement.dataset.density = density
} catch {
  // Storage may be refused; then the system's theme is used.
}
