// Whether a value is a secret. The name of its key decides first: what it calls a secret is one, unless the value only
// switches something or names a file. Where the name only speaks of a secret, a number or any path is none. Pure.
import { passwordIn } from './password-in-text.ts'

/** Words of a name: `JWT_SECRET_2`, `jwtSecret` and `jwt.secret` have the same. */
const wordsOf = (key: string): string[] =>
  key
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toUpperCase()
    .split(/[^A-Z0-9]+/)
    .filter((word) => !/^\d*$/.test(word))

const secretName =
  /PASS(WORD|WD|PHRASE)?|SECRET|TOKEN|PRIVATE|CREDENTIAL|API_?KEY|ACCESS_?KEY|_KEY$|_DSN$|(^|_)(AUTH|PW|PWD|SALT)$/

/** The last word of the name of a user, a host, a database, a port or a folder. */
const plainNames = new Set(
  'BUCKET DATABASE DB DIR DIRECTORY FOLDER HOST HOSTNAME LOCATION LOGIN NAME PATH PORT REGION USER USERNAME'.split(
    ' ',
  ),
)

/** Whose password a name may say. */
const owners = new Set('DATABASE DB LOGIN USER USERNAME'.split(' '))

/** The last word of a name that only speaks of a secret. */
const settings = new Set([
  ...plainNames,
  ...(
    'AGE ALG ALGO ALGORITHM AUDIENCE COST COUNT DAYS DISABLED DURATION ENABLE ENABLED ENDPOINT EXPIRATION EXPIRE ' +
    'EXPIRES EXPIRY FILE FORMAT HEADER HOURS IN INTERVAL ISSUER LENGTH LIFETIME LIMIT MAX METHOD MIN MINUTES MODE ' +
    'POLICY PREFIX PROVIDER RATE REQUIRED ROUNDS SECONDS SIZE TIMEOUT TTL TYPE URI URL VERSION'
  ).split(' '),
])

/** Of names with a word for a secret, those that say that the value is one: `MAX_TOKENS` and `TOKEN_VALIDITY` do not. */
const calledSecret = /PASS|SECRET|(PWD?|TOKEN|AUTH|SALT|KEY|DSN|CREDENTIALS?)$/

/** What the name says of the value. */
const saidBy = (key: string): 'is a secret' | 'is about one' | undefined => {
  const words = wordsOf(key)
  const name = words.join('_')
  if (name === 'PWD') return undefined
  // `PASSWORD_DB` is the password of the database, and `DB_AUTH_USER` a user.
  if (/^PASS(WORD|WD|PHRASE)?$|^PWD?$/.test(words.at(-2) ?? '') && owners.has(words.at(-1) ?? ''))
    return 'is a secret'
  if (!secretName.test(name) || settings.has(words.at(-1) ?? '')) return undefined
  return calledSecret.test(name) ? 'is a secret' : 'is about one'
}

const flag = /^(true|false|yes|no|on|off|none|null|enabled?|disabled?|0|1)$/i
/** A count or a time. */
const measure = /^(\d{1,5}|\d+ ?(ms|s|m|h|d|sec|min|[kmg]i?b?))$/i
const namedFile = /^\/?[\w.-]+(\/[\w.-]+)*\.(pem|key|crt|json|ya?ml|txt)$/
const path = /^(~|\.{0,2})\/[\w.-]{0,60}(\/[\w.-]{1,60})*\/?$/
/** Folders in which containers and machines have files. A password that begins with a `/` begins otherwise. */
const knownPath =
  /^((~|\.{1,2})\/|\/(app|certs?|config|data|etc|home|keys?|mnt|opt|root|run|secrets?|srv|tmp|usr|var)(\/|$))/

export const isPath = (value: string): boolean => path.test(value) || namedFile.test(value)

const isKnownFile = (value: string): boolean =>
  namedFile.test(value) || (path.test(value) && knownPath.test(value))

/** The name of a user, a host, a database, a port or a path: none of them holds a secret. */
export const isPlainName = (key: string): boolean => plainNames.has(wordsOf(key).at(-1) ?? '')

const isNamedSecret = (key: string, value: string): boolean => {
  const said = saidBy(key)
  if (said === undefined || value === '' || flag.test(value)) return false
  return said === 'is a secret' ? !isKnownFile(value) : !isPath(value) && !measure.test(value)
}

const secretForms = [
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  /^https:\/\/(hooks\.slack\.com\/|discord(app)?\.com\/api\/webhooks\/)/,
  /^(sk_live_|sk_test_|sk-|ghp_|github_pat_|glpat-|xox[abp]-|AKIA[0-9A-Z]{12})/,
  /^eyJ[\w-]{10,}\.eyJ[\w-]+/,
  // Random bytes, in hex or base64.
  /^[0-9a-f]{32,}$/i,
  /^(?=[^]*\d)(?=[^]*[a-z])(?=[^]*[A-Z])[\w+/-]{32,}={0,2}$/,
]

/** True for a text that is a secret, or has a password in it, whatever its name is. */
export const hasSecretForm = (value: string): boolean =>
  passwordIn(value) !== undefined || secretForms.some((form) => form.test(value))

export const looksSecret = (key: string, value: string): boolean =>
  hasSecretForm(value) || isNamedSecret(key, value)
