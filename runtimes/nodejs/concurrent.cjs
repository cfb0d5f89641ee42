'use strict'
/**
 * Runs functions on capacity providers (Lambda Managed Instances): several invocations at once, by the HTTP Runtime API.
 * As in AWS's runtime there is a worker thread for each vCPU (or AWS_LAMBDA_NODEJS_WORKER_COUNT), each with the function
 * loaded once, each running any number of invocations. With a single worker the main thread is it.
 */
const { join } = require('path')
const { Worker } = require('worker_threads')

const vCpus = Number(process.argv[2]) || 1
const wanted = parseInt(process.env.AWS_LAMBDA_NODEJS_WORKER_COUNT ?? '', 10)
const most = Number(process.env.AWS_LAMBDA_MAX_CONCURRENCY) || 1
const workers = Math.max(1, Math.min(most, wanted > 0 ? wanted : vCpus))

let alive = 0

/** One that dies later is replaced; one that can't initialise has reported that itself. */
function startWorker() {
  alive++
  let ready = false
  const worker = new Worker(join(__dirname, 'concurrent-worker.cjs'))
  worker.on('message', () => (ready = true))
  worker.on('error', () => {})
  worker.on('exit', (code) => {
    alive--
    if (ready) startWorker()
    else if (alive === 0) process.exit(code || 1)
  })
}

if (workers === 1) require('./concurrent-worker.cjs')
else for (let started = 0; started < workers; started++) startWorker()
