/* The load client of Tidings' benchmark: one thread, one epoll, readers and publishers of event streams.
 *
 *   load PORT [size=100] [grace=10] [limit=120] [sub key=value …]… [pub key=value …]…
 *
 *   sub  name= topic= path= [count=1] [header=] [each=1]      `count` readers; each=1: one topic a reader, %d in path is its index;
 *                                                             each=N: N topics, and %d is the index modulo N
 *        [record=1]                                           keeps the id of every event of the topic's history
 *        [ids=NAME low= high= delay= spread=]                 a storm: `delay` s after "go" and within `spread` s, reader i
 *                                                             returns with the id that NAME kept low..high events ago
 *        [again=1]                                            a reader whose stream ends returns, after the time that the
 *                                                             server named in `retry`, with the id of its last event
 *   pub  topic= path= [conns=1] [rate=0] [batch=1] [count=] [seconds=] [header=] [topics=0] [history=1]
 *                                                             rate 0: a reply asks for the next request (closed loop);
 *                                                             topics=N: round robin over N topics, %d in path
 *
 * Prints {"ready"…} when every reader is answered and has read the history, waits for a line on stdin, runs, and prints
 * {"result"…}. An event's data is `size` bytes of JSON: the time it was DUE at the publisher (monotonic ns; with a rate,
 * the schedule's time, so a late publisher counts as latency), a slot and a number dense in its slot. A slot is one
 * publishing connection, hence ordered. Every reader checks every event's bytes, gaps, duplicates and order by slot, and
 * a hash of the whole order, which must be one for all readers of a topic. Exit 2: bad arguments, no socket, time is up. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

typedef uint64_t u64;
typedef unsigned long long llu;
enum { SLOTS = 64, GROUPS = 8, LINE = 1200, ID = 100, BUFFER = 1 << 18, BUCKETS = 64 * 32, PER_ADDRESS = 20000, WINDOW = 128, TENTHS = 3000 };
enum { READER, LINK, TIMER, STDIN }; /* the first int of everything that epoll knows */
static const u64 TIME_BASE = 1000000000000000000ull; /* makes every time 19 digits; numbers are 10, slots 3 */

#define die(...) (fprintf(stderr, "load: " __VA_ARGS__), fputc('\n', stderr), exit(2))

typedef struct { u64 n, max, bucket[BUCKETS]; } Hist;

typedef struct Conn {
    int kind, fd, index, kept, framed;
    struct Sub *sub;
    enum { CONNECTING, STATUS, HEADERS, SIZE, CHUNK, PLAIN, GONE } state;
    bool chunked, pending, seen;
    uint32_t slot, number;
    u64 left, order, born, retry, due;
    char stamp[19];
    uint32_t next[SLOTS];
    char id[ID], last[ID], frame[160], line[LINE];
} Conn;

typedef struct Sub { /* a group of readers */
    const char *name, *topic, *path, *header, *ids;
    int count, each, record, low, high, again, opened, answered, open, level, away, returned;
    double delay, spread;
    struct Sub *recorder;
    struct Pub *history;
    Conn *conns;
    char (*kept)[ID];
    u64 got, expected, gaps, duplicates, foreign, dropped, refused, opened_last, level_last, returned_last;
    int tenths[TENTHS]; /* readers that connected again in each tenth of a second since "go" */
    Hist latency, storming, catch_up;
} Sub;

typedef struct { int kind, fd, index; struct Pub *pub; bool busy; u64 at, number; size_t kept; char reply[4096]; } Link;

typedef struct Pub { /* a group of publishing connections */
    int kind, fd; /* a timer */
    const char *topic, *path, *header;
    int conns, batch, topics, history, slot, busy, dead;
    double rate, seconds;
    bool done;
    u64 count, sent, requests, errors, began, ended;
    Link *links;
    char *body;
    size_t length, stride;
    Hist reply;
} Pub;

