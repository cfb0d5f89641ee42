/** Which functions can't have a runtime that booted before it knew them (docs/runtimes.md, "What cannot come by INIT"). */
import type { RuntimeFamily } from '#contracts/runtime.ts'

/** Read once, at the start of a process: by the linker, the C library, OpenSSL, or the resolver; or it is the start. */
const BY_ANYBODY =
  /^(LD_|GLIBC_|MALLOC_|LC_|OPENSSL_|SSL_CERT_)|^(LANG|LANGUAGE|RES_OPTIONS|LOCALDOMAIN|HOSTALIASES|AWS_LAMBDA_EXEC_WRAPPER)$/
/** NODE_PATH is read again by our client; NODE_ENV and the others are read whenever they are needed, or only by code. */
const BY_NODE = /^(NODE_(?!(PATH|ENV|TLS_REJECT_UNAUTHORIZED)$)|UV_|V8_|SSLKEYLOGFILE$)/
/** PYTHONPATH is read again by our client. */
const BY_PYTHON = /^PYTHON(?!PATH$)/

export function mustBootAlone(family: RuntimeFamily, variables: Readonly<Record<string, string>>): boolean {
  const own = family === 'nodejs' ? BY_NODE : BY_PYTHON
  return Object.keys(variables).some((name) => BY_ANYBODY.test(name) || own.test(name))
}
