import { describe, expect, it } from 'vitest'
import { decodeProtobuf } from './protobuf.ts'

describe('protobuf', () => {
  // Were each field to cost as much as those before it, this would take minutes, not the test's time.
  it('is read in time however many fields it repeats', () => {
    const empty = Buffer.from([0x1a, 0])
    const body = Buffer.concat([Buffer.from('k8s\0'), Buffer.alloc(1 << 20, empty)])
    expect(() => decodeProtobuf(body)).toThrow('protobuf is not supported for this')
  })
})
