// Whether a value is a secret, by its name and its form. Pure. A path, a flag and a number that steers something are
// none, whatever their names say.

/** Words of a name: `JWT_SECRET`, `jwtSecret` and `jwt.secret` have the same. */
const wordsOf = (key: string): string[] =>
  key
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toUpperCase()
    .split(/[^A-Z0-9]+/)
    .filter((word) => word !== '')

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

const isNamedSecret = (key: string): boolean => {
  const words = wordsOf(key)
  if (words.join('_') === 'PWD') return false
  // `PASSWORD_DB` is the password of the database, and `DB_AUTH_USER` a user.
  if (/^PASS(WORD|WD|PHRASE)?$|^PWD?$/.test(words.at(-2) ?? '') && owners.has(words.at(-1) ?? ''))
    return true
  return secretName.test(words.join('_')) && !settings.has(words.at(-1) ?? '')
}

const flag = /^(true|false|yes|no|on|off|none|null|enabled?|disabled?|0|1)$/i
/** A count or a time: no password is so named. */
const measure = /^(\d{1,5}|\d+ ?(ms|s|m|h|d|sec|min|[kmg]i?b?))$/i
const path =
  /^(~|\.{0,2})\/[\w.-]{0,60}(\/[\w.-]{1,60})*\/?$|^[\w.-]+(\/[\w.-]+)*\.(pem|key|crt|json|ya?ml|txt)$/
const isPassword = /PASS|PWD?$|SECRET/

/** A user, a host, a database, a port or a path: none of them holds a secret, also where its text equals that of one. */
export const isPlainName = (key: string, value: string): boolean =>
  path.test(value) || plainNames.has(wordsOf(key).at(-1) ?? '')

/** A form that is no secret, also where the name says that it is one. */
const isPlainForm = (key: string, value: string): boolean =>
  value === '' ||
  flag.test(value) ||
  path.test(value) ||
  (measure.test(value) && !isPassword.test(wordsOf(key).join('_')))

/** `postgres://app:password@db`: the part before the password, the password, and the rest. */
export const urlWithPassword = /^([a-z][a-z0-9+.-]*:\/\/[^/\s:@]*:)([^/\s@]+)(@[^]*)$/i

/** `Server=db;Password=secret`, also in the query of a URL: the part before the password, the password, and the rest. */
export const pairWithPassword = /^([^]*?(?:^|[;,\s?&])(?:password|pwd)=)([^;,\s&]+)([^]*)$/i

const secretForms = [
  urlWithPassword,
  pairWithPassword,
  // One that begins with the sign that ends it in a URL.
  /(^|[;,\s])(password|pwd)=[^;,\s]/i,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  /^https:\/\/(hooks\.slack\.com\/|discord(app)?\.com\/api\/webhooks\/)/,
  /^(sk_live_|sk_test_|sk-|ghp_|github_pat_|glpat-|xox[abp]-|AKIA[0-9A-Z]{12})/,
  /^eyJ[\w-]{10,}\.eyJ[\w-]+/,
  // Random bytes, in hex or base64.
  /^[0-9a-f]{32,}$/i,
  /^(?=[^]*\d)(?=[^]*[a-z])(?=[^]*[A-Z])[\w+/-]{32,}={0,2}$/,
]

/** True for a text that is a secret whatever its name is. */
export const hasSecretForm = (value: string): boolean =>
  secretForms.some((form) => form.test(value))

export const looksSecret = (key: string, value: string): boolean =>
  hasSecretForm(value) || (isNamedSecret(key) && !isPlainForm(key, value))
