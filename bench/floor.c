/*
 * floor: what sending one stream to many sockets costs at the least.
 *
 * It sends the messages of a script (see bench/fanout/script.go) in a loop, in real
 * time, to everybody who connects: no handshake, no conversation, nothing read. A log
 * of bytes in memory, an offset per viewer, one thread, one call per viewer and batch:
 * what is left is the kernel. Each message's stamp gets its number and time, so that
 * viewers are counted and latency is measured as with any server.
 *
 *   floor -s SCRIPT [-m send|writev|sendfile] [-b BATCH_MS] [-n]
 *
 *   -m  how: send (a call per message), writev (a call per batch), sendfile (a call per
 *       batch, from a memfd)
 *   -b  milliseconds that are gathered; 0 = every message goes at once
 *   -n  TCP_NODELAY; otherwise Nagle's algorithm is on
 *
 * It prints its port, and ends when its standard input does. Not a server: a viewer that
 * falls behind by the whole log is cut.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* The log, a ring. Large enough that no page is rewritten while sendfile's skbs still
 * point to it: half a minute at 8 Mb/s. */
enum { LOG_SIZE = 32 << 20, MAX_VIEWERS = 16384 };

enum mode { SEND, WRITEV, SENDFILE };

struct message {
	uint64_t due;      /* microseconds from the period's begin */
	uint32_t len;      /* bytes on the wire, chunk headers included */
	uint32_t stamp;    /* offset of the stamp, UINT32_MAX = none */
	uint32_t sequence; /* in the first period */
	uint32_t count;    /* of its track in a period */
	uint32_t time;     /* timestamp in the first period, ms */
	uint32_t reserved;
};

struct script {
	uint64_t period; /* microseconds */
	uint32_t messages, preamble_len;
	struct message *m;
	uint8_t *preamble, **bytes;
};

struct viewer {
	int fd;
	uint64_t at; /* offset in the log */
};

static uint8_t *ring;
static int ring_fd;
static uint64_t end; /* bytes ever appended */
static struct viewer viewers[MAX_VIEWERS];
static int nviewers;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t now_us(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* --- the script --- */

static void read_all(FILE *f, void *p, size_t n)
{
	if (n && fread(p, 1, n, f) != n)
		die("script");
}

static void *must_alloc(size_t n)
{
	void *p = malloc(n ? n : 1);
	if (!p)
		die("malloc");
	return p;
}

static struct script load(const char *path)
{
	struct script s;
	char magic[8];
	FILE *f = fopen(path, "rb");
	if (!f)
		die(path);
	read_all(f, magic, sizeof magic);
	if (memcmp(magic, "WFLOOR1\n", 8)) {
		fprintf(stderr, "%s: not a script\n", path);
		exit(1);
	}
	read_all(f, &s.period, 8);
	read_all(f, &s.messages, 4);
	read_all(f, &s.preamble_len, 4);
	s.m = must_alloc(s.messages * sizeof *s.m);
	s.preamble = must_alloc(s.preamble_len);
	s.bytes = must_alloc(s.messages * sizeof *s.bytes);
	read_all(f, s.m, s.messages * sizeof *s.m);
	read_all(f, s.preamble, s.preamble_len);
	for (uint32_t i = 0; i < s.messages; i++) {
		s.bytes[i] = must_alloc(s.m[i].len);
		read_all(f, s.bytes[i], s.m[i].len);
	}
	fclose(f);
	return s;
}

/* put_word writes 64 bits at 7 a byte, as package stamp does. */
static void put_word(uint8_t *p, uint64_t w)
{
	for (int i = 0; i < 10; i++)
		p[i] = 0x80 | (uint8_t)(w >> (7 * i));
}

/* stamp writes the number and the time of a message, and the check byte. */
static void stamp(uint8_t *p, uint64_t sequence, uint64_t time)
{
	uint8_t *words = p + 4;
	put_word(words + 20, sequence);
	put_word(words + 30, time);
	uint32_t h = 2166136261u; /* FNV-1a */
	for (int i = 0; i < 40; i++)
		h = (h ^ words[i]) * 16777619u;
	words[40] = 0x80 | (uint8_t)h;
}

/* --- the log --- */

static void append(const uint8_t *p, size_t n)
{
	size_t at = end % LOG_SIZE, first = n < LOG_SIZE - at ? n : LOG_SIZE - at;
	memcpy(ring + at, p, first);
	memcpy(ring, p + first, n - first);
	end += n;
}

static void append_message(struct script *s, uint32_t i, uint64_t period, uint64_t sent)
{
	struct message *m = &s->m[i];
	uint8_t *p = s->bytes[i];
	uint32_t time = m->time + (uint32_t)(period * s->period / 1000);
	p[1] = (uint8_t)(time >> 16); /* type 0 chunk header, below 2^24 ms */
	p[2] = (uint8_t)(time >> 8);
	p[3] = (uint8_t)time;
	if (m->stamp != UINT32_MAX)
		stamp(p + m->stamp, m->sequence + period * m->count, sent);
	append(p, m->len);
}

/* --- the viewers --- */

static void drop(int i)
{
	close(viewers[i].fd);
	viewers[i] = viewers[--nviewers];
}

static void accept_all(int listener, const struct script *s, int nodelay)
{
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			return;
		if (nviewers == MAX_VIEWERS) {
			close(fd);
			continue;
		}
		if (nodelay)
			setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
		if (send(fd, s->preamble, s->preamble_len, MSG_NOSIGNAL) != (ssize_t)s->preamble_len) {
			close(fd);
			continue;
		}
		viewers[nviewers++] = (struct viewer){fd, end};
	}
}

