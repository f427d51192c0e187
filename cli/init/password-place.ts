// Where a value holds the password of a login, with the user and the hosts that stand beside it. Pure.
import { passwordIn } from '../../src/secrets/password-in-text.ts'

export interface Login {
  /** Empty: none is said. */
  readonly user: string
  readonly hosts: readonly string[]
}

interface PasswordPlace extends Login {
  readonly before: string
  readonly password: string
}

/** `db` of `postgres://app@db:5432/shop`, of `tcp:db,1433` and of `db:3306`. */
const hostOf = (text: string): string => {
  const found = passwordIn(text)
  const rest = found?.isUrl ? found.after : text
  return (
    rest
      .replace(/^(jdbc:)?([a-z][a-z0-9+.-]*:(\/\/|(?=[a-z])))?([^/@]*@)?/i, '')
      .split(/[:/?#,]/)[0] ?? ''
  )
}

const hostsOf = (texts: readonly string[]): string[] =>
  texts.map(hostOf).filter((host) => host !== '')

const hostPair = /(?:^|[;,\s?&])(?:server|host(?:name)?|data source|address)=([^;\s&]+)/gi
const userPair = /(?:^|[;,\s?&])(?:user(?:[ _]?(?:id|name))?|uid)=([^;,\s&]+)/i

/** The password of a URL (`postgres://app:password@db`), or of pairs (`Server=db;Password=…`). */
export const passwordPlaceOf = (value: string): PasswordPlace | undefined => {
  const found = passwordIn(value)
  if (found === undefined) return undefined
  const { before, password, after, isUrl } = found
  if (isUrl) {
    const [, user = ''] = /\/\/([^]*):$/.exec(before) ?? []
    const [authority = ''] = after.slice(1).split(/[/?#]/)
    return { before, password, user, hosts: hostsOf(authority.split(',')) }
  }
  const [first = ''] = value.split(/[;,?&\s]/)
  const named = [...value.matchAll(hostPair)].map(([, host = '']) => host)
  const hosts = hostsOf([...named, ...(first.includes('=') ? [] : [first])])
  return { before, password, user: userPair.exec(value)?.[1] ?? '', hosts }
}

const passwordWord = /_*(PASSWORD|PASSWD|PASS|PWD|PW|AUTH|SECRET_ACCESS_KEY|SECRET_KEY)$/i
const hostWord = /_*(HOSTNAME|HOST|SERVER|ADDRESS|ADDR|ENDPOINT|URL)$/i
const userWord = /_*(USERNAME|USER|LOGIN|ACCESS_KEY_ID|ACCESS_KEY)$/i

/** What stands beside a key: `DB_HOST` and `DB_USER` of `DB_PASSWORD`. undefined: the key is named after no password. */
export const loginBeside = (
  key: string,
  environment: ReadonlyMap<string, string>,
): Login | undefined => {
  if (!passwordWord.test(key)) return undefined
  const what = key.replace(passwordWord, '')
  const beside = (word: RegExp): string[] =>
    [...environment].flatMap(([name, value]) =>
      word.test(name) && name.replace(word, '') === what && value !== '' ? value : [],
    )
  const root = /^(MYSQL|MARIADB)_ROOT$/.test(what) ? 'root' : ''
  return {
    user: beside(userWord)[0] ?? root,
    hosts: hostsOf(beside(hostWord).flatMap((value) => value.split(','))),
  }
}
