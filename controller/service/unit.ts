// The systemd unit of the controller, and the file of its environment: pure.
import type { OwnCommand } from '../../src/systemd/command-line.ts'
import {
  hardening,
  quotePath,
  quoteWord,
  renderUnit,
  stateFolderOf,
} from '../../src/systemd/unit.ts'

export const controllerService = 'stagely-controller'

interface ControllerUnit {
  readonly command: OwnCommand
  /** What follows `stagely controller`. */
  readonly args: readonly string[]
  readonly dataDir: string
  readonly port: number
  readonly envFile: string
  /** undefined: a user that exists only while the service runs. */
  readonly user: string | undefined
}

export const renderControllerUnit = (unit: ControllerUnit): string => {
  const { command, args, dataDir, port, envFile, user } = unit
  const state = stateFolderOf(dataDir)
  // Ports below 1024 are the only thing that an ordinary user may not have here.
  const capability = port > 0 && port < 1024 ? 'CAP_NET_BIND_SERVICE' : ''
  return renderUnit({
    Unit: {
      Description: 'Stagely controller: secrets for Docker Compose',
      Wants: 'network-online.target',
      After: 'network-online.target postgresql.service',
      StartLimitIntervalSec: '0',
    },
    Service: {
      Type: 'exec',
      ExecStart: [...command.words, 'controller', ...args].map(quoteWord).join(' '),
      EnvironmentFile: `-${quotePath(envFile)}`,
      ...(user === undefined ? { DynamicUser: 'yes' } : { User: user }),
      Restart: 'always',
      RestartSec: '5',
      // Wrong flags do not mend by themselves.
      RestartPreventExitStatus: '2',
      KillMode: 'mixed',
      TimeoutStopSec: '60',
      ...(state === undefined
        ? { ReadWritePaths: quotePath(dataDir) }
        : { StateDirectory: quotePath(state), StateDirectoryMode: '0700' }),
      ...hardening,
      PrivateTmp: 'yes',
      ProtectHome: command.inHome ? 'read-only' : 'yes',
      RemoveIPC: 'yes',
      CapabilityBoundingSet: capability,
      AmbientCapabilities: capability,
    },
    Install: { WantedBy: 'multi-user.target' },
  })
}

const quoteValue = (value: string): string =>
  `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('$', '\\$').replaceAll('`', '\\`')}"`

/** What systemd reads before it gives up root. */
export const renderEnvFile = (env: Readonly<Record<string, string>>): string =>
  [
    '# Environment of stagely-controller.service. It holds secrets: only root may read it (0600).',
    '# STAGELY_SECRET_KEY="…"  master key: openssl rand -base64 32. Keep a copy elsewhere.',
    '# DATABASE_URL="…"        an external Postgres.',
    ...Object.entries(env)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => `${name}=${quoteValue(value)}`),
    '',
  ].join('\n')

/** The variables that such a file sets; as much of the format as is needed to check them. */
export const parseEnvFile = (text: string): Record<string, string> =>
  Object.fromEntries(
    text.split('\n').flatMap((line) => {
      const [, name, value = ''] = /^\s*([A-Za-z_]\w*)=(.*?)\s*$/.exec(line) ?? []
      if (name === undefined) return []
      const inner = /^"(.*)"$/.exec(value)?.[1] ?? /^'(.*)'$/.exec(value)?.[1]
      return [[name, inner === undefined ? value : inner.replace(/\\(["\\$`])/g, '$1')]]
    }),
  )
