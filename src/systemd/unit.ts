// Text of systemd units: pure.
import { StagelyError } from '../kernel/errors.ts'

/** Sections in order. A setting with a list is written once for each item. */
type UnitSections = Readonly<
  Record<string, Readonly<Record<string, string | readonly string[] | undefined>>>
>

/** BadRequest for text that no unit file can hold. */
const checkLine = (text: string): string => {
  if (!/[\0-\x1f\x7f]/.test(text)) return text
  throw new StagelyError('BadRequest', 'a flag of a service must not hold control characters')
}

/** Quotes one word of a command line: systemd's specifiers (%) and variables ($) are taken literally. */
export const quoteWord = (word: string): string => {
  const plain = checkLine(word).replaceAll('%', '%%').replaceAll('$', '$$$$')
  if (/^[\w@+=:,./%$-]+$/.test(plain)) return plain
  return `"${plain.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}

/** Quotes a path or an assignment in a setting, where systemd has no variables. */
export const quotePath = (path: string): string => {
  const plain = checkLine(path).replaceAll('%', '%%')
  return /^[\w@+=:,./%$-]+$/.test(plain)
    ? plain
    : `"${plain.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}

/** The folder below /var/lib that systemd creates for the service's user; undefined for another place. */
export const stateFolderOf = (dataDir: string): string | undefined =>
  /^\/var\/lib\/([^/]+)$/.exec(dataDir)?.[1]

export const renderUnit = (sections: UnitSections): string =>
  Object.entries(sections)
    .map(([name, settings]) => {
      const lines = Object.entries(settings).flatMap(([key, value]) =>
        value === undefined ? [] : [value].flat().map((v) => `${key}=${v}`),
      )
      return [`[${name}]`, ...lines, ''].join('\n')
    })
    .join('\n')

/**
 * Restrictions of both services. Writable and executable memory stays allowed: V8 makes code at run
 * time.
 */
export const hardening = {
  NoNewPrivileges: 'yes',
  LimitCORE: '0',
  UMask: '0077',
  ProtectSystem: 'strict',
  ProtectKernelTunables: 'yes',
  ProtectKernelModules: 'yes',
  ProtectKernelLogs: 'yes',
  ProtectControlGroups: 'yes',
  ProtectClock: 'yes',
  ProtectHostname: 'yes',
  ProtectProc: 'invisible',
  PrivateDevices: 'yes',
  LockPersonality: 'yes',
  RestrictNamespaces: 'yes',
  RestrictRealtime: 'yes',
  RestrictSUIDSGID: 'yes',
  RestrictAddressFamilies: 'AF_UNIX AF_INET AF_INET6 AF_NETLINK',
  SystemCallArchitectures: 'native',
  SystemCallFilter: '@system-service',
  SystemCallErrorNumber: 'EPERM',
  KeyringMode: 'private',
} as const
