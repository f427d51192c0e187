// An audit row as it is read and exported, and the lines of an export. The server writes the lines; a
// verifier on another machine reads them.
import * as z from 'zod'

/** A person or machine. After the erasure of a person a pseudonym takes the name's place. */
const actor = z.strictObject({
  name: z.string(),
  id: z.string().optional(),
  address: z.string().optional(),
  source: z.string().meta({ description: '`api`, `system`, or `folder:PATH`' }),
})

export const auditRecord = z.strictObject({
  seq: z.int().positive().meta({ description: 'Place in the chain.' }),
  at: z.string().meta({ description: 'RFC 3339, UTC, with microseconds' }),
  actor,
  action: z.string(),
  object: z.strictObject({ kind: z.string(), namespace: z.string(), name: z.string() }),
  result: z.enum(['success', 'denied']),
  request_id: z.string().optional(),
  detail: z.record(z.string(), z.unknown()).optional(),
})
export type AuditRecord = z.infer<typeof auditRecord>

/**
 * The chain holds this commitment in place of a person's name: SHA-256 over a random salt and the
 * fields. After the erasure of the person only the digest is left.
 */
const commitment = z.strictObject({ digest: z.string(), salt: z.string().optional() })

/** A row in the chain. `subject` is the commitment to the person that the row is about. */
const chainedRecord = auditRecord.extend({
  type: z.literal('row'),
  actor_commitment: commitment,
  subject_commitment: commitment.optional(),
  hash: z.string(),
  signature: z.string().optional(),
})
export type ChainedRecord = z.infer<typeof chainedRecord>

/** A row that the reader may not see or did not ask for. The digest keeps the chain complete. */
const hiddenRecord = z.strictObject({
  type: z.literal('hidden'),
  seq: z.int().positive(),
  digest: z.string(),
  hash: z.string(),
  signature: z.string().optional(),
})

/**
 * The point before the first row: the beginning (seq 0), the last pruned row (signed), or the end of an
 * earlier export.
 */
const startLine = z.strictObject({
  type: z.literal('start'),
  seq: z.int().nonnegative(),
  hash: z.string(),
  signature: z.string().optional(),
})

/** States that row `seq` of this chain has this hash. Signed by Ed25519 with the controller's audit key. */
export const signedHead = z.strictObject({
  type: z.literal('head'),
  seq: z.int().nonnegative(),
  hash: z.string(),
  signature: z.string().optional().meta({ description: 'Absent while the chain is empty.' }),
  public_key: z.string().meta({ description: 'Ed25519, 32 bytes in base64url' }),
})
export type SignedHead = z.infer<typeof signedHead>

/** One line of an export: first a start, then rows in order, last the signed head. */
export const exportLine = z.discriminatedUnion('type', [
  startLine,
  chainedRecord,
  hiddenRecord,
  signedHead,
])
export type ExportLine = z.infer<typeof exportLine>
