/**
 * The same port, whose methods reject once the store is closed. A method that does not return a promise
 * (`watch`) throws instead.
 */
export function guardClosed<Port extends object>(port: Port, isClosed: () => boolean): Port {
  return new Proxy(port, {
    get(target, name, receiver) {
      const member: unknown = Reflect.get(target, name, receiver)
      if (typeof member !== 'function') return member
      return (...values: unknown[]) => {
        if (!isClosed()) return Reflect.apply(member, target, values)
        const error = new Error('The store is closed')
        if (name === 'watch') throw error
        return Promise.reject(error)
      }
    },
  })
}
