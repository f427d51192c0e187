// What may be done with the secret of a row or of a cell. It is staged; nothing is stored here.
import { useState } from 'preact/hooks'
import { stage, unstage } from '../../staging/staging.ts'
import { toast } from '../../ui/announce.tsx'
import { whyNotOwnedHere, type ProjectPlace, type SecretRow } from '../project/data.ts'
import type { Preset, SecretActions } from './places/lens-grid.tsx'

/** Says whose a secret is that cannot be changed here. */
const isRefused = (row: SecretRow | undefined): boolean => {
  const text = row === undefined ? undefined : whyNotOwnedHere(row.secret)
  if (text !== undefined) toast({ kind: 'warn', text })
  return text !== undefined
}

export const useActions = (place: ProjectPlace, noWrite: string | undefined) => {
  const { team, project } = place
  const [editing, setEditing] = useState<
    { readonly row: SecretRow | undefined; readonly preset: Preset | undefined } | undefined
  >()
  const actions: SecretActions = {
    edit: (row, preset) => {
      if (noWrite !== undefined) return false
      if (isRefused(row)) return true
      setEditing({ row, preset })
      return true
    },
    remove: (row) => {
      if (noWrite !== undefined || row.secret.name === '') return false
      if (isRefused(row)) return true
      const { key, scope, stagelet, type, id, version } = row.secret
      stage([team, project], {
        op: 'delete',
        key,
        scope,
        stagelet,
        type,
        secretId: id,
        fromVersion: version,
      })
      return true
    },
    takeBack: ({ id }) => unstage(team, project, id),
  }
  return {
    editing,
    actions,
    close: () => setEditing(undefined),
  }
}
