// The bytes of an event stream, with a sign now and then: proxies keep its connection open, and the client knows that
// what it shows is fresh.

interface Beating {
  readonly failed: (error: unknown) => void
  /** False: no sign is given, so that the client takes the stream for broken. */
  readonly isFresh: () => Promise<boolean>
  readonly everyMs?: number
}

const sign = new TextEncoder().encode(': alive\n\n')

export const withHeartbeat = (
  texts: AsyncGenerator<string>,
  { failed, isFresh, everyMs = 15_000 }: Beating,
): ReadableStream<Uint8Array> => {
  const encoder = new TextEncoder()
  let timer: NodeJS.Timeout | undefined
  let isOver = false
  const end = (): void => {
    isOver = true
    clearInterval(timer)
  }
  return new ReadableStream<Uint8Array>({
    start: (controller) => {
      const beat = async (): Promise<void> => {
        const fresh = await isFresh()
        // Nothing is queued for a client that does not read.
        if (fresh && !isOver && (controller.desiredSize ?? 0) > 0) controller.enqueue(sign)
      }
      timer = setInterval(() => void beat().catch(failed), everyMs)
    },
    pull: async (controller) => {
      try {
        const next = await texts.next()
        if (isOver) return
        if (next.done !== true) {
          controller.enqueue(encoder.encode(next.value))
          return
        }
      } catch (error) {
        failed(error)
      }
      end()
      controller.close()
    },
    cancel: async () => {
      end()
      await texts.return(undefined)
    },
  })
}
