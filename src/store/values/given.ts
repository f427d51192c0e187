// The value that a secret's spec gives, by whichever of its ways.
import { StagelyError, type Fault } from '../../kernel/errors.ts'
import { refOf, type KubeObject } from '../../resources/meta.ts'
import { valueBytes } from '../../resources/secret-value.ts'
import type { SecretSpec } from '../../resources/stagelysecret.ts'
import { generateValue } from '../../secrets/generate.ts'
import type { SealedPlace } from '../../secrets/sealed-place.ts'
import { invalid } from '../errors.ts'
import type { StoredRow, WriteSession } from '../session.ts'

const sealedPlace = (object: KubeObject): SealedPlace => {
  const spec = object.spec as SecretSpec
  return {
    namespace: refOf(object).namespace,
    project: spec.projectRef.name,
    key: spec.key,
    scope: spec.scope,
    stagelet: spec.stageletRef?.name,
  }
}

const sealedFault: Fault = {
  field: 'spec.sealedValue',
  reason: 'FieldValueInvalid',
  message:
    'Invalid value: it does not open here: it was sealed for another namespace, project, key, scope or stagelet, or for another controller; seal it anew with "stagely seal"',
}

/** The bytes of value, valueBase64 or sealedValue; undefined for none. Invalid when a sealed one does not open. */
export const writtenValue = (session: WriteSession, object: KubeObject): Buffer | undefined => {
  const spec = object.spec as SecretSpec
  if (spec.sealedValue === undefined) return valueBytes(spec)
  const opened = session.deps.sealedValues?.open(sealedPlace(object), spec.sealedValue)
  if (opened === undefined) throw invalid(refOf(object), [sealedFault])
  return opened
}

/** The write is begun anew with each, from its beginning. */
const mostRsaKeys = 50

const tooManyRsaKeys = (): StagelyError =>
  new StagelyError(
    'BadRequest',
    `one write makes ${mostRsaKeys} RSA keys at most: make the rest in another one`,
  )

/** A generated value, where the spec asks for one and there is none yet, or `generation` has moved. */
export const generatedValue = async (
  session: Pick<WriteSession, 'rsaKeys' | 'preparations'>,
  spec: SecretSpec,
  current: StoredRow | undefined,
  hasValue: boolean,
): Promise<Buffer | undefined> => {
  const wanted = spec.valueFrom?.generate
  if (wanted === undefined) return undefined
  const before = (current?.object.spec as SecretSpec | undefined)?.valueFrom?.generate
  const made = hasValue && before !== undefined && before.generation === wanted.generation
  if (made) return undefined
  if (wanted.keypair !== 'rsa') return generateValue(wanted)
  // Takes up to seconds. Any key does for any secret: those of one write are told apart by number.
  if ((session.rsaKeys += 1) > mostRsaKeys) throw tooManyRsaKeys()
  const name = `rsa key ${session.rsaKeys}`
  return session.preparations.take(name, () => generateValue(wanted))
}
