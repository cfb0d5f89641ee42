import assert from 'node:assert/strict'
import { verify, X509Certificate } from 'node:crypto'
import { test } from 'node:test'

import { createSealer } from '#kernel/sealed.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'

import {
  confirmationText,
  functionEvent,
  notificationText,
  queueAttributes,
  signedConfirmationText,
  signedText,
  type Notification,
} from './envelope.ts'
import { createSigner } from './message-signer.ts'

const TOPIC = 'arn:aws:sns:us-east-1:111122223333:orders'
const SUBSCRIPTION = `${TOPIC}:2bcfbf39-05c3-41de-beaa-fcfcc21c8f55`
const BASE = 'http://127.0.0.1:4566'
const NOTIFICATION: Notification = {
  messageId: '22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324',
  topicArn: TOPIC,
  subscriptionArn: SUBSCRIPTION,
  subject: 'My First Message',
  body: 'Hello "world"!\n',
  publishedAt: Date.UTC(2012, 4, 2, 0, 54, 6, 655),
  attributes: { attr2: { type: 'Binary', value: 'AgME' }, attr1: { type: 'Number', value: '111' } },
  sequenceNumber: undefined,
}
const SEAL = { version: '1', signature: 'c2lnbmF0dXJl', certificateUrl: `${BASE}/cert.pem` } as const

test('sns envelope: has the members, the order and the spacing of AWS', () => {
  // As in SNS's guide, "HTTP/HTTPS notification JSON format", with attributes as recorded.
  assert.equal(
    notificationText(NOTIFICATION, SEAL, BASE),
    `{
  "Type" : "Notification",
  "MessageId" : "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
  "TopicArn" : "${TOPIC}",
  "Subject" : "My First Message",
  "Message" : "Hello \\"world\\"!\\n",
  "Timestamp" : "2012-05-02T00:54:06.655Z",
  "SignatureVersion" : "1",
  "Signature" : "c2lnbmF0dXJl",
  "SigningCertURL" : "http://127.0.0.1:4566/cert.pem",
  "UnsubscribeURL" : "http://127.0.0.1:4566/?Action=Unsubscribe&SubscriptionArn=${SUBSCRIPTION}",
  "MessageAttributes" : {
    "attr2" : {"Type":"Binary","Value":"AgME"},
    "attr1" : {"Type":"Number","Value":"111"}
  }
}`,
  )
})

test('sns envelope: FIFO messages have a number and no signature', () => {
  const message = {
    ...NOTIFICATION,
    subject: undefined,
    attributes: {},
    sequenceNumber: '10000000000000000000',
  }
  // Members recorded from AWS.
  assert.deepEqual(Object.keys(JSON.parse(notificationText(message, undefined, BASE)) as object), [
    'Type',
    'MessageId',
    'SequenceNumber',
    'TopicArn',
    'Message',
    'Timestamp',
    'UnsubscribeURL',
  ])
})

test('sns envelope: functions get an event of their own', () => {
  const unsubscribe = `${BASE}/?Action=Unsubscribe&SubscriptionArn=${SUBSCRIPTION}`
  // Recorded from AWS.
  assert.deepEqual(functionEvent({ ...NOTIFICATION, subject: undefined }, SEAL, BASE), {
    Records: [
      {
        EventSource: 'aws:sns',
        EventVersion: '1.0',
        EventSubscriptionArn: SUBSCRIPTION,
        Sns: {
          Type: 'Notification',
          MessageId: NOTIFICATION.messageId,
          TopicArn: TOPIC,
          Subject: null,
          Message: NOTIFICATION.body,
          Timestamp: '2012-05-02T00:54:06.655Z',
          SignatureVersion: '1',
          Signature: 'c2lnbmF0dXJl',
          SigningCertUrl: `${BASE}/cert.pem`,
          UnsubscribeUrl: unsubscribe,
          MessageAttributes: {
            attr2: { Type: 'Binary', Value: 'AgME' },
            attr1: { Type: 'Number', Value: '111' },
          },
        },
      },
    ],
  })
})

test('sns envelope: raw messages have attributes of queues', () => {
  assert.deepEqual(queueAttributes(NOTIFICATION.attributes), {
    attr2: { DataType: 'Binary', BinaryValue: Buffer.from([2, 3, 4]) },
    attr1: { DataType: 'Number', StringValue: '111' },
  })
})

test('sns envelope: signatures of both versions hold against the certificate, after a restart too', async (t) => {
  const clock = createVirtualClock()
  const { meta, close } = createMemoryStore({ clock })
  t.after(close)
  const sealer = createSealer(Buffer.alloc(32, 1))
  const first = createSigner({ meta, sealer, clock })
  await first.start()
  const again = createSigner({ meta, sealer, clock })
  await again.start()
  assert.equal(first.certificate, again.certificate)
  assert.match(first.certificatePath, /^\/SimpleNotificationService-[0-9a-f]{32}\.pem$/)
  const certificate = new X509Certificate(first.certificate)
  assert.equal(certificate.subject, 'CN=sns.amazonaws.com')
  assert.ok(certificate.verify(certificate.publicKey))
  for (const version of ['1', '2'] as const) {
    const { signature, certificateUrl } = await again.seal(signedText(NOTIFICATION), version, BASE)
    assert.equal(certificateUrl, `${BASE}${first.certificatePath}`)
    const envelope = JSON.parse(
      notificationText(NOTIFICATION, { version, signature, certificateUrl }, BASE),
    ) as Record<string, string>
    // Put together from what arrives, in the order of SNS's guide.
    const names = ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type']
    const text = names.map((name) => `${name}\n${envelope[name]}\n`).join('')
    const digest = version === '1' ? 'sha1' : 'sha256'
    const bytes = Buffer.from(envelope['Signature'] ?? '', 'base64')
    assert.ok(verify(digest, Buffer.from(text), certificate.publicKey, bytes), version)
  }
})

test('sns envelope: confirmations say what to visit', async (t) => {
  const clock = createVirtualClock()
  const { meta, close } = createMemoryStore({ clock })
  t.after(close)
  const signer = createSigner({ meta, sealer: createSealer(Buffer.alloc(32, 1)), clock })
  await signer.start()
  const message = {
    type: 'SubscriptionConfirmation',
    messageId: NOTIFICATION.messageId,
    token: 'abc123',
    topicArn: TOPIC,
    subscriptionArn: SUBSCRIPTION,
    sentAt: NOTIFICATION.publishedAt,
    baseUrl: BASE,
  } as const
  const seal = await signer.seal(signedConfirmationText(message), '2', BASE)
  const told = JSON.parse(confirmationText(message, seal)) as Record<string, string>
  assert.equal(
    told['Message'],
    `You have chosen to subscribe to the topic ${TOPIC}.\nTo confirm the subscription, visit the SubscribeURL included in this message.`,
  )
  assert.equal(told['SubscribeURL'], `${BASE}/?Action=ConfirmSubscription&TopicArn=${TOPIC}&Token=abc123`)
  const names = ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type']
  const text = names.map((name) => `${name}\n${told[name]}\n`).join('')
  const { publicKey } = new X509Certificate(signer.certificate)
  assert.ok(verify('sha256', Buffer.from(text), publicKey, Buffer.from(told['Signature'] ?? '', 'base64')))
})
