// The commands that were recorded against a real kube-apiserver, run again with real kubectl against
// our server: exit code and meaning of the output are the recorded ones, or the difference is explained,
// and is just that one.
import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { meaningOf } from '../../support/kubectl/meaning.ts'
import { all, dir, prune, stagelet } from '../../support/kubectl/manifests.ts'
import { Player, type Played } from '../../support/kubectl/player.ts'
import {
  alice,
  applied,
  created,
  gz,
  held,
  nothing,
  ready,
  reported,
  stale,
  temporary,
  web,
  type Setup,
} from '../../support/kubectl/setups.ts'
import { freshDatabase } from '../../support/databases/fresh-database.ts'
import { soak } from '../../support/soak.ts'

interface Step {
  readonly step: string
  readonly cmd: string
  readonly rc: number
  readonly stdout: string
  readonly stderr: string
}

/** Where the real server says something else. */
interface Difference {
  readonly why: string
  /** What ours says; what was recorded where absent. */
  readonly ours?: readonly string[]
  /** What it may say, where the moment decides how often. */
  readonly pattern?: string
  /** The warnings of ours about a spec, in order of their text; none where absent. */
  readonly warns?: readonly string[]
}

const fixture = (name: string): string =>
  readFileSync(new URL(`../../fixtures/kubectl/${name}`, import.meta.url), 'utf8')
const steps = fixture('steps.jsonl')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Step)
const differences = JSON.parse(fixture('differences.json')) as Record<string, Difference>
/** In the short form those that differ, and every eighth one of the others. */
const nth = soak(8, 1)
const played = steps.filter(({ step }, index) => step in differences || index % nth === 0)

/** The recorded kinds had other fields: the same command with ours. */
const translations: readonly (readonly [string, string])[] = [
  ['kubectl[direct]', 'kubectl'],
  ['timeoutSeconds: 120/timeoutSeconds: 99', 'onChange: Hold/onChange: Deploy'],
  ['timeoutSeconds:.120/timeoutSeconds:\\ 77', 'onChange:.Hold/onChange:\\ Deploy'],
  ['strategy:.Rolling/strategy:\\ Fast', 'onChange:.Hold/onChange:\\ Fast'],
  ['{"rollout":{"paused":true,"timeoutSeconds":null}}', '{"paused":true,"deletionPolicy":null}'],
  ['{"rollout":{"strategy":"Fast","timeoutSeconds":0}}', '{"compose":{"onChange":"Fast"}}'],
  ['{"rollout":{"strategy":"Rolling"}}', '{"compose":{"onChange":"Hold"}}'],
  ['"value":"sub"', '"value":"/srv/sub"'],
  ['proxy/kubeconfig KUBECACHEDIR=$CACHE', '$KUBECONFIG'],
  // A condition that the controller does not know, and so leaves as it is.
  ['condition=Ready', 'condition=Probed'],
  ['"type":"Ready"', '"type":"Probed"'],
  // Of a status what the controller does not write otherwise meanwhile.
  ['s/Probe/Probe3/', 's/observedGeneration:.1/observedGeneration:\\ 7/'],
  ['printf <redacted>', 'printf $ADMIN_TOKEN'],
  ['printf <bad>', 'printf no-such-token'],
]
/** What was recorded on a quiet machine gets the time that a loaded one takes to start a kubectl. */
const patient = ({ step, cmd }: Step): string =>
  /\/(get-w|events-watch)/.test(step)
    ? cmd.replace(/\b(sleep|timeout) ([\d.]+)/g, (_, what, s) => `${what} ${Number(s) * 3}`)
    : cmd.replace(/--timeout=[68]s/, '--timeout=30s')
const translated = (step: Step): string =>
  translations.reduce((text, [from, to]) => text.replaceAll(from, to), patient(step))

/** What was there before the step, where it is not what most of its file have. */
const before: Readonly<Record<string, Setup>> = {
  'discovery/get-all-category': applied(...all),
  'apply/apply-unchanged': web,
  'apply/apply-changed': web,
  'apply/apply-on-created-without-annotation': created,
  'apply/apply-dry-run-server-changed': web,
  'apply/apply-dry-run-client': web,
  'apply/apply-force-replace': web,
  'apply/ssa-unchanged': alice,
  'apply/ssa-changed': alice,
  'apply/ssa-conflict': alice,
  'apply/ssa-force-conflicts': alice,
  'apply/ssa-after-client-apply': web,
  'apply/client-apply-after-ssa': alice,
  'apply/ssa-dry-run': alice,
  'apply/diff-none': web,
  'apply/diff-changed': web,
  'apply/diff-server-side': web,
  'apply/apply-dir-again': applied(...dir),
  'apply/apply-prune-label': applied(...prune),
  'apply/apply-prune-default-allowlist': applied(...prune),
  'apply/apply-view-last-applied': web,
  'write/create': nothing,
  'write/create-dry-run-server': nothing,
  'write/delete-namespace': temporary,
  'write/replace-notfound': nothing,
  'write/replace-status-subresource': reported,
  'write/edit-status-subresource': reported,
  'read/get-two-kinds': applied(...all, stagelet('api')),
  'read/get-all-namespaces': applied(...dir, stagelet(), stagelet('api')),
  'watch/get-w-A': applied(...dir, stagelet()),
  'watch/wait-ready-after': ready,
  'watch/wait-selector': ready,
  'watch/wait-stale-observedGeneration': stale,
  'watch/delete-with-finalizer': held,
  'watch/delete-with-finalizer-timeout': held,
  'kubectl-1.35-watch/wait-ready-after': ready,
  'kubectl-1.35-watch/wait-selector': ready,
  'kubectl-1.35-watch/wait-stale-observedGeneration': stale,
  'kubectl-1.35-watch/delete-with-finalizer': held,
  'kubectl-1.35-watch/delete-with-finalizer-timeout': held,
  'auth/gzip-large-list': gz,
  'auth/gzip-disabled': gz,
}
const usual: Readonly<Record<string, Setup>> = {
  discovery: nothing,
  apply: nothing,
  write: web,
  read: applied(stagelet(), stagelet('api')),
  watch: web,
  'kubectl-1.35-watch': web,
  auth: nothing,
}

