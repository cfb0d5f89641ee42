// Resizes an image. The event holds it in base64; without one, a picture is drawn first.
import sharp from 'sharp'

const FORMATS = new Set(['webp', 'jpeg', 'png', 'avif'])
const MAX_SIDE = 4096

/** A picture with enough in it that resizing is real work. */
const drawing = (width, height) => `
<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
  <defs><linearGradient id="sky" x1="0" y1="0" x2="1" y2="1">
    <stop offset="0" stop-color="#ff8800"/><stop offset="1" stop-color="#2244aa"/>
  </linearGradient></defs>
  <rect width="100%" height="100%" fill="url(#sky)"/>
  ${Array.from({ length: 40 }, (_, n) => `<circle cx="${(n * 97) % width}" cy="${(n * 61) % height}" r="${10 + n}" fill="#ffffff" opacity="0.15"/>`).join('')}
</svg>`

const side = (value, name) => {
  if (value === undefined) return undefined
  if (!Number.isInteger(value) || value < 1 || value > MAX_SIDE) throw new RangeError(`${name} must be between 1 and ${MAX_SIDE}`)
  return value
}

export const handler = async (event) => {
  const width = side(event.width ?? (event.height ? undefined : 320), 'width')
  const height = side(event.height, 'height')
  const format = event.format ?? 'webp'
  if (!FORMATS.has(format)) throw new RangeError(`format must be one of ${[...FORMATS].join(', ')}`)
  const source = event.image ? Buffer.from(event.image, 'base64') : Buffer.from(drawing(1600, 1000))
  const started = performance.now()
  const original = await sharp(source).metadata()
  const { data, info } = await sharp(source)
    .resize({ width, height, fit: event.fit ?? 'cover' })
    .toFormat(format)
    .toBuffer({ resolveWithObject: true })
  console.log(`${original.width}x${original.height} ${original.format} -> ${info.width}x${info.height} ${format}`)
  return {
    width: info.width,
    height: info.height,
    format,
    bytes: data.length,
    original: { width: original.width, height: original.height, format: original.format },
    milliseconds: Math.round(performance.now() - started),
    image: data.toString('base64'),
  }
}
