/** Nchan: Debian's nginx with its module, on a port and in a folder of its own. No service is started or touched. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { benchSystemTools, tools } from '../../scripts/tools.mjs'
import { fileLimit } from '../machine/proc.ts'
import { type Peer, startServer } from './server.ts'

const module = benchSystemTools.find((tool) => tool.name === 'nchan')?.files?.[0]

export const nchan: Peer = {
  name: 'Nchan',
  async start() {
    const folder = mkdtempSync(join(tmpdir(), 'downlink-nchan-'))
    const port = await freePort()
    const config = join(folder, 'nginx.conf')
    writeFileSync(config, configOf(folder, port))
    return startServer({
      name: 'Nchan',
      dialect: 'nchan',
      port,
      command: [tools.nginx, '-p', folder, '-c', config, '-e', join(folder, 'error.log')],
      cleanup: () => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }),
    })
  },
}

/**
 * One worker, nothing logged, connections kept for good. A buffer of messages stays, since without one a subscriber loses what
 * comes between two of its messages; its length makes no difference to the cost of a delivery (10 and 1,000 were tried).
 */
function configOf(folder: string, port: number): string {
  const files = Math.min(fileLimit(), 65_536)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join(' ')
  return `
load_module ${module};
${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off;
worker_processes 1;
worker_rlimit_nofile ${files};
pid ${folder}/nginx.pid;
error_log ${folder}/error.log error;
events { worker_connections ${files - 100}; use epoll; multi_accept on; }
http {
  access_log off;
  ${temporary}
  tcp_nodelay on;
  keepalive_timeout 1h;
  keepalive_requests 1000000000;
  client_body_buffer_size 1m;
  nchan_shared_memory_size 512m;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location ~ ^/pub/([\\w.]+)$ {
      nchan_publisher;
      nchan_channel_id $1;
      nchan_message_buffer_length 1000;
      nchan_message_timeout 10m;
    }
    location ~ ^/sub/([\\w.,]+)$ {
      nchan_subscriber eventsource;
      nchan_channel_id $1;
      nchan_channel_id_split_delimiter ",";
      nchan_subscriber_first_message newest;
      nchan_eventsource_ping_interval 15;
    }
    location / { return 204; }
  }
}
`
}

/** It may be taken by someone else before nginx has it; then nginx says so, and the benchmark fails. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
