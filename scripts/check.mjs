/** `npm run check`: format, lint, types and size. All of them run, so one look shows everything that is wrong. */
import { spawnSync } from 'node:child_process'
import { basename, join, resolve } from 'node:path'
import { root, tools } from './tools.mjs'

const checks = [
  { name: 'format', fix: 'npm run format', script: 'oxfmt', args: ['--check', '.'] },
  { name: 'lint', script: 'oxlint', args: ['--type-aware', '--deny-warnings', '.'] },
  { name: 'types', script: 'tsc', args: ['-p', 'tsconfig.json'] },
  // Apart, since its JSX is Preact's: the examples have React's.
  { name: 'types of the console', script: 'tsc', args: ['-p', 'apps/console/tsconfig.json'] },
  { name: 'size', script: join(root, 'scripts', 'check-size.mjs'), args: [] },
]

const failed = checks.filter(({ name, script, args }) => {
  console.log(`\n${name}: ${basename(script)} ${args.join(' ')}`)
  const { status, error } = spawnSync(
    tools.node24,
    [resolve(root, 'node_modules', '.bin', script), ...args],
    {
      cwd: root,
      stdio: 'inherit',
    },
  )
  if (error !== undefined) console.error(error.message)
  return status !== 0
})

console.log('')
for (const check of checks) {
  const bad = failed.includes(check)
  console.log(`${bad ? '✖' : '✔'} ${check.name}${bad && check.fix ? `: ${check.fix} mends it` : ''}`)
}
process.exitCode = failed.length === 0 ? 0 : 1
