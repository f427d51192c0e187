/**
 * Undoes the doubling of `$` in the output of `config`. Compose doubles each `$`, in keys and paths
 * too, unless interpolation is off.
 */
export const undoubled = (output: string): string => output.replaceAll('$$', '$')