static Sub subs[GROUPS];
static Pub pubs[GROUPS];
static int n_subs, n_pubs, n_slots, epoll, port, dialled, size = 100, storms;
static double grace = 10, limit = 120;
static bool running, told;
static u64 read_at, delivered, cached_latency, began_at;
static char buffer[BUFFER], tail[LINE], cached_stamp[19], complaint[200];

static u64 now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* A histogram of ns, 32 buckets for each power of two: a percentile is at most 3 % off. */
static void add(Hist *h, u64 v) {
    int e = v < 64 ? 0 : 58 - __builtin_clzll(v); /* v >> e is in 32..63 */
    h->bucket[(e << 5) + (v >> e)]++; /* so e << 5 leaves room for the 64 first */
    h->n++;
    if (v > h->max) h->max = v;
}
static double at(const Hist *h, double q) { /* ms */
    u64 want = h->n * q, seen = 0;
    for (int i = 0; i < BUCKETS; i++)
        if ((seen += h->bucket[i]) > want) {
            int e = i < 64 ? 0 : (i >> 5) - 1;
            return ((i - (e << 5)) + 0.5) * (double)(1ull << e) / 1e6;
        }
    return h->max / 1e6;
}
static void show(const char *key, const Hist *h) {
    printf(",\"%s\":{\"n\":%llu,\"p50\":%.3f,\"p90\":%.3f,\"p99\":%.3f,\"max\":%.3f}", key, (llu)h->n, at(h, .5), at(h, .9),
           at(h, .99), h->max / 1e6);
}

static int dial(void *who) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    if (fd < 0) die("no socket: %s (RLIMIT_NOFILE?)", strerror(errno));
    /* another source address for every 20,000 connections: one has some 28,000 ports */
    struct sockaddr_in me = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK + dialled++ / PER_ADDRESS)}};
    struct sockaddr_in you = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (bind(fd, (void *)&me, sizeof me)) die("no address: %s", strerror(errno));
    if (connect(fd, (void *)&you, sizeof you) && errno != EINPROGRESS) die("no connection: %s", strerror(errno));
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = who};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e)) die("epoll: %s", strerror(errno));
    return fd;
}
/* True when the connection has just been made; it is watched for reading only from then on. */
static bool made(int fd, void *who) {
    int error = 0;
    socklen_t n = sizeof error;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n);
    struct epoll_event e = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = who}; /* edges: a level is asked twice for each read */
    epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &e);
    return !error;
}

/* ---- readers ---- */

static uint32_t digits(const char *p, int n) {
    uint32_t v = 0;
    while (n--) v = v * 10 + (*p++ - '0');
    return v;
}

/* A whole event: its blank line was read. */
static void event(Conn *c) {
    Sub *s = c->sub;
    c->pending = false;
    uint32_t number = c->number, wanted = c->next[c->slot];
    if (number < wanted) {
        s->duplicates++;
        return;
    }
    s->gaps += number - wanted;
    c->next[c->slot] = number + 1;
    c->order = (c->order ^ ((u64)c->slot << 32 | number)) * 0x9E3779B97F4A7C15ull;
    s->got++, delivered++;
    bool past = s->history && (int)c->slot == s->history->slot;
    if (past && s->record && number < s->history->count) memcpy(s->kept[number], c->id, ID);
    if (s->again) memcpy(c->last, c->id, ID);
    if (!running) return;
    if (past) { /* the age of history says nothing; when its last event was read does */
        if (s->ids && number + 1 == s->history->count) {
            add(&s->catch_up, read_at - c->born);
            s->level_last = read_at;
            if (++s->level == s->count) storms--;
        }
        return;
    }
    if (memcmp(cached_stamp, c->stamp, 19)) { /* the events of one batch have one time */
        u64 t = 0;
        for (int i = 0; i < 19; i++) t = t * 10 + (c->stamp[i] - '0');
        t -= TIME_BASE;
        cached_latency = read_at > t ? read_at - t : 0;
        memcpy(cached_stamp, c->stamp, 19);
    }
    if (c->seen && cached_latency > read_at - c->born) { /* published while the reader was away */
        add(&s->catch_up, read_at - c->born);
        return;
    }
    add(&s->latency, cached_latency);
    if (storms) add(&s->storming, cached_latency);
}

