// Erases a person from requests for access: who asked, who decided, and what they wrote. Digests of the audit log stay as they
// are: without the salt nobody tells from them what was written.
import { isOver } from '../../kinds/access-request/state.ts'
import { refOf, type KubeObject } from '../../resources/meta.ts'
import { specOf, statusOf } from '../../kinds/typed.ts'
import type { WriteSession } from '../core/write-session.ts'
import type { Queryable } from '../drivers/sql.ts'
import { term } from '../state/rows.ts'

interface Person {
  readonly names: readonly string[]
  readonly ids: readonly string[]
}

const erasedText = '(erased)'

const without = (
  request: KubeObject,
  isThem: (who: { readonly id: string; readonly name: string } | undefined) => boolean,
  { pseudonym, now }: { readonly pseudonym: string; readonly now: string },
): KubeObject => {
  const status = statusOf('AccessRequest', request)
  const { requester, decisions = [], salt, state = 'Pending' } = status
  const them = { id: pseudonym, name: pseudonym }
  const isTheirs = isThem(requester)
  const ends = isTheirs && !isOver(state)
  const { message: _, ...rest } = status
  return {
    ...request,
    ...(isTheirs && { spec: { ...specOf('AccessRequest', request), reason: erasedText } }),
    status: {
      ...rest,
      ...(isTheirs ? { requester: them, salt: '' } : { salt }),
      decisions: decisions.map(({ note, ...decision }) => ({
        ...decision,
        ...(isThem(decision.by)
          ? { by: them, ...(note !== undefined && { note: erasedText }) }
          : note !== undefined && { note }),
      })),
      ...(ends && { state: 'Revoked', endedAt: now }),
    },
  }
}

/** Within a write of its own, before the log is cleaned. */
export const eraseInRequests = (
  session: WriteSession,
  { names, ids }: Person,
  pseudonym: string,
): void => {
  const isThem = (who: { readonly id: string; readonly name: string } | undefined): boolean =>
    who !== undefined && (ids.includes(who.id) || names.includes(who.name))
  const kept = session.view.objects.withTerm(term.kind('AccessRequest'))
  for (const row of kept) {
    const { requester, decisions = [] } = statusOf('AccessRequest', row.object)
    if (!isThem(requester) && !decisions.some(({ by }) => isThem(by))) continue
    session.put(without(row.object, isThem, { pseudonym, now: session.now }), row.source, row)
  }
  // Events name who asked. They are kept for an hour only.
  for (const row of session.view.objects.withTerm(term.kind('Event')))
    if (specOf('Event', row.object).involvedObject.kind === 'AccessRequest') session.drop(row)
}

/** Watchers may read these changes again: they find the request as it is now. */
export const eraseRequestChanges = async (q: Queryable, session: WriteSession): Promise<void> => {
  await q.query(
    `DELETE FROM changes WHERE kind = 'Event' AND type <> 'DELETED' AND body #>> '{involvedObject,kind}' = 'AccessRequest'`,
  )
  for (const { object } of session.view.objects.withTerm(term.kind('AccessRequest'))) {
    const { namespace, name } = refOf(object)
    await q.query(
      `UPDATE changes SET previous = CASE WHEN previous IS NULL THEN NULL ELSE $3::json END, body =
         jsonb_set($3::jsonb, '{metadata,resourceVersion}', to_jsonb(rv::text))::json
       WHERE kind = 'AccessRequest' AND namespace = $1 AND name = $2`,
      [namespace, name, JSON.stringify(object)],
    )
  }
  await q.query(`DELETE FROM outbox WHERE notice ->> 'kind' = 'AccessRequest'`)
}
