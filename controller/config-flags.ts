// The controller's flags and their help. All that a flag may say is judged in config.ts.
import { Command, CommanderError } from 'commander'
import { withWholePaths } from '../src/kernel/path-flags.ts'
import { keyProviderNames } from '../src/secrets/providers/settings.ts'
import { limitOptions, type LimitFlags } from './limit-config.ts'
import { ConfigError, HelpAsked } from './config-error.ts'
import type { OidcFlags } from './oidc-config.ts'

export interface Flags extends OidcFlags, LimitFlags {
  dataDir?: string
  listen: string
  advertiseUrl?: string
  peerUrl?: string
  tlsSan?: string[]
  tlsCertFile?: string
  tlsKeyFile?: string
  tlsCaFile?: string
  agentTrust: string
  manifests?: string
  storesDir?: string
  kubernetes?: boolean
  kubernetesNamespace?: string[]
  pruneAll?: boolean
  trustProxy?: string[]
  dashboard: boolean
  insecureHttp?: boolean
}

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent']

const moreHelp = `
Commands, each with --help:
  install, uninstall  make the controller a systemd service of this machine; take that away
  backup              write a backup of a controller that is stopped
  break-glass         print a token of an admin for an emergency

Environment:
  STAGELY_SECRET_KEY  master key: base64 of 32 bytes (openssl rand -base64 32)
  STAGELY_SECRET_KEY_PREVIOUS   keys that only open, while what they wrapped is wrapped anew
  STAGELY_KEY_PROVIDER          ${keyProviderNames.join(', ')} (default local)
  STAGELY_KMS_KEY               key of the service: ARN or alias; projects/…/cryptoKeys/K; MOUNT/KEY
  STAGELY_KMS_ENDPOINT          another address of the service
  STAGELY_KEY_FILE              for key-file: one key in each line, the first wraps
  STAGELY_KEY_PROVIDER_PREVIOUS, STAGELY_KMS_KEY_PREVIOUS   the service to move away from
  STAGELY_KEY_PROVIDERS_FILE    YAML: keys that projects may name in spec.keyProvider; or the text
                                itself in STAGELY_KEY_PROVIDERS
  VAULT_ADDR, VAULT_TOKEN or VAULT_TOKEN_FILE, VAULT_NAMESPACE   for vault-transit
  STAGELY_KEY_CACHE_MINUTES     how long keys stay in memory without the provider (default 60)
  STAGELY_KEY_ROTATION_DAYS     when a key is due for rotation (default 365)
  STAGELY_KEY_ROTATION          auto: data keys and the sealing key are replaced when due (default);
                                off: the controller only tells
  DATABASE_URL        external Postgres, in place of the embedded database
  STAGELY_PEER_URL    as --peer-url
  STAGELY_AUDIT_RETENTION_DAYS  audit rows older than this are pruned (default: kept for ever)
  STAGELY_KEEP_VERSIONS, STAGELY_KEEP_REVISIONS, STAGELY_KEEP_DELETED_DAYS   history (10, 20, 7)
  STAGELY_KEEP_REQUESTS_DAYS   requests for access, after their end (400)
  STAGELY_KEEP_BACKUPS         take a backup each day into DATA_DIR/backups, and keep so many (default: none)
  STAGELY_OIDC_ISSUER, STAGELY_OIDC_CLIENT_ID, STAGELY_OIDC_CLIENT_SECRET_FILE,
  STAGELY_OIDC_DOMAINS, STAGELY_OIDC_GROUPS, STAGELY_OIDC_PROOF
                                 as the flags; lists with commas
  STAGELY_ADMIN_TOKEN_FILE  file with the first admin's token, in place of a made one
  STAGELY_EGRESS_ALLOW, STAGELY_EGRESS_DENY   addresses that users may name (webhooks): names, addresses
                                and networks with commas, each perhaps with :PORT; a denial goes first
  STAGELY_STORES_DIR        as --stores-dir
  STAGELY_STORE_IDENTITIES_FILE YAML: identities of this machine, files with credentials and programs
                                that stores of a team may use; or the text in STAGELY_STORE_IDENTITIES
  STAGELY_DASHBOARD         off: as --no-dashboard (default on)
  STAGELY_LOG_LEVEL   ${logLevels.join(', ')} (default info)

Examples:
  stagely controller --data-dir /var/lib/stagely --listen 0.0.0.0:8443 --advertise-url https://stagely.example.com:8443
  stagely controller --data-dir ./data --manifests ./manifests`

