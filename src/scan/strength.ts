// Whether a fingerprint of a value tells nobody anything. That of a guessable one would confirm a short list of guesses.
// No look at a text tells who has made it: `md5("letmein")` looks as random as a key. So a value is strong where a program
// of ours has drawn it by chance, or where it has the form of a token that a service draws.

/** The 24 bits of a rolling hash that a fingerprint tells leave 80 to guess. */
const strongBits = 104

/** Signs drawn by chance. */
const ofRandom = (text: string): number => {
  const size = /^[0-9a-f]*$/.test(text) ? 16 : /^[0-9]*$/.test(text) ? 10 : 62
  return text.length * Math.log2(size)
}

/** Shannon's entropy of a text by its own signs: no repetition passes for chance. */
const entropyOf = (text: string): number => {
  const counts = new Map<string, number>()
  for (const sign of text) counts.set(sign, (counts.get(sign) ?? 0) + 1)
  return [...counts.values()].reduce(
    (sum, count) => sum - count * Math.log2(count / text.length),
    0,
  )
}

/** Tokens of services. The group is what the service draws. */
const tokenForms = [
  /^(?:sk|rk|whsec)_(?:(?:live|test)_)?([A-Za-z0-9]{24,})$/, // Stripe
  /^gh[pousr]_([A-Za-z0-9]{36,})$/, // GitHub
  /^github_pat_([A-Za-z0-9_]{60,})$/,
  /^glpat-([\w-]{20,})$/, // GitLab
  /^xox[abprs]-([\w-]{40,})$/, // Slack
  /^sk-(?:[a-z]+-)?([\w-]{40,})$/, // OpenAI, Anthropic
  /^npm_([A-Za-z0-9]{36,})$/,
  /^SG\.([\w-]{22}\.[\w-]{43})$/, // SendGrid
  /^dop_v1_([0-9a-f]{64})$/, // DigitalOcean
  /^hvs\.([\w-]{24,})$/, // Vault
  /^AGE-SECRET-KEY-1([0-9A-Z]{58})$/,
]

const drawnIn = (text: string): string | undefined =>
  tokenForms.map((form) => form.exec(text)?.[1]).find((drawn) => drawn !== undefined)

const privateKey = /^-----BEGIN [A-Z ]*PRIVATE KEY-----/

/** `generated`: a generator or a rotation has drawn it. `known`: the part of it that the fingerprint is of. */
export const isStrong = (
  value: Buffer,
  { generated }: { readonly generated: boolean },
): boolean => {
  const text = value.toString('latin1').trim()
  const drawn = generated ? text : (drawnIn(text) ?? (privateKey.test(text) ? text : ''))
  return ofRandom(drawn) >= strongBits && (generated || entropyOf(drawn) >= strongBits - 30)
}
