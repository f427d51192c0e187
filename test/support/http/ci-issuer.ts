// An OpenID issuer on loopback as a CI has one: keys, a discovery document, and tokens shaped as its service documents them.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose'

interface Signing {
  readonly kid?: string
  readonly alg?: string
  readonly key?: CryptoKey | Uint8Array
}

export interface CiIssuer {
  readonly url: string
  /** A token of now, good for five minutes. */
  sign(claims: object, how?: Signing): Promise<string>
  /** The public key that the issuer shows. */
  readonly publicKeys: readonly JWK[]
  /** Signs by a new key from now on, and shows it alone. */
  changeKey(kid: string): Promise<void>
  /** In place of the usual answers, by path. */
  readonly answers: Map<string, (response: ServerResponse) => void>
  /** Paths that were asked for. */
  readonly asked: string[]
  stop(): Promise<void>
}

export const audience = 'https://stagely.test'

export const sendJson = (response: ServerResponse, body: unknown): void => {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(body))
}

export const startCiIssuer = async (alg = 'RS256'): Promise<CiIssuer> => {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const keys: { kid: string; privateKey: CryptoKey; shown: JWK }[] = []
  const changeKey = async (kid: string): Promise<void> => {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
    keys.unshift({
      kid,
      privateKey,
      shown: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' },
    })
    keys.splice(1)
  }
  await changeKey('key-1')
  const answers: CiIssuer['answers'] = new Map()
  const asked: string[] = []
  server.on('request', (request, response) => {
    const path = request.url ?? ''
    asked.push(path)
    const answer = answers.get(path)
    if (answer !== undefined) answer(response)
    else if (path === '/.well-known/openid-configuration')
      sendJson(response, { issuer: url, jwks_uri: `${url}/jwks` })
    else if (path === '/jwks') sendJson(response, { keys: keys.map(({ shown }) => shown) })
    else response.writeHead(404).end()
  })
  return {
    url,
    get publicKeys() {
      return keys.map(({ shown }) => shown)
    },
    changeKey,
    answers,
    asked,
    sign: (claims, { kid = keys[0]!.kid, alg: by = alg, key = keys[0]!.privateKey } = {}) => {
      const now = Math.floor(Date.now() / 1_000)
      const usual = {
        iss: url,
        aud: audience,
        iat: now,
        nbf: now,
        exp: now + 300,
        jti: randomUUID(),
      }
      return new SignJWT({ ...usual, ...claims })
        .setProtectedHeader({ alg: by, kid, typ: 'JWT' })
        .sign(key)
    },
    stop: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

/** The form of an exchange. */
export const exchangeForm = (token: string, more: Record<string, string> = {}): string =>
  new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    audience: 'default',
    subject_token: token,
    ...more,
  }).toString()

/** As docs.github.com documents them, of a push to main with the environment production. */
export const githubClaims = {
  sub: 'repo:acme/shop:environment:production',
  environment: 'production',
  ref: 'refs/heads/main',
  ref_type: 'branch',
  ref_protected: 'true',
  sha: 'e1f0c3a1b2',
  repository: 'acme/shop',
  repository_id: '74',
  repository_owner: 'acme',
  repository_owner_id: '65',
  repository_visibility: 'private',
  actor: 'octocat',
  actor_id: '12',
  workflow: 'deploy',
  workflow_ref: 'acme/shop/.github/workflows/deploy.yml@refs/heads/main',
  job_workflow_ref: 'acme/shop/.github/workflows/deploy.yml@refs/heads/main',
  head_ref: '',
  base_ref: '',
  event_name: 'push',
  runner_environment: 'github-hosted',
  run_id: '30433642',
  run_number: '10',
  run_attempt: '2',
} as const

/** Of a pull request: the ref is that of the request. */
export const pullRequestClaims = {
  ...githubClaims,
  sub: 'repo:acme/shop:pull_request',
  environment: undefined,
  ref: 'refs/pull/42/merge',
  ref_protected: 'false',
  head_ref: 'fix-cart',
  base_ref: 'main',
  event_name: 'pull_request',
} as const

/** As forgejo.org documents them: names as GitHub's. */
export const forgejoClaims = {
  sub: 'repo:acme/shop:ref:refs/heads/main',
  ref: 'refs/heads/main',
  ref_type: 'branch',
  ref_protected: 'true',
  sha: 'e1f0c3a1b2',
  repository: 'acme/shop',
  repository_owner: 'acme',
  actor: 'ann',
  workflow: 'deploy.yml',
  event_name: 'push',
  run_id: '7',
  run_number: '7',
  run_attempt: '1',
} as const

/** As docs.gitlab.com documents them. */
export const gitlabClaims = {
  sub: 'project_path:acme/shop:ref_type:branch:ref:main',
  namespace_id: '72',
  namespace_path: 'acme',
  project_id: '20',
  project_path: 'acme/shop',
  user_id: '1',
  user_login: 'ann',
  user_email: 'ann@example.com',
  pipeline_id: '574',
  pipeline_source: 'push',
  job_id: '302',
  ref: 'main',
  ref_type: 'branch',
  ref_path: 'refs/heads/main',
  ref_protected: 'true',
  runner_id: 1,
  runner_environment: 'self-hosted',
  sha: 'e1f0c3a1b2',
} as const

/** As kubernetes.io documents them, of a projected token. */
export const kubernetesClaims = {
  sub: 'system:serviceaccount:ci:deployer',
  aud: [audience],
  'kubernetes.io': {
    namespace: 'ci',
    node: { name: 'node-1', uid: 'cd35a6f2-1111-4a55-9a4b-000000000001' },
    pod: { name: 'deploy-x7', uid: 'cd35a6f2-1111-4a55-9a4b-000000000002' },
    serviceaccount: { name: 'deployer', uid: 'cd35a6f2-1111-4a55-9a4b-000000000003' },
  },
}
