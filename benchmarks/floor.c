/* The kernel's part alone: what no supervisor can be faster than.  Prints one figure.

     floor start COUNT CHILD ...        seconds to start so many children with three pipes each
     floor successor TURNS CHILD ...    median milliseconds from kill -9 to the successor's own word;
                                        the child is "announce SOCKET", the socket is bound here
     floor murmur SECONDS COUNT CHILD   microseconds of CPU a line: epoll, splice to a file each
     floor loud TARGET CHILD ...        "MB/s CPU-seconds-per-GiB": splice from one child to a file
*/
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static double cpu(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* A child with three pipes; the reading end of its stdout in *out. */
static pid_t spawn(char **command, int *out) {
    int in[2], o[2], e[2];
    if (pipe2(in, O_CLOEXEC) || pipe2(o, O_CLOEXEC) || pipe2(e, O_CLOEXEC)) exit(1);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, o[1], 1);
    posix_spawn_file_actions_adddup2(&actions, e[1], 2);
    pid_t pid;
    if (posix_spawn(&pid, command[0], &actions, &attributes, command, environ)) exit(1);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    close(in[0]), close(o[1]), close(e[1]);
    *out = o[0];
    return pid;
}

static void start(int count, char **command) {
    pid_t *pids = calloc((size_t)count, sizeof *pids);
    int out;
    int64_t began = now();
    for (int i = 0; i < count; i++) pids[i] = spawn(command, &out);
    printf("%.4f\n", (double)(now() - began) / 1e9);
    for (int i = 0; i < count; i++) kill(pids[i], SIGKILL);
    while (wait(0) > 0) continue;
}

static int by_size(const void *a, const void *b) {
    double d = *(const double *)a - *(const double *)b;
    return (d > 0) - (d < 0);
}

static void successor(int turns, char **command) {
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    strncpy(name.sun_path, command[2], sizeof name.sun_path - 1);
    int ear = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), out;
    if (bind(ear, (struct sockaddr *)&name, sizeof name)) exit(1);
    double *spent = calloc((size_t)turns, sizeof *spent);
    char text[65] = "";
    pid_t pid = spawn(command, &out);
    if (recv(ear, text, 64, 0) < 0) exit(1);
    for (int i = 0; i < turns; i++) {
        usleep(50000);
        int64_t began = now();
        kill(pid, SIGKILL);
        waitpid(pid, 0, 0);
        pid = spawn(command, &out);
        ssize_t length = recv(ear, text, 64, 0);
        if (length < 0) exit(1);
        text[length] = 0;
        spent[i] = (double)(atoll(strchr(text, ' ')) - began) / 1e6;
    }
    qsort(spent, (size_t)turns, sizeof *spent, by_size);
    printf("%.3f\n", spent[turns / 2]);
    kill(pid, SIGKILL);
    waitpid(pid, 0, 0);
}

static int scratch_file(void) {
    int fd = open(".", O_TMPFILE | O_RDWR, 0600);
    if (fd < 0) fd = memfd_create("floor", 0);
    return fd;
}

static void murmur(int seconds, int count, char **command) {
    int poll = epoll_create1(0);
    pid_t *pids = calloc((size_t)count, sizeof *pids);
    int *files = calloc((size_t)count + 1, sizeof *files), *outs = calloc((size_t)count + 1, sizeof *outs);
    for (int i = 0; i < count; i++) {
        pids[i] = spawn(command, &outs[i]);
        files[i] = scratch_file();
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
        epoll_ctl(poll, EPOLL_CTL_ADD, outs[i], &event);
    }
    struct epoll_event heard[256];
    int64_t from = now() + 3000000000LL, until = from + seconds * 1000000000LL, bytes = 0;
    double used = 0;
    while (now() < until) {
        int many = epoll_wait(poll, heard, 256, 1000);
        for (int i = 0; i < many; i++) {
            uint32_t which = heard[i].data.u32;
            ssize_t moved = splice(outs[which], 0, files[which], 0, 65536, SPLICE_F_NONBLOCK);
            if (now() >= from && moved > 0) bytes += moved;
        }
        if (!used && now() >= from) used = cpu();
    }
    printf("%.3f\n", (cpu() - used) * 1e6 / ((double)bytes / 60));
    for (int i = 0; i < count; i++) kill(pids[i], SIGKILL);
    while (wait(0) > 0) continue;
}

static void loud(const char *target, char **command) {
    int out, file = open(target, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
    double used = cpu();
    int64_t began = now(), bytes = 0;
    spawn(command, &out);
    for (;;) {
        ssize_t moved = splice(out, 0, file, 0, 1 << 20, 0);
        if (moved <= 0) break;
        bytes += moved;
    }
    double seconds = (double)(now() - began) / 1e9;
    printf("%.2f %.4f\n", (double)bytes / 1e6 / seconds, (cpu() - used) * 1073741824.0 / (double)bytes);
    wait(0);
    unlink(target);
}

int main(int argc, char **argv) {
    if (argc > 3 && !strcmp(argv[1], "start")) start(atoi(argv[2]), argv + 3);
    else if (argc > 5 && !strcmp(argv[1], "successor")) successor(atoi(argv[2]), argv + 3);
    else if (argc > 4 && !strcmp(argv[1], "murmur")) murmur(atoi(argv[2]), atoi(argv[3]), argv + 4);
    else if (argc > 3 && !strcmp(argv[1], "loud")) loud(argv[2], argv + 3);
    else return 2;
    return 0;
}
