// What a page sends: it is busy while that runs, and what failed is kept to be told beside it.
import { useState } from 'preact/hooks'

export const useSending = () => {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>()
  const run = async (work: () => Promise<void>): Promise<void> => {
    setBusy(true)
    setError(undefined)
    try {
      await work()
    } catch (reason) {
      setError(reason)
    } finally {
      setBusy(false)
    }
  }
  return { busy, error, run }
}
