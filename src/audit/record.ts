// An audit row and the signed head as the API shows them.
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

/** States that row `seq` of this chain has this hash. Signed by Ed25519 with the controller's audit key. */
export const signedHead = z.strictObject({
  type: z.literal('head'),
  seq: z.int().nonnegative(),
  hash: z.string(),
  signature: z.string().optional().meta({ description: 'Absent while the chain is empty.' }),
  public_key: z.string().meta({ description: 'Ed25519, 32 bytes in base64url' }),
})
export type SignedHead = z.infer<typeof signedHead>
