// Files of `test/integration` and `test/ui` wait most of the time, all others compute: beside each
// other they take as long as the longer of both, one after the other as long as both together.
import { basename } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Those that take a minute or more begin first, so that the end does not wait for one of them. */
const long = [
  ...[
    'dashboard',
    'replicas',
    'agent-conditions',
    'agent-dependencies',
    'rotation-agents',
    'rotation-kills',
    'build-before',
    'rollout-commands',
  ],
  ...['main-job', 'compose-equality', 'keys', 'agent-failures', 'drift', 'agent-adoption'],
  ...['kubectl-replay', 'store', 'order', 'store-backup', 'data-folder', 'kubernetes-source'],
  ...['agent-protocol', 'chart', 'compose-model', 'store-history', 'restore', 'own-way'],
  ...['kube-api-schema', 'kube-api-faults', 'reconnect', 'chaos', 'kubernetes-quickstart'],
]

const rank = ({ moduleId }: TestSpecification): number => {
  const at = long.indexOf(basename(moduleId).replace(/\.test\.\w+$/, ''))
  return at < 0 ? long.length : at
}

export class MixedSequencer extends BaseSequencer {
  /**
   * One that waits, one that computes, in turns as long as there are both, then units. Projects come one
   * after the other: a worker goes on only with a file of the same one.
   */
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const isUnit = ({ moduleId }: TestSpecification): boolean =>
      !/\/test\/(?:contract|integration|ui)\//.test(moduleId)
    const units = sorted.filter(isUnit)
    const others = sorted.filter((file) => !isUnit(file))
    const isWaiting = ({ moduleId }: TestSpecification): boolean =>
      /\/test\/(?:integration|ui)\//.test(moduleId)
    const waiting = others.filter(isWaiting).sort((a, b) => rank(a) - rank(b))
    const computing = others.filter((file) => !isWaiting(file)).sort((a, b) => rank(a) - rank(b))
    return [
      ...computing.flatMap((file, i) => [...waiting.slice(i, i + 1), file]),
      ...waiting.slice(computing.length),
      ...units,
    ]
  }
}