/* put sends what it can of the log to a viewer: one call, or two where the log
 * wraps or the socket is short. Returns -1 if the viewer is to go. */
static int put(struct viewer *v, enum mode mode)
{
	while (v->at < end) {
		size_t at = v->at % LOG_SIZE, n = end - v->at;
		size_t first = n < LOG_SIZE - at ? n : LOG_SIZE - at;
		ssize_t sent;
		if (n > LOG_SIZE)
			return -1;
		if (mode == SENDFILE) {
			off_t off = (off_t)at;
			sent = sendfile(v->fd, ring_fd, &off, first);
		} else if (mode == WRITEV) {
			struct iovec iov[2] = {{ring + at, first}, {ring, n - first}};
			sent = writev(v->fd, iov, n > first ? 2 : 1);
		} else {
			sent = send(v->fd, ring + at, first, MSG_NOSIGNAL);
		}
		if (sent < 0)
			return errno == EAGAIN ? 0 : -1;
		v->at += (uint64_t)sent;
	}
	return 0;
}

static void flush(enum mode mode)
{
	for (int i = 0; i < nviewers;) {
		if (put(&viewers[i], mode) < 0)
			drop(i);
		else
			i++;
	}
}

/* --- the program --- */

static int listen_on_loopback(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) || listen(fd, 4096) || getsockname(fd, (struct sockaddr *)&a, &len))
		die("listen");
	printf("%d\n", ntohs(a.sin_port));
	fflush(stdout);
	return fd;
}

int main(int argc, char **argv)
{
	enum mode mode = WRITEV;
	uint64_t batch = 0;
	int nodelay = 0, opt;
	const char *path = NULL;
	while ((opt = getopt(argc, argv, "s:m:b:n")) != -1) {
		switch (opt) {
		case 's': path = optarg; break;
		case 'b': batch = strtoull(optarg, NULL, 10) * 1000; break;
		case 'n': nodelay = 1; break;
		case 'm':
			mode = !strcmp(optarg, "send") ? SEND : !strcmp(optarg, "sendfile") ? SENDFILE : WRITEV;
			break;
		default: return 2;
		}
	}
	if (!path) {
		fprintf(stderr, "floor: -s SCRIPT is missing\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	struct script s = load(path);
	ring_fd = memfd_create("floor", MFD_CLOEXEC);
	if (ring_fd < 0 || ftruncate(ring_fd, LOG_SIZE))
		die("memfd");
	ring = mmap(NULL, LOG_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, ring_fd, 0);
	if (ring == MAP_FAILED)
		die("mmap");
	struct pollfd fds[2] = {{.fd = listen_on_loopback(), .events = POLLIN}, {.fd = 0, .events = 0}};

	/* now and all due times are on the monotonic clock; stamps need the wall's */
	uint64_t start = now_us(CLOCK_MONOTONIC), wall = now_us(CLOCK_REALTIME) - start;
	uint64_t period = 0, next_flush = start + batch;
	uint32_t next = 0;
	for (;;) {
		uint64_t due = start + period * s.period + s.m[next].due;
		uint64_t wake = batch && next_flush < due ? next_flush : due;
		uint64_t now = now_us(CLOCK_MONOTONIC);
		struct timespec wait = {0, 0};
		if (wake > now) {
			wait.tv_sec = (time_t)((wake - now) / 1000000);
			wait.tv_nsec = (long)((wake - now) % 1000000 * 1000);
		}
		if (ppoll(fds, 2, &wait, NULL) > 0) {
			if (fds[1].revents)
				return 0;
			accept_all(fds[0].fd, &s, nodelay);
		}
		now = now_us(CLOCK_MONOTONIC);
		while (start + period * s.period + s.m[next].due <= now) {
			append_message(&s, next, period, wall + now);
			if (++next == s.messages) {
				next = 0;
				period++;
			}
			if (!batch)
				flush(mode);
		}
		if (batch && now >= next_flush) {
			flush(mode);
			while (next_flush <= now)
				next_flush += batch;
		}
	}
}
