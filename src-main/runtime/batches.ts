/** A batch that has grown to this many needs no company. */
const batchItemsWanted = 4;

/**
 * Collects what one turn of the program hands over and passes it on together: it shares one step, one write and one
 * frame. It waits for no timer. A large batch goes at the end of the callback that brought it, so that the next can be
 * taken while it is under way; a small one once the program has heard everybody whose words have arrived.
 */
export function inBatches<Item>(pass: (items: readonly Item[]) => void): (item: Item) => void {
  let collected: Item[] = [];
  let waitsForTurn = false;
  const passAll = (): void => {
    const items = collected;
    collected = [];
    if (items.length > 0) pass(items);
  };
  const endOfTurn = (): void => {
    waitsForTurn = false;
    passAll();
  };
  const endOfCallback = (): void => {
    if (collected.length >= batchItemsWanted) passAll();
    else if (!waitsForTurn) {
      waitsForTurn = true;
      setImmediate(endOfTurn);
    }
  };
  return (item) => {
    if (collected.length === 0 || collected.length + 1 === batchItemsWanted) queueMicrotask(endOfCallback);
    collected.push(item);
  };
}
