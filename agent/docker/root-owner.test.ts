import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { itAsRoot } from '../../test/support/as-root.ts'
import { readRootOwner } from './root-owner.ts'

itAsRoot(
  'root of a container is the user whose own engine it is, and root everywhere else',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'stagely-owner-'))
    const socket = join(folder, 'docker.sock')
    try {
      await writeFile(socket, '')
      await chown(socket, 1234, 0)
      const user = { uid: 1234, gid: 1235 }
      expect(await readRootOwner(socket, user)).toEqual(user)
      expect(await readRootOwner(socket, { uid: 1, gid: 1 })).toBeUndefined()
      expect(await readRootOwner(socket, { uid: 0, gid: 0 })).toBeUndefined()
      expect(await readRootOwner(join(folder, 'none'), user)).toBeUndefined()
    } finally {
      await rm(folder, { recursive: true })
    }
  },
)
