// Agents that are processes, and the Compose that they find: the machine's own, with what short programs of Go cost
// less with (an agent passes only what Compose needs), and with its version known, which each start of an agent asks.
import { access, chmod, mkdir, rename, writeFile } from 'node:fs/promises'
import { createHash, randomUUID } from 'node:crypto'
import { join, resolve } from 'node:path'
import { baseEnvironment } from '../../../src/compose/environment.ts'
import { findCompose } from '../../../src/compose/compose.ts'
import { composeAt } from '../docker/compose-at.ts'
import { startProgram, type Program } from '../programs/program.ts'
import { shortGo } from '../short-go.ts'

const cache = resolve(import.meta.dirname, '../../../node_modules/.cache/stagely-compose')

/** A folder of Docker's settings whose Compose is a script; made once for each Compose. */
const makeSettings = async (): Promise<string> => {
  const { version } = await composeAt()
  const settings = Object.entries(shortGo).map(([name, value]) => `${name}=${value}`)
  const script = `#!/bin/sh
[ "$*" = 'version --short' ] && echo ${version} && exit
export ${settings.join(' ')}
exec '${await findCompose(baseEnvironment(process.env))}' "$@"
`
  const folder = join(cache, createHash('sha256').update(script).digest('hex').slice(0, 16))
  const file = join(folder, 'cli-plugins/docker-compose')
  const isThere = await access(file).then(
    () => true,
    () => false,
  )
  if (isThere) return folder
  await mkdir(join(folder, 'cli-plugins'), { recursive: true })
  const made = `${file}.${randomUUID()}`
  await writeFile(made, script)
  await chmod(made, 0o755)
  await rename(made, file)
  return folder
}

let settings: Promise<string> | undefined

/** What an agent of a test gets beside what its test gives it. */
export const agentEnvironment = async (): Promise<NodeJS.ProcessEnv> => ({
  DOCKER_CONFIG: await (settings ??= makeSettings()),
})

/** `args` are those of the command. Resolves once it is connected. */
export const startAgentProcess = async (
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  more: Parameters<typeof startProgram>[3] = {},
): Promise<Program> =>
  startProgram(args, { ...(await agentEnvironment()), ...env }, 'connected', more)
