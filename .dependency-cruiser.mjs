/**
 * Who may import whom (ARCHITECTURE.md, "Who may import whom"), as rules. Each room names what it may use;
 * everything else is refused, and a file in no room is refused too.
 */
const domain = ['^shared/domain/', '^shared/assert\\.ts$'];
const contract = ['^shared/contract/'];
const npm = (...names) => `(^|/)node_modules/(${names.join('|')})(/|$)`;
const libp2pFamily = npm(
  'libp2p',
  '@libp2p',
  '@chainsafe/libp2p-noise',
  '@multiformats',
  'multicast-dns',
  '@types/multicast-dns',
);

/** Room → [the room's own files, what else it may import]. Files of one room may import each other. */
const rooms = {
  'shared-domain': ['^shared/(domain/|assert\\.ts$)', []],
  'shared-contract': ['^shared/contract/', [...domain, npm('zod', '@orpc/contract', '@orpc/client', '@orpc/openapi')]],
  'core-machine': ['^src-main/core/machine/', domain],
  'core-ranks': ['^src-main/core/ranks/', [...domain, '^src-main/core/machine/']],
  'core-election': ['^src-main/core/election/', [...domain, '^src-main/core/(machine|ranks)/']],
  'core-membership': ['^src-main/core/membership/', [...domain, '^src-main/core/(machine|ranks)/']],
  'core-paxos': ['^src-main/core/paxos/', [...domain, '^src-main/core/machine/']],
  'core-locks': ['^src-main/core/locks/', [...domain, '^src-main/core/machine/']],
  'core-kv': ['^src-main/core/kv/', [...domain, '^src-main/core/machine/']],
  'core-levels': ['^src-main/core/levels/', [...domain, '^src-main/core/machine/']],
  'core-tasks': ['^src-main/core/tasks/', [...domain, '^src-main/core/machine/']],
  'core-state-machine': [
    '^src-main/core/state-machine/',
    [...domain, '^src-main/core/(machine|levels|locks|kv|ranks|tasks)/'],
  ],
  'core-node': ['^src-main/core/node/', [...domain, '^src-main/core/']],
  wire: ['^src-main/wire/', [...domain, '^src-main/core/', npm('@bufbuild/protobuf')]],
  runtime: ['^src-main/runtime/', [...domain, '^src-main/(core|wire|ports)/']],
  swarm: [
    '^src-main/swarm/',
    [...domain, '^src-main/(ports|core/machine)/', npm('@libp2p/crypto', '@libp2p/peer-id', '@libp2p/interface')],
  ],
  'adapters-libp2p': ['^src-main/adapters/libp2p/', [...domain, '^src-main/(ports|core/machine|swarm)/', libp2pFamily]],
  'adapters-disk': ['^src-main/adapters/disk/', [...domain, '^src-main/(ports|core/machine)/']],
  'adapters-process': ['^src-main/adapters/process/', [...domain, '^src-main/(ports|core/machine)/']],
  'adapters-system': ['^src-main/adapters/system/', [...domain, '^src-main/(ports|core/machine)/', npm('pino')]],
  services: [
    '^src-main/services/',
    [...domain, ...contract, '^src-main/(runtime|ports|swarm|core)/', '^src-main/api/services\\.ts$'],
  ],
  api: ['^src-main/api/', [...domain, ...contract, '^src-main/services/', npm('@orpc', 'zod')]],
  compose: [
    '^src-main/compose[a-z-]*\\.ts$',
    ['^shared/', '^src-main/(core|wire|ports|runtime|adapters|swarm|services|api)/'],
  ],
  version: ['^src-main/version\\.ts$', []],
  'hosts-shared': ['^src-main/hosts/[a-z-]+\\.ts$', domain],
  'hosts-node': [
    '^src-main/hosts/node/',
    [
      '^shared/',
      '^src-main/(api|ports)/',
      '^src-main/compose',
      '^src-main/hosts/[a-z-]+\\.ts$',
      npm('@orpc', 'ws', '@types/ws', 'zod'),
    ],
  ],
  'hosts-cli': [
    '^src-main/hosts/cli/',
    ['^shared/', '^src-main/hosts/[a-z-]+\\.ts$', npm('commander', '@orpc', 'ws', '@types/ws')],
  ],
  'hosts-electron': ['^src-main/hosts/electron/', ['^shared/', '^src-main/hosts/[a-z-]+\\.ts$', npm('electron')]],
  preload: ['^src-main/preload/', [...domain, ...contract, npm('electron')]],
  'renderer-components': [
    '^src-renderer/components/',
    ['^src-renderer/(format|styles)/', npm('svelte', 'bits-ui', '@lucide/svelte', 'uqr', 'virtua')],
  ],
  'renderer-format': ['^src-renderer/format/', [...domain, npm('svelte')]],
  'renderer-state': [
    '^src-renderer/state/',
    [...domain, ...contract, '^src-renderer/(api|format)/', npm('svelte', '@orpc')],
  ],
  'renderer-api': ['^src-renderer/api/', [...domain, ...contract, npm('@orpc', 'svelte')]],
  'renderer-views': [
    '^src-renderer/views/',
    ['^shared/', '^src-renderer/', npm('svelte', 'bits-ui', '@lucide/svelte', 'uqr', 'virtua')],
  ],
  'renderer-entry': [
    '^src-renderer/(main\\.ts|App\\.svelte|styles/|public/|[a-z.]+\\.config\\.[jt]s$)',
    [
      '^shared/',
      '^src-renderer/',
      npm('svelte', 'bits-ui', '@lucide/svelte', 'vite', '@sveltejs/vite-plugin-svelte', '@tailwindcss/vite'),
    ],
  ],
};

