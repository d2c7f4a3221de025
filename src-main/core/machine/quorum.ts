/** The smallest number of voters any two sets of which share a member. */
export const majority = (voterCount: number): number => Math.floor(voterCount / 2) + 1;
