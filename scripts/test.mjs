// npm test: installs what is missing and runs everything that CI runs.
process.argv.splice(2, 0, 'test')
await import('./run.mjs')
