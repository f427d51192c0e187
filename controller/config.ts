// The controller's flags and environment, read once. All faults are reported together.
import type { OidcConfig } from './http/login/provider.ts'
import type { EgressConfig } from './egress/gate.ts'
import { parseRules } from './egress/rules.ts'
import { isNetwork } from './http/request-identity.ts'
import { parseSmtp, type SmtpConfig } from './notify/smtp-config.ts'
import { parseStores, type StoresConfig } from './stores/store-config.ts'
import { parseOidc } from './oidc-config.ts'
import { ConfigError } from './config-error.ts'
import { logLevels, parseFlags, type Flags } from './config-flags.ts'
import { parseKeyConfig, type KeyConfig } from './keys/key-config.ts'
import { parseLimits, type RateLimits } from './limit-config.ts'
import { parseKeptBackups, parseRetention } from './retention-config.ts'
import type { Retention } from '../src/store/compaction.ts'

/** Certificate and key that another program renews. */
export interface TlsFiles {
  /** PEM, leaf first. */
  readonly certFile: string
  readonly keyFile: string
  /** PEM of the root, when certFile does not contain it. */
  readonly caFile: string | undefined
}

export interface Config extends RateLimits {
  readonly dataDir: string
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** Base URL for agents and users; undefined: derived from the listen address. */
  readonly advertiseUrl: string | undefined
  /** Base URL for other replicas. */
  readonly peerUrl: string | undefined
  /** Additional names in the certificate. */
  readonly tlsSans: readonly string[]
  /** undefined: a certificate of the controller's own CA. */
  readonly tlsFiles: TlsFiles | undefined
  /** `own`: join tokens pin the CA; `system`: agents trust their machine's CAs. */
  readonly agentTrust: 'own' | 'system'
  readonly manifestsDir: string | undefined
  /** The CRDs of a cluster are a source; `namespaces` undefined: all. */
  readonly kubernetes: { readonly namespaces: readonly string[] | undefined } | undefined
  /** True: the folder or the cluster may remove more than half of its objects at once. */
  readonly pruneAll: boolean
  /** Addresses and networks of proxies whose X-Forwarded-For is trusted. */
  readonly trustedProxies: readonly string[]
  /** Settings of the OpenID login; undefined: no such login. */
  readonly oidc: OidcConfig | undefined
  /** True: `/ui` serves the dashboard. */
  readonly dashboard: boolean
  /** True: plain HTTP; only on loopback. */
  readonly insecureHttp: boolean
  readonly databaseUrl: string | undefined
  /** Which master keys there are. */
  readonly keys: KeyConfig
  /** File with the first admin's token, made by somebody else; undefined: the controller makes one. */
  readonly adminTokenFile: string | undefined
  readonly logLevel: string
  /** Age at which audit rows are pruned; undefined: never. */
  readonly auditRetentionDays: number | undefined
  readonly retention: Retention
  /** How many daily backups stay in the data folder; undefined: none is taken. */
  readonly keptBackups: number | undefined
  /** Which addresses that users name are called, and which are not. */
  readonly egress: EgressConfig
  /** The mail server of Notifiers; undefined: none. */
  readonly smtp: SmtpConfig | undefined
  /** What stores of secrets elsewhere may use of this machine. */
  readonly stores: StoresConfig
}

const loopback = new Set(['127.0.0.1', '::1', 'localhost'])

/** `argv` without the program's own words. Throws ConfigError or HelpAsked. */
export const parseConfig = (
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>> = process.env,
): Config => {
  const faults: string[] = []
  const { flags, rest } = parseFlags(argv)
  for (const word of rest) faults.push(`unknown argument: ${word}`)
  if (flags.dataDir === undefined || flags.dataDir === '')
    faults.push('--data-dir is missing: name a folder that this controller may write to')
  const { host, port } = parseListen(flags.listen, faults)
  const advertiseUrl = parseUrl('--advertise-url', flags.advertiseUrl, faults)
  const peerUrl = parseUrl('--peer-url', flags.peerUrl ?? env['STAGELY_PEER_URL'], faults)
  const insecureHttp = flags.insecureHttp ?? false
  const kubernetes = parseKubernetes(flags, faults)
  const agentTrust = parseAgentTrust(flags.agentTrust, faults)
  const tlsFiles = parseTlsFiles(flags, faults)
  if (insecureHttp && !loopback.has(host))
    faults.push(
      `--insecure-http needs a loopback address in --listen; ${host} can be reached from outside`,
    )
  const trustedProxies = parseProxies(flags.trustProxy ?? [], faults)
  const oidc = parseOidc(flags, env, faults)
  const databaseUrl = parseDatabaseUrl(env['DATABASE_URL'], faults)
  const keys = parseKeyConfig(env, databaseUrl !== undefined, faults)
  const logLevel = env['STAGELY_LOG_LEVEL'] ?? 'info'
  if (!logLevels.includes(logLevel))
    faults.push(`STAGELY_LOG_LEVEL must be one of ${logLevels.join(', ')}`)
  const dashboard = parseSwitch('STAGELY_DASHBOARD', env, faults) && flags.dashboard
  const auditRetentionDays = parseDays(env['STAGELY_AUDIT_RETENTION_DAYS'], faults)
  const retention = parseRetention(env, faults)
  const keptBackups = parseKeptBackups(env, faults)
  const limits = parseLimits(flags, faults)
  const egress = parseEgress(env, faults)
  const smtp = parseSmtp(env, faults)
  const stores = parseStores(flags, env, faults)
  if (faults.length > 0) throw new ConfigError(faults)
  return {
    dataDir: flags.dataDir!,
    host,
    port,
    advertiseUrl,
    peerUrl,
    tlsSans: flags.tlsSan ?? [],
    tlsFiles,
    agentTrust,
    manifestsDir: flags.manifests,
    kubernetes,
    pruneAll: flags.pruneAll ?? false,
    trustedProxies,
    oidc,
    dashboard,
    insecureHttp,
    databaseUrl,
    keys,
    adminTokenFile: env['STAGELY_ADMIN_TOKEN_FILE'],
    logLevel,
    ...limits,
    auditRetentionDays,
    retention,
    keptBackups,
    egress,
    smtp,
    stores,
  }
}

