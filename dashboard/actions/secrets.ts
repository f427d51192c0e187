// Actions on secrets: new, changed and deleted ones, one by one and as one change set; and going back.
import { secretName } from '../../src/kinds/secret/name.ts'
import { requestApi, type ApiRequest } from '../api/request.ts'
import type { ApiAction } from './copy-as.ts'
import { manifestOf, patchObject, type Spec } from './kinds.ts'
import { stdinValue, type JsonValue } from '../api/text.ts'

interface ProjectName {
  readonly team: string
  readonly project: string
}

/** One edit, as it is staged: without its value. */
export interface SecretEdit {
  readonly op: 'create' | 'update' | 'delete'
  /** Name of the object; absent for a new one. */
  readonly name?: string | undefined
  readonly key: string
  readonly scope: string
  readonly stagelet?: string | undefined
  readonly environments?: readonly string[] | undefined
  readonly type: 'env' | 'file'
  readonly file_path?: string | undefined
  /** A new value comes with it. */
  readonly hasValue: boolean
  readonly target?: Readonly<Partial<Record<'scope' | 'stagelet', string | null>>> | undefined
  /** Other fields by their REST names: only REST takes them as they are. */
  readonly fields?: Readonly<Record<string, unknown>> | undefined
}

/** A secret by its place. */
type SecretPlace = Pick<SecretEdit, 'name' | 'key' | 'scope' | 'stagelet' | 'environments'>

const projectId = ({ team, project }: ProjectName): string => `${team}/${project}`

const nameOf = ({ name, key, scope, stagelet, environments }: SecretPlace): string =>
  name ?? secretName({ key, scope, stagelet, environments })

const partsOf = (project: ProjectName, secret: SecretPlace) => ({
  project_id: projectId(project),
  secret_id: nameOf(secret),
})

const secretsPath = (project: ProjectName): string =>
  `/projects/${encodeURIComponent(projectId(project))}/secrets`

/** The fields of REST, as the dashboard sends them. */
const restFields = (edit: SecretEdit): Spec => ({
  ...(edit.op === 'create'
    ? {
        key: edit.key,
        scope: edit.scope,
        type: edit.type,
        stagelet: edit.stagelet,
        file_path: edit.file_path,
      }
    : edit.target),
  ...(edit.fields as Spec | undefined),
  value_base64: edit.hasValue ? stdinValue(edit.key) : undefined,
})

const objectOf = ({ team, project }: ProjectName, edit: SecretEdit): JsonValue => {
  const stagelet = edit.target?.stagelet === undefined ? edit.stagelet : edit.target.stagelet
  return manifestOf(
    'StagelySecret',
    { team, name: nameOf(edit) },
    {
      projectRef: { name: project },
      key: edit.key,
      scope: edit.target?.scope ?? edit.scope,
      stageletRef: typeof stagelet === 'string' ? { name: stagelet } : undefined,
      environments: edit.environments && [...edit.environments],
      type: edit.type === 'file' ? 'file' : undefined,
      file: edit.file_path === undefined ? undefined : { path: edit.file_path },
      valueBase64: edit.hasValue ? stdinValue(edit.key) : undefined,
    },
  )
}

const where = ({ team, project }: ProjectName, edit: SecretPlace): string[] => [
  ...['-n', team, '--project', project, '--scope', edit.scope],
  ...(edit.stagelet === undefined ? [] : ['--stagelet', edit.stagelet]),
  ...(edit.environments === undefined ? [] : ['--environment', edit.environments.join(',')]),
]

const deletionOf = (
  project: ProjectName,
  edits: readonly SecretEdit[],
): NonNullable<ApiAction['deletes']> => ({
  kubectl: ['delete', '-n', project.team, 'stagelysecret', ...edits.map(nameOf)],
  stagely: edits.map((edit) => ['secrets', 'delete', edit.key, ...where(project, edit), '--yes']),
})

const hasFields = ({ fields = {} }: SecretEdit): boolean => Object.keys(fields).length > 0

const objectsOf = (
  project: ProjectName,
  edits: readonly SecretEdit[],
): Pick<ApiAction, 'objects'> =>
  edits.some(hasFields)
    ? {}
    : { objects: { namespace: project.team, list: edits.map((edit) => objectOf(project, edit)) } }

