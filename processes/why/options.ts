/** Flags of `atoll why`. */
export interface WhyOptions {
  readonly cluster?: string;
  readonly namespace: string;
  readonly org: string;
  readonly udp?: boolean;
}