/** The steps that wait come first, so that the others fill the time. */
const order = ['watch', 'kubectl-1.35-watch', 'auth', 'write', 'apply', 'read', 'discovery']
const fileOf = ({ step }: Step): string => step.split('/')[0]!
/** A recorded login goes by the name of its step. */
const loginOf = ({ step }: Step): string =>
  step.startsWith('auth/') ? step.slice('auth/'.length) : ''
const writesWhileReading = new Set(['read/events-watch', 'read/autocomplete', 'read/forbidden-as'])
const readsOnly = (step: Step): boolean =>
  ['read', 'discovery', 'auth'].includes(fileOf(step)) && !writesWhileReading.has(step.step)

/** As many controllers, each with commands of its own: most of the time is spent in waiting. */
const players = 4

const recordedOf = ({ rc, stdout, stderr }: Step): string[] => [
  `exit ${rc}`,
  ...meaningOf(stdout, stderr),
]
const warningsOf = (output: string): string[] =>
  Array.from(output.matchAll(/^Warning: (spec\b.*)$/gm), ([, text]) => text!).toSorted()

/** What is wrong with the step; undefined when nothing is. */
const judge = (step: Step, { facts, output }: Played): string | undefined => {
  const recorded = recordedOf(step)
  const { ours = recorded, pattern, warns = [] } = differences[step.step] ?? { why: '' }
  // Compared by their whole text instead.
  const said = facts.filter((fact) => fact !== 'Warning: spec').join(' | ')
  const warned = warningsOf(output)
  const isSaid = pattern === undefined ? said === ours.join(' | ') : new RegExp(pattern).test(said)
  if (isSaid && isDeepStrictEqual(warned, warns)) return undefined
  const lines = [
    `${step.step}: ${step.cmd}`,
    `recorded ${recorded.join(' | ')}`,
    `expected ${[pattern ?? ours.join(' | '), ...warns].join('\n           ')}`,
    `ours     ${[said, ...warned].join('\n           ')}`,
  ]
  return `${lines.join('\n  ')}\n${output.slice(0, 600)}`
}

describe('the recorded kubectl commands', () => {
  const results = new Map<Step, Played>()

  beforeAll(async () => {
    const queue = order.flatMap((file) => played.filter((step) => fileOf(step) === file))
    const playAll = async (): Promise<void> => {
      const database = await freshDatabase()
      const player = await Player.start(database.url)
      try {
        for (let step = queue.shift(); step !== undefined; step = queue.shift()) {
          const setup = before[step.step] ?? usual[fileOf(step)]!
          const cmd = translated(step)
          const newer = fileOf(step) === 'kubectl-1.35-watch'
          const login = loginOf(step)
          results.set(
            step,
            await player.play({ setup, cmd, readsOnly: readsOnly(step), login, newer }),
          )
        }
      } finally {
        await player.remove()
        await database.drop()
      }
    }
    await Promise.all(Array.from({ length: players }, playAll))
  }, 900_000)

  afterAll(() => {
    const list = Object.entries(differences).map(([step, { why }]) => `  ${step}: ${why}`)
    const count = `${played.length - list.length} of ${played.length} steps as recorded, ${list.length} explained`
    console.info([`kubectl replay: ${count}`, ...list].join('\n'))
  })

  it.each(Object.keys(usual))('of %s say what they said', (file) => {
    const wrong = played
      .filter((step) => fileOf(step) === file)
      .map((step) => judge(step, results.get(step)!))
    expect(wrong.filter((text) => text !== undefined).join('\n\n')).toBe('')
  })

  it('differ where it is explained, and nowhere is explained what does not differ', () => {
    const idle = Object.entries(differences).filter(([name, difference]) => {
      const step = steps.find((s) => s.step === name)
      if (step === undefined) return true
      const { ours = recordedOf(step), pattern, warns = [] } = difference
      if (pattern !== undefined || warns.length > 0) return false
      return ours.join(' | ') === recordedOf(step).join(' | ')
    })
    expect(idle.map(([name]) => name)).toEqual([])
  })
})
