/** What `config` prints: it writes each `$` twice, in keys and paths as well, unless it is told not to interpolate. */
export const undoubled = (output: string): string => output.replaceAll('$$', '$')
