// Writes of a status, for machines.
import * as z from 'zod'
import { defined } from '../../kernel/defined.ts'
import { sameJson } from '../../kernel/same-json.ts'
import { withStatusOwner } from '../../managed-fields/status.ts'
import { statusConditions, withCondition, type NewCondition } from '../../resources/conditions.ts'
import { stageletStatus } from '../../kinds/stagelet/schema.ts'
import { conditionsSchema } from '../../resources/schema-parts.ts'
import { refOf, type KubeObject, type ObjectRef } from '../../resources/meta.ts'
import { fitTo } from '../../resources/validation/fit.ts'
import type { Tracking } from '../core/objects.ts'
import type { StoredRow, WriteSession } from '../core/write-session.ts'
import { objectForbidden } from '../core/errors.ts'
import { checkPreconditions } from './admission.ts'
import { tracked } from './object-metadata.ts'

/** What follows from reports of agents is cut to its bounds; of other kinds only the texts of conditions. */
const otherStatus = z.looseObject({ conditions: conditionsSchema })
const boundedStatus = ({ kind }: KubeObject): z.ZodType =>
  kind === 'Stagelet' ? stageletStatus : otherStatus

const putStatus = (
  session: WriteSession,
  row: StoredRow,
  given: Record<string, unknown> | undefined,
  tracking?: Tracking,
): KubeObject => {
  const status = given && fitTo(boundedStatus(row.object), given).value
  const metadata = tracked(row.object.metadata, tracking)
  const same = sameJson(metadata, row.object.metadata)
  if (same && sameJson(status ?? {}, row.object.status ?? {})) return row.object
  const { status: _, ...other } = row.object
  const changed: KubeObject = { ...other, metadata, ...defined({ status }) }
  const next = tracking === undefined ? withStatusOwner(changed, row.object, session.now) : changed
  // Machines write what they observe, which is not audited. A person's write of a status is.
  const audit = session.actor.source === 'api' ? { action: 'update status' } : undefined
  return session.put(next, row.source, row, audit).object
}

/** Who reads values follows from these: no admin writes them by hand. */
const checkWriter = ({ actor }: WriteSession, { object }: StoredRow): void => {
  if (actor.kind === undefined || !['AccessPolicy', 'AccessRequest'].includes(object.kind)) return
  throw objectForbidden(refOf(object), 'the controller alone writes this status')
}

/** See Transaction.setStatus. */
export const setStatus = (
  session: WriteSession,
  object: KubeObject,
  tracking?: Tracking,
): KubeObject => {
  const row = session.require(refOf(object))
  checkWriter(session, row)
  checkPreconditions(row, object.metadata)
  return putStatus(session, row, object.status, tracking)
}

/** See Transaction.setConditions. */
export const setConditions = (
  session: WriteSession,
  ref: ObjectRef,
  changes: readonly NewCondition[],
): void => {
  const row = session.require(ref)
  let conditions = statusConditions(row.object)
  for (const change of changes) conditions = withCondition(conditions, change, session.now)
  putStatus(session, row, { ...row.object.status, conditions })
}
