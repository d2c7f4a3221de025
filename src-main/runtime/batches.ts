/**
 * Collects what one turn of the program hands over and passes it on together, at the end of that turn. It waits for
 * no timer: a lone item goes at once, and what comes together shares one step, one write and one frame.
 */
export function inBatches<Item>(pass: (items: readonly Item[]) => void): (item: Item) => void {
  let collected: Item[] = [];
  return (item) => {
    if (collected.length === 0)
      queueMicrotask(() => {
        const items = collected;
        collected = [];
        pass(items);
      });
    collected.push(item);
  };
}
