// What the pages of one project share: its objects from the collections, and the sets that services run which are
// behind.
import { computed } from '@preact/signals'
import { useMemo } from 'preact/hooks'
import { useRoute } from 'preact-iso'
import { api, must } from '../../api/client.ts'
import type { Project, Secret, Stagelet } from '../../api/types.ts'
import { projects, secretsOf, stagelets } from '../../live/collections.ts'
import { editsOf, type Edit } from '../../staging/staging.ts'
import { useQuery } from '../../ui/use-query.ts'
import { runsOf, unseen, type Runs } from './runs.ts'

export interface ProjectPlace {
  readonly team: string
  readonly project: string
}

export const useProjectPlace = (): ProjectPlace => {
  const { team = '', project = '' } = useRoute().params
  return { team, project }
}

export const useProject = ({ team, project }: ProjectPlace): Project | undefined =>
  projects.rows.value.find((one) => one.team === team && one.name === project)

export const useStagelets = ({ team, project }: ProjectPlace): readonly Stagelet[] =>
  stagelets.rows.value
    .filter((one) => one.team === team && one.project === project)
    .toSorted((a, b) => a.name.localeCompare(b.name))

/** Keys that changed after a revision, for each revision that a service runs which is behind. */
const useChanged = (place: ProjectPlace, all: readonly Stagelet[], head: number) => {
  const behind = all.flatMap(({ services }) =>
    services.filter(({ in_sync }) => in_sync === false).map(({ revision }) => revision ?? 0),
  )
  const revisions = [...new Set(behind)].filter((one) => one > 0).sort((a, b) => a - b)
  const { data } = useQuery({
    key: ['changed', place.team, place.project, revisions, head],
    enabled: revisions.length > 0,
    read: async (signal) => {
      const path = { project_id: `${place.team}/${place.project}` }
      const found = await Promise.all(
        revisions.map(async (from) => {
          const params = { path, query: { from: String(from) } }
          const diff = await must(
            api.GET('/projects/{project_id}/revisions/diff', { params, signal }),
          )
          const keys = [...diff.added, ...diff.removed, ...diff.changed].map(({ key }) => key)
          return [from, new Set(keys)] as const
        }),
      )
      return new Map<number, ReadonlySet<string>>(found)
    },
  })
  return (revision: number) => data?.get(revision)
}

export interface SecretRow {
  readonly id: string
  readonly secret: Secret
  readonly runs: Runs
  readonly edit: Edit | undefined
  readonly isStaged: boolean
}

/** A secret that is staged and does not exist yet is a row as well. */
const asSecret = (edit: Edit, { team, project }: ProjectPlace): Secret => ({
  id: `staged-${edit.id}`,
  name: '',
  team,
  project,
  key: edit.key,
  scope: edit.scope,
  type: edit.type,
  ...(edit.stagelet === undefined ? {} : { stagelet: edit.stagelet }),
  version: 0,
  service_count: 0,
  services: [],
  refers_to: [],
  state: 'no_value',
  warnings: [],
  source: 'api',
  created_at: '',
  updated_at: '',
  conditions: [],
})

const byKey = (a: SecretRow, b: SecretRow): number =>
  a.secret.key.localeCompare(b.secret.key) ||
  a.secret.scope.localeCompare(b.secret.scope) ||
  (a.secret.stagelet ?? '').localeCompare(b.secret.stagelet ?? '')

export const useSecretRows = (place: ProjectPlace): readonly SecretRow[] => {
  const { team, project } = place
  const secrets = secretsOf(team, project).rows.value
  const all = useStagelets(place)
  const changedSince = useChanged(place, all, useProject(place)?.revision ?? 0)
  const runs = runsOf(secrets, all, changedSince)
  const edits = editsOf(team, project)
  const bySecret = new Map(edits.map((edit) => [edit.secretId, edit]))
  const rows = secrets.map((secret): SecretRow => {
    const edit = bySecret.get(secret.id)
    return {
      id: secret.id,
      secret,
      runs: runs.get(secret.id) ?? unseen,
      edit,
      isStaged: edit !== undefined,
    }
  })
  const fresh = edits
    .filter(({ op }) => op === 'create')
    .map((edit): SecretRow => {
      const secret = asSecret(edit, place)
      return { id: secret.id, secret, runs: unseen, edit, isStaged: true }
    })
  return [...fresh, ...rows].sort(byKey)
}

/** How many rows are read; a list that is being read says so. */
export const useSecretsState = ({ team, project }: ProjectPlace) => {
  const { loading, error } = secretsOf(team, project)
  return useMemo(
    () => computed(() => ({ loading: loading.value, error: error.value })),
    [team, project],
  ).value
}
