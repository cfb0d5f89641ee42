/** `fsap-...`, the last part of an access point's ARN, for EFS and S3 Files alike. */
export const accessPointId = (arn: string) => arn.slice(arn.lastIndexOf('/') + 1)
