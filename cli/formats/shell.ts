// Assignments for a POSIX shell: `eval "$(stagely secrets export --format shell)"`.

/** Between single quotes a shell takes every byte literally, except the quote. */
export const renderShell = (entries: readonly { key: string; value: string }[]): string =>
  entries.map(({ key, value }) => `export ${key}='${value.replaceAll("'", `'\\''`)}'\n`).join('')

/** True for a valid name of a shell variable. */
export const isShellName = (key: string): boolean => /^[A-Za-z_][A-Za-z0-9_]*$/.test(key)
