/* Many viewers of one stream of Server-Sent Events, in one process: what the servers of the bench are loaded with.
 *
 *   load PORT PATH VIEWERS [CPU] [UNTIL] [EACH]
 *
 * Connects VIEWERS times to 127.0.0.1:PORT, reads PATH, and checks that each viewer gets each line number once and
 * in order. A line begins with `{"id":"EPOCH-NUMBER",` after `data: `, `data: [` or a raw tab, which is how both
 * servers send the same bundles. With EACH 0 only the first number of each bundle is read, and has to be the one before
 * it plus the lines in between: so that the client is not what is measured. One word a line on standard input is a command; each answers one JSON object:
 *   wait    once all viewers have the head of their answer (and, with UNTIL, line UNTIL)
 *   mark    at once: totals since the last mark
 *   quit    ends it
 * CPU pins it; latency is the wall clock less the line's own "timestamp", counted by the millisecond.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { BUFFER = 1 << 20, CARRY = 160, SLOWEST = 60000, CONNECTING = 256 };
enum stage { HEAD, SIZE, BODY, AFTER_BODY, RAW };

struct viewer {
    int fd;
    enum stage stage;
    int chunked, status, ended;
    uint64_t left;        /* of this chunk */
    int64_t next;         /* the line number that should come; 0: any may be the first */
    int carried;          /* bytes in carry: what follows a mark, not yet enough to be read */
    char carry[CARRY];
    char head[2048];
    int head_length;
};

static struct viewer *viewers;
static int each = 1;
static int count, connected, opened, begun, ended, refused, reached;
static int64_t until;
static uint64_t lines, events, bytes, twice, missed;
static uint64_t late[SLOWEST + 1];
static char buffer[BUFFER + CARRY];
static char request[4096];
static int request_length, poller;
static struct sockaddr_in address;

static double now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static int64_t wall_ms;

static const char *number(const char *at, const char *end, int64_t *value) {
    int64_t n = 0;
    const char *first = at;
    while (at < end && *at >= '0' && *at <= '9') n = n * 10 + (*at++ - '0');
    *value = n;
    return at > first ? at : NULL;
}

/* What stands after a mark (a newline or a tab). Bytes up to `end`; false: more of them are needed. */
static int after_mark(struct viewer *viewer, const char *at, const char *end, int whole) {
    int64_t line, timestamp;
    if (end - at < CARRY && !whole && memchr(at, '\n', end - at) == NULL && memchr(at, '\t', end - at) == NULL) return 0;
    if (at < end && *at == '\n') {
        events++;
        return 1;
    }
    if (end - at >= 6 && memcmp(at, "data: ", 6) == 0) at += at[6] == '[' ? 7 : 6;
    if (end - at < 8 || memcmp(at, "{\"id\":\"", 7) != 0) return 1;
    at = memchr(at + 7, '-', end - at - 7);
    if (at == NULL || (at = number(at + 1, end, &line)) == NULL) return 1;
    lines++;
    if (viewer->next == 0 || line == viewer->next) {
        viewer->next = line + 1;
    } else if (line < viewer->next) {
        twice++;
    } else {
        missed += line - viewer->next;
        viewer->next = line + 1;
    }
    if (until && line == until) reached++;
    at = memchr(at, 't', end - at); /* `","line":1,"timestamp":`: its first t */
    if (at != NULL && end - at > 11 && number(at + 11, end, &timestamp) != NULL) {
        int64_t age = wall_ms - timestamp;
        late[age < 0 ? 0 : age > SLOWEST ? SLOWEST : age]++;
    }
    return 1;
}

/* The next raw tab or newline: no other control character stands in the stream. */
static const char *mark(const char *at, const char *end) {
#ifdef __SSE2__
    const __m128i tab = _mm_set1_epi8('\t'), newline = _mm_set1_epi8('\n');
    while (end - at >= 16) {
        __m128i piece = _mm_loadu_si128((const __m128i *)at);
        int found = _mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(piece, tab), _mm_cmpeq_epi8(piece, newline)));
        if (found) return at + __builtin_ctz(found);
        at += 16;
    }
#endif
    while (at < end && *at != '\t' && *at != '\n') at++;
    return at < end ? at : NULL;
}

