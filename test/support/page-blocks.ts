// Blocks of commands of the documents, by page and the text that they begin with. All others are run by the one test
// that runs the page.
type Blocks = Readonly<Record<string, Readonly<Record<string, string>>>>

const release = 'scripts/release/tests/machine.sh'
const machine = 'test/integration/compose-by-hand.test.ts'

/** By whom they are run. */
export const runElsewhere: Blocks = {
  '../README.md': { 'stagely diff': machine },
  'api.md': { 'curl https://stagely': 'test/contract/cli/cli-ci.test.ts' },
  'cli.md': { 'stagely logs': machine, 'stagely where': 'test/contract/controller/where.test.ts' },
  'day-two.md': { 'stagely compose': machine },
  'kubernetes.md': {
    'npm run quickstart:kubernetes': 'test/integration/kubernetes-quickstart.test.ts',
  },
  'operations.md': {
    'stagely agent drain': machine,
    'export STAGELY_TOKEN': 'test/contract/people/break-glass.test.ts',
  },
  'quickstart.md': {
    'apt install': release,
    'stagely login': release,
    'stagely agent token': release,
    'stagely init': release,
    'printf new-value': machine,
  },
  'server.md': { 'docker load': 'scripts/release/tests/ten-commands.sh' },
}

/** Why nobody runs them. */
export const notRun: Blocks = {
  '../README.md': {
    'git clone': 'the clone that the tests are in',
    'npm test': 'runs this',
  },
  'kubernetes.md': {
    'helm install': 'a whole cluster',
    'kubectl delete': 'a whole cluster',
    'kind create': 'a whole cluster',
  },
  'operations.md': {
    'install -d': 'an image of the agent',
    DOCKER_HOST: 'an engine without root',
  },
  'quickstart.md': { 'npm run quickstart': 'Docker as its user has it, and ports of its own' },
  'server.md': {
    'sha256sum -c': 'files of a release: scripts/release/tests/roots.sh does it in fresh roots',
    'rsync -a': 'another machine',
    ANSIBLE: 'a program of others; machines with systemd',
  },
}