/* A line of the event stream, without its end. */
static void line(Conn *c, const char *p, int n) {
    if (n && p[n - 1] == '\r') n--;
    if (!n) {
        if (c->pending) event(c);
    } else if (n > 6 && !memcmp(p, "data:", 5)) {
        int skip = p[5] == ' ' ? 6 : 5;
        p += skip;
        bool ours = n - skip == size && !c->pending && !memcmp(p, "{\"t\":", 5) && !memcmp(p + 47, tail, size - 47);
        uint32_t slot = ours ? digits(p + 29, 3) - 100 : SLOTS;
        if (slot < SLOTS) {
            memcpy(c->stamp, p + 5, 19);
            c->slot = slot, c->number = digits(p + 38, 9), c->pending = true;
        } else
            c->sub->foreign++;
    } else if ((c->sub->record || c->sub->again) && n > 4 && n - 4 < ID && !memcmp(p, "id: ", 4))
        memcpy(c->id, p + 4, n - 4), c->id[n - 4] = 0;
    else if (c->sub->again && n > 7 && n < 20 && !memcmp(p, "retry: ", 7))
        c->retry = strtoull(p + 7, NULL, 10);
    else if (n > 6 && !memcmp(p, "event:", 6)) { /* a tidings.reset, an error: none of ours has a type */
        c->sub->foreign++;
        if (!*complaint) snprintf(complaint, sizeof complaint, "%.*s", n, p);
    }
}
static void lines(Conn *c, const char *p, const char *end) {
    while (p < end) {
        const char *stop = memchr(p, '\n', end - p);
        int n = (stop ? stop + 1 : end) - p;
        if (c->kept || !stop) { /* a line that two reads or two chunks share */
            if (c->kept + n > LINE) die("a line of more than %d bytes", LINE);
            memcpy(c->line + c->kept, p, n);
            c->kept += n;
            if (!stop) return;
            line(c, c->line, c->kept - 1);
            c->kept = 0;
        } else
            line(c, p, n - 1);
        p += n;
    }
}

