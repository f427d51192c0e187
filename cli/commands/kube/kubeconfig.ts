// kubeconfig: prints the configuration for kubectl, or merges it into a file.
import { Command } from '../../options.ts'
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { findEndpoint, howToConnect, type LoginEndpoint } from '../../connect/connect.ts'
import { readConnectionEnv } from '../../config.ts'
import { CliError, cannot, usageError } from '../../errors.ts'
import { mergeKubeconfig, type KubeconfigParts } from '../../connect/kubeconfig-file.ts'
import { toYaml } from '../../output/yaml.ts'
import { out } from '../../print.ts'

interface Flags {
  readonly namespace?: string
  readonly context: string
  readonly merge?: boolean
  readonly file?: string
  readonly exec?: boolean
}

export const command = (): Command =>
  new Command('kubeconfig')
    .description(
      'Print a kubeconfig for kubectl, or merge it into a file. It holds the token unless --exec is given: keep it private.',
    )
    .showHelpAfterError('(--help shows flags and examples)')
    .option('-n, --namespace <name>', 'namespace of the context; else as for other commands')
    .option('--context <name>', 'name of cluster, user and context', 'stagely')
    .option('--merge', 'merge it into KUBECONFIG, or ~/.kube/config, and use its context')
    .option('--file <file>', 'merge it into this file, and use its context')
    .option('--exec', 'let kubectl ask "stagely kube-token" in place of holding the token')
    .addHelpText(
      'after',
      `
Examples:
  stagely kubeconfig --merge --exec -n team-a
  kubectl --context stagely get stagelets
  (umask 077; stagely kubeconfig > stagely.kubeconfig)`,
    )
    .action(kubeconfig)

const kubeconfig = async (flags: Flags): Promise<void> => {
  const endpoint = await findEndpoint()
  if (endpoint === undefined) throw new CliError(`no controller is known: ${howToConnect}`)
  const parts = await partsOf(endpoint, flags)
  if (flags.file === undefined && flags.merge !== true) {
    const { name, cluster, user, context } = parts
    out(
      toYaml({
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [{ name, cluster }],
        users: [{ name, user }],
        contexts: [{ name, context }],
        'current-context': name,
      }),
    )
    return
  }
  const file = resolve(flags.file ?? defaultFile())
  await mergeKubeconfig(file, parts)
  out(
    `context "${parts.name}" written to ${file}; try: kubectl --context ${parts.name} get stagelets`,
  )
}

/** With several files kubectl writes to the first existing one; here the person must choose. */
const defaultFile = (): string => {
  const files = (readConnectionEnv().kubeconfig ?? '').split(':').filter((file) => file !== '')
  if (files.length > 1) throw usageError('KUBECONFIG names several files: say which with --file')
  return files[0] ?? join(homedir(), '.kube', 'config')
}

const partsOf = async (endpoint: LoginEndpoint, flags: Flags): Promise<KubeconfigParts> => {
  const { server, token, caFile } = endpoint
  const namespace = flags.namespace ?? endpoint.namespace ?? 'default'
  const ca = caFile === undefined ? {} : { 'certificate-authority-data': await readBase64(caFile) }
  const name = flags.context
  const held = token === undefined ? {} : { token }
  return {
    name,
    cluster: { server, ...ca },
    user: flags.exec === true ? { exec: pluginOf(server) } : held,
    context: { cluster: name, user: name, namespace },
  }
}

/** The path of this program, so that kubectl finds it without a PATH. */
const pluginOf = (server: string): object => ({
  apiVersion: 'client.authentication.k8s.io/v1',
  command: process.execPath,
  args: [resolve(process.argv[1] ?? 'stagely'), 'kube-token', '--server', server],
  interactiveMode: 'Never',
  installHint: 'Install Stagely, and run "stagely login".',
})

const readBase64 = async (file: string): Promise<string> =>
  (await readFile(file).catch(cannot(`read the CA file ${file}`))).toString('base64')