/** One edit alone. */
export const editSecret = (project: ProjectName, edit: SecretEdit): ApiAction => {
  const { op, key } = edit
  const path = `${secretsPath(project)}/${encodeURIComponent(nameOf(edit))}`
  if (op === 'delete')
    return {
      name: `Delete ${key}`,
      request: { method: 'delete', path },
      deletes: deletionOf(project, [edit]),
    }
  const body = restFields(edit)
  const isValueAlone = edit.hasValue && edit.target === undefined && !hasFields(edit)
  return {
    name: op === 'create' ? `New secret ${key}` : `Change ${key}`,
    request:
      op === 'create'
        ? { method: 'post', path: secretsPath(project), body }
        : { method: 'patch', path, body },
    ...objectsOf(project, [edit]),
    ...(isValueAlone &&
      (op === 'update' || edit.type === 'env') && {
        stagely: ['secrets', 'set', key, ...where(project, edit)],
        stagelyReads: key,
      }),
  }
}

/** All of a review, in one revision. `note` says why. */
export const applyChangeSet = (
  project: ProjectName,
  edits: readonly SecretEdit[],
  note: string,
): ApiAction => {
  const deleted = edits.filter(({ op }) => op === 'delete')
  const written = edits.filter(({ op }) => op !== 'delete')
  const operations = edits.map((edit) => ({
    op: edit.op,
    id: edit.op === 'create' ? undefined : nameOf(edit),
    ...(edit.op !== 'delete' && restFields(edit)),
  }))
  const body: ApiRequest['body'] = { operations, note: note === '' ? undefined : note }
  return {
    name: 'Apply these edits',
    request: { method: 'post', path: `${secretsPath(project)}/batch`, body },
    ...objectsOf(project, written),
    ...(deleted.length > 0 &&
      !written.some(hasFields) && { deletes: deletionOf(project, deleted) }),
  }
}

/** One secret has an older value again. */
export const rollBackSecret = (
  project: ProjectName,
  secret: SecretPlace,
  version: number,
): ApiAction => ({
  name: `Roll back ${secret.key} to v${version.toString()}`,
  request: requestApi(
    'post',
    '/projects/{project_id}/secrets/{secret_id}/rollback',
    partsOf(project, secret),
    { version },
  ),
  stagely: [
    ...['secrets', 'rollback', secret.key, ...where(project, secret)],
    ...['--to-version', version.toString(), '--yes'],
  ],
})

/** A deleted secret: several of its place may have been deleted, so that its id names it. */
interface DeletedPlace extends SecretPlace {
  readonly id: string
}

const deletedAction = (
  project: ProjectName,
  { id }: DeletedPlace,
  verb: 'restore' | 'purge',
): Pick<ApiAction, 'request'> & { readonly stagely: readonly string[] } => ({
  request: requestApi('post', `/projects/{project_id}/secrets/{secret_id}/${verb}`, {
    project_id: projectId(project),
    secret_id: id,
  }),
  stagely: ['secrets', verb, id, '-n', project.team, '--project', project.project],
})

export const restoreAction = (project: ProjectName, secret: DeletedPlace): ApiAction => ({
  name: `Restore ${secret.key}`,
  ...deletedAction(project, secret, 'restore'),
})

/** For good. */
export const purgeAction = (project: ProjectName, secret: DeletedPlace): ApiAction => {
  const { request: purge, stagely } = deletedAction(project, secret, 'purge')
  return { name: `Erase ${secret.key}`, request: purge, stagely: [...stagely, '--yes'] }
}

/** What is no value: REST takes `body`, a manifest `spec`. */
export const patchSecret = (
  { team, project }: ProjectName,
  secret: SecretPlace,
  body: Spec,
  spec: Spec,
): ApiAction => ({
  ...patchObject('StagelySecret', { team, project, name: nameOf(secret) }, body, spec),
  name: `Change ${secret.key}`,
})

/** What is read is printed; the audit log has it. */
export const revealAction = (project: ProjectName, secret: SecretPlace): ApiAction => ({
  name: `Read ${secret.key}`,
  request: requestApi(
    'post',
    '/projects/{project_id}/secrets/{secret_id}/reveal',
    partsOf(project, secret),
    {},
  ),
  stagely: ['secrets', 'get', secret.key, ...where(project, secret), '--reveal'],
})

/** All secrets of the project as they were. */
export const rollBackProject = (project: ProjectName, revision: number): ApiAction => ({
  name: `Go back to revision ${revision.toString()}`,
  request: requestApi(
    'post',
    '/projects/{project_id}/rollback',
    { project_id: projectId(project) },
    { revision },
  ),
  stagely: [
    ...['secrets', 'rollback', '-n', project.team, '--project', project.project],
    ...['--to-revision', revision.toString(), '--yes'],
  ],
})
