// For the command line of Node programs that run for seconds: workers of the suite, and controllers and agents
// of tests. Functions are compiled to fast code when they have run for longer than is usual: most code of a test
// runs too rarely to win back what the compilers cost, which is a quarter of its CPU, and half where the embedded
// database starts, whose code is checked function by function as it is used. Garbage is collected rarely, by one
// thread, and not because a program rests: that costs a controller 0.2 s, some seconds after its start. Old objects
// are first looked through at 256 MB: workers did it every 8 s, for a twentieth of their CPU. The short forms of
// properties gain, too; the long ones only begin slower.
const isOlder = Number(process.versions.node.split('.')[0]) < 22

export const shortLived = [
  // Newer ones have no such flag, and refuse to start with it.
  ...(isOlder ? ['--interrupt-budget=3000000'] : []),
  '--wasm-tiering-budget=180000000',
  ...['--wasm-lazy-validation', '--no-memory-reducer'],
  ...['--min-semi-space-size=64', '--max-semi-space-size=64', '--single-threaded-gc'],
  '--initial-old-space-size=256',
]
