/** Lambda's limits, each with its unit and source. Only numbers that more than one folder needs stand here. */
import { KIB, MIB } from '#kernel/units.ts'

/** Synchronous payload, request and response: 6 MiB + 100 bytes for the response (recorded from AWS). */
export const MAX_RESPONSE_BYTES = 6 * MIB + 100
export const MAX_SYNC_PAYLOAD_BYTES = 6 * MIB
/** Asynchronous payload: 1 MB since late 2025 (API model). */
export const MAX_ASYNC_PAYLOAD_BYTES = 1 * MIB
/** Last part of the log that `LogType=Tail` returns (API model). */
export const LOG_TAIL_BYTES = 4 * KIB
/** One vCPU at this much memory (developer guide). */
export const MIB_PER_VCPU = 1769
/** Initialisation of an on-demand environment (developer guide). */
export const INIT_TIMEOUT_MS = 10_000
/** Zip sent in the request, zipped (recorded from AWS). */
export const MAX_ZIP_BYTES = 52_428_800
/** Function and layers together, unzipped (recorded from AWS). */
export const MAX_UNZIPPED_BYTES = 262_144_000
/** Whole CreateFunction request (recorded from AWS). */
export const MAX_CREATE_REQUEST_BYTES = 70_167_211
export const MAX_LAYERS = 5
/** Open files and processes of one environment (developer guide). */
export const MAX_OPEN_FILES = 1024
export const MAX_PROCESSES = 1024
/** Size of /tmp unless the function says otherwise (API model). */
export const DEFAULT_EPHEMERAL_STORAGE_MIB = 512
/** Resource policy of a function, version or alias, as JSON (recorded from AWS). */
export const MAX_POLICY_BYTES = 20_480
/** Code storage of an account and region: 300 GB (developer guide of 2026, "Self-managed S3 code storage"). */
export const MAX_CODE_STORAGE_BYTES = 322_122_547_200
/** Default concurrency of an account and region, and how much of it must stay unreserved (developer guide). */
export const ACCOUNT_CONCURRENCY = 1000
export const MIN_UNRESERVED_CONCURRENCY = 100
/** Asynchronous events: two retries after function errors, kept for six hours (developer guide). */
export const DEFAULT_RETRY_ATTEMPTS = 2
export const DEFAULT_EVENT_AGE_SECONDS = 21_600
/** Lambda Managed Instances: providers of an account and region, versions of one provider (developer guide, quotas). */
export const MAX_CAPACITY_PROVIDERS = 1000
export const MAX_VERSIONS_PER_CAPACITY_PROVIDER = 100
