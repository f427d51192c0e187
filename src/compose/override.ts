// Renders the override that passes secrets to Compose. It is written byte by byte: what YAML and
// Compose's interpolation do to each kind of scalar was found by experiment (agent/compose/facts.md).
// Values are interpolated, keys of maps are not. Non-ASCII is written as \x, \u or \U: raw control
// characters, some non-characters and surrogate pairs are refused.
import { digestLabel } from '../resources/meta.ts'

/** A file secret in a container. */
export interface Mount {
  /** Absolute path on the agent's tmpfs. */
  readonly source: string
  readonly target: string
  readonly readOnly: boolean
}

export interface ServiceOverride {
  readonly service: string
  readonly digest: string
  /** Environment variables of the service. */
  readonly entries: readonly { readonly key: string; readonly value: Buffer }[]
  /** File secrets of the service. Each replaces a mount of the user at the same target. */
  readonly mounts?: readonly Mount[]
}

/** A network that must stay as it is, whatever the compose files say. */
export interface KeptNetwork {
  /** Name in the compose files. */
  readonly key: string
  /** Name in the engine. */
  readonly name: string
}

const [quoteMark, backslash, dollar] = [0x22, 0x5c, 0x24]
const hexDigits = Buffer.from('0123456789abcdef')

/** The escape of a code point: the letter after the backslash, and the number of digits. */
const formOf = (code: number): [letter: string, digits: number] =>
  code < 0x100 ? ['x', 2] : code < 0x10000 ? ['u', 4] : ['U', 8]

class YamlWriter {
  private out = Buffer.allocUnsafe(1 << 16)
  private at = 0

  private reserve(bytes: number): void {
    if (this.at + bytes <= this.out.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.out.length * 2, this.at + bytes))
    this.out.copy(larger, 0, 0, this.at)
    this.out = larger
  }

  /** Appends ASCII text unchanged. */
  raw(text: string): void {
    this.reserve(text.length)
    for (let i = 0; i < text.length; i++) this.out[this.at++] = text.charCodeAt(i)
  }

  private escape(code: number): void {
    const [letter, digits] = formOf(code)
    this.out[this.at++] = backslash
    this.out[this.at++] = letter.charCodeAt(0)
    for (let shift = (digits - 1) * 4; shift >= 0; shift -= 4)
      this.out[this.at++] = hexDigits[(code >>> shift) & 15]!
  }

  /** Appends one printable ASCII byte inside quotes. */
  private printable(byte: number, interpolated: boolean): void {
    if (byte === quoteMark || byte === backslash) this.out[this.at++] = backslash
    else if (byte === dollar && interpolated) this.out[this.at++] = dollar
    this.out[this.at++] = byte
  }

  /**
   * Appends a double-quoted scalar. With `interpolated`, `$` is doubled, as Compose would take it for a
   * variable.
   */
  quoted(value: Buffer, interpolated: boolean): void {
    this.reserve(4 * value.length + 2)
    this.out[this.at++] = quoteMark
    for (let i = 0; i < value.length; i++) {
      const byte = value[i]!
      if (byte >= 0x80) {
        this.text(value.toString('utf8', i), interpolated)
        break
      }
      if (byte >= 0x20 && byte < 0x7f) this.printable(byte, interpolated)
      else this.escape(byte)
    }
    this.out[this.at++] = quoteMark
  }

  private text(text: string, interpolated: boolean): void {
    for (const char of text) {
      const code = char.codePointAt(0)!
      this.reserve(16)
      if (code >= 0x20 && code < 0x7f) this.printable(code, interpolated)
      else this.escape(code)
    }
    this.reserve(1)
  }

  end(): Buffer {
    return this.out.subarray(0, this.at)
  }
}

/** Uses the long form of a mount: with the short form Compose would create a folder for a missing file. */
const writeMounts = (yaml: YamlWriter, mounts: readonly Mount[]): void => {
  yaml.raw('    volumes:\n')
  for (const { source, target, readOnly } of mounts) {
    yaml.raw('      - {type: bind, source: ')
    yaml.quoted(Buffer.from(source), true)
    yaml.raw(', target: ')
    yaml.quoted(Buffer.from(target), true)
    yaml.raw(`, read_only: ${readOnly}, bind: {create_host_path: false}}\n`)
  }
}

/**
 * Declares networks as `external`: Compose neither makes nor changes such a network, and leaves its
 * definition out of the service's hash.
 */
const writeNetworks = (yaml: YamlWriter, networks: readonly KeptNetwork[]): void => {
  yaml.raw('networks:\n')
  for (const { key, name } of networks) {
    yaml.raw('  ')
    yaml.quoted(Buffer.from(key), false)
    yaml.raw(': !override {external: true, name: ')
    yaml.quoted(Buffer.from(name), true)
    yaml.raw('}\n')
  }
}

/**
 * The override file. `services` must hold exactly the services that see a secret. Values must be UTF-8
 * without NUL (see agent/compose/validate-values.ts). Linear in the size of the output.
 */
export const renderOverride = (
  services: readonly ServiceOverride[],
  kept: readonly KeptNetwork[] = [],
): Buffer => {
  const yaml = new YamlWriter()
  const label = Buffer.from(digestLabel)
  yaml.raw(services.length === 0 ? 'services: {}\n' : 'services:\n')
  for (const { service, digest, entries, mounts = [] } of services) {
    yaml.raw('  ')
    yaml.quoted(Buffer.from(service), false)
    yaml.raw(entries.length === 0 ? ':\n' : ':\n    environment:\n')
    for (const { key, value } of entries) {
      yaml.raw('      ')
      yaml.quoted(Buffer.from(key), false)
      yaml.raw(': ')
      yaml.quoted(value, true)
      yaml.raw('\n')
    }
    if (mounts.length > 0) writeMounts(yaml, mounts)
    yaml.raw('    labels:\n      ')
    yaml.quoted(label, false)
    yaml.raw(': ')
    yaml.quoted(Buffer.from(digest), true)
    yaml.raw('\n')
  }
  if (kept.length > 0) writeNetworks(yaml, kept)
  return yaml.end()
}
