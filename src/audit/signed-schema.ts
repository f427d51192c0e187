// The schema of a signed report: the answer of the REST API, and the file that is kept.
import * as z from 'zod'
import { signedHead } from './record.ts'
import type { Signed } from './signed-report.ts'
import { reports, type ReportKind } from './texts.ts'

export const reportTime = z.string().meta({ format: 'date-time' })

/** `document`: what the report says, without the head of the log. */
export const signedSchema = <K extends ReportKind, T extends z.ZodObject>(
  kind: K,
  document: T,
): z.ZodType<Signed<K, z.infer<T>>> => {
  const { title, field } = reports[kind]
  const schema: z.ZodType = z.object({
    // Fields that a newer controller adds are left out, not refused.
    [field]: document.strip().extend({
      head: signedHead.describe('Newest row of the audit log at that time.'),
    }),
    signature: z
      .string()
      .describe(
        `Ed25519 over the JSON text of ["${title}", TEXT], where TEXT is \`${field}\` as JSON with sorted keys and without spaces.`,
      ),
    public_key: z.string().describe('Ed25519, 32 bytes in base64url: that of the audit log.'),
  })
  return schema as z.ZodType<Signed<K, z.infer<T>>>
}
