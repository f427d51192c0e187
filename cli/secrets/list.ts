// secrets list: names and versions, never values.
import type { Command } from 'commander'
import type { KubeObject } from '../../src/resources/meta.ts'
import { listCommandOf } from '../commands/get.ts'
import { withSecretFlags, type SecretFlags } from './flags.ts'
import { secretIdentityOf, chosenProject } from './identity.ts'

export const secretListCommand = (): Command =>
  withSecretFlags(
    listCommandOf<SecretFlags>(
      'stagelysecrets',
      {
        summary: 'List secrets: names and versions, never values.',
        examples: [
          'stagely secrets list --project shop',
          'stagely secrets list --project shop --scope backend -o json',
          'stagely secrets list -A -o wide',
        ],
      },
      async (api, flags) => {
        // A mistyped project is an error, not an empty list.
        if (flags.project !== undefined && flags.allNamespaces !== true)
          await chosenProject(api, flags.project)
        return (object: KubeObject): boolean => {
          const { project, scope, stagelet } = secretIdentityOf(object)
          return (
            (flags.project ?? project) === project &&
            (flags.scope ?? scope) === scope &&
            (flags.stagelet ?? stagelet) === stagelet
          )
        }
      },
    ),
  )
