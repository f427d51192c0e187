// What "preview up" writes: the Stagelet of a preview and its own secrets, from the template of the project and what is
// there. Pure. See ADR 0085.
import { isGuarded } from '../../src/compose/environment.ts'
import { defined } from '../../src/kernel/defined.ts'
import { StagelyError, type Fault } from '../../src/kernel/errors.ts'
import {
  faultOfPreviewName,
  filled,
  isOfRepository,
  previewStageletName,
  type PreviewSpec,
} from '../../src/kinds/project/preview.ts'
import { apiVersion, previewLabel, type KubeObject } from '../../src/resources/meta.ts'
import type { Typed } from '../../src/kinds/typed.ts'
import { chooseAgent, isOfTemplate } from './choose-agent.ts'
import { isLedElsewhere } from './other-stacks.ts'
import { planSecrets, type PlannedSecret } from './plan-secrets.ts'
import { fillVariables, takenPorts } from './ports.ts'

type Stagelet = Typed<'Stagelet'>

/** What the caller chooses. */
export interface PreviewWish {
  readonly name: string
  readonly ttl?: string | undefined
  readonly images?: Readonly<Record<string, string>> | undefined
  readonly set?: Readonly<Record<string, string>> | undefined
}

/** What there is, also what the caller does not see. */
export interface PreviewWorld {
  readonly project: Typed<'Project'>
  /** Of the team. */
  readonly stagelets: readonly Stagelet[]
  readonly agents: readonly Typed<'Agent'>[]
  /** As in choose-agent.ts. */
  readonly hidesAgents: boolean
  /** Of the project. */
  readonly secrets: readonly Typed<'StagelySecret'>[]
  readonly isSecretName: (name: string) => boolean
  /** False where something that the caller does not see has the name of the new stagelet. */
  readonly isNameFree: (stagelet: string) => boolean
}

interface PlannedPreview {
  readonly before: Stagelet | undefined
  readonly stagelet: KubeObject
  readonly secrets: readonly PlannedSecret[]
}

const conflict = (message: string): StagelyError => new StagelyError('Conflict', message)

export const previewOf = ({ metadata }: KubeObject): string | undefined =>
  metadata.labels?.[previewLabel]

/** The template of a project. Conflict where it has none. */
const templateOf = ({ metadata: { name }, spec }: Typed<'Project'>): PreviewSpec => {
  if (spec?.preview === undefined)
    throw conflict(
      `project ${JSON.stringify(name)} has no template for previews: whoever may change the project sets spec.preview`,
    )
  return spec.preview
}

const forbiddenField = (field: string, why: string): Fault => ({
  field,
  reason: 'FieldValueForbidden',
  message: `Forbidden: ${why}`,
})

const faultsOfImages = ({ images: allowed }: PreviewSpec, images: PreviewWish['images']): Fault[] =>
  Object.entries(images ?? {}).flatMap(([service, image]) => {
    const repository = allowed?.[service]
    const field = `images[${service}]`
    if (allowed === undefined) return []
    if (repository === undefined)
      return [
        forbiddenField(
          field,
          `spec.preview.images of the project lets nobody choose the image of this service, but of ${Object.keys(allowed).join(', ')}`,
        ),
      ]
    return isOfRepository(image, repository)
      ? []
      : [forbiddenField(field, `spec.preview.images of the project wants one of ${repository}`)]
  })

const faultsOfSet = (
  { variables = {}, generate = [] }: PreviewSpec,
  set: PreviewWish['set'],
): Fault[] =>
  Object.keys(set ?? {}).flatMap((key) => {
    const field = `set[${key}]`
    if (Object.hasOwn(variables, key))
      return [forbiddenField(field, 'the template of the project sets it (spec.preview.variables)')]
    if (generate.includes(key))
      return [
        forbiddenField(field, 'each preview has a generated value of it (spec.preview.generate)'),
      ]
    return isGuarded(key)
      ? [forbiddenField(field, 'it steers Compose, Docker or the shell: choose another name')]
      : []
  })

/** Invalid with all faults of the wish. */
const checkWish = (project: string, template: PreviewSpec, wish: PreviewWish): void => {
  const ofName = faultOfPreviewName(project, wish.name)
  const faults: Fault[] = [
    ...(ofName === undefined
      ? []
      : [
          {
            field: 'name',
            reason: 'FieldValueInvalid',
            message: `Invalid value: ${ofName}`,
          } as const,
        ]),
    ...faultsOfImages(template, wish.images),
    ...faultsOfSet(template, wish.set),
  ]
  if (faults.length > 0)
    throw new StagelyError(
      'Invalid',
      `preview ${JSON.stringify(wish.name)}: ${faults.map(({ field, message }) => `${field}: ${message}`).join('; ')}`,
      { faults },
    )
}

const nameOfOther = (name: string, whole: string): StagelyError =>
  conflict(
    `preview ${JSON.stringify(name)} would be stagelet ${JSON.stringify(whole)}, and what has this name is something else: choose another name`,
  )

/** The Stagelet that is there under the name. Conflict where it is no preview of this name, or is being deleted. */
const findBefore = (
  { project, stagelets, isNameFree }: PreviewWorld,
  { name, whole }: { readonly name: string; readonly whole: string },
): Stagelet | undefined => {
  const before = stagelets.find(({ metadata }) => metadata.name === whole)
  const isOwn =
    before === undefined ||
    (previewOf(before) === name && before.spec.projectRef.name === project.metadata.name)
  if (!isNameFree(whole) || !isOwn) throw nameOfOther(name, whole)
  if (before?.metadata.deletionTimestamp !== undefined)
    throw conflict(
      `preview ${JSON.stringify(name)} is being taken down since ${before.metadata.deletionTimestamp}: try again when it is gone`,
    )
  return before
}

