// Every route of the REST API. The server, the OpenAPI document, docs/api.md and the test of rights use
// this list. A file `…-routes.ts` holds the routes of one subject.
import { activityRoutes } from './activity-routes.ts'
import { sloRoutes } from './slo-routes.ts'
import { agentRoutes } from './agent-routes.ts'
import { auditRoutes } from './audit-routes.ts'
import { batchRoutes } from './batch-routes.ts'
import { complianceRoutes } from './compliance-routes.ts'
import { leakTestRoutes } from './leak-test-routes.ts'
import { logsRoutes } from './logs-routes.ts'
import { teamRoutes } from './people/team-routes.ts'
import { tokenRoutes } from './people/token-routes.ts'
import { userRoutes } from './people/user-routes.ts'
import { eventRoutes } from './event-routes.ts'
import { backupRoutes } from './backup-routes.ts'
import { keyRoutes } from './key-routes.ts'
import { notifierRoutes } from './notifier-routes.ts'
import { rotationRoutes } from './rotation-routes.ts'
import { projectRoutes } from './project-routes.ts'
import { revealRoutes } from './reveal-routes.ts'
import { revisionsRoutes } from './revisions-routes.ts'
import { rolloutRoutes } from './rollout-routes.ts'
import type { RestRoute } from './route.ts'
import { authRoutes } from './sessions/auth-routes.ts'
import { sessionRoutes } from './sessions/session-routes.ts'
import { searchRoutes } from './search-routes.ts'
import { sealingRoutes } from './sealing-routes.ts'
import { versionsRoutes } from './versions-routes.ts'
import { secretRoutes } from './secret-routes.ts'
import { storeRoutes } from './store-routes.ts'
import { stageletRoutes } from './stagelet-routes.ts'
import { usageRoutes } from './usage-routes.ts'
import { valueClassRoutes } from './value-class-routes.ts'

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
  ...sealingRoutes,
  ...batchRoutes,
  ...secretRoutes,
  ...usageRoutes,
  ...valueClassRoutes,
  ...stageletRoutes,
  ...agentRoutes,
  ...notifierRoutes,
  ...rotationRoutes,
  ...storeRoutes,
  ...rolloutRoutes,
  ...activityRoutes,
  ...sloRoutes,
  ...eventRoutes,
  ...keyRoutes,
  ...backupRoutes,
  ...logsRoutes,
  ...leakTestRoutes,
  ...searchRoutes,
]
