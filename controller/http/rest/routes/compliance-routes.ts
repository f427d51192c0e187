// Reports for auditors, signed by the key of the audit log.
import * as z from 'zod'
import { limits } from '../../../../src/resources/limits.ts'
import { signedAccess } from '../../../../src/audit/access-report.ts'
import { signedExposure } from '../../../../src/audit/exposure.ts'
import { signedCompliance } from '../../../../src/audit/compliance.ts'
import { refOf } from '../../../../src/resources/meta.ts'
import { accessReportOf } from '../../../compliance/access/report.ts'
import { exposureOf } from '../../../compliance/exposure.ts'
import { complianceReportOf } from '../../../compliance/report.ts'
import { invalidInput } from '../input.ts'
import { requireTarget, route, routesOf } from '../route.ts'
import { secretOf } from '../secrets.ts'

const yearMs = 365 * 86_400_000

const instant = z.iso.datetime({ offset: true }).max(limits.time).optional()

export const complianceRoutes = routesOf('Compliance', [
  route({
    id: 'getComplianceReport',
    at: 'GET /projects/:project_id/compliance',
    summary:
      'The lifetimes of all keys and values of a project, who replaced them, and what was overdue; signed.',
    access: { in: 'project', verb: 'list', resource: 'audit' },
    query: z.strictObject({
      since: instant.describe('Leaves out what ended before, RFC 3339; a year ago when absent.'),
    }),
    response: { description: 'To be kept; it is verified offline.', schema: signedCompliance },
    handle: async ({ deps, actor, target, query: { since } }) => {
      const project = requireTarget({ target })
      const ref = refOf(project)
      await deps.audit.record(actor, ref, { action: 'report compliance' })
      const nowMs = deps.clock.now()
      const sinceMs = since === undefined ? nowMs - yearMs : Date.parse(since)
      const facts = await deps.keys.complianceOf(project)
      const { rotationMs, rotatesKeys } = deps.keys
      const report = complianceReportOf(facts, { project, sinceMs, nowMs, rotationMs, rotatesKeys })
      const { document, ...signed } = await deps.audit.signReport('compliance', report)
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
      const { document, ...signed } = await deps.audit.signReport('exposure', exposed)
      return { body: { exposure: document, ...signed } }
    },
  }),
  route({
    id: 'getAccessReport',
    at: 'GET /teams/:team/access-report',
    summary: 'Who could read values of a team in a time, and by which requests; signed.',
    access: { in: 'team', verb: 'list', resource: 'audit' },
    query: z.strictObject({
      from: instant.describe('RFC 3339; a year ago when absent.'),
      to: instant.describe('RFC 3339; now when absent.'),
      project: z.string().max(limits.name).optional().describe('Only of this project.'),
      emergencies: z
        .enum(['true', 'false'])
        .optional()
        .describe('true: only emergencies and their reviews.'),
    }),
    response: { description: 'To be kept; it is verified offline.', schema: signedAccess },
    handle: async ({ deps, actor, target, query }) => {
      const team = requireTarget({ target })
      const { name, creationTimestamp: since = '' } = team.metadata
      const nowMs = deps.clock.now()
      const from = query.from === undefined ? nowMs - yearMs : Date.parse(query.from)
      const to = query.to === undefined ? nowMs : Date.parse(query.to)
      if (from >= to)
        throw invalidInput([
          {
            field: 'from',
            reason: 'FieldValueInvalid',
            message: 'Invalid value: must be before to',
          },
        ])
      await deps.audit.record(actor, refOf(team), { action: 'report access' })
      const listed = async (kind: 'AccessPolicy' | 'AccessRequest' | 'Project') =>
        (await deps.store.list(kind, { namespace: name })).items
      const kept = {
        members: await deps.people.members.list(name),
        policies: await listed('AccessPolicy'),
        projects: await listed('Project'),
        requests: await listed('AccessRequest'),
      }
      const report = accessReportOf(await deps.audit.accessFacts({ team: name, since }), kept, {
        team: name,
        project: query.project,
        period: { from, to },
        nowMs,
        emergencies: query.emergencies === 'true',
      })
      const { document, ...signed } = await deps.audit.signReport('access', report)
      return { body: { access: document, ...signed } }
    },
  }),
])
