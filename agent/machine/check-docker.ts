// Doctor: checks the engine and Compose, and that the agent sees the same folders as the engine.
import { access } from 'node:fs/promises'
import { messageOf } from '../../src/kernel/errors.ts'
import { oldestCompose, openCompose } from '../../src/compose/compose.ts'
import { readEngineFacts, readOwnMounts, type EngineFacts } from '../docker/info.ts'
import { ownContainer } from '../docker/own-container.ts'
import type { AgentConfig } from '../config.ts'
import { codeOf, failedCheck, ok, skipped, warning, type DoctorCheck } from './check.ts'

const engineFailed = (socket: string, error: unknown): DoctorCheck => {
  const code = codeOf(error)
  if (code === 'ENOENT')
    return failedCheck('engine', `there is no ${socket}`, 'install and start Docker Engine (systemctl start docker), or set DOCKER_HOST=unix:///path of its socket') // prettier-ignore
  if (code === 'EACCES')
    return failedCheck('engine', `this user may not use ${socket}`, 'run it as root, or add the user to the group docker') // prettier-ignore
  if (code === 'ECONNREFUSED')
    return failedCheck('engine', `nobody answers at ${socket}`, 'start the engine: systemctl start docker') // prettier-ignore
  return failedCheck('engine', `the engine at ${socket} fails: ${messageOf(error)}`, 'look at its log: journalctl -u docker') // prettier-ignore
}

const checkIsolation = (facts: EngineFacts, uid: number): DoctorCheck => {
  const name = 'isolation'
  switch (facts.isolation) {
    case 'none':
      return ok(name, 'the engine runs as root, without a user namespace')
    case 'rootless':
      return uid === 0
        ? failedCheck(name, 'the engine is rootless and the agent is root: its file secrets could not be read in containers', 'run the agent as the user of the engine') // prettier-ignore
        : warning(name, 'the engine is rootless: variables work; file secrets only with the owner 0:0, which is its user', 'leave uid and gid of file secrets at 0, with --files-dir in $XDG_RUNTIME_DIR; or use an engine of root') // prettier-ignore
    case 'userns-remap':
      return warning(name, 'the engine remaps users: variables work; owners of file secrets are not those that containers see', 'give file secrets the uid and gid as on the machine (base of the remapped range plus id)') // prettier-ignore
  }
}

const checkCompose = async ({ environment }: AgentConfig): Promise<DoctorCheck> => {
  try {
    const { version } = await openCompose(environment)
    return ok('compose', `Docker Compose ${version}`)
  } catch (error) {
    return failedCheck('compose', messageOf(error), `install the Docker Compose plugin, ${oldestCompose} or newer (docker-compose-plugin, on Debian docker-compose)`) // prettier-ignore
  }
}

const isContainer = async (): Promise<boolean> => {
  const marks = ['/.dockerenv', '/run/.containerenv']
  const found = await Promise.all(marks.map((mark) => access(mark).then(() => true, () => false))) // prettier-ignore
  return found.includes(true)
}

/** The engine resolves paths on the machine: an agent in a container must see each folder at the same path. */
const checkContainer = async (config: AgentConfig): Promise<DoctorCheck> => {
  const name = 'container'
  if (!(await isContainer())) return ok(name, 'the agent runs on the machine itself')
  const id = await ownContainer()
  const mounts =
    id === undefined
      ? undefined
      : await readOwnMounts(config.dockerSocket, id).catch(() => undefined)
  if (mounts === undefined)
    return failedCheck(name, 'this is a container, and not one of the engine that it would use', 'run the agent on the machine of its engine, or in a container of that engine') // prettier-ignore
  const isShared = (path: string): boolean =>
    mounts.some(
      ({ source, destination }) =>
        source === destination &&
        (path === source || path.startsWith(source === '/' ? '/' : `${source}/`)),
    )
  const { dataDir, filesDir, allowDirs } = config
  const missing = [dataDir, filesDir, ...allowDirs].filter((path) => !isShared(path))
  if (missing.length > 0)
    return failedCheck(name, `in a container, without the machine’s ${missing.join(', ')}`, `start it with ${missing.map((path) => `-v ${path}:${path}`).join(' ')}`) // prettier-ignore
  if (allowDirs.length === 0)
    return warning(name, 'in a container, and without --allow-dir it is not known where stacks lie', 'mount the folders of the stacks under their own paths, and name them with --allow-dir') // prettier-ignore
  return ok(name, 'in a container of its engine, with the machine’s folders under their own paths')
}

const checkDockerHost = (fault: string | undefined, { dockerSocket }: AgentConfig): DoctorCheck =>
  fault === undefined
    ? ok('docker-host', `unix://${dockerSocket}`)
    : failedCheck('docker-host', fault, 'unset DOCKER_HOST, or set it to the unix:// socket of the engine of this machine') // prettier-ignore

/** `hostFault` says why DOCKER_HOST cannot be used; then nothing is asked of the engine. */
export const checkDocker = async (
  config: AgentConfig,
  { hostFault, uid }: { hostFault: string | undefined; uid: number },
): Promise<DoctorCheck[]> => {
  const host = checkDockerHost(hostFault, config)
  const compose = await checkCompose(config)
  const skip = (why: string): DoctorCheck[] => [
    skipped('isolation', why),
    skipped('container', why),
  ]
  if (hostFault !== undefined)
    return [host, skipped('engine', 'no engine to ask'), ...skip('no engine to ask'), compose]
  try {
    const facts = await readEngineFacts(config.dockerSocket)
    const engine = ok('engine', `Docker Engine ${facts.version}`)
    return [host, engine, checkIsolation(facts, uid), await checkContainer(config), compose]
  } catch (error) {
    return [host, engineFailed(config.dockerSocket, error), ...skip('the engine does not answer'), compose] // prettier-ignore
  }
}
