import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { leavesOf, typeOf } from '../../test/support/http/schema-leaves.ts'
import { stageletSpec } from '../kinds/stagelet/schema.ts'
import { hostPath, machinePathsIn, meaningOf } from './paths.ts'
import { kinds } from '../kinds/index.ts'

/** The texts that a schema has, by their fields. */
const textsOf = (schema: z.ZodType, at: string): [string, z.ZodType][] =>
  leavesOf(schema, at)
    .filter((leaf) => typeOf(leaf.schema) === 'string')
    .map((leaf) => [leaf.path.replace(/\[\]|\{\w*\}/g, ''), leaf.schema])

const isPathByName = (field: string): boolean =>
  /^(from|adopt|target|source|dirs?)$|[dD]irector|[pP]ath|[fF]older|(^f|F)iles?$|[cC]opy|[tT]argets$|[mM]ounts?$|[bB]inds?$|[sS]ocket/.test(
    field.slice(field.lastIndexOf('.') + 1),
  )

/** Names of logins, times of day, places in a store, fields of objects. */
const noPaths = [
  'Rotation.spec.rotator.postgres.adopt',
  'Rotation.spec.rotator.mariadb.from',
  'Rotation.spec.rotator.mariadb.adopt',
  'Rotation.spec.schedule.window.from',
  'SecretStore.spec.vault.mount',
  'SecretStore.spec.vault.appRole.mount',
  'SecretStore.spec.vault.jwt.mount',
  'Event.spec.involvedObject.fieldPath',
  'Event.spec.related.fieldPath',
  // Keys of secrets, by an agent.
  'Observation.spec.unmountedFiles',
]

describe('a text that is a path by its name', () => {
  it('is found in a choice too', () => {
    const either = z.union([z.object({ at: hostPath('other') }), z.array(hostPath('folder'))])
    expect(machinePathsIn(either, { at: '/a' })).toEqual([{ role: 'other', path: '/a' }])
    expect(machinePathsIn(either, ['/b'])).toEqual([{ role: 'folder', path: '/b' }])
  })

  it('says in the spec of each kind what it is a path of', () => {
    const texts = kinds.flatMap(({ kind, spec }) => textsOf(spec, `${kind}.spec`))
    const silent = texts.filter(
      ([field, schema]) => isPathByName(field) && meaningOf(schema) === undefined,
    )
    expect(silent.map(([field]) => field)).toEqual(noPaths)
  })

  it('of a stagelet is found in its spec, whatever field holds it', () => {
    const compose = {
      directory: '/srv/a',
      copyOf: '/srv/b',
      files: ['compose.yml'],
      envFiles: ['.env'],
      writableFolders: ['/srv/c'],
      adopt: ['/srv/d'],
      mounts: ['/srv/e'],
      fileTargets: ['/in/container'],
      projectName: 'a',
    }
    expect(machinePathsIn(stageletSpec, { compose }).map(({ role, path }) => [path, role])).toEqual(
      expect.arrayContaining([
        ['/srv/a', 'folder'],
        ['/srv/b', 'source'],
        ['compose.yml', 'inFolder'],
        ['.env', 'inFolder'],
        ['/srv/c', 'other'],
        ['/srv/d', 'other'],
        ['/srv/e', 'other'],
      ]),
    )
    expect(machinePathsIn(stageletSpec, { compose })).toHaveLength(7)
  })
})
