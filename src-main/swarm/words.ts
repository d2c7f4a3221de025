/** 256 short everyday words, one per byte, to be read aloud from one screen to another. */
const words: readonly string[] = `
  acid aged also arch area army atom aunt away baby back bake ball band barn base bath bead beam bean bear beet bell
  belt bend bike bird blue boat body bolt bone book boot bowl bread brick bus cake calm camp card cart cash cave chef
  chin city clay clip club coal coat coin cold comb cook copy cork corn crab crew crow cube cup dark dawn deck deep
  deer desk dice dish dive dock doll door dove drum duck dune dust each earn east echo edge eel egg elm epic exit
  face fact fair farm fern film fine fire fish flag flat flax foam fog fork fort fox frog fuel fund gate gift girl
  glad glue goat gold golf good gown grey grid grow gulf hair half hall hand harp hat hawk head heat herb hero hill
  hive home hood hook horn host huge hut ice idea inch iris iron isle item ivy jade jam jar jazz jet join joke july
  jump june jury keen kelp key kick kind king kiss kite knee knot lace lady lake lamb lamp land lane lava lawn lead
  leaf lens lily lime lion list loaf lock loft loop love luck lung maid mail main malt many map mask meal menu mice
  milk mill mint mist moon moss moth mule myth nail navy neck nest news nine node noon nose note oak oar oat olive
  onion open orca oval oven owl pact page paint palm park path peach pear pen piano pilot pine pipe plum poem pond
  pony pool port
`
  .trim()
  .split(/\s+/);

/** One word for each byte. */
export const wordsOf = (bytes: Uint8Array): readonly string[] => [...bytes].map((byte) => words[byte] ?? '');
