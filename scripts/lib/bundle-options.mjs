// How the command is bundled.
import { fileURLToPath } from 'node:url'

/** Packages whose files may be left out where nothing of them is used: they do nothing when they are loaded. */
const withoutEffects = /\/node_modules\/@kubernetes\/client-node\//

/** Of Kubernetes' client the kubeconfig alone is used. The rest of the package is 14 MB. */
export const onlyWhatIsUsed = {
  name: 'only-what-is-used',
  setup: (build) => {
    build.onResolve({ filter: /^@kubernetes\/client-node$/ }, () => ({
      path: fileURLToPath(import.meta.resolve('@kubernetes/client-node')).replace(
        /index\.js$/,
        'config.js',
      ),
      sideEffects: false,
    }))
    build.onResolve({ filter: /^\./ }, async ({ path, kind, importer, resolveDir, pluginData }) => {
      if (pluginData === onlyWhatIsUsed || !withoutEffects.test(importer)) return undefined
      const found = await build.resolve(path, { kind, resolveDir, pluginData: onlyWhatIsUsed })
      return { path: found.path, sideEffects: false }
    })
  },
}