/** The environment that a service of this controller needs: the controller's own variables that are set. */
export const serviceEnvironment = (
  env: Readonly<Record<string, string | undefined>> = process.env,
): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).filter(
      (e): e is [string, string] =>
        e[1] !== undefined &&
        /^(DATABASE_URL|VAULT_(ADDR|TOKEN|TOKEN_FILE|NAMESPACE)|STAGELY_(?!SERVER$|(JOIN_)?TOKEN$|TOKEN_FILE$|CA_FILE$|NAMESPACE$|CONTEXT$)\w+)$/.test(
          e[0],
        ),
    ),
  )

/** The PATH in which programs of the machine are searched. */
export const searchPath = (): string => process.env['PATH'] ?? ''

const parseDays = (text: string | undefined, faults: string[]): number | undefined => {
  if (text === undefined || text === '') return undefined
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  faults.push('STAGELY_AUDIT_RETENTION_DAYS must be a whole number of days, such as 400')
  return undefined
}

/** True unless the variable says `off`. */
const parseSwitch = (
  name: string,
  env: Readonly<Record<string, string | undefined>>,
  faults: string[],
): boolean => {
  const text = env[name] ?? ''
  if (!['', 'on', 'off'].includes(text)) faults.push(`${name} must be on or off`)
  return text !== 'off'
}

const parseEgress = (
  env: Readonly<Record<string, string | undefined>>,
  faults: string[],
): EgressConfig => {
  const rulesIn = (name: string): EgressConfig['allow'] => parseRules(name, env[name], faults)
  return { allow: rulesIn('STAGELY_EGRESS_ALLOW'), deny: rulesIn('STAGELY_EGRESS_DENY') }
}

const parseKubernetes = (flags: Flags, faults: string[]): Config['kubernetes'] => {
  if (flags.kubernetes === true) return { namespaces: flags.kubernetesNamespace }
  if (flags.kubernetesNamespace !== undefined)
    faults.push('--kubernetes-namespace is of use only with --kubernetes')
  return undefined
}

const parseAgentTrust = (text: string, faults: string[]): 'own' | 'system' => {
  if (text !== 'own' && text !== 'system')
    faults.push(`--agent-trust must be own or system; it is ${text}`)
  return text === 'system' ? 'system' : 'own'
}

const parseTlsFiles = (flags: Flags, faults: string[]): TlsFiles | undefined => {
  const { tlsCertFile: certFile, tlsKeyFile: keyFile, tlsCaFile: caFile } = flags
  if (certFile !== undefined && keyFile !== undefined) return { certFile, keyFile, caFile }
  if (certFile !== undefined || keyFile !== undefined)
    faults.push('--tls-cert-file and --tls-key-file go together: give both or none')
  else if (caFile !== undefined) faults.push('--tls-ca-file is of use only with --tls-cert-file')
  return undefined
}

const parseListen = (text: string, faults: string[]): { host: string; port: number } => {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:]*)):(\d{1,5})$/.exec(text)
  const host = match?.[1] ?? match?.[2] ?? ''
  const port = Number(match?.[3] ?? NaN)
  if (match === null || port > 65535)
    faults.push(`--listen must be HOST:PORT, such as 0.0.0.0:8443 or [::]:8443; it is ${text}`)
  return { host: host === '' ? '0.0.0.0' : host, port }
}

const parseUrl = (flag: string, text: string | undefined, faults: string[]): string | undefined => {
  if (text === undefined) return undefined
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !['https:', 'http:'].includes(url.protocol) || url.username !== '') {
    faults.push(`${flag} must be a URL such as https://stagely.example.com:8443`)
    return undefined
  }
  return url.href.replace(/\/+$/, '')
}

const parseProxies = (networks: readonly string[], faults: string[]): readonly string[] => {
  for (const network of networks.filter((text) => !isNetwork(text)))
    faults.push(
      `--trust-proxy must be an address or a network such as 10.0.0.0/8; it is ${network}`,
    )
  return networks
}

const parseDatabaseUrl = (text: string | undefined, faults: string[]): string | undefined => {
  if (text === undefined || text === '') return undefined
  // The URL may hold a password, so the fault does not repeat it.
  if (!/^postgres(ql)?:\/\//.test(text))
    faults.push('DATABASE_URL must begin with postgres:// or postgresql://')
  return text
}

/** Where others find the dashboard. The address that a controller takes by itself may be good on its machine alone. */
export const dashboardOf = ({
  dashboard,
  advertiseUrl,
}: Pick<Config, 'dashboard' | 'advertiseUrl'>): string | undefined =>
  dashboard ? advertiseUrl : undefined
