// Loaded and called once before there is a function (preload.cjs).
export const handler = async (event) => event
