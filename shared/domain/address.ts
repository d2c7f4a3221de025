/** Whether programs on this machine alone can reach all of these, given as multiaddrs such as `/ip4/192.168.1.20/tcp/4101`. */
export const isOnlyThisMachine = (addresses: readonly string[]): boolean =>
  addresses.every((address) => /^\/ip4\/127\.|^\/ip6\/::1\//.test(address));