/** Types that every room may name: ports hold nothing but types, and may name the words of core. */
const typeRooms = { ports: ['^src-main/ports/', [...domain, '^src-main/core/']] };

/** Rooms that may use Node's own modules, and which; core, shared and the pages have none. */
const noNode = [
  'shared-domain',
  'shared-contract',
  'preload',
  ...Object.keys(rooms).filter((room) => /^(core|renderer)-/.test(room)),
];

const fence = ([room, [own, may]]) => ({
  name: `room-${room}`,
  severity: 'error',
  comment: `${room} may import only what its row of the table names`,
  from: { path: own },
  to: { pathNot: [own, ...may], dependencyTypesNot: ['core'] },
});

export default {
  forbidden: [
    ...Object.entries(rooms).map(fence),
    {
      ...fence(Object.entries(typeRooms)[0]),
      comment: 'ports hold types over the words of core and nothing else',
    },
    {
      name: 'ports-are-types',
      severity: 'error',
      comment: 'a port is a promise, not a thing: it imports types only',
      from: { path: '^src-main/ports/' },
      to: { dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'protocols-without-node',
      severity: 'error',
      comment: 'shared, core and the pages run where there is no Node',
      from: { path: noNode.filter((room) => room !== 'renderer-entry').map((room) => rooms[room][0]) },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'child-processes-in-one-room',
      severity: 'error',
      comment: 'programs start in adapters/process; the desktop host and the command line start only the node process',
      from: { path: '^src-main/', pathNot: ['^src-main/adapters/process/', '^src-main/hosts/(electron|cli)/'] },
      to: { path: '^(node:)?child_process$' },
    },
    {
      name: 'nothing-imports-tests',
      severity: 'error',
      from: { path: '^(shared|src-main|src-renderer)/' },
      to: { path: '^(test|scripts)/' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'every-file-has-a-room',
      severity: 'error',
      comment: 'a new folder fails until someone decides what it is for: add it to the table first',
      from: {
        path: '^(shared|src-main|src-renderer)/',
        pathNot: [...Object.values(rooms), ...Object.values(typeRooms)].map(([own]) => own),
      },
      to: {},
    },
    {
      // A file that imports nothing has no import to judge, so it is judged as an orphan.
      name: 'every-lonely-file-has-a-room',
      severity: 'error',
      from: {
        orphan: true,
        path: '^(shared|src-main|src-renderer)/',
        pathNot: [...Object.values(rooms), ...Object.values(typeRooms)].map(([own]) => own),
      },
      to: {},
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '\\.d\\.ts$|^out/|^dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'svelte', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.mjs', '.svelte', '.d.ts'],
    },
  },
};
