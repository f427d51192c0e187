// Specs that the server takes, for tests that ask something of every field.

type Spec = Record<string, unknown>

const secret = {
  projectRef: { name: 'shop' },
  stageletRef: { name: 'web' },
  key: 'TOKEN',
  scope: 'api',
}
const toDatabase = { projectRef: { name: 'shop' }, outputs: { username: 'u', password: 'p' } }
const inside = {
  stagelet: 'web',
  service: 'db',
  adminRef: { name: 'admin' },
  adminUser: 'root',
}
const outside = {
  host: 'db.example.com',
  port: 5433,
  adminRef: { name: 'admin' },
  adminUser: 'root',
  caRef: { name: 'ca' },
}
const rotations: readonly Spec[] = [
  {
    ...toDatabase,
    overlap: '10m',
    away: 'RevokeAfter',
    revokeAfter: '72h',
    paused: true,
    rotator: { postgres: { in: inside, database: 'shop', owner: 'app', roles: ['a', 'b'] } },
    schedule: {
      every: '30d',
      window: { days: ['Mon', 'Thu'], from: '02:00', to: '05:00', timezone: 'Europe/Berlin' },
    },
  },
  {
    ...toDatabase,
    inPlace: true,
    rotator: {
      postgres: { at: outside, database: 'shop', owner: 'app', roles: ['a'], adopt: 'app' },
    },
  },
  {
    ...toDatabase,
    rotator: {
      mariadb: { in: inside, database: 'shop', users: ['a', 'b'], from: '10.0.0.1', adopt: 'old' },
    },
  },
  { ...toDatabase, rotator: { mariadb: { in: inside, database: 'shop', users: ['c', 'd'] } } },
  {
    ...toDatabase,
    outputs: { password: 'p' },
    rotator: { redis: { in: inside, user: 'app', adopt: true } },
  },
  { ...toDatabase, outputs: { password: 'p' }, rotator: { redis: { in: inside } } },
  {
    ...toDatabase,
    outputs: { current: 'c', previous: 'p', list: 'l' },
    rotator: { generate: { length: 40, charset: 'hex', order: 'SwitchFirst', adopt: false } },
  },
  {
    ...toDatabase,
    outputs: { token: 't' },
    rotator: {
      webhook: {
        url: 'https://hooks.example.com/s',
        signingKeyRef: { name: 'key' },
        pendingFor: '1h',
        adopt: true,
      },
    },
  },
  {
    ...toDatabase,
    outputs: { accessKeyId: 'i', secretAccessKey: 's' },
    rotator: {
      awsIam: {
        userName: 'shop',
        adminRef: { name: 'aws' },
        endpoint: 'https://iam.example.com',
        region: 'eu-central-1',
        adopt: true,
      },
    },
  },
]
/** Good specs of each kind that between them have every object that a field may be in. */
export const bases: Readonly<Record<string, readonly Spec[]>> = {
  Project: [
    {
      description: 'Shop',
      rollout: { maxConcurrent: 2, progressDeadlineSeconds: 60, onFailure: 'Stop', paused: true },
      secretPolicy: { maxAge: '90d', exempt: ['PUBLIC_URL'], enforce: 'Report' },
      keyRotation: { every: '90d', enforce: true },
      environments: [{ name: 'preview', inherits: 'Project' }],
      preview: {
        environment: 'preview',
        agentRef: { name: 'box' },
        from: 'shop',
        directory: '/srv/previews/{name}',
        ttl: '72h',
        variables: { WEB_PORT: '{port 20000-20999}' },
        generate: ['POSTGRES_PASSWORD'],
        images: { web: 'ghcr.io/acme/web' },
        address: 'https://{name}.example.com',
        max: 5,
      },
    },
    {
      environments: [{ name: 'preview', inherits: 'Project' }],
      preview: {
        environment: 'preview',
        agentSelector: { matchLabels: { previews: 'yes' } },
        directory: '/srv/previews/{name}',
      },
    },
  ],
  Agent: [{ paused: false, drained: true, ephemeral: { goneAfter: '20m' } }],
  Notifier: [
    {
      projects: ['shop'],
      reasons: ['Expired', 'AgentLost'],
      webhook: { url: 'https://hooks.example.com/s', signingKeyRef: { name: 'hook' } },
    },
    { reasons: ['Expiring'], slack: { urlRef: { name: 'slack' } } },
    ...['discord', 'teams', 'ntfy'].map((chat) => ({
      reasons: ['Expiring'],
      [chat]: { urlRef: { name: 'url' } },
    })),
    { reasons: ['Expiring'], telegram: { urlRef: { name: 'bot' }, chatId: '-1001234567890' } },
    { reasons: ['Expired'], email: { to: ['ops@example.com'] } },
  ],
  AccessPolicy: [
    {
      // A project that may come later: environments of one that is there are judged.
      projects: ['later'],
      environments: ['production'],
      guard: ['Reveal'],
      request: { maxDuration: '1h', expiresAfter: '24h', startWithin: '1h' },
      approvals: { count: 1, roles: ['owner'], users: ['ann'] },
      machines: ['ci'],
      afterUse: 'Rotate',
      breakGlass: { users: ['bob'], maxDuration: '30m', reviewWithin: '72h' },
    },
  ],
  Rotation: rotations,
  TrustedIssuer: [
    {
      issuer: 'https://cluster.example.com',
      audience: 'https://stagely.example.com',
      algorithms: ['RS256', 'EdDSA'],
      caBundle: '-----BEGIN CERTIFICATE-----',
      jwks: '{"keys": [{"kty": "RSA"}]}',
      rules: [
        {
          claims: { 'kubernetes.io/namespace': 'ci' },
          role: 'deployer',
          projects: ['shop'],
          environments: ['preview'],
          stagelets: ['web'],
          ttl: '10m',
        },
      ],
    },
  ],
  SecretStore: [
    {
      aws: {
        region: 'eu-central-1',
        endpoint: 'https://aws.example.com',
        stsEndpoint: 'https://sts.example.com',
        caBundle: '-----BEGIN CERTIFICATE-----',
      },
      auth: { secretRef: { name: 'aws-reader' } },
      allow: { projects: ['shop'], remote: ['prod/shop/*'] },
      refresh: { every: '30s', maxCallsPerMinute: 60 },
      staleAfter: '24h',
      onMissing: 'Remove',
      push: {
        hook: { signingKeyRef: { name: 'hook' }, signature: 'Doppler' },
        sqs: { queueUrl: 'https://sqs.example.com/q' },
      },
    },
    {
      vault: {
        address: 'https://vault.example.com',
        mount: 'kv',
        namespace: 'team',
        appRole: { roleId: 'reader', mount: 'approle' },
      },
      auth: { identity: 'vault' },
    },
    {
      vault: { address: 'https://vault.example.com', jwt: { role: 'reader', mount: 'jwt' } },
      auth: { identity: 'vault' },
    },
    { onePassword: { address: 'https://connect.example.com' }, auth: { identity: 'op' } },
    {
      infisical: { projectId: 'p', environment: 'prod', clientId: 'c' },
      auth: { identity: 'infisical' },
    },
    { doppler: { project: 'p', config: 'prd' }, auth: { identity: 'doppler' } },
    { gcp: { projectId: 'p' }, auth: { identity: 'google' } },
    { command: { name: 'bws' } },
  ],
  Stagelet: [
    {
      // The environments of a project that is missing are not judged.
      projectRef: { name: 'later' },
      agentRef: { name: 'box' },
      environment: 'preview',
      compose: {
        directory: '/srv/shop',
        files: ['compose.yaml'],
        projectName: 'shop',
        profiles: ['debug'],
        envFiles: ['.env'],
        onChange: 'Deploy',
      },
      paused: true,
      deletionPolicy: 'Down',
      deleteVolumes: true,
    },
  ],
  StagelySecret: [
    { ...secret, type: 'env', value: 'a long enough value', references: true },
    { ...secret, type: 'env', value: 'abcabcabc', format: 'regex', pattern: '[abc]+' },
    { ...secret, type: 'env', valueBase64: 'YSBsb25nIGVub3VnaCB2YWx1ZQ==' },
    { ...secret, type: 'env', valueFrom: { kubernetesSecret: { name: 'keys', key: 'api' } } },
    { ...secret, type: 'env', valueFrom: { secretRef: { name: 'other' } } },
    {
      ...secret,
      type: 'env',
      valueFrom: { external: { store: 'aws', key: 'prod/db', property: '/a~1b', version: '3' } },
    },
    { ...secret, type: 'env', valueFrom: { rotation: { name: 'db', output: 'password' } } },
    {
      ...secret,
      type: 'env',
      valueFrom: { generate: { length: 20, charset: 'hex', generation: 1 } },
    },
    {
      ...secret,
      type: 'env',
      valueFrom: { generate: { keypair: 'ed25519' } },
      expiry: { after: '90d', warn: ['30d', '12h'], onExpiry: 'Rotate' },
    },
    { ...secret, type: 'env', expiry: { at: '2999-03-31T00:00:00Z', onExpiry: 'Warn' } },
    {
      ...secret,
      type: 'file',
      value: 'a long enough value',
      file: { path: './c.json', mode: '0600', uid: 1, gid: 1, target: '/run/c', envVar: 'C_FILE' },
    },
  ],
}
