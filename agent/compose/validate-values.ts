// Refuses values that Linux or the Engine API cannot pass, before `up` would take the service down for them.
import { isUtf8 } from 'node:buffer'
import type { KeyedValue } from '../../src/masking/keyed-search.ts'

/** MAX_ARG_STRLEN: `KEY=VALUE` with its final NUL. */
const maxStringBytes = 131_072
/** RLIMIT_STACK / 4 for argv and environ together, less room for variables of the image and the user. */
const maxTotalBytes = 2 * 1024 * 1024 - 32 * 1024
const pointerBytes = 8

interface ValueFault {
  readonly service: string
  /** Absent when the fault is the sum of all values. */
  readonly key?: string
  readonly message: string
}

const sizeOf = ({ key, value }: KeyedValue): number => Buffer.byteLength(key) + value.length + 2

const faultOf = (entry: KeyedValue): string | undefined => {
  if (entry.value.includes(0)) return 'contains a NUL byte; store it with type file'
  if (!isUtf8(entry.value)) return 'is not UTF-8; store it with type file, or as base64 text'
  const size = sizeOf(entry)
  if (size > maxStringBytes)
    return `is ${size} bytes as KEY=VALUE, Linux passes at most ${maxStringBytes}; store it with type file`
  return undefined
}

/** True when a process can get this variable. */
export const isPassable = (key: string, value: Buffer): boolean =>
  faultOf({ key, value }) === undefined

/** All faults in the values of one service. They name keys, never values. */
export const validateValues = (service: string, entries: readonly KeyedValue[]): ValueFault[] => {
  const faults: ValueFault[] = entries.flatMap((entry) => {
    const message = faultOf(entry)
    return message === undefined ? [] : [{ service, key: entry.key, message }]
  })
  const total = entries.reduce((sum, entry) => sum + sizeOf(entry) + pointerBytes, 0)
  if (faults.length === 0 && total > maxTotalBytes)
    faults.push({
      service,
      message: `the variables of the service are ${total} bytes in all, Linux passes at most ${maxTotalBytes}; store large ones with type file`,
    })
  return faults
}

/** One sentence for people, with every fault. */
export const describeFaults = (faults: readonly ValueFault[]): string =>
  faults
    .map((f) =>
      f.key === undefined ? `${f.service}: ${f.message}` : `${f.service}: ${f.key} ${f.message}`,
    )
    .join('; ')
