// Every route of the REST API. The server, the OpenAPI document, docs/api.md and the test of rights use
// this list. A file `…-routes.ts` holds the routes of one subject.
import { accessPolicyRoutes } from './routes/access-policy-routes.ts'
import { accessRequestRoutes } from './routes/access-request-routes.ts'
import { accessViewRoutes } from './routes/access-view-routes.ts'
import { activityRoutes } from './routes/activity-routes.ts'
import { sloRoutes } from './routes/slo-routes.ts'
import { agentRoutes } from './routes/agent-routes.ts'
import { attentionRoutes } from './routes/attention-routes.ts'
import { auditRoutes } from './routes/audit-routes.ts'
import { batchRoutes } from './routes/batch-routes.ts'
import { complianceRoutes } from './routes/compliance-routes.ts'
import { printedRoutes } from './routes/printed-routes.ts'
import { logsRoutes } from './routes/logs-routes.ts'
import { teamRoutes } from './people/team-routes.ts'
import { tokenRoutes } from './people/token-routes.ts'
import { userRoutes } from './people/user-routes.ts'
import { eventRoutes } from './routes/event-routes.ts'
import { backupRoutes } from './routes/backup-routes.ts'
import { keyRoutes } from './routes/key-routes.ts'
import { notifierRoutes } from './routes/notifier-routes.ts'
import { rotationRoutes } from './routes/rotation-routes.ts'
import { previewRoutes } from './routes/preview-routes.ts'
import { projectRoutes } from './routes/project-routes.ts'
import { revealRoutes } from './routes/reveal-routes.ts'
import { revisionsRoutes } from './routes/revisions-routes.ts'
import { rolloutRoutes } from './routes/rollout-routes.ts'
import type { RestRoute } from './route.ts'
import { authRoutes } from './sessions/auth-routes.ts'
import { sessionRoutes } from './sessions/session-routes.ts'
import { searchRoutes } from './routes/search-routes.ts'
import { sealingRoutes } from './routes/sealing-routes.ts'
import { linkRoutes } from './routes/link-routes.ts'
import { versionsRoutes } from './routes/versions-routes.ts'
import { secretRoutes } from './routes/secret-routes.ts'
import { issuerRoutes } from './routes/issuer-routes.ts'
import { storeRoutes } from './routes/store-routes.ts'
import { stageletRoutes } from './routes/stagelet-routes.ts'
import { usageRoutes } from './routes/usage-routes.ts'
import { whereRoutes } from './routes/where-routes.ts'
import { findingRoutes } from './routes/finding-routes.ts'
import { scanRoutes } from './routes/scan-routes.ts'
import { valueClassRoutes } from './routes/value-class-routes.ts'

export const restRoutes: readonly RestRoute[] = [
  ...projectRoutes,
  ...auditRoutes,
  ...complianceRoutes,
  ...teamRoutes,
  ...userRoutes,
  ...tokenRoutes,
  ...sessionRoutes,
  ...authRoutes,
  ...versionsRoutes,
  ...revisionsRoutes,
  ...revealRoutes,
  ...whereRoutes,
  ...scanRoutes,
  ...findingRoutes,
  ...sealingRoutes,
  ...batchRoutes,
  ...secretRoutes,
  ...attentionRoutes,
  ...usageRoutes,
  ...linkRoutes,
  ...valueClassRoutes,
  ...stageletRoutes,
  ...previewRoutes,
  ...agentRoutes,
  ...notifierRoutes,
  ...rotationRoutes,
  ...accessPolicyRoutes,
  ...accessRequestRoutes,
  ...accessViewRoutes,
  ...storeRoutes,
  ...issuerRoutes,
  ...rolloutRoutes,
  ...activityRoutes,
  ...sloRoutes,
  ...eventRoutes,
  ...keyRoutes,
  ...backupRoutes,
  ...logsRoutes,
  ...printedRoutes,
  ...searchRoutes,
]
