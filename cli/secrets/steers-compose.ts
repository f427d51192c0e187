// Lines of a .env file that steer Compose, and are no secret of a service: its own settings, images, ports. Pure.
import { entryText, type Entry } from '../formats/entries.ts'

const ofImage = /(^|_)(TAG|IMAGE|VERSION)$/
const ofPort = /(^|_)PORTS?$/
const port = /^[\d.:,-]{1,40}$/

export const steersCompose = ({ key, value }: Pick<Entry, 'key' | 'value'>): boolean => {
  const text = value === undefined ? '' : entryText(value)
  return (
    key.startsWith('COMPOSE_') ||
    ofImage.test(key) ||
    (ofPort.test(key) && text !== undefined && port.test(text))
  )
}
