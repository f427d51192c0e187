// Serves the tests' own cluster for other programs until it is told to stop, and writes a kubeconfig:
//   npx tsx test/support/cluster/serve.ts FILE
import { writeFileSync } from 'node:fs'
import { createPostgresServer } from '../databases/postgres-server.ts'
import { startOwnServer } from './own-server.ts'

const [file] = process.argv.slice(2)
if (file === undefined) throw new Error('usage: serve.ts FILE')
const postgres = await createPostgresServer()
await postgres.start()
const server = await startOwnServer(postgres.url)
writeFileSync(file, server.kubeConfig.exportConfig(), { mode: 0o600 })
console.log(`a cluster for tests: KUBECONFIG=${file}`)
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, () => {
    void server
      .remove()
      .then(() => postgres.remove())
      .then(() => process.exit(0))
  })