const command = (): Command => limitOptions(baseCommand())

/** A flag that takes a <dir> or a <file>: its path is made whole where it is read. */
export const pathFlags = (): string[] =>
  command().options.flatMap(({ flags, long }) =>
    long !== undefined && /<(dir|file)>/.test(flags) ? [long] : [],
  )

const baseCommand = (): Command =>
  new Command('stagely controller')
    .description('Keeps the secrets and the declared state, and serves the API over HTTPS.')
    .option('--data-dir <dir>', 'folder for the embedded database, keys, CA and admin token')
    .option('--listen <host:port>', 'address to listen on', '127.0.0.1:8443')
    .option('--advertise-url <url>', 'URL that agents and users reach this controller by')
    .option(
      '--peer-url <url>',
      'URL by which other controllers on the same Postgres reach this one (default: its address towards the database)',
    )
    .option('--tls-san <name...>', 'more names or addresses for the certificate')
    .option('--tls-cert-file <file>', 'certificate to show, leaf first, in place of a made one')
    .option('--tls-key-file <file>', 'its private key')
    .option('--tls-ca-file <file>', 'its root, where --tls-cert-file leaves it out')
    .option(
      '--agent-trust <which>',
      "own: join tokens pin this controller's CA; system: agents trust the CAs of their machine, for a public certificate here or at a proxy",
      'own',
    )
    .option('--manifests <dir>', 'folder of YAML manifests to watch and apply')
    .option('--stores-dir <dir>', 'folder of programs that a SecretStore may name (spec.command)')
    .option(
      '--kubernetes',
      'follow the CRDs of the cluster that this runs in, or that KUBECONFIG names',
    )
    .option('--kubernetes-namespace <name...>', 'namespaces to follow (default: all)')
    .option(
      '--prune-all',
      'let the folder or cluster remove more than half of what it owns at once',
    )
    .option(
      '--trust-proxy <address...>',
      'proxies whose X-Forwarded-For is believed, such as 10.0.0.0/8',
    )
    .option('--oidc-issuer <url>', 'OpenID provider that people log in by')
    .option('--oidc-client-id <id>', 'client of this controller at the provider')
    .option('--oidc-client-secret-file <file>', 'file with its secret; none for a public client')
    .option('--oidc-domain <domain...>', 'only people with e-mail addresses of these domains')
    .option('--oidc-group <group=team:role...>', 'role in a team that a group gives')
    .option('--oidc-proof <what>', 'what confirms a login: auth-time (default), or round-trip')
    .option('--no-dashboard', 'serve no dashboard at /ui, and no documents at /docs')
    .option('--insecure-http', 'plain HTTP; only on a loopback address')
    .addHelpText('after', moreHelp)
    .allowUnknownOption()
    .allowExcessArguments()
    .exitOverride()
    .configureOutput({ writeOut: () => undefined, writeErr: () => undefined })

/** The flags, and the words that are none. Throws ConfigError or HelpAsked. */
export const parseFlags = (argv: readonly string[]): { flags: Flags; rest: readonly string[] } => {
  const program = command()
  try {
    program.parse(withWholePaths(argv, pathFlags()), { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.code === 'commander.helpDisplayed') throw new HelpAsked(helpText(program))
    throw new ConfigError([error.message.replace(/^error: /, '')])
  }
  return { flags: program.opts<Flags & Record<string, unknown>>(), rest: program.args }
}

/** helpInformation() leaves out addHelpText(), which holds the examples. */
const helpText = (program: Command): string => {
  let text = ''
  program.configureOutput({ writeOut: (part) => (text += part) }).outputHelp()
  return text
}
