/** Twenty digits, as AWS's have, that grow as the ids in the log do. */
const WIDTH = 19
export const sequenceNumber = (id: bigint) => `1${String(id).padStart(WIDTH, '0')}`
