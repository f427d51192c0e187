// Prints the proposal of init for people and for programs: names, never values.
import type { ReviewStatus } from '../../src/manifests/review.ts'
import { defined } from '../../src/kernel/defined.ts'
import { isReadOnce } from '../../src/databases/read-once.ts'
import { renderAffected } from '../apply/review.ts'
import { renderColumns } from '../output/table.ts'
import type { ComposeProject } from './compose-project.ts'
import { whyPlain, type Kept } from './found-secret.ts'
import type { Proposal } from './propose.ts'
import { listed, renderSecrets } from './show-secrets.ts'

export interface InitFindings {
  readonly project: ComposeProject
  readonly proposal: Proposal
  readonly review: ReviewStatus
  /** Names of secrets that Stagely holds already. */
  readonly held: readonly string[]
  readonly manifest: string
  readonly manifestDiffers: boolean
}

const indented = (text: string): string => text.replace(/^/gm, '  ')

/** Plain configuration is one row for each file. */
const renderKept = (kept: readonly Kept[]): string[][] => {
  const plain = kept.filter(({ why }) => why === whyPlain)
  const files = [...new Set(plain.map(({ file }) => file))]
  return [
    ...kept.filter(({ why }) => why !== whyPlain).map(({ key, file, why }) => [key, file, why]),
    ...files.map((file) => [
      namesOf(plain.filter((variable) => variable.file === file)),
      file,
      whyPlain,
    ]),
  ]
}

const namesOf = (kept: readonly Kept[]): string => listed([...new Set(kept.map(({ key }) => key))])

export const renderProposal = (found: InitFindings): string => {
  const { project, proposal, review, held, manifest } = found
  const { secrets, kept } = proposal
  const reach = reachOfKnown(found)
  const count = project.services.length
  const stays = renderKept(kept)
  const pending = review.changes.filter(({ action }) => action !== 'Unchanged').length
  return [
    `Compose project ${project.name} in ${project.directory}: ${count} ${count === 1 ? 'service' : 'services'}`,
    '',
    secrets.length === 0 ? 'No secrets found.' : 'Secrets:',
    ...(secrets.length === 0 ? [] : [indented(renderSecrets(secrets))]),
    ...(stays.length === 0
      ? []
      : ['', 'Stays in your files:', indented(renderColumns(['KEY', 'FILE', 'WHY'], stays))]),
    ...renderUntied(proposal.untied),
    '',
    ...(reach === undefined
      ? renderFirst(proposal)
      : [...renderAffected(review), ...renderRestarted(reach.restarted)]),
    ...proposal.gains.map(
      ({ key, place, services }) =>
        `${key} becomes global, since ${place} uses it: ${services.join(', ')} ${services.length === 1 ? 'gets' : 'get'} it too. --exclude ${key} leaves it in your files.`,
    ),
    ...proposal.unread.map(
      ({ service, file, keys }) =>
        `${service} gets ${keys.join(', ')} by ${file} and reads none of it: a new value does not re-create it.`,
    ),
    ...readOnceNote(secrets),
    ...(held.length === 0
      ? []
      : [
          `Stay as Stagely holds them, whatever your files say (--reload takes the values of your files): ${held.join(', ')}`,
        ]),
    'Your own files are not changed.',
    '',
    `${pending} of ${review.changes.length} objects to write; manifest: ${manifest}`,
  ].join('\n')
}

const renderUntied = (untied: Proposal['untied']): string[] =>
  untied.length === 0
    ? []
    : [
        '',
        'Same texts that are not tied (a new value of one leaves the other as it is):',
        indented(
          renderColumns(
            ['KEY', 'SCOPE', 'SAME TEXT AS', 'WHY NOT'],
            untied.map(({ key, scope, sameAs, why }) => [key, scope, sameAs, why]),
          ),
        ),
        'To tie one: "stagely secrets set KEY --scope SCOPE --references", with ${SERVICE/KEY} in the value.',
      ]

/** What a write reaches of a stack that Stagely has already, as the controller tells; undefined for a new one. */
const reachOfKnown = ({
  project: { services },
  review,
}: InitFindings): Pick<Proposal, 'recreated' | 'restarted' | 'untouched'> | undefined => {
  const stagelet = review.changes.find(({ kind }) => kind === 'Stagelet')
  if (stagelet === undefined || stagelet.action === 'Create') return undefined
  const isHere = (place: { readonly namespace: string; readonly stagelet: string }): boolean =>
    place.namespace === stagelet.namespace && place.stagelet === stagelet.name
  const hit = [...review.affected, ...(review.cascaded ?? [])].filter(isHere)
  const recreated = [...new Set(hit.map(({ service }) => service))].sort()
  const [restarted, untouched]: [string[], string[]] = [[], []]
  for (const { name, enabled, restartsAfter } of services)
    if (enabled && !recreated.includes(name))
      (restartsAfter.some((restart) => recreated.includes(restart)) ? restarted : untouched).push(
        name,
      )
  return { recreated, restarted, untouched }
}

const renderFirst = ({ recreated, restarted, untouched }: Proposal): string[] => [
  `The first "up" re-creates: ${recreated.length === 0 ? 'nothing' : recreated.join(', ')}`,
  ...renderRestarted(restarted),
  ...(untouched.length === 0 ? [] : [`It leaves alone: ${untouched.join(', ')}`]),
]

const renderRestarted = (services: readonly string[]): string[] =>
  services.length === 0 ? [] : [`It restarts, as "restart: true" asks for: ${services.join(', ')}`]

const readOnceNote = (secrets: Proposal['secrets']): string[] => {
  const keys = [...new Set(secrets.map(({ key }) => key).filter(isReadOnce))]
  if (keys.length === 0) return []
  return [
    `A database reads ${keys.join(', ')} only while its data folder is empty: a Rotation changes the password in both places.`,
  ]
}

const jsonOf = (
  { project, proposal, review, held, manifest, manifestDiffers }: InitFindings,
  { recreated, restarted, untouched }: Pick<Proposal, 'recreated' | 'restarted' | 'untouched'>,
): object => ({
  project: project.name,
  directory: project.directory,
  services: project.services.map(({ name }) => name),
  secrets: proposal.secrets.map(({ key, scope, from, plain, refersTo }) => ({
    key,
    scope,
    ...defined({ plain }),
    from,
    refersTo,
  })),
  kept: proposal.kept,
  untied: proposal.untied,
  gains: proposal.gains,
  unread: proposal.unread,
  held,
  recreated,
  restarted,
  untouched,
  changes: review.changes.map(({ kind, name, action, valueChanged }) => ({
    kind,
    name,
    action,
    valueChanged,
  })),
  manifest,
  manifestDiffers,
})

export const summaryOf = (found: InitFindings): object =>
  jsonOf(found, reachOfKnown(found) ?? found.proposal)
