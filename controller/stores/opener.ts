// Opens stores with what the controller's configuration names for them.
import { StagelyError } from '../../src/kernel/errors.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import type { Egress } from '../egress/gate.ts'
import type { Opener } from './connection.ts'
import { openProvider } from './open-provider.ts'

export interface OpenerDeps {
  readonly egress: Egress
  readonly clock: Clock
}

export const openerWith =
  ({ egress, clock }: OpenerDeps): Opener =>
  async ({ spec, credential, spend }) => {
    const { identity } = spec.auth ?? {}
    if (identity !== undefined)
      throw new StagelyError('Forbidden', `identity "${identity}" is not granted to this team`)
    return openProvider(spec, credential, { egress, clock, storesDir: undefined, spend })
  }
