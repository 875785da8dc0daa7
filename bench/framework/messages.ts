/** Between the benchmark and its processes, over IPC. */
export interface ChildRequest {
  readonly id: number;
  readonly call: string;
  readonly argument: unknown;
}

export type ChildResponse =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: string };

/** What a process says about itself. */
export interface ProcessSample {
  /** User and system time since its start. */
  readonly cpuMicros: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
}

/** What a load generator returns from `measure`. Everything it began was answered when it ended. */
export interface LoadResult {
  readonly ops: number;
  readonly seconds: number;
  readonly latencyP50Micros: number;
  readonly latencyP99Micros: number;
}