/* The next newline; the tabs before it are lines, counted and not looked at. */
static const char *newline_after(struct viewer *viewer, const char *at, const char *end) {
    int64_t tabs = 0;
#ifdef __SSE2__
    const __m128i tab = _mm_set1_epi8('\t'), newline = _mm_set1_epi8('\n');
    while (end - at >= 16) {
        __m128i piece = _mm_loadu_si128((const __m128i *)at);
        if (_mm_movemask_epi8(_mm_cmpeq_epi8(piece, newline))) break;
        int found = _mm_movemask_epi8(_mm_cmpeq_epi8(piece, tab));
        if (found) tabs += __builtin_popcount(found);
        at += 16;
    }
#endif
    while (at < end && *at != '\n') tabs += *at++ == '\t';
    viewer->next += tabs;
    lines += tabs;
    return at < end ? at : NULL;
}

static void payload(struct viewer *viewer, const char *at, const char *end) {
    bytes += end - at;
    if (viewer->carried) {
        int old = viewer->carried, take = CARRY - old;
        if (take > end - at) take = end - at;
        memcpy(viewer->carry + old, at, take);
        if (!after_mark(viewer, viewer->carry + 1, viewer->carry + old + take, old + take == CARRY)) {
            viewer->carried = old + take;
            return;
        }
        viewer->carried = 0;
    }
    while ((at = each ? mark(at, end) : newline_after(viewer, at, end)) != NULL) {
        if (!after_mark(viewer, at + 1, end, 0)) {
            viewer->carried = end - at;
            memcpy(viewer->carry, at, end - at);
            return;
        }
        at++;
    }
}

static void close_viewer(struct viewer *viewer) {
    if (!viewer->ended) {
        viewer->ended = 1;
        ended++;
        close(viewer->fd);
    }
}

static const char *head(struct viewer *viewer, const char *at, const char *end) {
    while (at < end && viewer->head_length < (int)sizeof viewer->head - 1) {
        viewer->head[viewer->head_length++] = *at++;
        if (viewer->head_length >= 4 && memcmp(viewer->head + viewer->head_length - 4, "\r\n\r\n", 4) == 0) {
            viewer->head[viewer->head_length] = 0;
            viewer->chunked = strcasestr(viewer->head, "transfer-encoding: chunked") != NULL;
            viewer->stage = viewer->chunked ? SIZE : RAW;
            viewer->head_length = 0;
            begun++;
            if (strncmp(viewer->head + 8, " 200", 4) != 0) {
                refused++;
                if (refused == 1) fprintf(stderr, "%.200s\n", viewer->head);
            }
            return at;
        }
    }
    return at;
}

static void feed(struct viewer *viewer, const char *at, const char *end) {
    while (at < end) {
        switch (viewer->stage) {
        case HEAD:
            at = head(viewer, at, end);
            break;
        case RAW:
            payload(viewer, at, end);
            return;
        case SIZE:
            if (*at == '\n') {
                viewer->head[viewer->head_length] = 0;
                viewer->left = strtoull(viewer->head, NULL, 16);
                viewer->head_length = 0;
                viewer->stage = BODY;
                if (viewer->left == 0) {
                    close_viewer(viewer);
                    return;
                }
            } else if (viewer->head_length < 30) {
                viewer->head[viewer->head_length++] = *at;
            }
            at++;
            break;
        case BODY: {
            const char *stop = (uint64_t)(end - at) < viewer->left ? end : at + viewer->left;
            payload(viewer, at, stop);
            viewer->left -= stop - at;
            at = stop;
            if (viewer->left == 0) viewer->stage = AFTER_BODY;
            break;
        }
        case AFTER_BODY:
            if (*at++ == '\n') viewer->stage = SIZE;
            break;
        }
    }
}

static void open_next(void) {
    struct viewer *viewer = &viewers[opened++];
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = viewer};
    int one = 1;
    viewer->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (viewer->fd < 0) {
        perror("socket");
        exit(1);
    }
    setsockopt(viewer->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(viewer->fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS) {
        perror("connect");
        exit(1);
    }
    epoll_ctl(poller, EPOLL_CTL_ADD, viewer->fd, &event);
}

