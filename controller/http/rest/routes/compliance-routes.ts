// Reports for auditors, signed by the key of the audit log.
import * as z from 'zod'
import { limits } from '../../../../src/resources/limits.ts'
import { signedExposure } from '../../../../src/audit/exposure.ts'
import { signedReport } from '../../../../src/audit/compliance.ts'
import { refOf } from '../../../../src/resources/meta.ts'
import { exposureOf } from '../../../compliance/exposure.ts'
import { complianceReportOf } from '../../../compliance/report.ts'
import { requireTarget, route, routesOf } from '../route.ts'
import { secretOf } from '../secrets.ts'

const yearMs = 365 * 86_400_000

export const complianceRoutes = routesOf('Compliance', [
  route({
    id: 'getComplianceReport',
    at: 'GET /projects/:project_id/compliance',
    summary:
      'The lifetimes of all keys and values of a project, who replaced them, and what was overdue; signed.',
    access: { in: 'project', verb: 'list', resource: 'audit' },
    query: z.strictObject({
      since: z.iso
        .datetime({ offset: true })
        .max(limits.time)
        .optional()
        .describe('Leaves out what ended before, RFC 3339; a year ago when absent.'),
    }),
    response: { description: 'To be kept; it is verified offline.', schema: signedReport },
    handle: async ({ deps, actor, target, query: { since } }) => {
      const project = requireTarget({ target })
      const ref = refOf(project)
      await deps.audit.record(actor, ref, { action: 'report compliance' })
      const nowMs = deps.clock.now()
      const sinceMs = since === undefined ? nowMs - yearMs : Date.parse(since)
      const facts = await deps.keys.complianceOf(project)
      const { rotationMs, rotatesKeys } = deps.keys
      const report = complianceReportOf(facts, { project, sinceMs, nowMs, rotationMs, rotatesKeys })
      const { document, ...signed } = await deps.audit.signDocument('compliance', report)
      return { body: { report: document, ...signed } }
    },
  }),
  route({
    id: 'getExposure',
    at: 'GET /projects/:project_id/secrets/:secret_id/versions/:version/exposure',
    summary:
      'Which containers held a version of a secret when, who read it, and since when it is refused; signed.',
    access: { in: 'project', verb: 'list', resource: 'audit' },
    response: { description: 'To be kept; it is verified offline.', schema: signedExposure },
    handle: async (context) => {
      const { deps, actor, params } = context
      const project = requireTarget(context)
      const secret = await secretOf(context)
      const version = Number(params['version'])
      const { auditSince: auditFrom } = await deps.keys.complianceOf(project)
      const told = { version, nowMs: deps.clock.now(), auditFrom }
      const exposed = await exposureOf(deps, project, secret, told)
      await deps.audit.record(actor, refOf(secret), {
        action: 'report exposure',
        detail: { version },
      })
      const { document, ...signed } = await deps.audit.signDocument('exposure', exposed)
      return { body: { exposure: document, ...signed } }
    },
  }),
])
