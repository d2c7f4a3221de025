import { describe, expect, it } from 'vitest';
import { nodeId } from '../../../../shared/domain/ids.ts';
import { seededRandom } from '../../../../src-main/core/machine/random.ts';
import { Cluster } from './cluster.ts';

describe('a founder that two machines join', () => {
  it('stays coordinator when it becomes one of three voters, though others would outrank it', () => {
    const cluster = new Cluster([100], 2);
    const founder = nodeId('node-a');
    cluster.until(() => cluster.ids.every((id) => cluster.at(id).config?.voters.length === 3), 30_000);
    expect(cluster.settle()).toBe(founder);
    for (const other of cluster.others(founder)) {
      const roles = cluster.events(other, 'role-changed').map(({ role }) => role);
      expect(roles).not.toContain('candidate');
    }
  });

  it('does so even when the others hear of the new configuration late', () => {
    const cluster = new Cluster([100], 2);
    const founder = nodeId('node-a');
    // Much of what is said is lost.
    const random = seededRandom(7);
    cluster.passes = () => random.next() > 0.3;
    cluster.until(() => cluster.ids.every((id) => cluster.at(id).config?.voters.length === 3), 60_000);
    cluster.passes = () => true;
    expect(cluster.settle()).toBe(founder);
  });
});