static void ready(struct viewer *viewer, uint32_t happened) {
    if (happened & EPOLLOUT) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = viewer};
        if (write(viewer->fd, request, request_length) != request_length) {
            close_viewer(viewer);
            return;
        }
        connected++;
        epoll_ctl(poller, EPOLL_CTL_MOD, viewer->fd, &event);
        return;
    }
    ssize_t got = read(viewer->fd, buffer, BUFFER);
    if (got > 0)
        feed(viewer, buffer, buffer + got);
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        close_viewer(viewer);
}

static int percentile(double share) {
    uint64_t all = 0, seen = 0;
    for (int ms = 0; ms <= SLOWEST; ms++) all += late[ms];
    for (int ms = 0; ms <= SLOWEST; ms++)
        if ((seen += late[ms]) >= share * all && seen) return ms;
    return 0;
}

static void report(double since) {
    int64_t least = INT64_MAX, most = 0;
    for (int i = 0; i < count; i++) {
        if (viewers[i].next < least) least = viewers[i].next;
        if (viewers[i].next > most) most = viewers[i].next;
    }
    printf("{\"seconds\":%.6f,\"begun\":%d,\"ended\":%d,\"refused\":%d,\"lines\":%llu,\"events\":%llu,\"bytes\":%llu,"
           "\"twice\":%llu,\"missed\":%llu,\"p50\":%d,\"p99\":%d,\"slowest\":%d,\"least\":%lld,\"most\":%lld}\n",
           now(CLOCK_MONOTONIC) - since, begun, ended, refused, (unsigned long long)lines, (unsigned long long)events,
           (unsigned long long)bytes, (unsigned long long)twice, (unsigned long long)missed, percentile(0.5),
           percentile(0.99), percentile(1), (long long)(least ? least - 1 : 0), (long long)(most ? most - 1 : 0));
    fflush(stdout);
    memset(late, 0, sizeof late);
    lines = events = bytes = twice = missed = 0;
}

static void prepare(int argc, char **argv) {
    struct rlimit files = {count + 64, count + 64};
    cpu_set_t cpus;
    count = atoi(argv[3]);
    files.rlim_cur = files.rlim_max = count + 64;
    setrlimit(RLIMIT_NOFILE, &files);
    if (argc > 4 && atoi(argv[4]) >= 0) {
        CPU_ZERO(&cpus);
        CPU_SET(atoi(argv[4]), &cpus);
        sched_setaffinity(0, sizeof cpus, &cpus);
    }
    until = argc > 5 ? atoll(argv[5]) : 0;
    each = argc > 6 ? atoi(argv[6]) : 1;
    viewers = calloc(count, sizeof *viewers);
    address.sin_family = AF_INET;
    address.sin_port = htons(atoi(argv[1]));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    request_length = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nAccept: text/event-stream\r\n\r\n",
                              argv[2], argv[1]);
    poller = epoll_create1(0);
}

int main(int argc, char **argv) {
    struct epoll_event happened[512], input = {.events = EPOLLIN, .data.ptr = NULL};
    double since = now(CLOCK_MONOTONIC);
    int waiting = 0;
    char command[64];
    if (argc < 4) {
        fprintf(stderr, "usage: load PORT PATH VIEWERS [CPU] [UNTIL] [EACH]\n");
        return 2;
    }
    prepare(argc, argv);
    epoll_ctl(poller, EPOLL_CTL_ADD, 0, &input);
    for (;;) {
        while (opened < count && opened - begun < CONNECTING) open_next();
        int n = epoll_wait(poller, happened, 512, -1);
        wall_ms = (int64_t)(now(CLOCK_REALTIME) * 1000);
        for (int i = 0; i < n; i++) {
            if (happened[i].data.ptr != NULL) {
                ready(happened[i].data.ptr, happened[i].events);
                continue;
            }
            ssize_t got = read(0, command, sizeof command - 1);
            if (got <= 0 || command[0] == 'q') return 0;
            if (command[0] == 'w') waiting = 1;
            if (command[0] == 'm') {
                report(since);
                since = now(CLOCK_MONOTONIC);
            }
        }
        if (waiting && begun + (ended && !begun ? ended : 0) >= count && (!until || reached + ended >= count)) {
            report(since);
            since = now(CLOCK_MONOTONIC);
            waiting = 0;
        }
    }
}
