/** An object of a class with some of its methods replaced; the others work on the real one. */
export function overridden<Real extends object>(real: Real, over: Partial<Real>): Real {
  return new Proxy(real, {
    get(target, name) {
      const member: unknown = Reflect.get(name in over ? over : target, name)
      return typeof member === 'function' ? (member.bind(target) as unknown) : member
    },
  })
}
