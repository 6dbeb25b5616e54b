// HKube's own packages as a peer: reads one request per line from stdin, writes one answer per line to stdout.
'use strict';

const readline = require('readline');

// @hkube/worker-data-adapter needs zeromq 5, which has no binary for current versions of node.
require.cache[require.resolve('zeromq')] = {
    id: 'zeromq', filename: 'zeromq', loaded: true, exports: require('zeromq/v5-compat'),
};
// Its logger writes to stdout, which is reserved for the answers.
console.log = console.error;
const write = process.stdout.write.bind(process.stdout);
process.stdout.write = process.stderr.write.bind(process.stderr);

const { Encoding } = require('@hkube/encoding');
const storageManager = require('@hkube/storage-manager');
const { dataAdapter, DataServer } = require('@hkube/worker-data-adapter');

const options = JSON.parse(process.argv[2]);
const encoding = new Encoding({ type: options.encoding });
let server = null;

// JSON cannot carry bytes.
function fromWire(value) {
    return value && typeof value === 'object' && '$raw' in value ? Buffer.from(value.$raw, 'base64') : value;
}

function toWire(value) {
    if (value instanceof Uint8Array) {
        return { $raw: Buffer.from(value).toString('base64') };
    }
    if (Array.isArray(value)) {
        return value.map(toWire);
    }
    return value;
}

const requests = {
    async put({ path, value }) {
        const { header, payload } = encoding.encodeHeaderPayload(fromWire(value));
        await storageManager.storage.put({ path, header, data: payload, encodeOptions: { ignoreEncode: true } });
        return { path, size: payload.length };
    },
    async get({ path }) {
        const { payload } = await storageManager.storage.getCustomData({ path });
        return toWire(payload);
    },
    async pathOfTask({ jobId, taskId }) {
        return storageManager.hkube.createPath({ jobId, taskId });
    },
    async getData({ job }) {
        return toWire(await dataAdapter.getData(job));
    },
    async serve({ port, maxCacheSize }) {
        server = new DataServer({ host: '127.0.0.1', port, encoding: options.encoding, maxCacheSize });
        await server.listen();
        return true;
    },
    async hold({ taskId, value }) {
        const { header, payload } = encoding.encodeHeaderPayload(fromWire(value));
        return server.setSendingState(taskId, payload, payload.length, header);
    },
};

async function main() {
    await dataAdapter.init({
        clusterName: options.clusterName,
        defaultStorage: options.storage,
        storageAdapters: {
            fs: {
                encoding: options.encoding,
                maxCacheSize: 0,
                moduleName: '@hkube/fs-adapter',
                connection: { baseDirectory: options.folder },
            },
            s3: {
                encoding: options.encoding,
                maxCacheSize: 0,
                moduleName: '@hkube/s3-adapter',
                connection: {
                    endpoint: options.url, accessKeyId: options.key, secretAccessKey: options.secret, region: 'us-east-1',
                },
            },
        },
        discovery: { encoding: options.encoding, timeout: 5000, networkTimeout: 1000, concurrency: 5 },
    });
    for await (const line of readline.createInterface({ input: process.stdin })) {
        const { request, ...argumentsOf } = JSON.parse(line);
        let answer;
        try {
            answer = { value: await requests[request](argumentsOf) };
        }
        catch (error) {
            answer = { error: String(error && error.stack) };
        }
        write(`${JSON.stringify(answer)}\n`);
    }
    process.exit(0);
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