static void hang_up(Conn *c) {
    if (c->sub->again && running) { /* a refused connection is a fault, and is made again */
        if (c->state > HEADERS) c->sub->open--;
        else c->sub->refused++;
        if (!c->due) c->sub->away++;
        c->due = now() + (c->retry ? c->retry : 3000) * 1000000ull;
    } else if (c->state > HEADERS) c->sub->dropped++, c->sub->open--;
    else c->sub->refused++, c->sub->answered++;
    c->state = GONE;
    close(c->fd);
}
/* A line of the response's head or of the chunked framing. */
static void framing(Conn *c, char *p, int n) {
    if (n && p[n - 1] == '\r') n--;
    p[n] = 0;
    if (c->state == STATUS) {
        c->state = HEADERS;
        if (n >= 12 && !memcmp(p + 9, "200", 3)) return;
        if (!*complaint) snprintf(complaint, sizeof complaint, "%s", p);
        c->state = STATUS, hang_up(c);
    } else if (c->state == HEADERS) {
        if (!strcasecmp(p, "transfer-encoding: chunked")) c->chunked = true;
        if (!n) {
            c->state = c->chunked ? SIZE : PLAIN, c->sub->open++;
            if (!c->seen) c->sub->answered++;
            else c->due = 0, c->sub->away--, c->sub->returned++, c->sub->returned_last = now();
        }
    } else if (n) { /* an empty line ends the chunk before */
        c->left = strtoull(p, NULL, 16);
        if (c->left) c->state = CHUNK;
        else hang_up(c);
    }
}
static void feed(Conn *c, const char *p, const char *end) {
    while (p < end && c->state != GONE)
        if (c->state == CHUNK || c->state == PLAIN) {
            u64 n = end - p;
            if (c->state == CHUNK) {
                if (n > c->left) n = c->left;
                if (!(c->left -= n)) c->state = SIZE;
            }
            lines(c, p, p + n);
            p += n;
        } else {
            char byte = *p++;
            if (byte == '\n') {
                int n = c->framed;
                c->framed = 0;
                framing(c, c->frame, n);
            } else if (c->framed < (int)sizeof c->frame - 1)
                c->frame[c->framed++] = byte;
        }
}
/* `over`: the server has closed, and the edge of that may have come with the last bytes. */
static void on_reader(Conn *c, bool over) {
    if (c->state == CONNECTING) {
        char path[300], past[ID + 20] = "", request[1500];
        Sub *s = c->sub;
        c->state = STATUS;
        if (!made(c->fd, c)) return hang_up(c);
        snprintf(path, sizeof path, s->path, s->each > 1 ? c->index % s->each : c->index);
        if (s->ids) {
            int behind = s->low + (s->high > s->low ? c->index % (s->high - s->low + 1) : 0);
            c->next[s->history->slot] = s->history->count - behind;
            s->expected += behind;
            snprintf(past, sizeof past, "Last-Event-ID: %s\r\n", s->recorder->kept[s->history->count - behind - 1]);
        } else if (*c->last)
            snprintf(past, sizeof past, "Last-Event-ID: %s\r\n", c->last);
        int n = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n%s%s%s\r\n",
                         path, past, s->header, *s->header ? "\r\n" : "");
        if (n >= (int)sizeof request || write(c->fd, request, n) != n) die("a request was not written");
        return;
    }
    for (ssize_t n = BUFFER; (n == BUFFER || over) && c->state != GONE;) { /* a short read has emptied the socket */
        n = read(c->fd, buffer, BUFFER);
        if (n < 0 && errno == EAGAIN) return;
        if (n <= 0) return hang_up(c);
        read_at = now();
        cached_stamp[0] = 0;
        feed(c, buffer, buffer + n);
    }
}
static void open_one(Sub *s) {
    Conn *c = &s->conns[s->opened];
    *c = (Conn){.kind = READER, .index = s->opened++, .sub = s, .born = now()};
    s->opened_last = c->born;
    c->fd = dial(c);
}
/* Connects again whoever's time has come. */
static void reopen(Sub *s) {
    u64 t = now();
    for (Conn *c = s->conns; s->away && c < s->conns + s->count; c++)
        if (c->state == GONE && c->due && c->due <= t) {
            u64 tenth = (t - began_at) / 100000000;
            if (tenth < TENTHS) s->tenths[tenth]++;
            c->state = CONNECTING, c->kept = c->framed = 0, c->chunked = c->pending = false, c->left = 0;
            c->seen = true, c->born = t;
            c->fd = dial(c);
        }
}
/* The most of these connections in any second. */
static int peak(Sub *s) {
    int most = 0;
    for (int i = 0, n = 0; i < TENTHS; i++) {
        n += s->tenths[i] - (i < 10 ? 0 : s->tenths[i - 10]);
        if (n > most) most = n;
    }
    return most;
}

/* ---- publishers ---- */

