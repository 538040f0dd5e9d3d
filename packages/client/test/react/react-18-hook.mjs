// For `node --import`: whoever asks for React is given 18, which lies in a folder of its own beside the other tools.
import { registerHooks } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { frameworks, toolFolder } from '../../../../scripts/tools.mjs'

const react = frameworks.find(({ name }) => name === 'react18')
const parentURL = pathToFileURL(join(toolFolder(react), 'package.json')).href

registerHooks({
  resolve: (specifier, context, next) =>
    /^react(-dom)?(\/|$)/.test(specifier)
      ? next(specifier, { ...context, parentURL })
      : next(specifier, context),
})
