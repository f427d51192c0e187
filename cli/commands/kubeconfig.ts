// kubeconfig: what kubectl needs to speak to the controller. It holds the token: keep it private.
import { readFile } from 'node:fs/promises'
import { Command } from 'commander'
import { findEndpoint, howToConnect } from '../connect.ts'
import { CliError } from '../errors.ts'
import { toYaml } from '../output.ts'
import { out } from '../print.ts'

export const command = (): Command =>
  new Command('kubeconfig')
    .description('Print a kubeconfig for kubectl. It holds the token: keep it private.')
    .showHelpAfterError('(--help shows flags and examples)')
    .option('-n, --namespace <name>', 'namespace of the context', 'default')
    .addHelpText(
      'after',
      `
Examples:
  (umask 077; stagely kubeconfig > stagely.kubeconfig)
  kubectl --kubeconfig stagely.kubeconfig get stagelets`,
    )
    .action(kubeconfig)

const kubeconfig = async ({ namespace }: { namespace: string }): Promise<void> => {
  const endpoint = await findEndpoint()
  if (endpoint === undefined) throw new CliError(`no controller is known: ${howToConnect}`)
  const { server, token, caFile } = endpoint
  const ca = caFile === undefined ? {} : { 'certificate-authority-data': await readBase64(caFile) }
  out(
    toYaml({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'stagely', cluster: { server, ...ca } }],
      users: [{ name: 'stagely', user: token === undefined ? {} : { token } }],
      contexts: [{ name: 'stagely', context: { cluster: 'stagely', user: 'stagely', namespace } }],
      'current-context': 'stagely',
    }),
  )
}

const readBase64 = async (file: string): Promise<string> => {
  try {
    return (await readFile(file)).toString('base64')
  } catch (error) {
    throw new CliError(
      `cannot read the CA file ${file} (${(error as NodeJS.ErrnoException).code ?? 'failed'})`,
      1,
      error,
    )
  }
}
