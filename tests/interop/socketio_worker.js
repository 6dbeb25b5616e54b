/* A worker on a real socket.io server. Options: the first argument. Requests: lines on stdin. */
const http = require('http');
const readline = require('readline');
const socketio = require('socket.io');

const { port = 0, listened, ...options } = JSON.parse(process.argv[2]);
const report = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
let newest = null;

const server = http.createServer();
const io = socketio(server, { serveClient: false, ...options });
io.on('connection', (socket) => {
    newest = socket;
    report({ event: 'connected', transport: socket.conn.transport.name });
    listened.forEach((name) => socket.on(name, (message) => report({ event: 'message', name, message })));
    socket.use((packet, next) => {
        if (!listened.includes(packet[0])) {
            report({ event: 'unheard', name: packet[0] });
        }
        next();
    });
    socket.conn.on('packet', (packet) => packet.type === 'ping' && report({ event: 'ping' }));
    socket.conn.on('packet', (packet) => packet.type === 'pong' && report({ event: 'pong', data: packet.data }));
    socket.on('disconnect', (reason) => report({ event: 'disconnected', reason }));
});

// { "$raw": base64 } stands for a buffer.
const revive = (key, value) => (value && value.$raw !== undefined ? Buffer.from(value.$raw, 'base64') : value);
const requests = {
    emit: ({ message }) => newest.emit(message.command, message),
    emitNothing: ({ name }) => newest.emit(name),
    disconnect: () => newest.disconnect(true),
    closeSession: () => newest.conn.close(),
    terminate: () => newest.conn.transport.socket.terminate(),
    ping: ({ data }) => newest.conn.sendPacket('ping', data),
};
readline.createInterface({ input: process.stdin })
    .on('line', (line) => {
        const { request, ...given } = JSON.parse(line, revive);
        requests[request](given);
    })
    .on('close', () => process.exit(0));
server.listen(port, '127.0.0.1', () => report({ event: 'listening', port: server.address().port }));
