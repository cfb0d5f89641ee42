/** Topics, for the door and for those who publish. */
import type { Component } from '#kernel/lifecycle.ts'
import type { OperationHandlers } from '#wire/service.ts'

import type { PublicDoor } from './public-door.ts'

export interface TopicService extends Component {
  /** For the model `sns`. */
  readonly handlers: OperationHandlers
  /** Links in messages, and the certificate that checks them. */
  readonly publicDoor: PublicDoor
}