static void put(char *p, u64 v, int n) {
    while (n--) p[n] = '0' + v % 10, v /= 10;
}
static void prepare(Pub *p) {
    const char *before = p->batch > 1 ? "{\"data\":" : "", *after = p->batch > 1 ? "}\n" : "";
    p->stride = strlen(before) + size + strlen(after);
    p->length = p->stride * p->batch;
    p->body = malloc(p->length + 1);
    for (int i = 0; i < p->batch; i++)
        sprintf(p->body + i * p->stride, "%s{\"t\":%019d,\"s\":%d,\"n\":%010d%s%s", before, 0, 100 + p->slot, 0, tail, after);
}
/* One request with the events due at `due`; `link` is idle. */
static void publish(Link *l, u64 due) {
    Pub *p = l->pub;
    char head[600], path[300];
    int topic = p->topics ? p->sent % p->topics : 0, skip = p->batch > 1 ? 8 : 0;
    for (int i = 0; i < p->batch; i++) {
        char *event = p->body + i * p->stride + skip;
        put(event + 5, TIME_BASE + due, 19);
        put(event + 29, 100 + p->slot + (p->topics ? 0 : l->index), 3);
        put(event + 37, 1000000000 + (p->topics ? p->sent / p->topics : l->number++), 10);
        p->sent++;
    }
    snprintf(path, sizeof path, p->path, topic);
    int n = snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s%s\r\n", path,
                     p->batch > 1 ? "application/x-ndjson" : "application/json", p->length, p->header, *p->header ? "\r\n" : "");
    struct iovec parts[] = {{head, n}, {p->body, p->length}};
    l->busy = true, l->kept = 0, l->at = now();
    p->busy++, p->requests++;
    if (writev(l->fd, parts, 2) != (ssize_t)(n + p->length)) die("a publication was not written whole");
}
/* A schedule that a slow server keeps from being published is given up after half as long again. */
static bool over(Pub *p) {
    double seconds = (now() - p->began) / 1e9;
    return p->dead == p->conns || (p->count && p->sent >= p->count) || (p->seconds && seconds >= p->seconds * (p->rate ? 1.5 : 1));
}
/* Sends whatever is due and has an idle connection. */
static void push(Pub *p) {
    if (!p->began || p->done) return;
    for (int i = 0; i < p->conns && !over(p); i++) {
        Link *l = &p->links[i];
        if (l->busy || l->fd < 0 || !l->at) continue;
        u64 due = p->rate ? p->began + (u64)(p->requests * 1e9 / p->rate) : now();
        if (due > now()) {
            struct itimerspec t = {.it_value = {due / 1000000000, due % 1000000000}};
            timerfd_settime(p->fd, TFD_TIMER_ABSTIME, &t, NULL);
            return;
        }
        publish(l, due);
    }
    if (over(p) && !p->busy) p->done = true, p->ended = now();
}
static void on_link(Link *l) {
    Pub *p = l->pub;
    if (l->at == 0) { /* being connected */
        if (!made(l->fd, l)) die("a publisher was refused");
        l->at = 1;
        return push(p);
    }
    ssize_t n = read(l->fd, l->reply + l->kept, sizeof l->reply - 1 - l->kept);
    if (n < 0 && errno == EAGAIN) return;
    char *end = NULL, *length;
    if (n > 0) {
        l->kept += n;
        l->reply[l->kept] = 0;
        if (!(end = strstr(l->reply, "\r\n\r\n")) && l->kept < sizeof l->reply - 1) return;
        if (end && (length = strcasestr(l->reply, "\ncontent-length:")) && length < end) {
            if ((size_t)(end + 4 - l->reply) + atol(length + 16) > l->kept) return;
        } else if (end && strcasestr(l->reply, "\ntransfer-encoding: chunked") && !strstr(end, "0\r\n\r\n"))
            return;
    }
    if (!n && !l->busy) { /* a keep-alive connection that was idle for long: the server may */
        close(l->fd);
        l->at = 0, l->fd = dial(l);
        return;
    }
    if (l->busy) p->busy--;
    l->busy = false;
    if (!end) close(l->fd), l->fd = -1, p->dead++;
    else add(&p->reply, now() - l->at);
    if (end && strcasestr(l->reply, "\nconnection: close") && strcasestr(l->reply, "\nconnection: close") < end) {
        close(l->fd);
        l->at = 0, l->fd = dial(l);
    }
    if (!end || l->reply[9] != '2') {
        p->errors++;
        if (!*complaint) snprintf(complaint, sizeof complaint, "%.150s", n > 0 ? l->reply : "a publisher's connection was closed");
    }
    push(p);
}
static void begin(Pub *p) {
    p->began = now();
    if (p->rate && p->seconds) p->count = p->rate * p->seconds * p->batch;
    push(p);
}

