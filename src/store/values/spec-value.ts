// The value that a secret's spec gives, by whichever of its ways.
import { StagelyError, type Fault } from '../../kernel/errors.ts'
import { refOf, type KubeObject } from '../../resources/meta.ts'
import { valueBytes } from '../../resources/secret-value.ts'
import type { SecretSpec } from '../../resources/stagelysecret.ts'
import { generateValue } from '../../secrets/generate.ts'
import { stageletIn } from '../../secrets/set-entry.ts'
import { isBoundToNames, type SealedPlace } from '../../secrets/sealed-place.ts'
import { invalid } from '../errors.ts'
import type { StoredRow, WriteSession } from '../session.ts'

const sealedPlace = (session: WriteSession, object: KubeObject): SealedPlace => {
  const spec = object.spec as SecretSpec
  const { namespace } = refOf(object)
  const home = session.fetch({ kind: 'Namespace', namespace: '', name: namespace })
  return {
    namespace,
    namespaceUid: home?.uid,
    project: spec.projectRef.name,
    key: spec.key,
    scope: spec.scope,
    stagelet: stageletIn(spec),
  }
}

const sealedFault: Fault = {
  field: 'spec.sealedValue',
  reason: 'FieldValueInvalid',
  message:
    'Invalid value: it does not open here: it was sealed for another namespace, project, key, scope or stagelet, or for another controller; seal it anew with "stagely seal"',
}

const formerFault: Fault = {
  ...sealedFault,
  message:
    'Invalid value: it does not open here: it is bound to the name of its namespace alone, and another namespace had that name before; seal it anew with "stagely seal", with a key file from "stagely seal --fetch-key" of now',
}

/** The bytes of value, valueBase64 or sealedValue; undefined for none. Invalid when a sealed one does not open. */
export const valueInSpec = (session: WriteSession, object: KubeObject): Buffer | undefined => {
  const spec = object.spec as SecretSpec
  if (spec.sealedValue === undefined) return valueBytes(spec)
  const place = sealedPlace(session, object)
  if (isBoundToNames(spec.sealedValue) && session.view.hadNamespace(place.namespace))
    throw invalid(refOf(object), [formerFault])
  const opened = session.deps.sealedValues?.open(place, spec.sealedValue)
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
