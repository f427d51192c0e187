// Audit rows of a commit. Commits are written one after the other, so that a row knows its place in the chain.
import { toFineTimestamp } from '../../kernel/clock.ts'
import { linkAfter } from '../../audit/chain.ts'
import type { AuditContent, ChainPoint } from '../../audit/texts.ts'
import { storableJson } from '../../kernel/storable.ts'
import type { ObjectRef } from '../../resources/meta.ts'
import type { Actor } from './actor.ts'

/**
 * An action in the audit log. `detail` holds no value, and names a person only by id: the erasure of a person changes only
 * the actor of a row, and the name of a User that the row is about.
 */
export interface AuditEntry {
  readonly action: string
  readonly detail?: Record<string, unknown>
  /** `success` by default. */
  readonly result?: 'success' | 'denied'
}

/** JSON text of the row, without its place in the chain. */
export const auditText = (
  { name: actor, source, id, address, requestId }: Actor,
  ms: number,
  { kind, namespace, name }: ObjectRef,
  { action, detail, result = 'success' }: AuditEntry,
): string =>
  storableJson(
    JSON.stringify({
      at: toFineTimestamp(ms).replace('Z', '000Z'),
      kind,
      namespace,
      name,
      actor,
      source,
      actor_id: id,
      address,
      request_id: requestId,
      action,
      detail,
      result,
    }),
  )

interface AuditMembers extends Pick<AuditContent, 'at' | 'action' | 'result' | 'request_id'> {
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly actor: string
  readonly source: string
  readonly actor_id?: string
  readonly address?: string
  readonly detail?: Record<string, unknown>
}

/** Made from the stored text, so that the hash covers what is stored. */
const contentOf = (text: string): AuditContent => {
  const { kind, namespace, name, actor, source, actor_id, address, ...rest } = JSON.parse(
    text,
  ) as AuditMembers
  return {
    ...rest,
    object: { kind, namespace, name },
    actor: { name: actor, id: actor_id, address, source },
  }
}

/** Links the rows to the chain after `last`. Returns them with their places, and the new end of the chain. */
export const chained = (
  last: ChainPoint,
  texts: readonly string[],
): { rows: string[]; end: ChainPoint } => {
  let end = last
  const rows = texts.map((text) => {
    const link = linkAfter(end, contentOf(text))
    end = { seq: link.seq, hash: link.hash }
    const members = JSON.stringify({
      seq: link.seq,
      actor_salt: link.actorSalt,
      actor_digest: link.actorDigest,
      subject_salt: link.subjectSalt,
      subject_digest: link.subjectDigest,
      hash: link.hash,
    })
    return `${text.slice(0, -1)},${members.slice(1)}`
  })
  return { rows, end }
}
