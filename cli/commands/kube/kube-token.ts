// kube-token: the credential plugin for kubeconfigs that "stagely kubeconfig --exec" makes.
import { Command } from '../../options.ts'
import { findEndpoint, howToConnect } from '../../connect/connect.ts'
import { CliError } from '../../errors.ts'
import { loginFor, readLogins } from '../../logins.ts'
import { out } from '../../print.ts'

export const command = (): Command =>
  new Command('kube-token')
    .description('Print the stored token as an ExecCredential, for kubectl.')
    .showHelpAfterError('(--help shows flags and examples)')
    .option('--server <url>', 'only for this controller; fails where the login is for another')
    .addHelpText(
      'after',
      `
Examples:
  stagely kubeconfig --exec --merge
  stagely kube-token`,
    )
    .action(async ({ server }: { server?: string }) => {
      const found = await findEndpoint()
      const stored = server === undefined ? undefined : loginFor(server, await readLogins())
      const endpoint = found?.server === server ? found : (stored ?? found)
      if (endpoint?.token === undefined) throw new CliError(`nobody is logged in: ${howToConnect}`)
      // A token must not be sent to another server.
      if (server !== undefined && server !== endpoint.server)
        throw new CliError(
          `you are logged in to ${endpoint.server}, not to ${server}: log in there`,
        )
      out(
        JSON.stringify({
          apiVersion: 'client.authentication.k8s.io/v1',
          kind: 'ExecCredential',
          status: { token: endpoint.token },
        }),
      )
    })
