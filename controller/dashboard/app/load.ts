// Files of pages come when a page is opened. A network that is gone for a moment is waited for.
const pauses = [300, 1000, 3000, 10_000]

export const loadPatiently = async <T>(load: () => Promise<T>): Promise<T> => {
  for (const ms of pauses) {
    try {
      return await load()
    } catch {
      await new Promise((resolve) => setTimeout(resolve, ms))
    }
  }
  return load()
}
