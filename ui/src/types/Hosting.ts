// Provisional: replaced by what `cargo xtask types` writes.
export type Hosting = { server: string; addresses: Array<string>; sdkAppId: number };
