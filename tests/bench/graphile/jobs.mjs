// Queues jobs in statements of 100 while a worker does them, and prints as JSON how many seconds it
// took until the table was empty again and how many this process spent:
//
//   node jobs.mjs SOCKET_FOLDER JOBS
//
// A private PostgreSQL of the bench; the settings are those that graphile-worker's own manual gives
// for speed.
import { makeWorkerUtils, run } from "graphile-worker";
import pg from "pg";

const [host, jobs] = [process.argv[2], Number(process.argv[3])];
const pool = new pg.Pool({ host, port: 5432, user: "sojourn", database: "postgres", max: 25 });
const utils = await makeWorkerUtils({ pgPool: pool });
await utils.migrate();

let done = 0;
let allDone;
const worked = new Promise((resolve) => (allDone = resolve));
const runner = await run({
    pgPool: pool,
    noHandleSignals: true,
    taskList: {
        call: async () => {
            if (++done === jobs) allDone();
        },
    },
    preset: {
        worker: {
            concurrentJobs: 24,
            localQueue: { size: 500 },
            completeJobBatchDelay: 0,
            failJobBatchDelay: 0,
        },
    },
});

const cpu = process.cpuUsage();
const begin = performance.now();
for (let at = 0; at < jobs; at += 100) {
    const batch = Array.from({ length: Math.min(100, jobs - at) }, (_, i) => ({
        identifier: "call",
        payload: { n: at + i },
    }));
    await utils.addJobs(batch);
}
await worked;
for (;;) {
    const { rows } = await pool.query("SELECT count(*)::int AS left FROM graphile_worker.jobs");
    if (rows[0].left === 0) break;
}
const seconds = (performance.now() - begin) / 1000;
const { user, system } = process.cpuUsage(cpu);
await runner.stop();
await utils.release();
await pool.end();
console.log(JSON.stringify({ seconds, cpu: (user + system) / 1e6, done }));
