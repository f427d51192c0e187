// The secrets of a proposal as a table for people: one row for each value, however many services see it. Pure.
import { append } from '../../src/kernel/append.ts'
import { renderColumns } from '../output/table.ts'
import { follows, nameOf, type ProposedSecret } from './found-secret.ts'

const most = 4

/** `a, b, c, d and 3 more`. */
export const listed = (names: readonly string[]): string => {
  const more = names.length - most
  return names.slice(0, most).join(', ') + (more > 0 ? ` and ${more} more` : '')
}

interface Row {
  readonly secret: ProposedSecret
  /** Templates of one text are one row. */
  readonly scopes: string[]
  readonly followers: ProposedSecret[]
}

const rowsOf = (secrets: readonly ProposedSecret[]): Row[] => {
  const rows = new Map<string, Row>()
  for (const secret of secrets) {
    if (secrets.some((home) => follows(secret, home))) continue
    const { key, value, refersTo } = secret
    const text = refersTo === undefined ? nameOf(secret) : JSON.stringify([key, value])
    const row = rows.get(text) ?? { secret, scopes: [], followers: [] }
    row.scopes.push(secret.scope)
    append(
      row.followers,
      secrets.filter((one) => follows(one, secret)),
    )
    rows.set(text, row)
  }
  return [...rows.values()]
}

/** `web, worker`, where they have it by its own key; `DB_PASSWORD of web` else. */
const followersText = ({ secret, followers }: Row): string => {
  const keys = [...new Set(followers.map(({ key }) => key))]
  return keys
    .sort((a, b) => Number(b === secret.key) - Number(a === secret.key))
    .map((key) => {
      const scopes = listed(followers.filter((f) => f.key === key).map(({ scope }) => scope))
      return key === secret.key ? scopes : `${key} of ${scopes}`
    })
    .join('; ')
}

export const renderSecrets = (secrets: readonly ProposedSecret[]): string => {
  const rows = rowsOf(secrets)
  const columns = [
    ['KEY', ({ secret }: Row) => secret.key],
    ['SCOPE', ({ scopes }: Row) => listed(scopes)],
    ['PLAIN', ({ secret }: Row) => (secret.plain === true ? 'yes' : '')],
    ['FROM', ({ secret }: Row) => secret.from],
    ['REFERS TO', ({ secret }: Row) => (secret.refersTo ?? []).join(', ')],
    ['FOLLOWED BY', followersText],
  ] as const
  const shown = columns.filter(
    ([title, text]) =>
      !['REFERS TO', 'FOLLOWED BY'].includes(title) || rows.some((row) => text(row) !== ''),
  )
  return renderColumns(
    shown.map(([title]) => title),
    rows.map((row) => shown.map(([, text]) => text(row))),
  )
}
