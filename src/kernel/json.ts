/** A JSON value, as documents in the store are. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
