// Replaces a person by a pseudonym in the activity.
import type { Queryable } from '../drivers/sql.ts'

/** Members of a detail that name a person: see activity-entry.ts. */
const whoMembers: ReadonlySet<string> = new Set(['by', 'authors', 'user'])

/** The author of a command that was run by hand is `ann (as told) with "…"`, or `ann (as told by agent box)`. */
const asTold = ' (as told'

const withoutPerson = (detail: string, names: readonly string[], pseudonym: string): string => {
  const renamed = (who: unknown): unknown => {
    if (Array.isArray(who)) return who.map(renamed)
    if (typeof who !== 'string') return who
    if (names.includes(who)) return pseudonym
    const name = names.find((candidate) => who.startsWith(candidate + asTold))
    return name === undefined ? who : pseudonym + who.slice(name.length)
  }
  return JSON.stringify(
    JSON.parse(detail, (member, value: unknown) =>
      whoMembers.has(member) ? renamed(value) : value,
    ),
  )
}

export const eraseInActivity = async (
  q: Queryable,
  names: readonly string[],
  pseudonym: string,
): Promise<void> => {
  const rows = await q.query<{ id: number; detail: string }>(
    `SELECT id, detail::text AS detail FROM activity
     WHERE EXISTS (SELECT 1 FROM unnest($1::text[]) AS n (name)
       WHERE strpos(detail::text, trim(BOTH '"' FROM to_json(n.name)::text)) > 0)`,
    [names],
  )
  for (const { id, detail } of rows)
    await q.query('UPDATE activity SET detail = $2::jsonb WHERE id = $1', [
      id,
      withoutPerson(detail, names, pseudonym),
    ])
}
