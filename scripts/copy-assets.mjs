// What tsc leaves out of dist: SQL files, the empty cluster, and the executable bit of the command.
import { chmodSync, cpSync, existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const migrations = join(root, 'dist/src/store/migrations')

// A migration that was renamed must not stay behind and be applied twice.
rmSync(migrations, { recursive: true, force: true })
cpSync(join(root, 'src/store/migrations'), migrations, { recursive: true })

const cluster = 'src/store/empty-cluster.tar.gz'
cpSync(join(root, cluster), join(root, 'dist', cluster))

const main = join(root, 'dist/cli/main.js')
if (existsSync(main)) chmodSync(main, 0o755)
