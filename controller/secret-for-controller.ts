// Values that the controller itself needs: of secrets that no service sees. Each reading is audited.
import { StagelyError } from '../src/kernel/errors.ts'
import type { ReadWay } from '../src/store/core/history.ts'
import type { Store } from '../src/store/store.ts'
import { reconcilerActor } from './reconcilers/actor.ts'

export const secretForController = async (
  store: Pick<Store, 'get' | 'revealSecret'>,
  place: { readonly namespace: string; readonly name: string },
  way: ReadWay,
): Promise<Buffer> => {
  const ref = { kind: 'StagelySecret', ...place } as const
  const secret = await store.get(ref)
  const wrong =
    secret === undefined
      ? 'does not exist'
      : secret.spec.audience === 'Controller'
        ? undefined
        : 'is one of services: give it audience: Controller'
  if (wrong !== undefined) throw new StagelyError('NotFound', `secret "${place.name}" ${wrong}`)
  return (await store.revealSecret(reconcilerActor, ref, { way })).value
}
