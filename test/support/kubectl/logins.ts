// The kubeconfigs of the recorded logins: who comes, with what, and what of the server they believe.
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { loadControllerIdentity, type SealedSettings } from '../../../controller/identity.ts'
import { realClock } from '../../../src/kernel/clock.ts'
import type { TestController } from '../programs/controller.ts'

interface Login {
  readonly user: object
  readonly cluster?: Readonly<Record<string, unknown>>
}

/** What the recorded one did: a line in a log per call, and an empty one, then the token of a file. */
const plugin = `#!/bin/sh
printf 'call pid=N info=%s\\n' "$KUBERNETES_EXEC_INFO" >> tmp/exec.log
printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"' "$(cat tmp/exec.token)"
printf '%s}}' "\${EXP:+,\\"expirationTimestamp\\":\\"$EXP\\"}"
`

const exec = (more: object = {}): Login => ({
  user: {
    exec: {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: './exec-plugin.sh',
      interactiveMode: 'Never',
      ...more,
    },
  },
  // The plugin is told of the cluster, and in the recording that was one that nobody checks.
  cluster: { 'insecure-skip-tls-verify': true },
})

/** Of another controller: a certificate for a client, and a CA that did not sign the server's. */
const writeStrangers = async (folder: string): Promise<void> => {
  const settings: SealedSettings = {
    getSealed: () => Promise.resolve(undefined),
    putSealedIfAbsent: (_, bytes) => Promise.resolve(bytes),
  }
  const { caPem, chainPem, leafKeyPem } = await loadControllerIdentity(settings, realClock, [])
  await writeFile(join(folder, 'stranger-ca.crt'), caPem)
  await writeFile(join(folder, 'client.crt'), chainPem)
  await writeFile(join(folder, 'client.key'), leafKeyPem)
}

const certificate = { 'client-certificate': 'client.crt', 'client-key': 'client.key' }

/** By the name of the step. */
const loginsOf = (token: string, viewer: string): Readonly<Record<string, Login>> => ({
  'token-ok': { user: { token } },
  'token-401': { user: { token: 'no-such-token' } },
  'no-credentials': { user: {} },
  'viewer-403': { user: { token: viewer } },
  'client-cert-via-proxy': { user: certificate },
  'client-cert-direct': { user: certificate },
  'client-cert-and-token': { user: { ...certificate, token } },
  'exec-plugin': exec({ provideClusterInfo: true }),
  'exec-plugin-401': exec({ provideClusterInfo: true }),
  'exec-plugin-expired': exec({ env: [{ name: 'EXP', value: '2020-01-01T00:00:00Z' }] }),
  'exec-plugin-missing': exec({ command: '/nosuch/plugin' }),
  'token-file': { user: { tokenFile: 'tmp/admin.token' } },
  'basic-auth': { user: { username: 'admin', password: 'secret' } },
  impersonation: {
    user: {
      token,
      as: 'alice',
      'as-groups': ['dev', 'system:authenticated'],
      'as-user-extra': { reason: ['probe'] },
    },
  },
  'ca-file': { user: { token } },
  'unknown-ca': { user: { token }, cluster: { 'certificate-authority': 'stranger-ca.crt' } },
  'wrong-server-name': { user: { token }, cluster: { 'tls-server-name': 'other.example' } },
  'gzip-large-list': { user: { token } },
  'gzip-disabled': { user: { token }, cluster: { 'disable-compression': true } },
})

/** A person of the server who belongs to no team. */
const makeViewer = async (server: TestController): Promise<string> => {
  await server.call('POST', '/api/v1/users', { body: { name: 'viewer' } })
  const made = await server.call('POST', '/api/v1/users/viewer/tokens', {
    body: { name: 'kubectl' },
  })
  return made.json<{ token: string }>().token
}

/** Writes what they need into the folder; returns the path of the kubeconfig of each login. */
export const writeLogins = async (
  server: TestController,
  folder: string,
): Promise<Readonly<Record<string, string>>> => {
  await writeStrangers(folder)
  await mkdir(join(folder, 'tmp'))
  await writeFile(join(folder, 'tmp/admin.token'), server.token)
  await writeFile(join(folder, 'server-ca.crt'), server.ca)
  await writeFile(join(folder, 'exec-plugin.sh'), plugin)
  await chmod(join(folder, 'exec-plugin.sh'), 0o755)
  const ca = { 'certificate-authority': 'server-ca.crt' }
  const paths: Record<string, string> = {}
  for (const [name, { user, cluster }] of Object.entries(
    loginsOf(server.token, await makeViewer(server)),
  )) {
    const context = { cluster: 'stagely', user: 'someone', namespace: 'probe' }
    const believed = cluster?.['insecure-skip-tls-verify'] === true ? {} : ca
    const content = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'stagely',
      clusters: [{ name: 'stagely', cluster: { server: server.url, ...believed, ...cluster } }],
      users: [{ name: 'someone', user }],
      contexts: [{ name: 'stagely', context }],
    }
    paths[name] = join(folder, `${name}.kubeconfig`)
    await writeFile(paths[name], stringify(content), { mode: 0o600 })
  }
  return paths
}
