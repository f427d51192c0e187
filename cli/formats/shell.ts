// Assignments for a POSIX shell: `eval "$(stagely secrets export --format shell)"`.

/** Every byte of a value is literal between single quotes, but the quote itself. */
export const renderShell = (entries: readonly { key: string; value: string }[]): string =>
  entries.map(({ key, value }) => `export ${key}='${value.replaceAll("'", `'\\''`)}'\n`).join('')

/** What a shell takes as a name. */
export const isShellName = (key: string): boolean => /^[A-Za-z_][A-Za-z0-9_]*$/.test(key)
