// For the command line of Node programs that run for seconds: workers of the suite, and controllers and agents
// of tests. Functions are compiled to fast code when they have run for longer than is usual: most code of a test
// runs too rarely to win back what the compilers cost, which is a quarter of its CPU, and half where the embedded
// database starts. Not for properties, which run thousands of times.
export const shortLived = ['--interrupt-budget=500000', '--wasm-tiering-budget=180000000']
