// Reads server-sent events from text that comes in pieces. `EventSource` would hide two things that the
// dashboard tells: the comments by which the server shows that it is there, and why a stream was refused.
export interface SseMessage {
  readonly event: string
  readonly id: string
  readonly data: string
}

/** Returns a function that takes the next piece and calls `onMessage` for each whole message. */
export const createSseReader = (
  onMessage: (message: SseMessage) => void,
): ((text: string) => void) => {
  let rest = ''
  let id = ''
  let event = ''
  let data: string[] = []
  const line = (text: string): void => {
    if (text === '') {
      if (data.length > 0)
        onMessage({ event: event === '' ? 'message' : event, id, data: data.join('\n') })
      event = ''
      data = []
      return
    }
    const colon = text.indexOf(':')
    const field = colon < 0 ? text : text.slice(0, colon)
    const value = colon < 0 ? '' : text.slice(colon + 1).replace(/^ /, '')
    if (field === 'id') id = value
    else if (field === 'event') event = value
    else if (field === 'data') data.push(value)
  }
  return (text) => {
    const lines = (rest + text).split(/\r\n|\n|\r(?!$)/)
    rest = lines.pop() ?? ''
    for (const text of lines) line(text)
  }
}
