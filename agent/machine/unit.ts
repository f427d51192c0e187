// The systemd unit of the agent: pure.
import { isInside } from '../compose/allowed-folders.ts'
import type { OwnCommand } from '../../src/systemd/command-line.ts'
import {
  hardening,
  quotePath,
  quoteWord,
  renderUnit,
  stateFolderOf,
} from '../../src/systemd/unit.ts'

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
  /** The machine is meant to go. */
  readonly ephemeral: boolean
}

/** Folders that the service must be able to write and that systemd does not make by itself. */
const ownFolders = ({ dataDir, filesDir }: AgentUnit): string[] => [
  ...(stateFolderOf(dataDir) === undefined ? [dataDir] : []),
  ...(runtimeOf(filesDir) === undefined ? [filesDir] : []),
]

const runtimeOf = (filesDir: string): string | undefined => /^\/run\/([^/]+)$/.exec(filesDir)?.[1]

/**
 * A folder that the service must be able to write: systemd makes it where it can. The agent's files
 * outlast the service, because containers mount them.
 */
const writable = (unit: AgentUnit): Record<string, string | string[]> => {
  const settings: Record<string, string | string[]> = {}
  const state = stateFolderOf(unit.dataDir)
  if (state !== undefined) {
    settings['StateDirectory'] = quotePath(state)
    settings['StateDirectoryMode'] = '0700'
  }
  const runtime = runtimeOf(unit.filesDir)
  if (runtime !== undefined) {
    settings['RuntimeDirectory'] = quotePath(runtime)
    settings['RuntimeDirectoryMode'] = '0700'
    settings['RuntimeDirectoryPreserve'] = 'yes'
  }
  // The dash: these folders may be missing until makeFolders makes them.
  const others = ownFolders(unit).map((path) => `-${quotePath(path)}`)
  if (others.length > 0) settings['ReadWritePaths'] = others
  return settings
}

/**
 * Makes folders before the agent's sandbox is built, without its limits (+): the sandbox can make a folder writable only
 * where it exists, and one on a tmpfs is gone after a reboot. Compose needs ~/.docker (%h) to build images.
 */
const makeFolders = (unit: AgentUnit): string =>
  `+/bin/mkdir -p -m 0700 ${[...ownFolders(unit).map(quoteWord), '%h/.docker'].join(' ')}`

/** A restart of the service, or a stop by hand, is no end of the machine: systemd says so while it shuts down. */
const leaveScript = '[ "$(systemctl is-system-running)" = stopping ] || exit 0; exec "$@"'

/** A failure (-) holds up no shutdown: the controller ends the agent by its absence then. */
const leaveWith = ({ command, dataDir }: AgentUnit): string =>
  `-${['/bin/sh', '-c', leaveScript, 'leave', ...command.words, 'agent', 'leave', '--data-dir', dataDir].map(quoteWord).join(' ')}`

/**
 * The agent runs as root, since it sets the owners of file secrets and uses the engine's socket, but without root's other
 * rights. It may read stacks anywhere, and write only its own folders.
 */
export const renderAgentUnit = (unit: AgentUnit): string => {
  const { command, args, dataDir, filesDir, allowDirs, dockerHost, logLevel } = unit
  const environment = [
    // Compose would write below ~/.docker, which is read-only, when it builds images.
    `BUILDX_CONFIG=${dataDir}/buildx`,
    ...(dockerHost === undefined ? [] : [`DOCKER_HOST=${dockerHost}`]),
    ...(logLevel === undefined ? [] : [`STAGELY_LOG_LEVEL=${logLevel}`]),
  ]
  // A private /tmp would hide stacks that lie there.
  const readsTmp = allowDirs.some(
    (d) => d === '/' || isInside(d, '/tmp') || isInside(d, '/var/tmp'),
  )
  const exec = [...command.words, 'agent', 'run', ...args]
  return renderUnit({
    Unit: {
      Description: 'Stagely agent: secrets for Docker Compose',
      Wants: 'network-online.target',
      After: 'network-online.target docker.service',
      StartLimitIntervalSec: '0',
      RequiresMountsFor: ownFolders(unit).map(quotePath),
    },
    Service: {
      Type: 'exec',
      ExecStartPre: makeFolders(unit),
      ExecStart: exec.map(quoteWord).join(' '),
      ExecStopPost: unit.ephemeral ? leaveWith(unit) : undefined,
      Environment: environment.map(quotePath),
      EnvironmentFile: '-/etc/stagely/agent.env',
      Restart: 'always',
      RestartSec: '5',
      // A restart does not help against wrong flags.
      RestartPreventExitStatus: '2',
      // At a stop, systemd waits for a running Compose. Where the agent crashes Compose is killed, and the next start mends that.
      KillMode: 'mixed',
      TimeoutStopSec: '150',
      OOMPolicy: 'continue',
      ...writable(unit),
      ...hardening,
      // A private /dev keeps the machine's /dev/shm, which the engine mounts from.
      PrivateDevices: isInside(filesDir, '/dev') ? 'no' : 'yes',
      PrivateTmp: readsTmp ? 'no' : 'yes',
      ProtectHome: 'read-only',
      CapabilityBoundingSet: 'CAP_CHOWN CAP_FOWNER CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH',
    },
    Install: { WantedBy: 'multi-user.target' },
  })
}
