// The systemd unit of the agent: pure.
import type { OwnCommand } from '../../src/systemd/command-line.ts'
import { hardening, quotePath, quoteWord, renderUnit } from '../../src/systemd/unit.ts'

export const agentService = 'stagely-agent'

export interface AgentUnit {
  readonly command: OwnCommand
  /** What follows `stagely agent run`. Holds no token. */
  readonly args: readonly string[]
  readonly dataDir: string
  readonly filesDir: string
  readonly allowDirs: readonly string[]
  /** undefined: the engine's usual socket. */
  readonly dockerHost: string | undefined
  readonly logLevel: string | undefined
}

const isBelow = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(`${folder}/`)

/**
 * A folder that the service must be able to write: systemd makes it where it can. The agent's files
 * outlast the service, because containers mount them.
 */
const writable = ({ dataDir, filesDir }: AgentUnit): Record<string, string | string[]> => {
  const settings: Record<string, string | string[]> = {}
  const others: string[] = []
  const state = /^\/var\/lib\/([^/]+)$/.exec(dataDir)?.[1]
  if (state === undefined) others.push(quotePath(dataDir))
  else {
    settings['StateDirectory'] = quotePath(state)
    settings['StateDirectoryMode'] = '0700'
  }
  const runtime = /^\/run\/([^/]+)$/.exec(filesDir)?.[1]
  if (runtime === undefined) others.push(`-${quotePath(filesDir)}`)
  else {
    settings['RuntimeDirectory'] = quotePath(runtime)
    settings['RuntimeDirectoryMode'] = '0700'
    settings['RuntimeDirectoryPreserve'] = 'yes'
  }
  if (others.length > 0) settings['ReadWritePaths'] = others
  return settings
}

/**
 * Root, because file secrets get owners and the engine's socket is root's; without what root may do
 * beyond that. Stacks are read wherever they lie, and nothing but the agent's own folders is written.
 */
export const renderAgentUnit = (unit: AgentUnit): string => {
  const { command, args, filesDir, allowDirs, dockerHost, logLevel } = unit
  const environment = [
    ...(dockerHost === undefined ? [] : [`DOCKER_HOST=${dockerHost}`]),
    ...(logLevel === undefined ? [] : [`STAGELY_LOG_LEVEL=${logLevel}`]),
  ]
  // A /tmp of its own would hide stacks that lie there.
  const readsTmp =
    allowDirs.length === 0 || allowDirs.some((d) => isBelow(d, '/tmp') || isBelow(d, '/var/tmp'))
  const exec = [...command.words, 'agent', 'run', ...args]
  return renderUnit({
    Unit: {
      Description: 'Stagely agent: secrets for Docker Compose',
      Wants: 'network-online.target',
      After: 'network-online.target docker.service',
      StartLimitIntervalSec: '0',
    },
    Service: {
      Type: 'exec',
      ExecStart: exec.map(quoteWord).join(' '),
      Environment: environment.map(quoteWord),
      EnvironmentFile: '-/etc/stagely/agent.env',
      Restart: 'always',
      RestartSec: '5',
      // Wrong flags do not mend by themselves.
      RestartPreventExitStatus: '2',
      // At a stop, Compose that is at work is waited for. Where the agent dies by itself it is killed, which the next start mends.
      KillMode: 'mixed',
      TimeoutStopSec: '150',
      OOMPolicy: 'continue',
      ...writable(unit),
      ...hardening,
      // Of a private /dev the shared memory is the machine's, which the engine mounts from.
      PrivateDevices: isBelow(filesDir, '/dev') ? 'no' : 'yes',
      PrivateTmp: readsTmp ? 'no' : 'yes',
      ProtectHome: 'read-only',
      CapabilityBoundingSet: 'CAP_CHOWN CAP_FOWNER CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH',
    },
    Install: { WantedBy: 'multi-user.target' },
  })
}