/* ---- the run ---- */

static void dispatch(int ms) {
    struct epoll_event events[64];
    int n = epoll_wait(epoll, events, 64, ms);
    for (int i = 0; i < n; i++) {
        int kind = *(int *)events[i].data.ptr;
        if (kind == READER) on_reader(events[i].data.ptr, events[i].events & EPOLLRDHUP);
        else if (kind == LINK) on_link(events[i].data.ptr);
        else if (kind == STDIN) told = true;
        else {
            u64 ticks;
            Pub *p = events[i].data.ptr;
            if (read(p->fd, &ticks, 8) == 8) push(p);
        }
    }
}
static bool same(const char *a, const char *b) { return !strcmp(a, b); }

static const char **set(const char **words, void *base, const char *keys[], const int offsets[], const char *types) {
    for (; *words && strchr(*words, '='); words++) {
        int i = 0;
        size_t n = strchr(*words, '=') - *words;
        const char *value = *words + n + 1;
        while (keys[i] && (strlen(keys[i]) != n || strncmp(keys[i], *words, n))) i++;
        if (!keys[i]) die("unknown: %s", *words);
        void *field = (char *)base + offsets[i];
        if (types[i] == 's') *(const char **)field = value;
        else if (types[i] == 'd') *(double *)field = atof(value);
        else if (types[i] == 'u') *(u64 *)field = strtoull(value, NULL, 10);
        else *(int *)field = atoi(value);
    }
    return words;
}
#define OF(type, field) (int)__builtin_offsetof(type, field)
static void arguments(const char **words) {
    static const char *sk[] = {"name", "topic", "path", "header", "ids", "count", "each", "record", "low", "high", "again", "delay", "spread", 0};
    static const int so[] = {OF(Sub, name), OF(Sub, topic), OF(Sub, path), OF(Sub, header), OF(Sub, ids), OF(Sub, count), OF(Sub, each),
                             OF(Sub, record), OF(Sub, low), OF(Sub, high), OF(Sub, again), OF(Sub, delay), OF(Sub, spread)};
    static const char *pk[] = {"topic", "path", "header", "conns", "batch", "topics", "history", "rate", "seconds", "count", 0};
    static const int po[] = {OF(Pub, topic), OF(Pub, path), OF(Pub, header), OF(Pub, conns), OF(Pub, batch), OF(Pub, topics),
                             OF(Pub, history), OF(Pub, rate), OF(Pub, seconds), OF(Pub, count)};
    while (*words) {
        const char *word = *words++;
        if (same(word, "sub") && n_subs < GROUPS) {
            Sub *s = &subs[n_subs++];
            s->count = 1, s->header = s->name = "";
            words = set(words, s, sk, so, "sssssiiiiiidd");
            if (!s->topic || !s->path) die("a sub needs topic and path");
            s->conns = calloc(s->count, sizeof(Conn));
        } else if (same(word, "pub") && n_pubs < GROUPS) {
            Pub *p = &pubs[n_pubs++];
            p->kind = TIMER, p->conns = p->batch = 1, p->header = "";
            words = set(words, p, pk, po, "sssiiiiddu");
            if (!p->topic || !p->path || (!p->count && !p->seconds)) die("a pub needs topic, path, and count or seconds");
            p->slot = n_slots;
            n_slots += p->topics ? 1 : p->conns;
        } else if (!strncmp(word, "size=", 5)) size = atoi(word + 5);
        else if (!strncmp(word, "grace=", 6)) grace = atof(word + 6);
        else if (!strncmp(word, "limit=", 6)) limit = atof(word + 6);
        else die("unknown: %s", word);
    }
    if (n_slots > SLOTS || size < 60 || size > 1000) die("at most %d publishing connections, and a size of 60 to 1000", SLOTS);
    sprintf(tail, ",\"p\":\"%0*d\"}", size - 55, 0);
}
static void wire(void) {
    for (Sub *s = subs; s < subs + n_subs; s++) {
        for (Pub *p = pubs; p < pubs + n_pubs; p++)
            if (p->history && same(p->topic, s->topic)) s->history = p;
        for (Sub *r = subs; s->ids && r < subs + n_subs; r++)
            if (same(r->name, s->ids)) s->recorder = r;
        if (s->record && s->history) s->kept = calloc(s->history->count, ID);
        if (s->history && (s->history->conns > 1 || s->history->count % s->history->batch)) die("history: one connection, whole batches");
        if (s->ids && (!s->recorder || !s->recorder->kept || s->high >= (int)s->history->count)) die("a storm needs a recorder and history");
    }
    for (Pub *p = pubs; p < pubs + n_pubs; p++) {
        prepare(p);
        p->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = p};
        epoll_ctl(epoll, EPOLL_CTL_ADD, p->fd, &e);
        p->links = calloc(p->conns, sizeof(Link));
        for (int i = 0; i < p->conns; i++) {
            p->links[i] = (Link){.kind = LINK, .index = i, .pub = p};
            p->links[i].fd = dial(&p->links[i]);
        }
    }
}
/* Events of a topic: those that were published, or, of a schedule, all that should have been. */
static u64 published(Sub *s, bool history) {
    u64 n = 0;
    for (Pub *p = pubs; p < pubs + n_pubs; p++)
        if (same(p->topic, s->topic) && (bool)p->history == history) n += p->rate ? p->count : p->sent;
    return n;
}
/* Events that all readers of a group are to read. */
static u64 due_to(Sub *s) {
    u64 readers = s->each > 1 ? s->count / s->each : s->each ? 1 : s->count;
    return (s->ids ? s->expected : 0) + published(s, false) * readers;
}
/* True when every reader is answered and has read the whole history. */
static bool ready(void) {
    bool all = true;
    for (Sub *s = subs; s < subs + n_subs; s++) {
        if (s->ids) continue;
        while (s->opened < s->count && s->opened - s->answered < WINDOW) open_one(s);
        all &= s->answered == s->count;
    }
    for (Pub *p = pubs; p < pubs + n_pubs; p++)
        for (int i = 0; i < p->conns; i++) all &= p->links[i].at != 0;
    if (!all) return false;
    for (Pub *p = pubs; p < pubs + n_pubs; p++)
        if (p->history) {
            if (!p->began) begin(p);
            all &= p->done;
        }
    for (Sub *s = subs; s < subs + n_subs; s++)
        if (!s->ids) all &= s->got >= published(s, true) * s->open;
    return all;
}
/* Opens what is due of the storms; true when all are open, all publishers done, and every event is read. */
static bool finished(u64 went) {
    bool all = true;
    u64 expected = 0;
    for (Sub *s = subs; s < subs + n_subs; s++) {
        double since = (now() - went) / 1e9 - s->delay;
        if (s->ids)
            while (s->opened < s->count && since >= s->spread * s->opened / s->count) {
                if (!s->opened) storms++;
                open_one(s);
            }
        reopen(s);
        all &= s->opened == s->count && !s->away;
    }
    for (Pub *p = pubs; p < pubs + n_pubs; p++) all &= p->done;
    for (Sub *s = subs; s < subs + n_subs && all; s++) {
        all &= s->answered == s->count;
        expected += due_to(s);
    }
    return all && delivered >= expected;
}
static void report(u64 went, u64 ended, double cpu) {
    printf("{\"result\":{\"seconds\":%.3f,\"client_cpu\":%.4f,\"complaint\":\"", (ended - went) / 1e9, cpu);
    for (char *p = complaint; *p; p++) putchar(*p < ' ' || *p == '"' || *p == '\\' ? ' ' : *p);
    printf("\",\"subs\":[");
    for (Sub *s = subs; s < subs + n_subs; s++) {
        u64 expected = due_to(s);
        int orders = 0; /* how many readers saw another order than the first */
        for (int i = 1; i < s->count && !s->each && !s->ids; i++) orders += s->conns[i].order != s->conns[0].order;
        printf("%s{\"name\":\"%s\",\"count\":%d,\"open\":%d,\"got\":%llu,\"missing\":%lld,\"gaps\":%llu,\"duplicates\":%llu,"
               "\"foreign\":%llu,\"dropped\":%llu,\"refused\":%llu,\"orders\":%d,\"level\":%d,\"level_after\":%.4f,"
               "\"returned\":%d,\"returned_after\":%.3f,\"peak\":%d",
               s > subs ? "," : "", s->name, s->count, s->open, (llu)s->got, (long long)(expected - s->got), (llu)s->gaps,
               (llu)s->duplicates, (llu)s->foreign, (llu)s->dropped, (llu)s->refused, orders, s->level,
               s->level_last ? ((double)s->level_last - (double)s->opened_last) / 1e9 : 0, s->returned,
               s->returned_last ? (s->returned_last - went) / 1e9 : 0, peak(s));
        show("latency", &s->latency), show("storming", &s->storming), show("catch_up", &s->catch_up);
        putchar('}');
    }
    printf("],\"pubs\":[");
    for (Pub *p = pubs; p < pubs + n_pubs; p++) {
        printf("%s{\"topic\":\"%s\",\"sent\":%llu,\"requests\":%llu,\"errors\":%llu,\"done\":%d,\"seconds\":%.4f", p > pubs ? "," : "", p->topic,
               (llu)p->sent, (llu)p->requests, (llu)p->errors, p->done, p->began ? ((p->ended ? p->ended : ended) - p->began) / 1e9 : 0);
        show("reply", &p->reply);
        putchar('}');
    }
    puts("]}}");
}
static double cpu(void) {
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return r.ru_utime.tv_sec + r.ru_stime.tv_sec + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}
int main(int argc, const char **argv) {
    struct rlimit files;
    int in = STDIN;
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = &in};
    if (argc < 3) die("load PORT [key=value…] [sub …]… [pub …]…");
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    setvbuf(stdout, NULL, _IOLBF, 0);
    port = atoi(argv[1]);
    epoll = epoll_create1(0);
    arguments(argv + 2);
    wire();
    u64 started = now(), connected = 0;
    while (!ready()) {
        dispatch(5);
        if (now() - started > limit * 1e9) die("not ready after %.0f s: %s", limit, complaint);
    }
    connected = now();
    int open = 0;
    for (Sub *s = subs; s < subs + n_subs; s++) open += s->open;
    printf("{\"ready\":{\"seconds\":%.3f,\"open\":%d,\"client_cpu\":%.4f}}\n", (connected - started) / 1e9, open, cpu());
    epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &e);
    while (!told) dispatch(100); /* a closed stdin tells, too */
    char word[64];
    if (read(0, word, sizeof word) <= 0) return 0;
    epoll_ctl(epoll, EPOLL_CTL_DEL, 0, NULL);
    delivered = 0;
    for (Sub *s = subs; s < subs + n_subs; s++) s->got = 0;
    double used = cpu();
    u64 went = now(), published_at = went;
    began_at = went;
    running = true;
    for (Pub *p = pubs; p < pubs + n_pubs; p++)
        if (!p->history) begin(p);
    while (!finished(went)) { /* over when all is read, or `grace` s after the last reply, or when the limit is up */
        dispatch(1);
        for (Pub *p = pubs; p < pubs + n_pubs; p++)
            if (!p->done) published_at = now();
        if (now() - published_at > grace * 1e9 || now() - went > limit * 1e9) break;
    }
    report(went, now(), cpu() - used);
    return 0;
}
