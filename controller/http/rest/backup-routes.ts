// A backup of everything, for admins only. Restoring needs a controller that is stopped.
import type { RestDeps } from './deps.ts'
import { route, type RestRoute } from './route.ts'

export const backupRoutes = (deps: RestDeps): RestRoute[] => [
  route({
    id: 'takeBackup',
    method: 'GET',
    path: '/backup',
    tag: 'Backup',
    summary: 'A backup of the whole database: one snapshot, values sealed as they are stored.',
    access: { in: 'admin' },
    response: { status: 200, description: 'A gzip file of JSON lines.' },
    handle: async ({ actor }) => ({
      status: 200,
      headers: { 'content-type': 'application/gzip' },
      stream: await deps.takeBackup(actor),
    }),
  }),
]
