// Provisional: replaced by what `cargo xtask types` writes.
export type SignedUser = { sdkAppId: number; userId: string; userSig: string };
