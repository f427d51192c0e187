// login: stores the controller's address. The token comes from the OpenID provider through the browser, for the token of a
// CI's job, from a file or from stdin, never from argv.
import { Command } from '../../options.ts'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { defined } from '../../../src/kernel/defined.ts'
import { readConnectionEnv } from '../../config.ts'
import { createApi } from '../../connect/api.ts'
import { connectionTo, type LoginEndpoint } from '../../connect/connect.ts'
import { CliError, cannot, usageError } from '../../errors.ts'
import { contextName, nameFor, readLogins, writeLogins } from '../../logins.ts'
import { loginByBrowser } from '../../people/browser-login.ts'
import { placeForToken, tokenOfJob } from '../../people/ci-login.ts'
import { out } from '../../print.ts'
import { createRest } from '../../connect/rest.ts'
import { readStdin } from '../../apply/read-manifests.ts'

export const command = (): Command =>
  new Command('login')
    .description('Check and remember server, token and CA in ~/.config/stagely/config.json (0600).')
    .showHelpAfterError('(--help shows flags and examples)')
    .option('--server <url>', 'URL of the controller; STAGELY_SERVER when absent')
    .option('--ca-file <file>', 'the controller’s ca.crt; STAGELY_CA_FILE when absent')
    .option('--token-file <file>', 'file with the token; STAGELY_TOKEN, else stdin, when absent')
    .option('--token-stdin', 'read the token from stdin, whatever STAGELY_TOKEN says')
    .option('--context <name>', 'name of this login; else that of its server')
    .option('-n, --namespace <name>', 'where commands work that have no -n; else your only team')
    .option('--web', 'log in by the controller’s OpenID provider, with a browser')
    .option('--ci', 'log in as a job of GitHub, GitLab, Forgejo or Kubernetes, by its own token')
    .option(
      '--audience <text>',
      'with --ci: for whom the token of the job is; --server when absent',
    )
    .addHelpText(
      'after',
      `
Examples:
  stagely login --server https://stagely.example.com:8443 --ca-file ca.crt --token-file admin-token
  stagely login --server https://127.0.0.1:8443 --ca-file data/ca.crt < data/admin-token
  stagely login --server https://stagely.example.com:8443 --web
  stagely login --server https://staging.example.com:8443 --web --context staging
  stagely login --ci --server https://stagely.example.com -n team-a

With --ci the token goes to the file that STAGELY_TOKEN_FILE names, and to no configuration: a runner may
outlive its job. On GitHub and Forgejo that is a file of the job, which the steps that follow are told of.`,
    )
    .action(login)

interface Flags {
  server?: string
  caFile?: string
  tokenFile?: string
  tokenStdin?: boolean
  web?: boolean
  ci?: boolean
  audience?: string
  namespace?: string
  context?: string
}

const login = async (flags: Flags): Promise<void> => {
  if (flags.context !== undefined && !contextName.test(flags.context))
    throw usageError('--context must be a name of letters, digits and . _ : -')
  const env = readConnectionEnv()
  const server = flags.server ?? env.server
  if (server === undefined) throw usageError('--server is missing')
  if (!URL.canParse(server))
    throw usageError('--server must be a URL such as https://stagely.example.com:8443')
  if (flags.web === true && (flags.tokenFile !== undefined || flags.tokenStdin === true))
    throw usageError('--web takes no token: the browser brings it')
  const caFile = flags.caFile ?? env.caFile
  const place = {
    server: server.replace(/\/+$/, ''),
    ...(caFile !== undefined && { caFile: resolve(caFile) }),
  }
  if (flags.ci === true) return loginInCi(place, flags)
  if (flags.audience !== undefined) throw usageError('--audience goes with --ci')
  const fromEnv = flags.tokenStdin === true ? undefined : env.token
  const token =
    flags.web === true
      ? (await loginByBrowser(place)).token
      : await readToken(flags.tokenFile, fromEnv)
  const endpoint = { ...place, token }
  // A login that does not work must not be stored.
  const api = createApi(connectionTo(endpoint))
  await api.call('/apis/stagely.dev/v1alpha1')
  const namespace = flags.namespace ?? (await onlyTeam(endpoint))
  const logins = await readLogins()
  const current = flags.context ?? nameFor(place.server, logins)
  const login = { ...endpoint, ...defined({ namespace }), ...(flags.web && { byBrowser: true }) }
  const file = await writeLogins({ current, contexts: { ...logins.contexts, [current]: login } })
  const where = namespace === undefined ? '' : `, namespace ${namespace}`
  out(`Logged in to ${endpoint.server}${where}; remembered as ${current} in ${file}`)
}

/** A job gets a token for one team; it is stored as a login only under a name that was asked for. */
const loginInCi = async (
  place: LoginEndpoint,
  flags: Pick<Flags, 'web' | 'tokenFile' | 'tokenStdin' | 'audience' | 'namespace' | 'context'>,
): Promise<void> => {
  if (flags.web === true || flags.tokenFile !== undefined || flags.tokenStdin === true)
    throw usageError('--ci goes without --web, --token-file and --token-stdin')
  const env = readConnectionEnv()
  const team = flags.namespace ?? env.namespace
  if (team === undefined) throw usageError('--ci needs the team: -n TEAM, or STAGELY_NAMESPACE')
  const { audience = place.server, context } = flags
  // A stored login needs no file for its token.
  const keep = context === undefined ? placeForToken(env) : undefined
  const token = await tokenOfJob(place, { team, audience })
  await createApi(connectionTo({ ...place, token })).call('/apis/stagely.dev/v1alpha1')
  if (keep !== undefined) {
    await keep.save(token, { ...place, namespace: team })
    out(`Logged in to ${place.server}, namespace ${team}; the token is in ${keep.file}`)
    return
  }
  const current = context ?? ''
  const { contexts } = await readLogins()
  const login = { ...place, token, namespace: team }
  const file = await writeLogins({ current, contexts: { ...contexts, [current]: login } })
  out(`Logged in to ${place.server}, namespace ${team}; remembered as ${current} in ${file}`)
}

/** A person in one team should not have to name it in every command. */
const onlyTeam = async (endpoint: LoginEndpoint): Promise<string | undefined> => {
  const { body } = await createRest(connectionTo(endpoint)).call<{ teams: { team: string }[] }>(
    '/me',
  )
  return body.teams.length === 1 ? body.teams[0]?.team : undefined
}

const readToken = async (
  file: string | undefined,
  fromEnv: string | undefined,
): Promise<string> => {
  const text =
    file === undefined
      ? (fromEnv ?? (await readStdin()).toString('utf8'))
      : await readFile(file, 'utf8').catch(cannot(`read ${file}`))
  if (text.trim() === '')
    throw new CliError(`no token is in ${file ?? 'STAGELY_TOKEN, or on standard input'}`)
  return text.trim()
}
