// Prints the proposal of init for people and for programs: names, never values.
import type { ReviewStatus } from '../../src/manifests/review.ts'
import { renderColumns } from '../table.ts'
import type { ComposeProject } from './compose-project.ts'
import type { Proposal } from './propose.ts'

export interface Found {
  readonly project: ComposeProject
  readonly proposal: Proposal
  readonly review: ReviewStatus
  readonly manifest: string
  readonly manifestDiffers: boolean
}

const indented = (text: string): string => text.replace(/^/gm, '  ')

export const renderProposal = ({ project, proposal, review, manifest }: Found): string => {
  const { secrets, kept, recreated, untouched } = proposal
  const count = project.services.length
  const rows = secrets.map(({ key, scope, from, refersTo = [] }) => [
    key,
    scope,
    from,
    refersTo.join(', '),
  ])
  const shared = secrets.some(({ refersTo }) => refersTo !== undefined)
  const stays = kept.map(({ key, file, why }) => [key, file, why])
  const pending = review.changes.filter(({ action }) => action !== 'Unchanged').length
  return [
    `Compose project ${project.name} in ${project.directory}: ${count} ${count === 1 ? 'service' : 'services'}`,
    '',
    secrets.length === 0 ? 'No secrets found.' : 'Secrets:',
    ...(rows.length === 0
      ? []
      : [
          indented(renderColumns(['KEY', 'SCOPE', 'FROM', ...(shared ? ['REFERS TO'] : [])], rows)),
        ]),
    ...(stays.length === 0
      ? []
      : ['', 'Stays in your files:', indented(renderColumns(['KEY', 'FILE', 'WHY'], stays))]),
    '',
    `The first "up" re-creates: ${recreated.length === 0 ? 'nothing' : recreated.join(', ')}`,
    ...(untouched.length === 0 ? [] : [`It leaves alone: ${untouched.join(', ')}`]),
    'Your own files are not changed.',
    '',
    `${pending} of ${review.changes.length} objects to write; manifest: ${manifest}`,
  ].join('\n')
}

export const summaryOf = ({
  project,
  proposal,
  review,
  manifest,
  manifestDiffers,
}: Found): object => ({
  project: project.name,
  directory: project.directory,
  services: project.services.map(({ name }) => name),
  secrets: proposal.secrets.map(({ key, scope, from, refersTo }) => ({
    key,
    scope,
    from,
    refersTo,
  })),
  kept: proposal.kept,
  recreated: proposal.recreated,
  untouched: proposal.untouched,
  changes: review.changes.map(({ kind, name, action, valueChanged }) => ({
    kind,
    name,
    action,
    valueChanged,
  })),
  manifest,
  manifestDiffers,
})
