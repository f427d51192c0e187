// The override that Compose gets for a stagelet, as far as the controller knows it: rendered as the
// agent does, without any value.
import { renderOverride, type ServiceOverride } from '../../src/compose/override.ts'
import { mark } from '../../src/masking/masker.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import type { ServiceStatus } from '../../src/kinds/stagelet/schema.ts'
import { environmentsOf } from '../../src/secrets/project-environments.ts'
import { specOf, statusOf } from '../../src/kinds/typed.ts'
import { environmentSet } from '../../src/secrets/environment-set.ts'
import { isolatedIn, layoutOf } from '../../src/secrets/layout.ts'
import { winnersFor, type SetEntry } from '../../src/secrets/set-entry.ts'
import type { KubeApi } from '../connect/api.ts'
import { CliError } from '../errors.ts'
import { servedKind } from '../output/kinds.ts'
import { getIfThere, getObject, listObjects } from '../objects/objects.ts'
import { entryOf } from '../objects/secret-identity.ts'

/** A name for the file in messages; Compose reads the real one from a pipe. */
const fileName = 'docker-compose.stagely.yml'

interface Shown {
  readonly override: ServiceOverride
  /** Facts that only the agent knows. */
  readonly remarks: readonly string[]
}

const showService = (
  { name, wantedDigest: digest = '', keys = [] }: ServiceStatus,
  winners: ReadonlyMap<string, SetEntry>,
  folder: string,
): Shown => {
  const [masked, unknown] = [Buffer.from(mark), Buffer.from('(its path in the container)')]
  const files = keys.flatMap((key) => {
    const entry = winners.get(key)
    return entry?.type === 'file' ? [entry] : []
  })
  const isFile = new Set(files.map(({ key }) => key))
  const mounts = files.flatMap(({ version, file }) => {
    const source = `${folder}/(digest of version ${version})`
    return file?.target === undefined ? [] : [{ source, target: file.target, readOnly: true }]
  })
  const pointers = files.flatMap(({ file }) =>
    file?.envVar === undefined
      ? []
      : [
          {
            key: file.envVar,
            value: file.target === undefined ? unknown : Buffer.from(file.target),
          },
        ],
  )
  const values = keys.filter((key) => !isFile.has(key)).map((key) => ({ key, value: masked }))
  const remarks = files.flatMap(({ key, version, file }) =>
    file?.path === undefined
      ? []
      : [
          `${name}: ${key}, version ${version}, is mounted wherever the service mounts ${file.path}`,
        ],
  )
  return { override: { service: name, digest, entries: [...values, ...pointers], mounts }, remarks }
}

/** CliError when the agent has not reported the services yet. */
export const describeOverride = (
  stagelet: KubeObject,
  secrets: readonly KubeObject[],
  inProject?: KubeObject,
): string => {
  const { name, uid = '' } = stagelet.metadata
  const { services } = statusOf('Stagelet', stagelet)
  if (services === undefined)
    throw new CliError(
      `the services of stagelet ${name} are not known yet: its agent has not reported; see "stagely describe stagelet/${name}"`,
    )
  const { projectRef, environment } = specOf('Stagelet', stagelet)
  const project = projectRef.name
  const layout = layoutOf([{ name, environment }], isolatedIn(environmentsOf(inProject)))
  const all = secrets
    .filter((secret) => specOf('StagelySecret', secret).projectRef.name === project)
    .map(entryOf)
  const entries = environmentSet({ entries: all, layout }, name)
  const shown = services
    .filter(({ wantedDigest }) => wantedDigest !== undefined)
    .map((service) =>
      showService(service, winnersFor(service.name, name, entries), `/run/stagely/${uid}`),
    )
  const comments = [
    `${fileName} of stagelet/${name}: given to Compose on standard input, never written; values are hidden`,
    ...shown.flatMap(({ remarks }) => remarks),
  ]
  const yaml = renderOverride(shown.map(({ override }) => override)).toString()
  return comments.map((line) => `# ${line}\n`).join('') + yaml
}

export const readOverride = async (api: KubeApi, name: string): Promise<string> => {
  const { namespace } = api
  const stagelet = await getObject(api, servedKind('Stagelet'), namespace, name)
  const { projectRef } = specOf('Stagelet', stagelet)
  return describeOverride(
    stagelet,
    await listObjects(api, servedKind('StagelySecret'), { namespace }),
    await getIfThere(api, servedKind('Project'), namespace, projectRef.name),
  )
}
