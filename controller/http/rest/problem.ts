// Renders errors of the REST API as application/problem+json (RFC 9457). `reason` is for programs;
// `errors` lists every faulty field.
import { STATUS_CODES } from 'node:http'
import * as z from 'zod'
import { httpStatusOf, type Reason, type StagelyError } from '../../../src/kernel/errors.ts'

export const problemType = 'application/problem+json'

export const problemSchema = z
  .strictObject({
    type: z.literal('about:blank').describe('The status says what kind of problem it is.'),
    title: z.string().describe('The status in words.'),
    status: z.int().describe('The HTTP status.'),
    detail: z.string().describe('What is wrong and what helps. Never a secret value.'),
    reason: z
      .enum(Object.keys(httpStatusOf) as [Reason, ...Reason[]])
      .describe('One word for programs.'),
    request_id: z.string().describe('Id of the request, as logs and audit rows have it.'),
    errors: z
      .array(
        z.strictObject({
          field: z.string().describe('Field of the body or of the query: operations[2].scope.'),
          reason: z.string().describe('One word for programs.'),
          message: z.string().describe('What is wrong with it.'),
        }),
      )
      .optional()
      .describe('Every fault of the input, where the input is at fault.'),
  })
  .describe('Why a request was refused (RFC 9457).')

type ProblemBody = z.infer<typeof problemSchema>

/** Names from RFC 9110; for these two Node has the names of an older RFC. */
const titles: Readonly<Record<number, string | undefined>> = {
  ...STATUS_CODES,
  413: 'Content Too Large',
  422: 'Unprocessable Content',
}

export const problemOf = (error: StagelyError, requestId: string): ProblemBody => {
  const status = httpStatusOf[error.reason]
  const { faults = [] } = error.details
  return {
    type: 'about:blank',
    title: titles[status] ?? 'Error',
    status,
    detail: error.message,
    reason: error.reason,
    request_id: requestId,
    ...(faults.length > 0 && { errors: [...faults] }),
  }
}
