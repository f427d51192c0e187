// Which environments a Project lists, and what it says of each.
import type { EnvironmentSpec } from '../kinds/shared/environment.ts'
import type { KubeObject } from '../resources/meta.ts'
import { specOf } from '../kinds/typed.ts'

/** Empty without a Project: objects may come in any order. */
export const environmentsOf = (project: KubeObject | undefined): readonly EnvironmentSpec[] =>
  (project && specOf('Project', project)?.environments) ?? []

export const namesOf = (environments: readonly Pick<EnvironmentSpec, 'name'>[]): string[] =>
  environments.map(({ name }) => name)

export const protectedIn = (
  environments: readonly Pick<EnvironmentSpec, 'name' | 'protected'>[],
): string[] => namesOf(environments.filter((environment) => environment.protected === true))
