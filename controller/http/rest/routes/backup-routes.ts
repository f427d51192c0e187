// A backup of the whole database, for admins only. To restore one, the controller must be stopped.
import { route, routesOf } from '../route.ts'

export const backupRoutes = routesOf('Backup', [
  route({
    id: 'takeBackup',
    at: 'GET /backup',
    summary: 'A backup of the whole database: one snapshot, values sealed as they are stored.',
    access: { in: 'admin' },
    session: 'confirmed',
    response: { description: 'A gzip file of JSON lines.' },
    handle: async ({ actor, deps }) => ({
      headers: { 'content-type': 'application/gzip' },
      stream: await deps.takeBackup(actor),
    }),
  }),
])
