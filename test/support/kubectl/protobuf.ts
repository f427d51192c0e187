// Protobuf as kubectl writes it, for the few requests that come as nothing else.

/** A field that holds bytes. */
export const field = (number: number, content: Buffer | string): Buffer =>
  Buffer.concat([Buffer.from([number * 8 + 2, content.length]), Buffer.from(content)])

/** `k8s\0`, then runtime.Unknown{1: TypeMeta, 2: raw}. */
export const envelope = (kind: string, ...fields: readonly Buffer[]): Buffer =>
  Buffer.concat([
    Buffer.from('k8s\0'),
    field(1, Buffer.concat([field(1, 'v1'), field(2, kind)])),
    field(2, Buffer.concat(fields)),
  ])

export const protobuf = { 'content-type': 'application/vnd.kubernetes.protobuf' }
