// What a person calls the browser that a request came from, for the list of their sessions.
/** The first that is found counts: most browsers name others as well. */
const browsers: readonly (readonly [string, RegExp])[] = [
  ['Edge', /\bEdg(e|A|iOS)?\//],
  ['Opera', /\bOPR\//],
  ['Firefox', /\b(Firefox|FxiOS)\//],
  ['Chrome', /\b(Chrome|CriOS|Chromium|HeadlessChrome)\//],
  ['Safari', /\bSafari\//],
  ['curl', /^curl\//],
]

const systems: readonly (readonly [string, RegExp])[] = [
  ['iOS', /\b(iPhone|iPad)\b/],
  ['Android', /\bAndroid\b/],
  ['Windows', /\bWindows\b/],
  ['macOS', /\bMac OS X\b/],
  ['ChromeOS', /\bCrOS\b/],
  ['Linux', /\bLinux\b/],
]

/** By the header `User-Agent`, which anybody may make up: such as "Firefox on Linux". */
export const browserNameOf = (userAgent: string | null): string => {
  const find = (names: typeof browsers): string | undefined =>
    names.find(([, pattern]) => pattern.test(userAgent ?? ''))?.[0]
  const browser = find(browsers) ?? 'unknown browser'
  const system = find(systems)
  return system === undefined ? browser : `${browser} on ${system}`
}