const checkQuota = ({ project, stagelets }: PreviewWorld, { max }: PreviewSpec): void => {
  const own = stagelets.filter(
    (stagelet) =>
      previewOf(stagelet) !== undefined && stagelet.spec.projectRef.name === project.metadata.name,
  )
  if (max === undefined || own.length < max) return
  throw conflict(
    `project ${JSON.stringify(project.metadata.name)} has ${own.length} previews, and spec.preview.max is ${max}: take one down, or raise it ("stagely preview list" shows them)`,
  )
}

/** The stagelet whose files previews run. */
const sourceOf = (
  { project, stagelets }: PreviewWorld,
  { from }: PreviewSpec,
): Stagelet | undefined => {
  if (from === undefined) return undefined
  const source = stagelets.find(
    ({ metadata, spec }) =>
      metadata.name === from && spec.projectRef.name === project.metadata.name,
  )
  if (source !== undefined) return source
  throw conflict(
    `spec.preview.from of project ${JSON.stringify(project.metadata.name)} names stagelet ${JSON.stringify(from)}, which the project does not have`,
  )
}

/** The one that it is on, since a stack does not move by itself. Conflict where the template does not run previews there. */
const agentOf = (
  world: PreviewWorld,
  template: PreviewSpec,
  { before, source }: Pick<PlannedPreview, 'before'> & { readonly source: Stagelet | undefined },
): string => {
  const agent = before?.spec.agentRef.name
  if (agent === undefined) return chooseAgent(world, template, source)
  if (isOfTemplate(world, template, { agent, source })) return agent
  throw conflict(
    `stagelet ${JSON.stringify(before?.metadata.name)} is on agent ${JSON.stringify(agent)}, where spec.preview of the project runs no previews: take it down first ("stagely preview down")`,
  )
}

/** Images that were chosen before, as far as the template lets one choose them. */
const keptImages = (template: PreviewSpec, before: Stagelet | undefined): PreviewWish['images'] =>
  Object.fromEntries(
    Object.entries(before?.spec.compose.images ?? {}).filter(
      ([service, image]) => faultsOfImages(template, { [service]: image }).length === 0,
    ),
  )

/** The folder and the files. Who chose these of the source has also chosen what its containers may do with them. */
const filesOf = (
  { directory, mounts }: PreviewSpec,
  source: Stagelet | undefined,
  fill: (text: string) => string,
): Stagelet['spec']['compose'] => {
  const { files, profiles, envFiles, fileTargets, writableFolders } = source?.spec.compose ?? {}
  const own = source?.spec.compose.directory ?? ''
  return {
    directory: directory === undefined ? own : fill(directory),
    ...defined({ copyOf: directory === undefined || source === undefined ? undefined : own }),
    ...defined({ files, profiles, envFiles, fileTargets, writableFolders }),
    ...defined({ mounts: mounts?.map(fill) }),
    onChange: 'Hold',
  }
}

/** `random`: from 0 to below 1. */
export const planPreview = (
  world: PreviewWorld,
  wish: PreviewWish,
  random: () => number,
): PlannedPreview => {
  const { project, stagelets } = world
  const { name: projectName, namespace = '' } = project.metadata
  const template = templateOf(project)
  const { name } = wish
  checkWish(projectName, template, wish)
  const whole = previewStageletName(projectName, name)
  const before = findBefore(world, { name, whole })
  if (before === undefined) checkQuota(world, template)
  const source = sourceOf(world, template)
  const agent = agentOf(world, template, { before, source })
  const words: Readonly<Record<string, string>> = { name, project: projectName }
  const others = stagelets.filter(
    (other) => other.metadata.name !== whole && other.spec.agentRef.name === agent,
  )
  const directory = source?.spec.compose.directory ?? ''
  if (isLedElsewhere(template, { words, directory, others })) throw nameOfOther(name, whole)
  const values = fillVariables(template.variables ?? {}, {
    words,
    before: before?.spec.compose.values ?? {},
    taken: takenPorts(others),
    random,
  })
  const images = { ...keptImages(template, before), ...wish.images }
  const all: Readonly<Record<string, string>> = { ...values, ...words, agent }
  const fill = (text: string): string => filled(text, (word) => all[word])
  const spec: Stagelet['spec'] = {
    projectRef: { name: projectName },
    agentRef: { name: agent },
    environment: template.environment,
    compose: {
      ...filesOf(template, source, fill),
      projectName: whole,
      ...(Object.keys(values).length > 0 && { values }),
      ...(Object.keys(images).length > 0 && { images }),
      ...(template.generate !== undefined && { requires: template.generate }),
    },
    deletionPolicy: 'Down',
    deleteVolumes: true,
    ttl: wish.ttl ?? before?.spec.ttl ?? template.ttl,
    ...defined({ address: template.address === undefined ? undefined : fill(template.address) }),
  }
  const metadata: KubeObject['metadata'] = before?.metadata ?? { name: whole, namespace }
  const labels = { ...metadata.labels, [previewLabel]: name }
  return {
    before,
    stagelet: {
      apiVersion,
      kind: 'Stagelet',
      metadata: { ...metadata, labels },
      spec: { ...spec },
    },
    secrets: planSecrets(world, {
      stagelet: whole,
      generate: template.generate ?? [],
      set: wish.set ?? {},
    }),
  }
}
